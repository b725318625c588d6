//! What was looked for, for the person's own history.

use sqlx::PgExecutor;

use crate::{error::DbError, ids::UserId};

/// Adds one line to the person's search history.
pub async fn record(
    db: impl PgExecutor<'_>,
    user: UserId,
    query: &str,
    hits: i32,
    took_ms: i32,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO search_log (user_id, query, hits, took_ms) VALUES ($1, $2, $3, $4)",
        user.0,
        query,
        hits,
        took_ms
    )
    .execute(db)
    .await?;
    Ok(())
}
