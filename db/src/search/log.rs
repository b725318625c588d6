//! What was looked for, for the person's own history.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{error::DbError, ids::UserId};

/// Lines of a person's history that are kept, the newest: what is read of it.
pub const KEPT: i64 = 5000;
/// Older ones are removed with every so many-th search of everybody together, since looking for them takes as long as a page.
const TRIMMED_EVERY: i64 = 50;

/// Adds one line to the person's search history, of which a little more than [`KEPT`] stay.
pub async fn record(
    db: impl PgExecutor<'_>,
    user: UserId,
    query: &str,
    hits: i32,
    took_ms: i32,
) -> Result<(), DbError> {
    sqlx::query!(
        "WITH added AS (INSERT INTO search_log (user_id, query, hits, took_ms) VALUES ($1, $2, $3, $4) RETURNING search_id)
         DELETE FROM search_log WHERE user_id = $1 AND (SELECT search_id FROM added) % $6 = 0
           AND search_id <= (SELECT search_id FROM search_log WHERE user_id = $1 ORDER BY search_id DESC OFFSET $5 LIMIT 1)",
        user.0,
        query,
        hits,
        took_ms,
        KEPT,
        TRIMMED_EVERY
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A query of the history, however often it was asked.
#[derive(Clone, Debug)]
pub struct AskedBefore {
    pub query: String,
    /// Of the last time; names its place in the history.
    pub last_id: i64,
    pub last_at: DateTime<Utc>,
    /// What the first page of the last time had.
    pub hits: i32,
    /// Among the newest 5000 searches.
    pub times: i64,
}

/// What the person has searched for, each query once, the last one first: of their newest 5000 searches, since a program may have
/// made millions. `before` is the place of the last one of the page before.
pub async fn history(
    db: impl PgExecutor<'_>,
    user: UserId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AskedBefore>, DbError> {
    Ok(sqlx::query_as!(
        AskedBefore,
        r#"SELECT query AS "query!", max(search_id) AS "last_id!", max(created_at) AS "last_at!",
                  (array_agg(hits ORDER BY search_id DESC))[1] AS "hits!", count(*) AS "times!"
           FROM (SELECT query, hits, search_id, created_at FROM search_log WHERE user_id = $1 ORDER BY search_id DESC LIMIT 5000) AS newest
           GROUP BY query HAVING $2::bigint IS NULL OR max(search_id) < $2
           ORDER BY max(search_id) DESC LIMIT $3"#,
        user.0,
        before,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Removes every line of one query, or with `None` the whole history.
pub async fn forget(db: impl PgExecutor<'_>, user: UserId, query: Option<&str>) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM search_log WHERE user_id = $1 AND ($2::text IS NULL OR query = $2)", user.0, query)
        .execute(db)
        .await?;
    Ok(())
}
