//! Who is calling. A handler that takes a [`Caller`] is for signed-in people only; everything it reads or writes is scoped
//! by `caller.user_id()`.

mod cache;
pub mod claims;
pub mod jwks;
pub mod keyset;
pub mod own_keys;
pub mod sync;
pub mod token;
pub mod verifier;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use chrono::{DateTime, Utc};
use heimdex_db::{UserId, users::User};

pub use cache::{TokenCache, Verified};

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    /// When the token ends; a stream ends with it.
    pub expires_at: DateTime<Utc>,
}

impl Caller {
    pub fn user_id(&self) -> UserId {
        self.user.user_id
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or_else(|| ApiError::new(Code::Unauthenticated))?;
        let verified = verify(state, token).await?;
        let user = sync::person(state, &verified).await?;
        Ok(Self { user, expires_at: verified.expires_at })
    }
}

/// Checks a token, or remembers that it was checked.
pub async fn verify(state: &AppState, token: &str) -> Result<Verified, ApiError> {
    if let Some(verified) = state.tokens.get(token) {
        return Ok(verified);
    }
    let verified = state.verifier.verify(token).await?;
    state.tokens.put(token, verified.clone());
    Ok(verified)
}

/// The bearer token of `Authorization`; the scheme's case does not matter (RFC 9110, 11.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next()?.to_str().ok()?;
    // Two headers are an attempt to be read two ways.
    if all.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
}
