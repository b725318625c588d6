//! Errors in the format of Supabase Auth, which supabase-js reads: `code` and `error_code` are the stable text, `message`
//! and `msg` the sentence, for clients of either age.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use heimdex_db::DbError;
use serde_json::{Map, Value, json};

use crate::error::{ApiError, Code};

pub const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");

/// An error of `/auth/v1`.
#[derive(Debug)]
pub struct AuthError {
    status: StatusCode,
    code: &'static str,
    message: String,
    extra: Map<String, Value>,
}

impl AuthError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), extra: Map::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }

    pub fn bad_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_json", "Could not parse request body as JSON")
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation_failed", message)
    }

    /// The same for an unknown address and a wrong password.
    pub fn invalid_credentials() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_credentials", "Invalid login credentials")
    }

    pub fn no_authorization() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no_authorization", "This endpoint requires a valid Bearer token")
    }

    pub fn bad_jwt() -> Self {
        Self::new(StatusCode::FORBIDDEN, "bad_jwt", "invalid JWT: the token is not valid or has expired")
    }

    pub fn session_not_found() -> Self {
        Self::new(StatusCode::FORBIDDEN, "session_not_found", "Session from session_id claim in JWT does not exist")
    }

    pub fn rate_limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "over_request_rate_limit", "Request rate limit reached")
    }

    /// 503 and nothing else under load: supabase-js keeps the session and tries again.
    pub fn overloaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "The server is busy; try again in a moment")
    }

    /// Not 501: supabase-js takes that for a network failure and hides the code.
    pub fn not_implemented(what: &str) -> Self {
        let message = format!("{what} is not available on this server");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_implemented", message)
    }

    fn unexpected(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "auth request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "unexpected_failure",
            "Unexpected failure, please check server logs",
        )
    }
}

impl From<DbError> for AuthError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Conflict("user_already_exists") => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "user_already_exists", "User already registered")
            }
            _ if error.is_outage() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "auth request found the database out of reach"
                );
                Self::overloaded()
            }
            _ => Self::unexpected(&error),
        }
    }
}

impl From<sqlx::Error> for AuthError {
    fn from(error: sqlx::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<crate::auth::own_keys::KeyError> for AuthError {
    fn from(error: crate::auth::own_keys::KeyError) -> Self {
        Self::unexpected(&error)
    }
}

/// The verifier's answer in this format.
impl From<ApiError> for AuthError {
    fn from(error: ApiError) -> Self {
        match error.code() {
            Code::Unavailable => Self::overloaded(),
            Code::Internal => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure", "Unexpected failure"),
            _ => Self::bad_jwt(),
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let mut body =
            json!({ "code": self.code, "error_code": self.code, "message": self.message, "msg": self.message });
        if let Some(object) = body.as_object_mut() {
            object.extend(self.extra);
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(API_VERSION, HeaderValue::from_static("2024-01-01"));
        headers.insert("x-sb-error-code", HeaderValue::from_static(self.code));
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        response
    }
}
