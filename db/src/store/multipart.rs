//! Multipart uploads: a browser's, a part at a time, and our own of large files.

use std::path::Path;

use aws_sdk_s3::{
    primitives::{ByteStream, Length},
    types::{CompletedMultipartUpload, CompletedPart},
};

use super::{Store, StoreError};

/// Of files we send ourselves.
pub(super) const PART_BYTES: u64 = 32 << 20;

/// A part of a multipart upload that S3 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub part_number: i32,
    pub etag: String,
    pub size_bytes: u64,
}

impl Store {
    /// Begins a multipart upload and returns its id.
    pub async fn create_multipart(&self, key: &str, content_type: &str) -> Result<String, StoreError> {
        let created = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .send()
            .await?;
        created
            .upload_id
            .ok_or_else(|| StoreError::Refused { code: "NoUploadId".into(), message: "S3 gave no upload id".into() })
    }

    /// Sends a file of `size` bytes in parts; nothing is left behind when that fails.
    pub(super) async fn put_in_parts(
        &self,
        key: &str,
        path: &Path,
        size: u64,
        content_type: &str,
    ) -> Result<(), StoreError> {
        let upload_id = self.create_multipart(key, content_type).await?;
        let completed = match self.put_parts(key, &upload_id, path, size).await {
            Ok(parts) => self.complete_multipart(key, &upload_id, &parts).await,
            Err(error) => Err(error),
        };
        if completed.is_err()
            && let Err(error) = self.abort_multipart(key, &upload_id).await
        {
            tracing::warn!(key, %error, "could not abort a multipart upload");
        }
        completed
    }

    async fn put_parts(
        &self,
        key: &str,
        upload_id: &str,
        path: &Path,
        size: u64,
    ) -> Result<Vec<StoredPart>, StoreError> {
        let mut parts = Vec::new();
        for (number, offset) in (1_i32..).zip((0..size).step_by(PART_BYTES as usize)) {
            let length = PART_BYTES.min(size - offset);
            let body = ByteStream::read_from()
                .path(path)
                .offset(offset)
                .length(Length::Exact(length))
                .build()
                .await
                .map_err(|error| std::io::Error::other(error.to_string()))?;
            let sent = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(upload_id)
                .part_number(number)
                .body(body)
                .send()
                .await?;
            parts.push(StoredPart { part_number: number, etag: sent.e_tag.unwrap_or_default(), size_bytes: length });
        }
        Ok(parts)
    }

    /// The parts S3 holds, by number.
    pub async fn list_parts(&self, key: &str, upload_id: &str) -> Result<Vec<StoredPart>, StoreError> {
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let page = self
                .client
                .list_parts()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(upload_id)
                .set_part_number_marker(marker.take())
                .send()
                .await?;
            parts.extend(page.parts().iter().map(|part| StoredPart {
                part_number: part.part_number().unwrap_or(0),
                etag: part.e_tag().unwrap_or_default().to_owned(),
                size_bytes: part.size().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            }));
            match (page.is_truncated(), page.next_part_number_marker()) {
                (Some(true), Some(next)) => marker = Some(next.to_owned()),
                _ => break,
            }
        }
        parts.sort_by_key(|part| part.part_number);
        Ok(parts)
    }

    /// Puts the parts together.
    pub async fn complete_multipart(&self, key: &str, upload_id: &str, parts: &[StoredPart]) -> Result<(), StoreError> {
        let parts = parts
            .iter()
            .map(|part| CompletedPart::builder().part_number(part.part_number).e_tag(&part.etag).build())
            .collect();
        self.client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send()
            .await?;
        Ok(())
    }

    /// Gives up a multipart upload and its parts; one that is not there is no error.
    pub async fn abort_multipart(&self, key: &str, upload_id: &str) -> Result<(), StoreError> {
        match self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .send()
            .await
            .map_err(StoreError::from)
        {
            Ok(_) | Err(StoreError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives up every multipart upload that is open under a prefix and returns how many that were. S3 keeps the parts of an
    /// open upload, unseen by listings of objects, until somebody does.
    pub async fn abort_multiparts(&self, prefix: &str) -> Result<usize, StoreError> {
        let mut open = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let page = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_key_marker(key_marker.take())
                .set_upload_id_marker(id_marker.take())
                .send()
                .await?;
            for upload in page.uploads() {
                if let (Some(key), Some(upload_id)) = (upload.key(), upload.upload_id()) {
                    open.push((key.to_owned(), upload_id.to_owned()));
                }
            }
            match (page.is_truncated(), page.next_key_marker(), page.next_upload_id_marker()) {
                (Some(true), Some(key), id) => {
                    (key_marker, id_marker) = (Some(key.to_owned()), id.map(ToOwned::to_owned));
                }
                _ => break,
            }
        }
        for (key, upload_id) in &open {
            self.abort_multipart(key, upload_id).await?;
        }
        Ok(open.len())
    }
}
