//! Multipart uploads: a folder of sealed parts, put together into one object at the end. Everything here blocks.

use std::io;
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum as _, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::objects::{OpenError, Store, append};
use crate::receive::Received;
use crate::sealed::{self, Attributes, Description, Draft};

/// Highest part number, as at Amazon S3.
pub(crate) const MAX_PART_NUMBER: i32 = 10_000;
/// Makes a folder an upload.
pub(crate) const UPLOAD_FILE: &str = "upload.json";

/// What was said when the upload began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) upload_id: Uuid,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) initiated_unix_ms: u64,
    pub(crate) attributes: Attributes,
}

/// A part that is stored whole.
#[derive(Debug)]
pub(crate) struct StoredPart {
    pub(crate) number: i32,
    pub(crate) description: Description,
}

/// Why an upload cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("no such upload")]
    NoSuchUpload,
    #[error("part numbers must be named in ascending order")]
    Order,
    #[error("parts {0:?} are not stored, or have another ETag")]
    InvalidParts(Vec<i32>),
    #[error("part {0} is smaller than allowed for a part that is not the last")]
    TooSmall(i32),
    #[error("an object is already stored under this key")]
    Exists,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Store {
    /// Begins an upload.
    pub(crate) fn begin(&self, bucket: &str, key: &str, attributes: Attributes) -> Result<Uuid, UploadError> {
        self.path(bucket, key)?;
        let upload = Upload {
            upload_id: Uuid::new_v4(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            initiated_unix_ms: sealed::now_unix_ms(),
            attributes,
        };
        let (draft, file) = Draft::create(&self.drafts())?;
        serde_json::to_writer(&file, &upload).map_err(io::Error::from)?;
        if self.durable {
            file.sync_all()?;
        }
        let folder = self.uploads().join(upload.upload_id.to_string());
        draft.place(&folder.join(UPLOAD_FILE), false, self.durable)?;
        Ok(upload.upload_id)
    }

    /// The upload of this id, if it belongs to this bucket and key, and its folder.
    pub(crate) fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<(Upload, PathBuf), UploadError> {
        let id = Uuid::parse_str(id).map_err(|_| UploadError::NoSuchUpload)?;
        let folder = self.uploads().join(id.to_string());
        let upload = read_upload(&folder)?.ok_or(UploadError::NoSuchUpload)?;
        if upload.bucket == bucket && upload.key == key { Ok((upload, folder)) } else { Err(UploadError::NoSuchUpload) }
    }

    /// Stores a part; one of the same number is replaced.
    pub(crate) fn store_part(
        &self,
        folder: &Path,
        number: i32,
        received: Received,
    ) -> Result<Description, UploadError> {
        let description = Description {
            size_bytes: received.size_bytes,
            etag: received.md5,
            modified_unix_ms: sealed::now_unix_ms(),
            checksums: received.checksums,
            attributes: Attributes::default(),
        };
        if !folder.is_dir() {
            // Completed or aborted while the body came in: `place` would make the folder anew.
            return Err(UploadError::NoSuchUpload);
        }
        self.place((received.draft, received.file), &description, &part_path(folder, number), false)?;
        Ok(description)
    }

    /// The parts that are stored, by number.
    pub(crate) fn parts(&self, folder: &Path) -> Result<Vec<StoredPart>, UploadError> {
        let mut parts = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix("part-")?.parse().ok());
            if let Some(number) = number {
                parts.push(StoredPart { number, description: sealed::open(&path)?.1 });
            }
        }
        parts.sort_by_key(|part| part.number);
        Ok(parts)
    }

    /// Puts the named parts together. Until the object stands whole, the parts stay; after it, they are gone.
    pub(crate) fn complete(
        &self,
        upload: &Upload,
        folder: &Path,
        named: &[(i32, String)],
        fresh: bool,
    ) -> Result<Description, UploadError> {
        let target = self.path(&upload.bucket, &upload.key)?;
        if fresh && target.exists() {
            return Err(UploadError::Exists);
        }
        if !named.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(UploadError::Order);
        }
        let stored = self.parts(folder)?;
        let find = |number: i32| stored.iter().find(|part| part.number == number);
        let wrong = |(number, etag): &&(i32, String)| find(*number).is_none_or(|part| part.description.etag != *etag);
        let invalid: Vec<i32> = named.iter().filter(wrong).map(|(number, _)| *number).collect();
        if named.is_empty() || !invalid.is_empty() {
            return Err(UploadError::InvalidParts(invalid));
        }
        let parts: Vec<&StoredPart> = named.iter().filter_map(|(number, _)| find(*number)).collect();
        if let Some((_, all_but_last)) = parts.split_last()
            && let Some(small) = all_but_last.iter().find(|p| p.description.size_bytes < self.limits.min_part_bytes)
        {
            return Err(UploadError::TooSmall(small.number));
        }

        let (draft, mut file) = Draft::create(&self.drafts())?;
        let mut etags = Md5::new();
        let mut size_bytes = 0;
        for part in &parts {
            let (source, description) = sealed::open(&part_path(folder, part.number))?;
            if description.etag != part.description.etag {
                return Err(UploadError::InvalidParts(vec![part.number]));
            }
            append(&source, description.size_bytes, &mut file)?;
            etags.update(&hex::decode(&description.etag).map_err(io::Error::other)?);
            size_bytes += description.size_bytes;
        }
        let description = Description {
            size_bytes,
            etag: format!("{}-{}", hex::encode(etags.finalize()), parts.len()),
            modified_unix_ms: sealed::now_unix_ms(),
            checksums: std::collections::BTreeMap::new(),
            attributes: upload.attributes.clone(),
        };
        self.place((draft, file), &description, &target, fresh).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => UploadError::Exists,
            _ => UploadError::Io(error),
        })?;
        self.forget(folder)?;
        Ok(description)
    }

    /// Removes an upload: first what makes it one, so that a crash in between leaves no upload of which parts are gone.
    pub(crate) fn forget(&self, folder: &Path) -> Result<(), UploadError> {
        match std::fs::remove_file(folder.join(UPLOAD_FILE)).and_then(|()| std::fs::remove_dir_all(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(UploadError::Io(error)),
            _ => Ok(()),
        }
    }

    /// Uploads under way in a bucket, by key and time.
    pub(crate) fn uploads_of(&self, bucket: &str) -> Result<Vec<Upload>, UploadError> {
        self.bucket(bucket)?;
        let mut uploads = Vec::new();
        for entry in std::fs::read_dir(self.uploads())? {
            uploads.extend(read_upload(&entry?.path())?.filter(|upload| upload.bucket == bucket));
        }
        uploads.sort_by(|a, b| {
            (&a.key, a.initiated_unix_ms, a.upload_id).cmp(&(&b.key, b.initiated_unix_ms, b.upload_id))
        });
        Ok(uploads)
    }
}

fn part_path(folder: &Path, number: i32) -> PathBuf {
    folder.join(format!("part-{number:05}"))
}

fn read_upload(folder: &Path) -> io::Result<Option<Upload>> {
    match std::fs::read(folder.join(UPLOAD_FILE)) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
