//! Accounts of the embedded auth server.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgExecutor};
use uuid::Uuid;

use crate::error::DbError;

/// An account that can sign in here; its `id` is the `sub` of its tokens.
#[derive(Clone, Debug, FromRow)]
pub struct Credential {
    pub id: Uuid,
    pub email: String,
    /// Argon2id as a PHC string.
    pub password_hash: Option<String>,
    pub email_confirmed_at: Option<DateTime<Utc>>,
    pub user_metadata: Value,
    pub app_metadata: Value,
    pub banned_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

impl Credential {
    pub fn is_banned(&self) -> bool {
        self.banned_until.is_some_and(|until| until > Utc::now())
    }
}

/// A new account. Returns `Conflict("user_already_exists")` when the address is taken, also by a sign-up at the same moment.
pub async fn create(
    db: &mut PgConnection,
    id: Uuid,
    email: &str,
    password_hash: &str,
    user_metadata: &Value,
    confirmed: bool,
) -> Result<Credential, DbError> {
    sqlx::query_as!(
        Credential,
        "INSERT INTO auth_credentials (id, email, password_hash, user_metadata, app_metadata, email_confirmed_at)
         VALUES ($1, $2, $3, $4, '{\"provider\": \"email\", \"providers\": [\"email\"]}', CASE WHEN $5 THEN now() END)
         ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO NOTHING
         RETURNING id, email, password_hash, email_confirmed_at, user_metadata, app_metadata, banned_until, created_at, updated_at, last_sign_in_at",
        id,
        email,
        password_hash,
        user_metadata,
        confirmed
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::Conflict("user_already_exists"))
}

pub async fn find_by_email(db: impl PgExecutor<'_>, email: &str) -> Result<Option<Credential>, DbError> {
    Ok(sqlx::query_as!(
        Credential,
        "SELECT id, email, password_hash, email_confirmed_at, user_metadata, app_metadata, banned_until, created_at, updated_at, last_sign_in_at
         FROM auth_credentials WHERE lower(email) = lower($1) AND deleted_at IS NULL",
        email
    )
    .fetch_optional(db)
    .await?)
}

pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Credential>, DbError> {
    Ok(sqlx::query_as!(
        Credential,
        "SELECT id, email, password_hash, email_confirmed_at, user_metadata, app_metadata, banned_until, created_at, updated_at, last_sign_in_at
         FROM auth_credentials WHERE id = $1 AND deleted_at IS NULL",
        id
    )
    .fetch_optional(db)
    .await?)
}

/// Merges into the person's metadata: given keys replace, `null` removes (shallow, as supabase-js documents).
pub async fn merge_metadata(db: impl PgExecutor<'_>, id: Uuid, data: &Value) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE auth_credentials SET user_metadata = (
             SELECT COALESCE(jsonb_object_agg(key, value), '{}') FROM jsonb_each(user_metadata || $2) WHERE value <> 'null'::jsonb
         ) WHERE id = $1",
        id,
        data
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A new password ends every other session and spends every one-time token.
pub async fn set_password(
    db: &mut PgConnection,
    id: Uuid,
    password_hash: &str,
    keep_session: Option<Uuid>,
) -> Result<(), DbError> {
    sqlx::query!("UPDATE auth_credentials SET password_hash = $2 WHERE id = $1", id, password_hash)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "DELETE FROM auth_sessions WHERE credential_id = $1 AND session_id IS DISTINCT FROM $2",
        id,
        keep_session
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM email_verification_tokens WHERE credential_id = $1", id).execute(db).await?;
    Ok(())
}
