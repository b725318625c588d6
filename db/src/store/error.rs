//! What S3 said, by what the caller can do about it.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::chain;

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

    /// What S3 means by one of its error codes.
    pub(super) fn said(code: &str, message: String) -> Self {
        match code {
            "NoSuchKey" | "NotFound" | "NoSuchUpload" | "NoSuchBucket" => Self::NotFound(code.to_owned()),
            "SlowDown" | "ServiceUnavailable" | "InternalError" | "RequestTimeout" => {
                Self::Unavailable(format!("{code}: {message}"))
            }
            _ => Self::Refused { code: code.to_owned(), message },
        }
    }

    /// S3's own error code, where it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl<E> From<SdkError<E>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let message = service.err().message().unwrap_or_default().to_owned();
                match service.err().code() {
                    // Under names of their own other servers say it too, such as `XMinioServerNotInitialized`.
                    Some(code) if matches!(status, 429 | 502..=504) => Self::Unavailable(format!("{code}: {message}")),
                    Some(code) => Self::said(code, message),
                    // An answer to HEAD has no body to carry a code, and a proxy in front of S3 has no code to give.
                    None if matches!(status, 429 | 500 | 502..=504) => Self::Unavailable(format!("status {status}")),
                    None => Self::Refused { code: "Unknown".into(), message: format!("status {status} {message}") },
                }
            }
            SdkError::ConstructionFailure(_) => Self::Refused { code: "InvalidRequest".into(), message: chain(&error) },
            _ => Self::Unavailable(chain(&error)),
        }
    }
}
