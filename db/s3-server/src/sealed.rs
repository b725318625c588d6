//! One file that holds some bytes and what is known about them.
//!
//! The bytes come first, so that a range is read at its own offset; a JSON description follows, then its length
//! (`u32`, little-endian) and an eight-byte mark. Bytes and description thus appear and vanish together, in one rename.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

const MARK: &[u8; 8] = b"HMDXS3\0\x01";
const TAIL_BYTES: u64 = 12;

/// What is known about the bytes of an object or a part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Description {
    /// Number of bytes in front of the description.
    pub(crate) size_bytes: u64,
    /// Hex MD5, or for a multipart object `<hex MD5 of the parts' MD5s>-<number of parts>`.
    pub(crate) etag: String,
    /// When the bytes were stored, milliseconds since 1970.
    pub(crate) modified_unix_ms: u64,
    /// Checksums the client sent and we verified, base64, by lower-case algorithm name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) checksums: BTreeMap<String, String>,
    /// Headers to repeat on GET.
    #[serde(default)]
    pub(crate) attributes: Attributes,
}

/// Headers that a client stores with an object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Description {
    /// When the bytes were stored.
    pub(crate) fn modified(&self) -> SystemTime {
        UNIX_EPOCH + std::time::Duration::from_millis(self.modified_unix_ms)
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Appends the description to a file whose bytes have been written, and flushes it to the disk if asked.
pub(crate) fn seal(file: &mut std::fs::File, description: &Description, durable: bool) -> io::Result<()> {
    let json = serde_json::to_vec(description)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    let mut tail = json;
    tail.extend_from_slice(&length.to_le_bytes());
    tail.extend_from_slice(MARK);
    file.seek(SeekFrom::End(0))?;
    file.write_all(&tail)?;
    if durable { file.sync_all() } else { Ok(()) }
}

/// Opens a sealed file, placed at its first byte.
pub(crate) fn open(path: &Path) -> io::Result<(std::fs::File, Description)> {
    let mut file = std::fs::File::open(path)?;
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", path.display()));
    let total = file.metadata()?.len();
    let tail_at = total.checked_sub(TAIL_BYTES).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(tail_at))?;
    let (mut length, mut mark) = ([0_u8; 4], [0_u8; 8]);
    file.read_exact(&mut length)?;
    file.read_exact(&mut mark)?;
    let json_at = tail_at.checked_sub(u64::from(u32::from_le_bytes(length))).ok_or_else(damaged)?;
    if &mark != MARK {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(json_at))?;
    let mut json = Vec::new();
    Read::by_ref(&mut file).take(tail_at - json_at).read_to_end(&mut json)?;
    let description: Description = serde_json::from_slice(&json).map_err(|_| damaged())?;
    if description.size_bytes != json_at {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(0))?;
    Ok((file, description))
}

/// A file under way; removed again unless it is put in its place.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    placed: bool,
}

impl Draft {
    /// A new empty file in `folder`, with a name nobody else has.
    pub(crate) fn create(folder: &Path) -> io::Result<(Self, std::fs::File)> {
        let path = folder.join(uuid::Uuid::new_v4().to_string());
        let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok((Self { path, placed: false }, file))
    }

    /// Moves the file to `target`, in one step. `fresh`: fail with `AlreadyExists` where something is there.
    pub(crate) fn place(mut self, target: &Path, fresh: bool, durable: bool) -> io::Result<()> {
        let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        // A delete may prune the empty folder between its creation and the rename.
        for _ in 0..16 {
            std::fs::create_dir_all(folder)?;
            let moved =
                if fresh { std::fs::hard_link(&self.path, target) } else { std::fs::rename(&self.path, target) };
            match moved {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.placed = !fresh;
                    return if durable { std::fs::File::open(folder)?.sync_all() } else { Ok(()) };
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("{} keeps vanishing", folder.display())))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.placed {
            // Nothing to be done about a failure: the folder of drafts is emptied at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
