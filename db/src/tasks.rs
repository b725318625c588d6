//! Work that is no stage (purge, proxy, export, …): rows of `tasks` on the queue `maintenance`. What becomes of them is the
//! ledger's business ([`crate::ledger`]), as for stages.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    error::DbError,
    ids::{TaskId, UserId, VideoId},
    queue,
};

/// Removes a deleted video for good; payload `{"video_id"}`.
pub const PURGE_VIDEO: &str = "purge_video";
/// Removes objects that are nobody's any more; payload `{"keys": [], "replaced": {"video_id", "run_ids": []}}`.
pub const DELETE_OBJECTS: &str = "delete_objects";

/// How long one attempt at a task of this kind may take.
pub fn deadline(_kind: &str) -> Duration {
    Duration::from_secs(3600)
}

/// A task to be written.
#[derive(Clone, Debug)]
pub struct NewTask<'a> {
    pub kind: &'a str,
    pub owner_id: Option<UserId>,
    pub video_id: Option<VideoId>,
    pub payload: Value,
    /// `None`: now.
    pub run_at: Option<DateTime<Utc>>,
}

/// Writes a task; it is pushed now, or by [`crate::ledger::push_due`] when its time comes. Where one of the kind is already under way for the
/// video, that one is left and its id returned.
pub async fn enqueue(connection: &mut PgConnection, task: &NewTask<'_>) -> Result<TaskId, DbError> {
    let inserted = sqlx::query_scalar!(
        r#"INSERT INTO tasks (task_id, kind, owner_id, video_id, payload, run_at, pushed_at)
           VALUES ($1, $2, $3, $4, $5, coalesce($6, now()), CASE WHEN $6::timestamptz IS NULL THEN now() END)
           ON CONFLICT (kind, video_id) WHERE state IN ('pending', 'running') AND video_id IS NOT NULL DO NOTHING
           RETURNING task_id AS "task_id: TaskId""#,
        TaskId::new().0,
        task.kind,
        task.owner_id.map(|id| id.0),
        task.video_id.map(|id| id.0),
        task.payload,
        task.run_at
    )
    .fetch_optional(&mut *connection)
    .await?;
    match inserted {
        Some(task_id) => {
            if task.run_at.is_none() {
                queue::push_tasks(connection, &[task_id]).await?;
            }
            Ok(task_id)
        }
        None => Ok(sqlx::query_scalar!(
            r#"SELECT task_id AS "task_id: TaskId" FROM tasks WHERE kind = $1 AND video_id = $2 AND state IN ('pending', 'running')"#,
            task.kind,
            task.video_id.map(|id| id.0)
        )
        .fetch_one(connection)
        .await?),
    }
}

/// Cancels the pending task of a kind for a video, for example a purge when the video is restored. True when there was one.
pub async fn cancel(connection: &mut PgConnection, kind: &str, video_id: VideoId) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE tasks SET state = 'cancelled', finished_at = now() WHERE kind = $1 AND video_id = $2 AND state = 'pending'",
        kind,
        video_id.0
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
