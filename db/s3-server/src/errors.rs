//! How a file system's refusal is told to an S3 client.

use std::io;

use s3s::{S3Error, S3ErrorCode};

/// The disk is full or over quota: 507, as MinIO answers. Everything else unexpected is a logged 500.
pub(crate) fn io_error(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            let mut full = S3Error::with_message(
                S3ErrorCode::from_bytes(b"StorageFull").unwrap_or(S3ErrorCode::InternalError),
                "The disk that holds the objects is full. Nothing was stored.",
            );
            full.set_status_code(axum::http::StatusCode::INSUFFICIENT_STORAGE);
            full.set_source(Box::new(error));
            full
        }
        io::ErrorKind::InvalidFilename => S3Error::with_source(S3ErrorCode::KeyTooLongError, Box::new(error)),
        _ => {
            tracing::error!(%error, "storage failed");
            S3Error::internal_error(error)
        }
    }
}

/// A blocking task that died.
pub(crate) fn join_error(error: tokio::task::JoinError) -> S3Error {
    tracing::error!(%error, "storage task died");
    S3Error::internal_error(error)
}
