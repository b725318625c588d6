//! URLs that expire: what a browser may read or send without credentials.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::PresigningConfig;
use url::Url;

use super::{Store, StoreError};

impl Store {
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
