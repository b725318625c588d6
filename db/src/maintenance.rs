//! Sweeps: what is past its time. Every function is safe to call from several workers at once, and again.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::{
    error::DbError,
    ids::{TaskId, UserId, VideoId},
    keys,
    stage::Stage,
    tasks::{self, Unwanted},
};

/// After a purge a worker may still put objects that it was at work on: it learns with its next heartbeat that nobody wants them, and
/// while PostgreSQL is out of its reach it does not learn it.
const LAST_LOOK: TimeDelta = TimeDelta::hours(1);

/// Uploads that began longer ago than `age` and were never completed.
pub async fn abandoned_uploads(pool: &PgPool, age: Duration) -> Result<Vec<VideoId>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT video_id AS "video_id: VideoId" FROM videos
           WHERE state = 'uploading' AND created_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT 50"#,
        age.as_secs_f64()
    )
    .fetch_all(pool)
    .await?)
}

/// Marks an upload as given up; what S3 holds of it is removed by a task. False when it was completed in the meantime.
pub async fn give_up_upload(connection: &mut PgConnection, video_id: VideoId) -> Result<bool, DbError> {
    let given_up = sqlx::query!(
        "UPDATE videos SET state = 'failed', upload_id = NULL, failure_code = 'upload_abandoned',
                failure_message = 'The upload was not finished within a day. Please upload the file again.'
         WHERE video_id = $1 AND state = 'uploading'",
        video_id as VideoId
    )
    .execute(&mut *connection)
    .await?;
    if given_up.rows_affected() == 0 {
        return Ok(false);
    }
    crate::quotas::give_back_upload(&mut *connection, video_id).await?;
    crate::uploads::remove_sent(connection, video_id).await?;
    Ok(true)
}

/// Deleted videos whose time to be restored has run out and whose purge is not under way.
pub async fn videos_to_purge(pool: &PgPool) -> Result<Vec<(VideoId, UserId)>, DbError> {
    Ok(sqlx::query!(
        r#"SELECT v.video_id AS "video_id: VideoId", v.owner_id AS "owner_id: UserId" FROM videos v
           WHERE v.state = 'deleted' AND v.purge_after < now()
             AND NOT EXISTS (SELECT FROM tasks t WHERE t.video_id = v.video_id AND t.kind = 'purge_video' AND t.state IN ('pending', 'running'))
           ORDER BY v.purge_after LIMIT 50"#
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(|row| (row.video_id, row.owner_id))
    .collect())
}

/// Removes a deleted video and all that hangs on it, once its objects are gone, and has what was put there meanwhile removed an hour
/// later. False when it was restored in the meantime. Tasks about it are kept as history, without their video.
pub async fn purge_video(connection: &mut PgConnection, video_id: VideoId) -> Result<bool, DbError> {
    let owner = match crate::videos::owner(&mut *connection, video_id).await {
        Err(DbError::NotFound) => return Ok(false),
        owner => owner?,
    };
    // Before the video's row, which a decision about a face refers to.
    crate::people::lock(&mut *connection, owner).await?;
    let due = sqlx::query!(
        "SELECT video_id FROM videos WHERE video_id = $1 AND state = 'deleted' AND purge_after < now() FOR UPDATE",
        video_id as VideoId
    )
    .fetch_optional(&mut *connection)
    .await?
    .is_some();
    if due {
        // Whatever else is under way for it loses its lease, and writes nothing any more.
        sqlx::query!(
            "UPDATE tasks SET state = 'cancelled', finished_at = now() WHERE video_id = $1 AND state IN ('pending', 'running') AND kind <> $2",
            video_id as VideoId,
            crate::tasks::PURGE_VIDEO
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!("UPDATE tasks SET video_id = NULL WHERE video_id = $1", video_id as VideoId)
            .execute(&mut *connection)
            .await?;
        sqlx::query!("UPDATE videos SET current_run_id = NULL WHERE video_id = $1", video_id as VideoId)
            .execute(&mut *connection)
            .await?;
        sqlx::query!("DELETE FROM videos WHERE video_id = $1", video_id as VideoId).execute(&mut *connection).await?;
        let prefix = keys::video_prefix(video_id);
        let late = Unwanted { uploads: vec![prefix.clone()], prefixes: vec![prefix], ..Unwanted::default() };
        tasks::delete_objects_at(&mut *connection, &late, Utc::now() + LAST_LOOK).await?;
        crate::people::forget_orphans(connection, owner).await?;
    }
    Ok(due)
}

/// Removes answers kept for repeated requests longer than a day.
pub async fn expire_idempotency_keys(pool: &PgPool) -> Result<u64, DbError> {
    Ok(sqlx::query!("DELETE FROM idempotency_keys WHERE created_at < now() - interval '1 day'")
        .execute(pool)
        .await?
        .rows_affected())
}

/// Removes delivered messages older than an hour, and queue workers that have not been heard of for a day. The ledger keeps
/// the history; the queue's rows are of no further use.
pub async fn vacuum_queue(pool: &PgPool) -> Result<u64, DbError> {
    // The queue's schema is not ours, and the macros do not know it.
    let jobs = sqlx::query(AssertSqlSafe(
        "DELETE FROM apalis.jobs WHERE status IN ('Done', 'Killed', 'Failed') AND done_at < now() - interval '1 hour'",
    ))
    .execute(pool)
    .await?
    .rows_affected();
    sqlx::query(AssertSqlSafe(
        "DELETE FROM apalis.workers w WHERE last_seen < now() - interval '1 day'
         AND NOT EXISTS (SELECT FROM apalis.jobs j WHERE j.lock_by = w.id)",
    ))
    .execute(pool)
    .await?;
    Ok(jobs)
}

/// Messages waiting in each stage's queue, and jobs running, for the operator's gauges: `(stage, pending, running)`.
pub async fn depth(pool: &PgPool) -> Result<Vec<(Stage, i64, i64)>, DbError> {
    Ok(sqlx::query!(
        r#"SELECT stage AS "stage: Stage", count(*) FILTER (WHERE state = 'pending' AND ready) AS "pending!",
                  count(*) FILTER (WHERE state = 'running') AS "running!"
           FROM jobs WHERE state IN ('pending', 'running') GROUP BY stage"#
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(|row| (row.stage, row.pending, row.running))
    .collect())
}

/// A video that may go for good.
#[derive(Clone, Debug)]
pub struct DueVideo {
    pub video_id: VideoId,
    /// Of the multipart upload in S3 that was still open when it was deleted.
    pub upload_id: Option<String>,
}

/// The video, if it is deleted and past the time to restore it.
pub async fn due_for_purge(pool: &PgPool, video_id: VideoId) -> Result<Option<DueVideo>, DbError> {
    Ok(sqlx::query_as!(
        DueVideo,
        r#"SELECT video_id AS "video_id: VideoId", upload_id FROM videos WHERE video_id = $1 AND state = 'deleted' AND purge_after < now()"#,
        video_id as VideoId
    )
    .fetch_optional(pool)
    .await?)
}

/// Whether an account is a tombstone.
pub async fn is_buried(pool: &PgPool, user: UserId) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM users WHERE user_id = $1 AND deleted_at IS NOT NULL) AS "buried!""#,
        user.0
    )
    .fetch_one(pool)
    .await?)
}

/// Videos that a deleted account has left, at most `limit`; one that was announced at the last moment is among them.
pub async fn videos_of_the_buried(pool: &PgPool, user: UserId, limit: i64) -> Result<Vec<DueVideo>, DbError> {
    Ok(sqlx::query_as!(
        DueVideo,
        r#"UPDATE videos SET state = 'deleted', deleted_at = COALESCE(deleted_at, now()), purge_after = now() - interval '1 second'
           WHERE video_id IN (SELECT v.video_id FROM videos v JOIN users u ON u.user_id = v.owner_id
                              WHERE v.owner_id = $1 AND u.deleted_at IS NOT NULL ORDER BY v.video_id LIMIT $2)
           RETURNING video_id AS "video_id: VideoId", upload_id"#,
        user.0,
        limit
    )
    .fetch_all(pool)
    .await?)
}

/// Removes what a deleted account has left besides its videos: people, searches, shares, tokens, counters, and tasks other
/// than the one that does it. The tombstone and the account's history stay.
pub async fn purge_account(connection: &mut PgConnection, user: UserId, except: TaskId) -> Result<(), DbError> {
    let id = user.0;
    sqlx::query!("DELETE FROM face_profiles WHERE owner_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM video_edits WHERE user_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM search_log WHERE user_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM saved_searches WHERE user_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM shares WHERE owner_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM clips WHERE owner_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM webhooks WHERE owner_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM api_tokens WHERE user_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM idempotency_keys WHERE user_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM quota_usage WHERE user_id = $1", id).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM tasks WHERE owner_id = $1 AND task_id <> $2", id, except.0).execute(connection).await?;
    Ok(())
}
