//! Tokens that people make for their scripts. Only the SHA-256 of one is kept.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event, Whom},
    enums::UnknownValue,
    error::DbError,
    ids::UserId,
};

/// Live tokens of one person.
pub const MAX_LIVE: i64 = 50;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Read,
    Upload,
    Search,
}

impl Scope {
    pub const ALL: &'static [Self] = &[Self::Read, Self::Upload, Self::Search];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Search => "search",
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or_else(|| UnknownValue {
            value: text.to_owned(),
            kind: "scope",
            expected: Self::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// A token as its owner sees it.
#[derive(Clone, Debug)]
pub struct ApiToken {
    pub token_id: Uuid,
    pub name: String,
    /// Its first characters.
    pub hint: String,
    pub scopes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    pub name: &'a str,
    pub hint: &'a str,
    /// SHA-256.
    pub hash: &'a [u8],
    pub scopes: &'a [Scope],
    pub expires_at: Option<DateTime<Utc>>,
}

/// Keeps a new token. `Conflict("too_many_tokens")` when the person has [`MAX_LIVE`] already, however many ask at once.
pub async fn create(db: &mut PgConnection, user: UserId, new: &NewToken<'_>, by: &By) -> Result<ApiToken, DbError> {
    sqlx::query!("SELECT FROM users WHERE user_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE", user.0)
        .fetch_optional(&mut *db)
        .await?
        .ok_or(DbError::NotFound)?;
    let live = sqlx::query_scalar!(
        r#"SELECT count(*) AS "live!" FROM api_tokens WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"#,
        user.0
    )
    .fetch_one(&mut *db)
    .await?;
    if live >= MAX_LIVE {
        return Err(DbError::Conflict("too_many_tokens"));
    }
    let scopes: Vec<String> = new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let made = sqlx::query_as!(
        ApiToken,
        "INSERT INTO api_tokens (user_id, name, hint, token_hash, scopes, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING token_id, name, hint, scopes, created_at, last_used_at, expires_at",
        user.0,
        new.name,
        new.hint,
        new.hash,
        &scopes,
        new.expires_at
    )
    .fetch_one(&mut *db)
    .await?;
    let event = Event::new(Action::ApiTokenMade, Whom::User(user)).target(made.token_id.to_string());
    let after = json!({ "name": made.name, "scopes": made.scopes, "expires_at": made.expires_at });
    audit::record(db, by, event.changed(json!(null), after)).await?;
    Ok(made)
}

/// A person's tokens that have not been revoked, newest first; expired ones are among them.
pub async fn list(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<ApiToken>, DbError> {
    Ok(sqlx::query_as!(
        ApiToken,
        "SELECT token_id, name, hint, scopes, created_at, last_used_at, expires_at FROM api_tokens
         WHERE user_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, token_id LIMIT 200",
        user.0
    )
    .fetch_all(db)
    .await?)
}

/// Ends a token at once.
pub async fn revoke(db: &mut PgConnection, user: UserId, token_id: Uuid, by: &By) -> Result<(), DbError> {
    let name = sqlx::query_scalar!(
        "UPDATE api_tokens SET revoked_at = now() WHERE token_id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING name",
        token_id,
        user.0
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    let event = Event::new(Action::ApiTokenRevoked, Whom::User(user)).target(token_id.to_string());
    audit::record(db, by, event.changed(json!({ "name": name }), json!(null))).await
}

/// A token that may be used.
#[derive(Clone, Debug)]
pub struct LiveToken {
    pub token_id: Uuid,
    /// The `sub` of its person.
    pub subject: Option<Uuid>,
    pub scopes: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
    /// The last use that was written down is more than a minute ago.
    pub use_is_news: bool,
}

/// The token of a hash, if it is neither revoked nor expired.
pub async fn find_live(db: impl PgExecutor<'_>, hash: &[u8]) -> Result<Option<LiveToken>, DbError> {
    Ok(sqlx::query_as!(
        LiveToken,
        r#"SELECT t.token_id, u.supabase_user_id AS subject, t.scopes, t.expires_at,
                  (t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute') AS "use_is_news!"
           FROM api_tokens t JOIN users u USING (user_id)
           WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())"#,
        hash
    )
    .fetch_optional(db)
    .await?)
}

/// Writes down that a token is in use.
pub async fn touch(db: impl PgExecutor<'_>, token_id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE api_tokens SET last_used_at = now()
         WHERE token_id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        token_id
    )
    .execute(db)
    .await?;
    Ok(())
}
