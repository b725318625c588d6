//! Whole objects: put, get, head, list, delete.

use std::path::Path;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use tokio::io::AsyncWriteExt;

use super::{Store, StoreError, multipart::PART_BYTES};
use crate::error::chain;

/// What is known of an object without fetching it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    pub size_bytes: u64,
    pub etag: Option<String>,
    pub content_type: Option<String>,
}

impl Store {
    /// Sends a file, streaming it from disk; a large one in parts.
    pub async fn put_file(&self, key: &str, path: &Path, content_type: &str) -> Result<(), StoreError> {
        let size = tokio::fs::metadata(path).await?.len();
        if size > 2 * PART_BYTES {
            return self.put_in_parts(key, path, size, content_type).await;
        }
        let body = ByteStream::from_path(path).await.map_err(|error| std::io::Error::other(error.to_string()))?;
        self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(body).send().await?;
        Ok(())
    }

    /// Sends bytes that are already in memory (small artifacts).
    pub async fn put_bytes(&self, key: &str, bytes: Vec<u8>, content_type: &str) -> Result<(), StoreError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(bytes.into())
            .send()
            .await?;
        Ok(())
    }

    /// Streams an object into a file and returns its size. Nothing beyond `max_bytes` is ever written.
    pub async fn get_file(&self, key: &str, path: &Path, max_bytes: u64) -> Result<u64, StoreError> {
        let object = self.client.get_object().bucket(&self.bucket).key(key).send().await?;
        let mut body = object.body;
        let mut file = tokio::fs::File::create(path).await?;
        let mut written = 0_u64;
        while let Some(chunk) = body.try_next().await.map_err(|error| StoreError::Unavailable(chain(&error)))? {
            written += chunk.len() as u64;
            if written > max_bytes {
                return Err(StoreError::TooLarge { key: key.to_owned(), max_bytes });
            }
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        Ok(written)
    }

    /// A small object, held in memory; one larger than `max_bytes` is an error.
    pub async fn get_bytes(&self, key: &str, max_bytes: u64) -> Result<Vec<u8>, StoreError> {
        let object = self.client.get_object().bucket(&self.bucket).key(key).send().await?;
        let mut body = object.body;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.try_next().await.map_err(|error| StoreError::Unavailable(chain(&error)))? {
            if (bytes.len() + chunk.len()) as u64 > max_bytes {
                return Err(StoreError::TooLarge { key: key.to_owned(), max_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// `None` when there is no such object.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StoreError> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await.map_err(StoreError::from) {
            Ok(head) => Ok(Some(ObjectHead {
                size_bytes: head.content_length.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                etag: head.e_tag,
                content_type: head.content_type,
            })),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes an object; one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.client.delete_object().bucket(&self.bucket).key(key).send().await.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes everything under a prefix, a page at a time, and returns how many objects that were.
    pub async fn delete_prefix(&self, prefix: &str) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let page = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).max_keys(1000).send().await?;
            let keys: Vec<_> =
                page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)).collect();
            if keys.is_empty() {
                return Ok(removed);
            }
            self.delete_keys(&keys).await?;
            removed += keys.len() as u64;
        }
    }

    /// The keys under a prefix, in order.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_continuation_token(after.take())
                .send()
                .await?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)));
            match page.next_continuation_token {
                Some(next) if page.is_truncated == Some(true) => after = Some(next),
                _ => break,
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// Removes the given objects, a thousand a request.
    pub async fn delete_keys(&self, keys: &[String]) -> Result<(), StoreError> {
        for chunk in keys.chunks(1000) {
            let objects: Vec<_> =
                chunk.iter().filter_map(|key| ObjectIdentifier::builder().key(key).build().ok()).collect();
            let delete =
                Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(|error| {
                    StoreError::Refused { code: "InvalidRequest".into(), message: error.to_string() }
                })?;
            let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await?;
            if let Some(error) = answer.errors().iter().find(|error| error.code() != Some("NoSuchKey")) {
                let message = error.message().unwrap_or_default().to_owned();
                return Err(StoreError::said(error.code().unwrap_or("Unknown"), message));
            }
        }
        Ok(())
    }
}
