//! What everything takes: the originals as the videos' rows know them, and the database as it knows itself.

use sqlx::PgExecutor;

use crate::{error::DbError, ids::UserId};

/// Bytes by kind, over all owners.
#[derive(Clone, Copy, Debug)]
pub struct StorageTotals {
    /// Of videos that are there.
    pub original_bytes: i64,
    pub video_count: i64,
    /// Announced by uploads that are under way: so much they may come to.
    pub uploading_bytes: i64,
    /// Of deleted videos that wait for their purge.
    pub deleted_bytes: i64,
    pub database_bytes: i64,
}

pub async fn totals(db: impl PgExecutor<'_>) -> Result<StorageTotals, DbError> {
    Ok(sqlx::query_as!(
        StorageTotals,
        r#"SELECT coalesce(sum(size_bytes) FILTER (WHERE state NOT IN ('uploading', 'deleted')), 0)::bigint AS "original_bytes!",
                  count(*) FILTER (WHERE state NOT IN ('uploading', 'deleted')) AS "video_count!",
                  coalesce(sum(declared_size_bytes) FILTER (WHERE state = 'uploading'), 0)::bigint AS "uploading_bytes!",
                  coalesce(sum(size_bytes) FILTER (WHERE state = 'deleted'), 0)::bigint AS "deleted_bytes!",
                  pg_database_size(current_database()) AS "database_bytes!"
           FROM videos"#
    )
    .fetch_one(db)
    .await?)
}

/// A table with its indexes.
#[derive(Clone, Debug)]
pub struct TableSize {
    pub name: String,
    pub bytes: i64,
}

/// The twenty largest tables.
pub async fn tables(db: impl PgExecutor<'_>) -> Result<Vec<TableSize>, DbError> {
    Ok(sqlx::query_as!(
        TableSize,
        r#"SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END AS "name!",
                  pg_total_relation_size(c.oid) AS "bytes!"
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'r' AND n.nspname IN ('public', 'apalis') ORDER BY 2 DESC, 1 LIMIT 20"#
    )
    .fetch_all(db)
    .await?)
}

/// What one person's originals take.
#[derive(Clone, Debug)]
pub struct OwnerStorage {
    pub user_id: UserId,
    pub email: Option<String>,
    pub video_count: i64,
    pub original_bytes: i64,
    pub deleted_bytes: i64,
}

/// The largest libraries first, after one (its bytes and its owner).
pub async fn owners(
    db: impl PgExecutor<'_>,
    after: Option<(i64, UserId)>,
    limit: i64,
) -> Result<Vec<OwnerStorage>, DbError> {
    Ok(sqlx::query_as!(
        OwnerStorage,
        r#"SELECT o.owner_id AS "user_id!: UserId", u.email AS "email?", o.video_count AS "video_count!",
                  o.original_bytes AS "original_bytes!", o.deleted_bytes AS "deleted_bytes!"
           FROM (SELECT owner_id, count(*) FILTER (WHERE state NOT IN ('uploading', 'deleted')) AS video_count,
                        coalesce(sum(size_bytes) FILTER (WHERE state NOT IN ('uploading', 'deleted')), 0)::bigint AS original_bytes,
                        coalesce(sum(size_bytes) FILTER (WHERE state = 'deleted'), 0)::bigint AS deleted_bytes
                 FROM videos GROUP BY owner_id) o JOIN users u ON u.user_id = o.owner_id
           WHERE $1::bigint IS NULL OR (o.original_bytes, o.owner_id) < ($1, $2)
           ORDER BY o.original_bytes DESC, o.owner_id DESC LIMIT $3"#,
        after.map(|(bytes, _)| bytes),
        after.map(|(_, id)| id.0),
        limit
    )
    .fetch_all(db)
    .await?)
}
