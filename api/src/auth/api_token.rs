//! Tokens that people make for their scripts: `hx_` and 256 random bits in base64url. The database keeps the SHA-256.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{
    api_tokens::{self, Scope},
    users::{self, User},
};
use sha2::{Digest, Sha256};

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

const PREFIX: &str = "hx_";
/// Of the random part, in base64url.
const RANDOM_CHARS: usize = 43;
/// Shown beside the name, so that a person knows which one it is.
const HINT_CHARS: usize = 7;

/// A token that has just been made; the text is shown once.
pub struct Fresh {
    pub text: String,
    pub hash: [u8; 32],
    pub hint: String,
}

impl Fresh {
    pub fn new() -> Self {
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let hint = text.chars().take(HINT_CHARS).collect();
        Self { hash: hash(&text), text, hint }
    }
}

impl Default for Fresh {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether a bearer is meant to be one; no JWT begins like this.
pub(super) fn is_one(bearer: &str) -> bool {
    bearer.starts_with(PREFIX)
}

/// The person a token acts for, and when it ends. 401 for one that is unknown, expired or revoked; 403 where the route is not
/// open to it. Being used is written down at most once a minute.
pub(super) async fn person(state: &AppState, text: &str, any_of: &[Scope]) -> Result<(User, DateTime<Utc>), ApiError> {
    let unknown = || ApiError::new(Code::InvalidToken).detail("The API token is unknown, expired or revoked.");
    if text.len() != PREFIX.len() + RANDOM_CHARS {
        return Err(unknown());
    }
    let token = api_tokens::find_live(&state.pool, &hash(text)).await?.ok_or_else(unknown)?;
    if any_of.is_empty() {
        return Err(ApiError::new(Code::InsufficientScope).detail("API tokens cannot do this; sign in."));
    }
    if !any_of.iter().any(|needed| token.scopes.iter().any(|scope| scope == needed.as_str())) {
        let names: Vec<_> = any_of.iter().map(|scope| scope.as_str()).collect();
        return Err(ApiError::new(Code::InsufficientScope)
            .detail(format!("The API token does not have the scope `{}`.", names.join("` or `")))
            .with("scope", names.join(" ")));
    }
    let subject = token.subject.ok_or_else(unknown)?;
    let (user, _) = users::find_by_subject(&state.pool, subject, None).await?.ok_or_else(unknown)?;
    if user.deleted_at.is_some() {
        return Err(ApiError::new(Code::AccountDeleted));
    }
    if token.use_is_news {
        api_tokens::touch(&state.pool, token.token_id).await?;
    }
    // A stream of a token without an end is opened anew once a day.
    Ok((user, token.expires_at.unwrap_or_else(|| Utc::now() + TimeDelta::days(1))))
}
