//! A server of one test and a client for it.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use heimdex_s3_server::{Config, CorsOrigins, Limits};

pub(crate) const BUCKET: &str = "videos";

pub(crate) struct Server {
    pub(crate) endpoint: String,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) s3: Client,
}

pub(crate) async fn server() -> Server {
    server_with(Limits::default()).await
}

pub(crate) async fn server_with(limits: Limits) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let config = Config {
        root: folder.path().to_owned(),
        access_key_id: "ann".to_owned(),
        secret_access_key: "secret".to_owned(),
        bucket: BUCKET.to_owned(),
        cors_origins: CorsOrigins::parse("https://app.example"),
        durable: false,
        limits,
    };
    tokio::spawn(async move { heimdex_s3_server::serve(listener, config, std::future::pending()).await.unwrap() });
    let s3 = client(&endpoint, "ann", "secret");
    Server { endpoint, folder, s3 }
}

pub(crate) fn client(endpoint: &str, key: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

pub(crate) fn minutes(count: u64) -> aws_sdk_s3::presigning::PresigningConfig {
    aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_secs(60 * count)).unwrap()
}

/// Bytes that differ at every offset modulo a prime, so that a shifted range is seen.
pub(crate) fn bytes(count: usize, seed: usize) -> Vec<u8> {
    (0..count).map(|at| u8::try_from((at * 7 + seed) % 251).unwrap()).collect()
}

/// The S3 error code of a refused call.
pub(crate) fn code<T: std::fmt::Debug, E, R>(result: Result<T, aws_sdk_s3::error::SdkError<E, R>>) -> String
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::fmt::Debug,
    R: std::fmt::Debug,
{
    let error = result.expect_err("the call should be refused");
    aws_sdk_s3::error::ProvideErrorMetadata::code(&error).map_or_else(|| format!("{error:?}"), str::to_owned)
}
