//! Completions while a person types; cheap, and not counted. One that takes too long is of no use any more: then there is none.

use std::time::Duration;

use sqlx::PgPool;

use super::{Planning, bounded, is_timeout};
use crate::{Tx, error::DbError, ids::UserId, videos::escape_like};

/// The next letter is typed by then.
const DEADLINE: Duration = Duration::from_millis(300);

/// What was found in time.
async fn in_time<T>(tx: Tx, found: Result<Vec<T>, sqlx::Error>) -> Result<Vec<T>, DbError> {
    match found.map_err(DbError::from) {
        Ok(found) => {
            tx.commit().await?;
            Ok(found)
        }
        Err(error) if is_timeout(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Titles with the text, those that begin with it first.
pub async fn titles(pool: &PgPool, owner: UserId, text: &str, limit: i64) -> Result<Vec<String>, DbError> {
    let text = escape_like(text);
    let mut tx = bounded(pool, DEADLINE, Planning::Free).await?;
    let found = sqlx::query_scalar!(
        "SELECT title FROM videos WHERE owner_id = $1 AND state <> 'deleted' AND title ILIKE '%' || $2 || '%'
         GROUP BY title ORDER BY title ILIKE $2 || '%' DESC, max(created_at) DESC LIMIT $3",
        owner.0,
        text,
        limit
    )
    .fetch_all(&mut *tx)
    .await;
    in_time(tx, found).await
}

/// What this person has searched for before, newest first: of their last 5000 searches, since somebody may have made millions.
pub async fn recent_queries(pool: &PgPool, user: UserId, text: &str, limit: i64) -> Result<Vec<String>, DbError> {
    let mut tx = bounded(pool, DEADLINE, Planning::Free).await?;
    let found = sqlx::query_scalar!(
        r#"SELECT query AS "query!" FROM (SELECT query, hits, search_id FROM search_log WHERE user_id = $1 ORDER BY search_id DESC LIMIT 5000) AS newest
           WHERE query ILIKE $2 || '%' AND hits > 0 GROUP BY query ORDER BY max(search_id) DESC LIMIT $3"#,
        user.0,
        escape_like(text),
        limit
    )
    .fetch_all(&mut *tx)
    .await;
    in_time(tx, found).await
}

/// A saved search, by the name it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAs {
    pub name: String,
    pub query: String,
}

/// Saved searches whose name has the text, or whose query begins with it; those whose name begins with it first.
pub async fn saved_as(pool: &PgPool, user: UserId, text: &str, limit: i64) -> Result<Vec<SavedAs>, DbError> {
    let mut tx = bounded(pool, DEADLINE, Planning::Free).await?;
    let found = sqlx::query_as!(
        SavedAs,
        r#"SELECT name, request ->> 'query' AS "query!" FROM saved_searches
           WHERE user_id = $1 AND request ->> 'query' IS NOT NULL
             AND (name ILIKE '%' || $2 || '%' OR request ->> 'query' ILIKE $2 || '%')
           ORDER BY name ILIKE $2 || '%' DESC, updated_at DESC, saved_id LIMIT $3"#,
        user.0,
        escape_like(text),
        limit
    )
    .fetch_all(&mut *tx)
    .await;
    in_time(tx, found).await
}

/// Texts of scenes in which the letters occur.
pub async fn texts_with(pool: &PgPool, owner: UserId, text: &str, limit: i64) -> Result<Vec<String>, DbError> {
    let mut tx = bounded(pool, DEADLINE, Planning::Free).await?;
    let found = sqlx::query_scalar!(
        "SELECT s.text FROM scenes s JOIN videos v ON v.video_id = s.video_id AND v.current_run_id = s.run_id
         WHERE s.owner_id = $1 AND v.state <> 'deleted' AND s.text ILIKE '%' || $2 || '%' LIMIT $3",
        owner.0,
        escape_like(text),
        limit
    )
    .fetch_all(&mut *tx)
    .await;
    in_time(tx, found).await
}
