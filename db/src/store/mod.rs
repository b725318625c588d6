//! Objects in S3. One bucket, private; whoever needs bytes outside gets a URL that expires.

mod config;
mod error;
mod multipart;
mod objects;
mod signed;

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
};
use secrecy::ExposeSecret;
use url::Url;

pub use config::{S3Config, S3ConfigError};
pub use error::StoreError;
pub use multipart::StoredPart;
pub use objects::ObjectHead;

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
}
