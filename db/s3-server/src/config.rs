//! What the server is told at start.

use std::path::PathBuf;
use std::time::Duration;

/// Everything `serve` needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder that holds the objects. Created when it is absent. One server at a time may use it.
    pub root: PathBuf,
    /// The one access key that is accepted.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// Bucket that is created at start.
    pub bucket: String,
    /// Web origins that may read and write with presigned URLs.
    pub cors_origins: CorsOrigins,
    /// Whether a write is flushed to the disk before it is answered. Off only for tests.
    pub durable: bool,
    /// Sizes and deadlines.
    pub limits: Limits,
}

/// Which web origins a browser is told it may call from.
///
/// `Any` is sound here: no cookie is ever looked at, and a URL without a signature opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin.
    Any,
    /// These, e.g. `https://heimdex.example.org`.
    Only(Vec<String>),
}

/// Sizes and deadlines. `Limits::default()` is Amazon S3's own where it has one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest body of one PUT, bytes (5 GiB).
    pub max_put_bytes: u64,
    /// Smallest part that is not the last, bytes (5 MiB).
    pub min_part_bytes: u64,
    /// How long a client may take over the request line and headers.
    pub header_timeout: Duration,
    /// How long a client may send nothing in the middle of a body.
    pub body_idle_timeout: Duration,
    /// How long one request may take until its response begins.
    pub request_timeout: Duration,
    /// Connections served at once; more wait to be accepted.
    pub max_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_put_bytes: 5 << 30,
            min_part_bytes: 5 << 20,
            header_timeout: Duration::from_secs(20),
            body_idle_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(3600),
            max_connections: 512,
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The folder could not be made, or another server has it.
    #[error("the S3 folder {root} cannot be used: {source}")]
    Root {
        /// The folder.
        root: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process serves the same folder.
    #[error("the S3 folder {root} is served by another process")]
    InUse {
        /// The folder.
        root: PathBuf,
    },
    /// Not a name that S3 allows for a bucket.
    #[error("`{0}` is not a bucket name: 3 to 63 of a-z, 0-9, `-` and `.`")]
    Bucket(String),
    /// A web origin that is not one.
    #[error("`{0}` is not a web origin such as https://heimdex.example.org")]
    Origin(String),
}

impl CorsOrigins {
    /// Reads `*` or a comma-separated list of origins.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let origins: Vec<String> =
            text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        if origins.is_empty() || origins.iter().any(|origin| origin == "*") { Self::Any } else { Self::Only(origins) }
    }
}
