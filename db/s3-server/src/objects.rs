//! Objects as files: put, open, copy, remove. Everything here blocks; the service calls it from a blocking task.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError, Limits};
use crate::names::{self, KeyError};
use crate::sealed::{self, Attributes, Description, Draft};
use crate::uploads::UPLOAD_FILE;

/// The folders of one server.
///
/// `buckets/<bucket>/<key as path>`, `uploads/<upload id>/{upload.json,<part>}`, `drafts/<uuid>`, `lock`.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    pub(crate) durable: bool,
    pub(crate) limits: Limits,
    /// Held for as long as the server lives.
    _lock: std::fs::File,
}

/// Why an object cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The bucket does not exist.
    #[error("no such bucket")]
    NoSuchBucket,
    /// The object does not exist.
    #[error("no such key")]
    NoSuchKey,
    /// The key is not one we store.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The disk said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Store {
    /// Makes the folders and the configured bucket, takes the lock and removes what a crash left half written.
    pub(crate) fn open(config: &Config) -> Result<Self, ConfigError> {
        let root = config.root.clone();
        let fail = |source| ConfigError::Root { root: config.root.clone(), source };
        if !s3s::path::check_bucket_name(&config.bucket) {
            return Err(ConfigError::Bucket(config.bucket.clone()));
        }
        for folder in ["buckets", "uploads", "drafts"] {
            std::fs::create_dir_all(root.join(folder)).map_err(fail)?;
        }
        let lock =
            std::fs::File::options().create(true).truncate(false).write(true).open(root.join("lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(ConfigError::InUse { root }),
            Err(std::fs::TryLockError::Error(source)) => return Err(fail(source)),
        }
        for draft in std::fs::read_dir(root.join("drafts")).map_err(fail)? {
            std::fs::remove_file(draft.map_err(fail)?.path()).map_err(fail)?;
        }
        // A part that arrived while its upload was aborted may have left a folder behind.
        for upload in std::fs::read_dir(root.join("uploads")).map_err(fail)? {
            let folder = upload.map_err(fail)?.path();
            if !folder.join(UPLOAD_FILE).exists() {
                std::fs::remove_dir_all(folder).map_err(fail)?;
            }
        }
        std::fs::create_dir_all(root.join("buckets").join(&config.bucket)).map_err(fail)?;
        Ok(Self { root, durable: config.durable, limits: config.limits.clone(), _lock: lock })
    }

    /// Where files under way lie; on the same file system as the objects.
    pub(crate) fn drafts(&self) -> PathBuf {
        self.root.join("drafts")
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// Folder that holds the buckets.
    pub(crate) fn buckets(&self) -> PathBuf {
        self.root.join("buckets")
    }

    /// Folder of a bucket that exists.
    pub(crate) fn bucket(&self, bucket: &str) -> Result<PathBuf, OpenError> {
        let folder = self.buckets().join(bucket);
        // `s3s` has checked the name: no separators, no dots in a row.
        if folder.is_dir() { Ok(folder) } else { Err(OpenError::NoSuchBucket) }
    }

    /// The file of a key, whether or not it is there.
    pub(crate) fn path(&self, bucket: &str, key: &str) -> Result<PathBuf, OpenError> {
        let path = names::key_to_path(key)?;
        Ok(self.bucket(bucket)?.join(path))
    }

    /// Opens an object at its first byte.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<(std::fs::File, Description), OpenError> {
        let path = self.path(bucket, key)?;
        sealed::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::NoSuchKey,
            _ => OpenError::Io(error),
        })
    }

    /// Puts a finished draft in its place. `fresh`: only if nothing is there (`AlreadyExists` otherwise).
    pub(crate) fn place(
        &self,
        (draft, mut file): (Draft, std::fs::File),
        description: &Description,
        target: &Path,
        fresh: bool,
    ) -> io::Result<()> {
        sealed::seal(&mut file, description, self.durable)?;
        draft.place(target, fresh, self.durable)
    }

    /// Copies an object. The new one keeps the ETag; its headers are kept unless `attributes` replace them.
    pub(crate) fn copy(
        &self,
        from: (&str, &str),
        to: (&str, &str),
        attributes: Option<Attributes>,
    ) -> Result<Description, OpenError> {
        let target = self.path(to.0, to.1)?;
        let (source, mut description) = self.object(from.0, from.1)?;
        let (draft, mut file) = Draft::create(&self.drafts())?;
        append(&source, description.size_bytes, &mut file)?;
        description.modified_unix_ms = sealed::now_unix_ms();
        if let Some(attributes) = attributes {
            description.attributes = attributes;
        }
        self.place((draft, file), &description, &target, false)?;
        Ok(description)
    }

    /// Removes an object and the folders it leaves empty. One that is not there is removed already.
    pub(crate) fn remove(&self, bucket: &str, key: &str) -> Result<(), OpenError> {
        let bucket_folder = self.bucket(bucket)?;
        let path = self.path(bucket, key)?;
        match std::fs::remove_file(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
            Err(error) => Err(OpenError::Io(error)),
            Ok(()) => {
                let mut folder = path.parent();
                while let Some(parent) = folder.filter(|parent| *parent != bucket_folder) {
                    if std::fs::remove_dir(parent).is_err() {
                        break;
                    }
                    folder = parent.parent();
                }
                Ok(())
            }
        }
    }
}

/// Appends `size_bytes` of `source` (by `copy_file_range` where the kernel can) and fails if there are fewer.
pub(crate) fn append(source: &std::fs::File, size_bytes: u64, target: &mut std::fs::File) -> io::Result<()> {
    let copied = io::copy(&mut source.take(size_bytes), target)?;
    target.flush()?;
    if copied == size_bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
