//! Reading what a client sends: JSON objects with fields of any type, of which only ours are looked at.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::StatusCode,
};
use serde_json::{Map, Value};

use super::error::AuthError;
use crate::state::AppState;

/// Metadata travels in every token.
const MAX_METADATA_BYTES: usize = 4096;

/// A JSON object. Explicit nulls and unknown fields are normal.
pub struct Body(pub Map<String, Value>);

impl FromRequest<AppState> for Body {
    type Rejection = AuthError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AuthError> {
        let bytes = read(request, state).await?;
        Self::parse(&bytes)
    }
}

/// As [`Body`], where nothing at all may be sent too.
pub struct MaybeBody(pub Body);

impl FromRequest<AppState> for MaybeBody {
    type Rejection = AuthError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, AuthError> {
        let bytes = read(request, state).await?;
        if bytes.is_empty() { Ok(Self(Body(Map::new()))) } else { Body::parse(&bytes).map(Self) }
    }
}

async fn read(request: Request, state: &AppState) -> Result<Bytes, AuthError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(inner) if inner.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            AuthError::new(StatusCode::PAYLOAD_TOO_LARGE, "request_entity_too_large", "Request body is too large")
        }
        _ => AuthError::bad_json(),
    })
}

impl Body {
    fn parse(bytes: &[u8]) -> Result<Self, AuthError> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            _ => Err(AuthError::bad_json()),
        }
    }

    /// A text, absent, or null; anything else is malformed.
    pub fn text(&self, name: &str) -> Result<Option<&str>, AuthError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(AuthError::bad_json()),
        }
    }

    /// As [`Body::text`]; empty counts as absent.
    pub fn filled(&self, name: &str) -> Result<Option<&str>, AuthError> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// Yes or no, absent, or null.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, AuthError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(AuthError::bad_json()),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &'static str) -> Result<&str, AuthError> {
        self.filled(name)?.ok_or_else(|| AuthError::invalid(format!("{name} is required")))
    }

    /// An e-mail address that must be there.
    pub fn email(&self) -> Result<String, AuthError> {
        email(self.filled("email")?.ok_or_else(|| AuthError::invalid("An email address is required"))?)
    }

    /// The person's own metadata.
    pub fn data(&self) -> Result<Map<String, Value>, AuthError> {
        self.metadata("data")
    }

    /// An object that is to travel in tokens.
    pub fn metadata(&self, name: &str) -> Result<Map<String, Value>, AuthError> {
        let data = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(Map::new()),
            Some(Value::Object(data)) => data.clone(),
            Some(_) => return Err(AuthError::bad_json()),
        };
        if serde_json::to_string(&data).map_or(usize::MAX, |text| text.len()) > MAX_METADATA_BYTES {
            return Err(AuthError::invalid(format!("{name} must not be larger than {MAX_METADATA_BYTES} bytes")));
        }
        if data.iter().any(|(name, value)| name.contains('\0') || has_nul(value)) {
            return Err(AuthError::invalid("metadata must not contain the character NUL"));
        }
        Ok(data)
    }
}

/// PostgreSQL's jsonb cannot hold U+0000.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// An address as it is stored: trimmed, lowercase. Only the form is checked.
pub fn email(text: &str) -> Result<String, AuthError> {
    let email = text.trim().to_lowercase();
    let well_formed = email.split_once('@').is_some_and(|(local, domain)| {
        (1..=64).contains(&local.len())
            && domain.len() >= 3
            && !domain.contains('@')
            && domain.trim_matches('.') == domain
    });
    if !well_formed || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(AuthError::invalid("Unable to validate email address: invalid format"));
    }
    Ok(email)
}

/// A parameter of the query, the first of its name.
pub fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
