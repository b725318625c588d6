//! Searches that a person keeps by name. What is in them is the API's: here they are JSON objects with a `query`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{error::DbError, ids::UserId};

/// Of one person.
pub const MAX_SAVED: i64 = 200;

/// A search that was kept.
#[derive(Clone, Debug)]
pub struct SavedSearch {
    pub saved_id: Uuid,
    pub name: String,
    /// A JSON object.
    pub request: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Keeps a search.
///
/// # Errors
/// [`DbError::Conflict`] `name_taken`, or `too_many_saved_searches` when there are [`MAX_SAVED`] already, however many ask at once.
pub async fn save(db: &mut PgConnection, user: UserId, name: &str, request: &Value) -> Result<SavedSearch, DbError> {
    sqlx::query!("SELECT FROM users WHERE user_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE", user.0)
        .fetch_optional(&mut *db)
        .await?
        .ok_or(DbError::NotFound)?;
    let kept = sqlx::query_scalar!(r#"SELECT count(*) AS "kept!" FROM saved_searches WHERE user_id = $1"#, user.0)
        .fetch_one(&mut *db)
        .await?;
    if kept >= MAX_SAVED {
        return Err(DbError::Conflict("too_many_saved_searches"));
    }
    sqlx::query_as!(
        SavedSearch,
        "INSERT INTO saved_searches (user_id, name, request) VALUES ($1, $2, $3) ON CONFLICT (user_id, name) DO NOTHING
         RETURNING saved_id, name, request, created_at, updated_at",
        user.0,
        name,
        request
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::Conflict("name_taken"))
}

/// The person's saved searches, newest first; `after` is the last one of the page before.
pub async fn saved(
    db: impl PgExecutor<'_>,
    user: UserId,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<SavedSearch>, DbError> {
    let (at, id) = after.unzip();
    Ok(sqlx::query_as!(
        SavedSearch,
        "SELECT saved_id, name, request, created_at, updated_at FROM saved_searches
         WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, saved_id) < ($2, $3::uuid))
         ORDER BY created_at DESC, saved_id DESC LIMIT $4",
        user.0,
        at,
        id,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Renames a saved search, or keeps another one under its name; what is `None` stays.
///
/// # Errors
/// [`DbError::Conflict`] `name_taken`.
pub async fn change_saved(
    db: impl PgExecutor<'_>,
    user: UserId,
    saved_id: Uuid,
    name: Option<&str>,
    request: Option<&Value>,
) -> Result<SavedSearch, DbError> {
    let changed = sqlx::query_as!(
        SavedSearch,
        "UPDATE saved_searches SET name = COALESCE($3, name), request = COALESCE($4, request), updated_at = now()
         WHERE saved_id = $1 AND user_id = $2 RETURNING saved_id, name, request, created_at, updated_at",
        saved_id,
        user.0,
        name,
        request
    )
    .fetch_optional(db)
    .await;
    match changed {
        Ok(found) => found.ok_or(DbError::NotFound),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Err(DbError::Conflict("name_taken")),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a saved search.
pub async fn delete_saved(db: impl PgExecutor<'_>, user: UserId, saved_id: Uuid) -> Result<(), DbError> {
    let deleted = sqlx::query!("DELETE FROM saved_searches WHERE saved_id = $1 AND user_id = $2", saved_id, user.0)
        .execute(db)
        .await?;
    if deleted.rows_affected() == 0 { Err(DbError::NotFound) } else { Ok(()) }
}
