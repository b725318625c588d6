//! What S3 said, by what the caller can do about it.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

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

pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
