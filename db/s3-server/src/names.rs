//! From an S3 key to a path and back.
//!
//! Every `/`-separated segment becomes one file name: ASCII letters, digits, `-`, `_` and `.` stay, every other byte is
//! written `%XX`. All segments but the last end in `.dir`, the last in `.obj`. So no segment can mean "here" or "up", the
//! keys `k` and `k/sub` live beside each other (`k.obj`, `k.dir/sub.obj`), and the path can be read back.

use std::path::{Path, PathBuf};

/// Longest key in bytes, as at Amazon S3.
pub const MAX_KEY_BYTES: usize = 1024;
/// Longest file name that common file systems hold, bytes.
const MAX_FILE_NAME_BYTES: usize = 255;

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty.
    #[error("the key is empty")]
    Empty,
    /// More bytes than S3 or the file system allows.
    #[error("the key, or one of its segments, is too long")]
    TooLong,
    /// A segment `.` or `..`, which proxies and clients resolve before they sign or send.
    #[error("the key has a segment `.` or `..`")]
    Traversal,
    /// A control character, which XML 1.0 cannot carry in a listing.
    #[error("the key holds a control character")]
    Control,
}

/// The path of a key, relative to its bucket's folder.
pub fn key_to_path(key: &str) -> Result<PathBuf, KeyError> {
    if key.is_empty() {
        return Err(KeyError::Empty);
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLong);
    }
    if key.chars().any(char::is_control) {
        return Err(KeyError::Control);
    }
    if key.split(['/', '\\']).any(|segment| segment == "." || segment == "..") {
        return Err(KeyError::Traversal);
    }
    let mut path = PathBuf::new();
    let mut segments = key.split('/').peekable();
    while let Some(segment) = segments.next() {
        let mut name = encode(segment);
        name.push_str(if segments.peek().is_some() { ".dir" } else { ".obj" });
        if name.len() > MAX_FILE_NAME_BYTES {
            return Err(KeyError::TooLong);
        }
        path.push(name);
    }
    Ok(path)
}

/// The key of an object file, given its path relative to the bucket's folder. `None`: not an object of ours.
#[must_use]
pub fn path_to_key(path: &Path) -> Option<String> {
    let mut key = String::new();
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let name = component.as_os_str().to_str()?;
        match components.peek() {
            Some(_) => {
                key.push_str(&decode(name.strip_suffix(".dir")?)?);
                key.push('/');
            }
            None => key.push_str(&decode(name.strip_suffix(".obj")?)?),
        }
    }
    Some(key)
}

/// The folder, relative to the bucket's, below which every key with this prefix lies.
#[must_use]
pub fn prefix_to_folder(prefix: &str) -> PathBuf {
    let mut segments: Vec<&str> = prefix.split('/').collect();
    segments.pop();
    segments.into_iter().map(|segment| format!("{}.dir", encode(segment))).collect()
}

fn encode(segment: &str) -> String {
    let mut name = String::with_capacity(segment.len() + 4);
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (hex, tail) = tail.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_back_and_no_two_meet() {
        let keys =
            ["k", "k/sub", "k.obj", "k.dir/x", "a//b", "a/", "/a", "Blå bær/%2e%2e/ü", "a\\b", "%", ".hidden", "..."];
        let mut paths: Vec<PathBuf> = keys.iter().map(|key| key_to_path(key).unwrap()).collect();
        for (key, path) in keys.iter().zip(&paths) {
            assert_eq!(path_to_key(path).as_deref(), Some(*key));
            assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))), "{path:?}");
        }
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), keys.len());
    }

    #[test]
    fn a_key_cannot_climb() {
        for key in ["..", "../other/x", "a/../b", "a/..", "./a", "a\\..\\b", "..\\x"] {
            assert_eq!(key_to_path(key), Err(KeyError::Traversal), "{key}");
        }
        assert_eq!(key_to_path("a\0b"), Err(KeyError::Control));
        assert_eq!(key_to_path(&"x".repeat(1025)), Err(KeyError::TooLong));
        assert_eq!(key_to_path(&"ü".repeat(100)), Err(KeyError::TooLong));
        assert_eq!(key_to_path(""), Err(KeyError::Empty));
    }

    #[test]
    fn a_prefix_names_its_folder() {
        assert_eq!(prefix_to_folder("a/b"), PathBuf::from("a.dir"));
        assert_eq!(prefix_to_folder("a/b/"), PathBuf::from("a.dir/b.dir"));
        assert_eq!(prefix_to_folder("a"), PathBuf::new());
    }
}
