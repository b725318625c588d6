//! Errors in the formats of Supabase Auth. A client that sends `X-Supabase-Api-Version: 2024-01-01` or later (supabase-js)
//! gets `{code: "…", message}`, with `error_code` beside it, and the header back; an older one `{code: 400, error_code, msg}`.

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heimdex_db::DbError;
use serde_json::{Map, Value, json};

use crate::{
    error::{ApiError, Code},
    request_id::RequestId,
};

pub const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const NEW_FORMAT: &str = "2024-01-01";

/// An error of `/auth/v1`.
#[derive(Clone, Debug)]
pub struct AuthError {
    pub(super) status: StatusCode,
    /// Of OAuth (RFC 6749, 5.2) where `oauth` is set.
    pub(super) code: &'static str,
    pub(super) message: String,
    extra: Map<String, Value>,
    oauth: bool,
}

impl AuthError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), extra: Map::new(), oauth: false }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }

    /// An error as OAuth words it: `{error, error_description}`.
    pub fn oauth(error: &'static str, description: &str) -> Self {
        Self { oauth: true, ..Self::new(StatusCode::BAD_REQUEST, error, description) }
    }

    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub fn bad_json() -> Self {
        Self::bad_request("bad_json", "Could not parse request body as JSON")
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::bad_request("validation_failed", message)
    }

    /// The same for an unknown address and a wrong password.
    pub fn invalid_credentials() -> Self {
        Self::bad_request("invalid_credentials", "Invalid login credentials")
    }

    pub fn no_authorization() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no_authorization", "This endpoint requires a valid Bearer token")
    }

    pub fn bad_jwt() -> Self {
        Self::forbidden("bad_jwt", "invalid JWT: the token is not valid or has expired")
    }

    pub fn not_admin() -> Self {
        Self::forbidden("not_admin", "User not allowed")
    }

    pub fn session_not_found() -> Self {
        Self::forbidden("session_not_found", "Session from session_id claim in JWT does not exist")
    }

    pub fn banned() -> Self {
        Self::forbidden("user_banned", "User is banned")
    }

    /// The same for a token that never was, was used, or has expired.
    pub fn otp_expired(message: &str) -> Self {
        Self::forbidden("otp_expired", message)
    }

    pub fn email_exists() -> Self {
        Self::unprocessable("email_exists", "A user with this email address has already been registered")
    }

    pub fn rate_limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "over_request_rate_limit", "Request rate limit reached")
    }

    pub fn mail_rate_limited(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "over_email_send_rate_limit", message)
    }

    /// 503 and nothing else under load: supabase-js keeps the session and tries again.
    pub fn overloaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "The server is busy; try again in a moment")
    }

    pub fn unexpected(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "auth request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "unexpected_failure",
            "Unexpected failure, please check server logs for more information",
        )
    }

    fn render(self, new_format: bool, error_id: Option<String>) -> Response {
        let (code, message) = (self.code, self.message);
        let mut body = match (self.oauth, new_format) {
            (true, _) => json!({ "error": code, "error_description": message }),
            (false, true) => json!({ "code": code, "error_code": code, "message": message }),
            (false, false) => json!({ "code": self.status.as_u16(), "error_code": code, "msg": message }),
        };
        if let Some(object) = body.as_object_mut() {
            object.extend(self.extra);
            if let Some(id) = error_id.filter(|_| !new_format && self.status.is_server_error()) {
                object.insert("error_id".into(), id.into());
            }
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if new_format {
            headers.insert(API_VERSION, HeaderValue::from_static(NEW_FORMAT));
        }
        if !self.oauth {
            headers.insert("x-sb-error-code", HeaderValue::from_static(code));
        }
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        response
    }
}

/// Whether the client asks for the format of 2024-01-01 or later. A date that is none counts as the first version.
fn wants_new_format(headers: &HeaderMap) -> bool {
    let version = headers.get(&API_VERSION).and_then(|version| version.to_str().ok());
    version
        .and_then(|version| chrono::NaiveDate::parse_from_str(version, "%Y-%m-%d").ok())
        .is_some_and(|date| date >= chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or(date))
}

/// Renders errors in the format that the client asks for.
pub async fn render(request: Request, next: Next) -> Response {
    let new_format = wants_new_format(request.headers());
    let id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<AuthError>() {
        Some(error) => error.render(new_format, id),
        None => response,
    }
}

impl From<DbError> for AuthError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Conflict("user_already_exists") => {
                Self::unprocessable("user_already_exists", "User already registered")
            }
            DbError::Conflict("email_exists") => Self::email_exists(),
            _ if error.is_outage() || is_contention(&error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "auth request found the database out of reach or too busy"
                );
                Self::overloaded()
            }
            _ => Self::unexpected(&error),
        }
    }
}

/// Cancelled for its time, a deadlock, or a lock that was not to be had (PostgreSQL, appendix A).
fn is_contention(error: &DbError) -> bool {
    let DbError::Sqlx(sqlx::Error::Database(error)) = error else { return false };
    matches!(error.code().as_deref(), Some("57014" | "40001" | "40P01" | "55P03"))
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
    /// [`render`] puts it into the format that was asked for.
    fn into_response(self) -> Response {
        let mut response = self.clone().render(true, None);
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_version_that_was_asked_for() {
        for (version, new) in
            [("2024-01-01", true), ("2025-06-30", true), ("2023-12-31", false), ("soon", false), ("", false)]
        {
            let headers = HeaderMap::from_iter([(API_VERSION, HeaderValue::from_static(version))]);
            assert_eq!(wants_new_format(&headers), new, "{version}");
        }
        assert!(!wants_new_format(&HeaderMap::new()));
    }
}
