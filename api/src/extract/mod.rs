//! axum's extractors with our errors: a malformed body, path or query is a problem that names what is wrong.

mod picture;

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

pub use picture::{MAX_PICTURE_BYTES, SentPicture};

use crate::error::{ApiError, Code};

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        axum::Json::<T>::from_request(request, state).await.map(|axum::Json(value)| Self(value)).map_err(|rejection| {
            match rejection {
                // serde's own words name field and line and hold nothing of ours.
                JsonRejection::JsonDataError(e) => ApiError::new(Code::InvalidJson).detail(e.body_text()),
                JsonRejection::JsonSyntaxError(e) => ApiError::new(Code::InvalidJson).detail(e.body_text()),
                JsonRejection::MissingJsonContentType(_) => {
                    ApiError::new(Code::UnsupportedMediaType).detail("The body must be sent as application/json.")
                }
                other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(Code::BodyTooLarge),
                _ => ApiError::new(Code::InvalidJson),
            }
        })
    }
}

/// Path parameters. An id that is no UUID cannot exist: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_: PathRejection| ApiError::new(Code::NotFound))
    }
}

/// Query parameters.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection: QueryRejection| ApiError::field("query", "invalid_query", rejection.body_text()))
    }
}
