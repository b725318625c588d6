//! Completions while a person types; cheap, and not counted.

use sqlx::PgExecutor;

use crate::{error::DbError, ids::UserId, videos::escape_like};

/// Titles with the text, those that begin with it first.
pub async fn titles(db: impl PgExecutor<'_>, owner: UserId, text: &str, limit: i64) -> Result<Vec<String>, DbError> {
    let text = escape_like(text);
    Ok(sqlx::query_scalar!(
        "SELECT title FROM videos WHERE owner_id = $1 AND state <> 'deleted' AND title ILIKE '%' || $2 || '%'
         GROUP BY title ORDER BY title ILIKE $2 || '%' DESC, max(created_at) DESC LIMIT $3",
        owner.0,
        text,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// What this person has searched for before, newest first.
pub async fn recent_queries(
    db: impl PgExecutor<'_>,
    user: UserId,
    text: &str,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT query FROM search_log WHERE user_id = $1 AND query ILIKE $2 || '%' AND hits > 0 GROUP BY query ORDER BY max(search_id) DESC LIMIT $3",
        user.0,
        escape_like(text),
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Texts of scenes in which the letters occur.
pub async fn texts_with(
    db: impl PgExecutor<'_>,
    owner: UserId,
    text: &str,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT s.text FROM scenes s JOIN videos v ON v.video_id = s.video_id AND v.current_run_id = s.run_id
         WHERE s.owner_id = $1 AND v.state <> 'deleted' AND s.text ILIKE '%' || $2 || '%' LIMIT $3",
        owner.0,
        escape_like(text),
        limit
    )
    .fetch_all(db)
    .await?)
}
