//! A store's errors in the words of S3, and the conditions of a request.

use s3s::dto::ETagCondition;
use s3s::{S3Error, S3Result, s3_error};

use crate::errors::io_error;
use crate::objects::OpenError;
use crate::uploads::UploadError;

/// A store's error in the words of S3.
pub(super) struct Failure(pub(super) S3Error);

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self(match error {
            OpenError::NoSuchBucket => s3_error!(NoSuchBucket),
            OpenError::NoSuchKey => s3_error!(NoSuchKey),
            OpenError::Key(crate::names::KeyError::TooLong) => s3_error!(KeyTooLongError),
            OpenError::Key(error) => s3_error!(InvalidArgument, "{error}"),
            OpenError::Io(error) => io_error(error),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(io_error(error))
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        Self(match error {
            UploadError::NoSuchUpload => s3_error!(NoSuchUpload),
            UploadError::Order => s3_error!(InvalidPartOrder),
            UploadError::InvalidParts(_) => s3_error!(InvalidPart, "{error}"),
            UploadError::TooSmall(_) => s3_error!(EntityTooSmall, "{error}"),
            UploadError::Exists => s3_error!(PreconditionFailed, "{error}"),
            UploadError::Open(error) => return error.into(),
            UploadError::Io(error) => io_error(error),
        })
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Self {
        Self(error)
    }
}

/// `If-Match` and `If-None-Match` of a read (RFC 9110 §13.1).
pub(super) fn check_conditions(
    etag: &str,
    matches: Option<ETagCondition>,
    none: Option<ETagCondition>,
) -> S3Result<()> {
    let same = |condition: &ETagCondition| condition.as_etag().is_none_or(|wanted| wanted.value() == etag);
    if matches.is_some_and(|condition| !same(&condition)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if none.is_some_and(|condition| same(&condition)) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}
