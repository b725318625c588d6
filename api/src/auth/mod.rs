//! Who is calling. A handler that takes a [`Caller`] is for signed-in people and their API tokens; everything it reads or
//! writes is scoped by `caller.user_id()`. Stricter, by the type a handler asks for:
//!
//! | extractor | who passes |
//! |---|---|
//! | [`Caller`] | a session, or an API token whose scope the route is open to ([`scope`]) |
//! | [`Confirmed`] | a session that its issuer confirms to be alive at this moment |
//! | [`guard::Operator`], [`guard::Admin`] | a confirmed person whom the table lets operate, or administer |

pub mod api_token;
mod cache;
pub mod claims;
pub mod guard;
pub mod jwks;
pub mod keyset;
pub mod liveness;
pub mod own_keys;
pub mod reader;
pub mod scope;
pub mod sync;
pub mod token;
pub mod verifier;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use chrono::{DateTime, Utc};
use heimdex_db::{DbError, UserId, api_tokens, users::User};
use uuid::Uuid;

pub use cache::{TokenCache, Verified};

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// A signed-in person, or a script of theirs.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    /// When the token ends; a stream ends with it.
    pub expires_at: DateTime<Utc>,
    credential: Credential,
}

/// What a request came with.
#[derive(Clone, Copy, Debug)]
enum Credential {
    /// A session of the embedded auth server; those of a project are not ours to look at.
    Session(Option<Uuid>),
    /// The SHA-256 of an API token.
    ApiToken([u8; 32]),
}

impl Caller {
    pub fn user_id(&self) -> UserId {
        self.user.user_id
    }

    /// Whether the session or the API token has not been ended and the person is still there: what every request is asked, for a
    /// stream, whose request was long ago.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_still_good(&self, state: &AppState) -> Result<bool, DbError> {
        let (subject, session) = match self.credential {
            Credential::Session(session) => (self.user.supabase_user_id, session),
            Credential::ApiToken(hash) => match api_tokens::find_live(&state.pool, &hash).await? {
                Some(token) => (token.subject, None),
                None => return Ok(false),
            },
        };
        let Some(subject) = subject else { return Ok(false) };
        let found = state.callers.find((subject, session)).await?;
        Ok(found.is_some_and(|(user, lives)| lives && user.deleted_at.is_none()))
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or_else(|| ApiError::new(Code::Unauthenticated))?;
        if api_token::is_one(token) {
            let (user, expires_at) = api_token::person(state, token, scope::of_route(parts)).await?;
            return Ok(Self { user, expires_at, credential: Credential::ApiToken(api_token::hash(token)) });
        }
        let verified = verify(state, token).await?;
        let user = sync::person(state, &verified).await?;
        let credential = Credential::Session(sync::own_session(state, &verified));
        Ok(Self { user, expires_at: verified.expires_at, credential })
    }
}

/// A person whose session is alive at this moment, and not only by the word of a token that was issued an hour ago. For
/// what cannot be taken back or opens other doors: deleting or exporting the account, making API tokens, administration.
#[derive(Clone, Debug)]
pub struct Confirmed(pub Caller);

impl FromRequestParts<AppState> for Confirmed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if matches!(caller.credential, Credential::ApiToken(_)) {
            return Err(ApiError::new(Code::InsufficientScope).detail("API tokens cannot do this; sign in."));
        }
        let token = bearer(&parts.headers).ok_or_else(|| ApiError::new(Code::Unauthenticated))?;
        state.liveness.confirm(token, caller.user.supabase_user_id).await?;
        Ok(Self(caller))
    }
}

/// Checks a token, or remembers that it was checked.
pub async fn verify(state: &AppState, token: &str) -> Result<Verified, ApiError> {
    if let Some(verified) = state.tokens.get(token) {
        if state.verifier.still_trusts(&verified) {
            return Ok(verified);
        }
        state.tokens.forget(token);
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
