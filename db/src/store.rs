//! Objects in S3. One bucket, private; whoever needs bytes outside gets a URL that expires.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;
use url::Url;

/// Where the objects are.
#[derive(Clone, Debug)]
pub struct S3Config {
    pub endpoint: Url,
    /// What browsers reach it by; presigned URLs carry this one.
    pub public_endpoint: Url,
    pub region: String,
    pub bucket: String,
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}

/// What S3 said, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("object not found: {0}")]
    NotFound(String),
    /// Out of reach, overloaded or timed out.
    #[error("object storage is unavailable: {0}")]
    Unavailable(String),
    /// More bytes than the caller allowed.
    #[error("object {key} has more than {max_bytes} bytes")]
    TooLarge { key: String, max_bytes: u64 },
    /// S3 refused the request; the code is S3's own.
    #[error("object storage refused: {code}: {message}")]
    Refused { code: String, message: String },
    #[error("local file: {0}")]
    File(#[from] std::io::Error),
}

impl StoreError {
    /// Waiting may help; no attempt should be spent on it.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// S3's own error code, where it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    fn from(error: SdkError<E, R>) -> Self {
        match &error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("Unknown").to_owned();
                let message = service.err().message().unwrap_or_default().to_owned();
                match code.as_str() {
                    "NoSuchKey" | "NotFound" | "NoSuchUpload" | "NoSuchBucket" => Self::NotFound(code),
                    "SlowDown" | "ServiceUnavailable" | "InternalError" | "RequestTimeout" => {
                        Self::Unavailable(format!("{code}: {message}"))
                    }
                    _ => Self::Refused { code, message },
                }
            }
            SdkError::ConstructionFailure(_) => Self::Refused { code: "InvalidRequest".into(), message: chain(&error) },
            _ => Self::Unavailable(chain(&error)),
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// What is known of an object without fetching it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    pub size_bytes: u64,
    pub etag: Option<String>,
    pub content_type: Option<String>,
}

/// A part of a multipart upload that S3 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub part_number: i32,
    pub etag: String,
    pub size_bytes: u64,
}

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    /// Signs for the public endpoint; never sends.
    signer: Client,
    bucket: String,
}

impl Store {
    pub fn new(config: &S3Config) -> Self {
        let client = |endpoint: &Url| {
            let config = aws_sdk_s3::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(config.region.clone()))
                .credentials_provider(Credentials::new(
                    &config.access_key_id,
                    config.secret_access_key.expose_secret(),
                    None,
                    None,
                    "heimdex",
                ))
                .endpoint_url(endpoint.as_str())
                // Virtual-hosted buckets need DNS that a self-hosted endpoint seldom has.
                .force_path_style(true)
                .retry_config(RetryConfig::standard().with_max_attempts(3))
                .timeout_config(
                    TimeoutConfig::builder()
                        .connect_timeout(Duration::from_secs(5))
                        .read_timeout(Duration::from_secs(30))
                        .build(),
                )
                .build();
            Client::from_conf(config)
        };
        Self {
            client: client(&config.endpoint),
            signer: client(&config.public_endpoint),
            bucket: config.bucket.clone(),
        }
    }

    /// Makes the bucket unless it exists.
    pub async fn ensure_bucket(&self) -> Result<(), StoreError> {
        match self.client.head_bucket().bucket(&self.bucket).send().await.map_err(StoreError::from) {
            Ok(_) => Ok(()),
            Err(StoreError::NotFound(_)) => {
                match self.client.create_bucket().bucket(&self.bucket).send().await.map_err(StoreError::from) {
                    // Another process was first.
                    Err(error) if matches!(error.code(), Some("BucketAlreadyOwnedByYou" | "BucketAlreadyExists")) => {
                        Ok(())
                    }
                    other => other.map(drop),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a file, streaming it from disk; from 64 MiB on in parts.
    pub async fn put_file(&self, key: &str, path: &Path, content_type: &str) -> Result<(), StoreError> {
        const PART: u64 = 32 << 20;
        let size = tokio::fs::metadata(path).await?.len();
        if size <= 2 * PART {
            let body = ByteStream::from_path(path).await.map_err(|error| std::io::Error::other(error.to_string()))?;
            self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(body).send().await?;
            return Ok(());
        }
        let upload_id = self.create_multipart(key, content_type).await?;
        let sent = self.put_parts(key, &upload_id, path, size, PART).await;
        let completed = match sent {
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
        part: u64,
    ) -> Result<Vec<StoredPart>, StoreError> {
        let mut parts = Vec::new();
        for (number, offset) in (1_i32..).zip((0..size).step_by(usize::try_from(part).unwrap_or(usize::MAX))) {
            let length = part.min(size - offset);
            let body = ByteStream::read_from()
                .path(path)
                .offset(offset)
                .length(aws_sdk_s3::primitives::Length::Exact(length))
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
                return Err(StoreError::Refused {
                    code: error.code().unwrap_or("Unknown").to_owned(),
                    message: error.message().unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(())
    }

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

    /// A URL to which exactly one part of exactly `size_bytes` may be PUT.
    pub async fn presign_part(
        &self,
        key: &str,
        upload_id: &str,
        part_number: i32,
        size_bytes: u64,
        ttl: Duration,
    ) -> Result<Url, StoreError> {
        let request = self
            .signer
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .part_number(part_number)
            .content_length(i64::try_from(size_bytes).unwrap_or(i64::MAX))
            .presigned(presigning(ttl)?)
            .await?;
        parse_url(request.uri())
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

    /// A URL by which the object may be read until `ttl` has passed. `download_name` makes browsers save it under that name.
    pub async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        content_type: Option<&str>,
        download_name: Option<&str>,
    ) -> Result<Url, StoreError> {
        let disposition = download_name.map(content_disposition);
        let request = self
            .signer
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_response_content_type(content_type.map(ToOwned::to_owned))
            .set_response_content_disposition(disposition)
            .presigned(presigning(ttl)?)
            .await?;
        parse_url(request.uri())
    }
}

fn presigning(ttl: Duration) -> Result<PresigningConfig, StoreError> {
    PresigningConfig::builder()
        .expires_in(ttl)
        .start_time(SystemTime::now())
        .build()
        .map_err(|error| StoreError::Refused { code: "InvalidRequest".into(), message: error.to_string() })
}

fn parse_url(uri: &str) -> Result<Url, StoreError> {
    Url::parse(uri).map_err(|error| StoreError::Refused { code: "InvalidUrl".into(), message: error.to_string() })
}

/// RFC 6266 with the name in RFC 8187 encoding, since file names are Unicode.
fn content_disposition(name: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    format!("attachment; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_name_may_be_any_text() {
        assert_eq!(
            content_disposition("민지 \"1\".mp4"),
            "attachment; filename*=UTF-8''%EB%AF%BC%EC%A7%80%20%221%22.mp4"
        );
    }
}
