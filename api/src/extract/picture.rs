//! A picture as a body. Its bytes are bounded and otherwise not looked at.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};

use crate::error::{ApiError, Code};

/// Larger than what cameras and phones write. Routes that take pictures set it as their body limit.
pub const MAX_PICTURE_BYTES: usize = 10 << 20;

const TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// The body of a request that is a picture.
pub struct SentPicture {
    /// At least one byte, at most [`MAX_PICTURE_BYTES`].
    pub bytes: Bytes,
    /// What its sender takes it for.
    pub mime_type: String,
}

impl<S: Send + Sync> FromRequest<S> for SentPicture {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let declared = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default();
        let mime_type = essence.trim().to_ascii_lowercase();
        if !TYPES.contains(&mime_type.as_str()) {
            let detail = "A picture is sent as image/jpeg, image/png or image/webp.";
            return Err(ApiError::new(Code::UnsupportedMediaType).detail(detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(Code::BodyTooLarge)
                .detail("A picture has at most 10 MiB.")
                .with("limit_bytes", MAX_PICTURE_BYTES),
            _ => ApiError::new(Code::InvalidRequest).detail("The picture did not arrive completely."),
        })?;
        if bytes.is_empty() {
            return Err(ApiError::field("body", "empty", "The body must be the picture."));
        }
        Ok(Self { bytes, mime_type })
    }
}
