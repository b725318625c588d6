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
    /// The address the person wants to change to.
    pub new_email: Option<String>,
    pub banned_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
    pub confirmation_sent_at: Option<DateTime<Utc>>,
    pub recovery_sent_at: Option<DateTime<Utc>>,
    pub email_change_sent_at: Option<DateTime<Utc>>,
    /// Of a soft deletion; such accounts are found by [`find_any`] only.
    pub deleted_at: Option<DateTime<Utc>>,
    pub invited_at: Option<DateTime<Utc>>,
    pub reauthentication_sent_at: Option<DateTime<Utc>>,
    /// One of the two mailboxes has agreed to the change.
    pub email_change_half_confirmed: bool,
}

impl Credential {
    pub fn is_banned(&self) -> bool {
        self.banned_until.is_some_and(|until| until > Utc::now())
    }

    pub fn is_confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }
}

/// What a new account begins with.
#[derive(Clone, Debug)]
pub struct NewCredential<'a> {
    pub id: Uuid,
    pub email: &'a str,
    pub password_hash: Option<&'a str>,
    pub user_metadata: &'a Value,
    pub confirmed: bool,
}

/// A new account. Returns `Conflict("user_already_exists")` when the address is taken, also by a sign-up at the same moment.
pub async fn create(db: &mut PgConnection, new: &NewCredential<'_>) -> Result<Credential, DbError> {
    sqlx::query_as!(
        Credential,
        "INSERT INTO auth_credentials (id, email, password_hash, user_metadata, app_metadata, email_confirmed_at)
         VALUES ($1, $2, $3, $4, '{\"provider\": \"email\", \"providers\": [\"email\"]}', CASE WHEN $5 THEN now() END)
         ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO NOTHING RETURNING *",
        new.id,
        new.email,
        new.password_hash,
        new.user_metadata,
        new.confirmed
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::Conflict("user_already_exists"))
}

pub async fn find_by_email(db: impl PgExecutor<'_>, email: &str) -> Result<Option<Credential>, DbError> {
    Ok(sqlx::query_as!(
        Credential,
        "SELECT * FROM auth_credentials WHERE lower(email) = lower($1) AND deleted_at IS NULL",
        email
    )
    .fetch_optional(db)
    .await?)
}

pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Credential>, DbError> {
    Ok(sqlx::query_as!(Credential, "SELECT * FROM auth_credentials WHERE id = $1 AND deleted_at IS NULL", id)
        .fetch_optional(db)
        .await?)
}

/// As [`find`], with accounts that were softly deleted.
pub async fn find_any(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Credential>, DbError> {
    Ok(sqlx::query_as!(Credential, "SELECT * FROM auth_credentials WHERE id = $1", id).fetch_optional(db).await?)
}

/// A page of all accounts, newest first, and how many there are.
pub async fn page(db: &mut PgConnection, limit: i64, offset: i64) -> Result<(Vec<Credential>, i64), DbError> {
    let total = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM auth_credentials"#).fetch_one(&mut *db).await?;
    let found = sqlx::query_as!(
        Credential,
        "SELECT * FROM auth_credentials ORDER BY created_at DESC, id LIMIT $1 OFFSET $2",
        limit,
        offset
    )
    .fetch_all(db)
    .await?;
    Ok((found, total))
}

/// Which metadata: the person's own, or the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    User,
    App,
}

/// Merges into metadata: given keys replace, `null` removes (shallow, as supabase-js documents).
pub async fn merge_metadata(db: impl PgExecutor<'_>, id: Uuid, which: Metadata, data: &Value) -> Result<(), DbError> {
    match which {
        Metadata::User => sqlx::query!(
            "UPDATE auth_credentials SET user_metadata = (
                 SELECT COALESCE(jsonb_object_agg(key, value), '{}') FROM jsonb_each(user_metadata || $2) WHERE value <> 'null'::jsonb
             ) WHERE id = $1",
            id,
            data
        )
        .execute(db)
        .await?,
        Metadata::App => sqlx::query!(
            "UPDATE auth_credentials SET app_metadata = (
                 SELECT COALESCE(jsonb_object_agg(key, value), '{}') FROM jsonb_each(app_metadata || $2) WHERE value <> 'null'::jsonb
             ) WHERE id = $1",
            id,
            data
        )
        .execute(db)
        .await?,
    };
    Ok(())
}

/// The mailbox has been proved to be the person's.
pub async fn confirm(db: impl PgExecutor<'_>, id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE auth_credentials SET email_confirmed_at = COALESCE(email_confirmed_at, now()),
             user_metadata = user_metadata || '{\"email_verified\": true}' WHERE id = $1",
        id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A mail of which the account remembers the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Confirmation,
    Invitation,
    Recovery,
    EmailChange,
    Reauthentication,
}

pub async fn mark_sent(db: impl PgExecutor<'_>, id: Uuid, sent: Sent) -> Result<(), DbError> {
    let is = |which: &[Sent]| which.contains(&sent);
    sqlx::query!(
        "UPDATE auth_credentials SET
             confirmation_sent_at = CASE WHEN $2 THEN now() ELSE confirmation_sent_at END,
             invited_at = CASE WHEN $3 THEN now() ELSE invited_at END,
             recovery_sent_at = CASE WHEN $4 THEN now() ELSE recovery_sent_at END,
             email_change_sent_at = CASE WHEN $5 THEN now() ELSE email_change_sent_at END,
             reauthentication_sent_at = CASE WHEN $6 THEN now() ELSE reauthentication_sent_at END
         WHERE id = $1",
        id,
        is(&[Sent::Confirmation, Sent::Invitation]),
        is(&[Sent::Invitation]),
        is(&[Sent::Recovery]),
        is(&[Sent::EmailChange]),
        is(&[Sent::Reauthentication])
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Remembers the address the person wants to have; neither mailbox has agreed yet.
pub async fn want_email(db: impl PgExecutor<'_>, id: Uuid, new_email: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE auth_credentials SET new_email = $2, email_change_half_confirmed = false WHERE id = $1",
        id,
        new_email
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One of the two mailboxes has agreed. True when it is the first.
pub async fn agree_to_email(db: impl PgExecutor<'_>, id: Uuid) -> Result<bool, DbError> {
    let first = sqlx::query!(
        "UPDATE auth_credentials SET email_change_half_confirmed = true WHERE id = $1 AND NOT email_change_half_confirmed",
        id
    )
    .execute(db)
    .await?;
    Ok(first.rows_affected() > 0)
}

/// Gives the account another address. Returns `Conflict("email_exists")` when somebody has it.
pub async fn set_email(db: impl PgExecutor<'_>, id: Uuid, email: &str, verified: bool) -> Result<(), DbError> {
    let done = sqlx::query!(
        "UPDATE auth_credentials SET email = $2, new_email = NULL, email_change_half_confirmed = false,
             email_confirmed_at = CASE WHEN $3 THEN COALESCE(email_confirmed_at, now()) ELSE email_confirmed_at END,
             user_metadata = user_metadata || jsonb_build_object('email', $2::text) || CASE WHEN $3 THEN '{\"email_verified\": true}'::jsonb ELSE '{}' END
         WHERE id = $1",
        id,
        email,
        verified
    )
    .execute(db)
    .await;
    match done {
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("auth_credentials_email") => {
            Err(DbError::Conflict("email_exists"))
        }
        done => Ok(done.map(drop)?),
    }
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
    sqlx::query!("DELETE FROM auth_flows WHERE credential_id = $1", id).execute(&mut *db).await?;
    crate::auth_one_time::spend_all(db, id).await
}

/// Shuts the account out until then; `None` lets it in again.
pub async fn ban(db: impl PgExecutor<'_>, id: Uuid, until: Option<DateTime<Utc>>) -> Result<(), DbError> {
    sqlx::query!("UPDATE auth_credentials SET banned_until = $2 WHERE id = $1", id, until).execute(db).await?;
    Ok(())
}

/// Keeps the id and nothing of the person; the address becomes free.
pub async fn delete_softly(db: &mut PgConnection, id: Uuid, obscured_email: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE auth_credentials SET deleted_at = COALESCE(deleted_at, now()), email = $2, new_email = NULL, password_hash = NULL,
             user_metadata = '{}', app_metadata = '{}' WHERE id = $1",
        id,
        obscured_email
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM auth_sessions WHERE credential_id = $1", id).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM auth_flows WHERE credential_id = $1", id).execute(&mut *db).await?;
    crate::auth_one_time::spend_all(db, id).await
}

pub async fn delete(db: impl PgExecutor<'_>, id: Uuid) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM auth_credentials WHERE id = $1", id).execute(db).await?;
    Ok(())
}
