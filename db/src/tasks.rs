//! Work that is no stage (purge, proxy, export, …): rows of `tasks` on the queues `maintenance` and `encoding`. What becomes of them is the
//! ledger's business ([`crate::ledger`]), as for stages.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    error::DbError,
    ids::{RunId, TaskId, UserId, VideoId},
    queue,
};

/// Removes a deleted video for good; payload `{"video_id"}`.
pub const PURGE_VIDEO: &str = "purge_video";
/// Removes objects that are nobody's any more; payload [`Unwanted`].
pub const DELETE_OBJECTS: &str = "delete_objects";

/// Makes the version of a video that browsers play; no payload.
pub const MAKE_PROXY: &str = "make_proxy";
/// Cuts a part out of a video; payload [`crate::clips::CutClip`].
pub const CUT_CLIP: &str = "cut_clip";

/// Kinds that encode for minutes or hours. They have a queue of their own, so that letters and clearing up do not wait for them.
pub const ENCODING: [&str; 2] = [MAKE_PROXY, CUT_CLIP];

/// How long one attempt at a task of this kind may take.
pub fn deadline(kind: &str) -> Duration {
    let hours = if kind == MAKE_PROXY { 6 } else { 1 };
    Duration::from_secs(hours * 3600)
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

/// Payload of [`DELETE_OBJECTS`]: what to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwanted {
    /// These objects.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Multipart uploads that are open under these keys, or keys that begin so.
    #[serde(default)]
    pub uploads: Vec<String>,
    /// All objects whose keys begin so.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// All objects of these runs, but those that a later run has inherited.
    pub replaced: Option<Replaced>,
}

/// Runs of a video in whose place another has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub video_id: VideoId,
    pub run_ids: Vec<RunId>,
}

/// Has objects removed. Written down in the transaction that forgets them: none is left behind, whatever happens next, and a
/// storage that does not answer holds nobody up. The task is nobody's, so that it outlives an account.
pub async fn delete_objects(connection: &mut PgConnection, unwanted: &Unwanted) -> Result<TaskId, DbError> {
    deletion(connection, unwanted, None).await
}

/// As [`delete_objects`], later.
pub async fn delete_objects_at(
    connection: &mut PgConnection,
    unwanted: &Unwanted,
    run_at: DateTime<Utc>,
) -> Result<TaskId, DbError> {
    deletion(connection, unwanted, Some(run_at)).await
}

async fn deletion(
    connection: &mut PgConnection,
    unwanted: &Unwanted,
    run_at: Option<DateTime<Utc>>,
) -> Result<TaskId, DbError> {
    let payload = serde_json::to_value(unwanted).map_err(|error| DbError::Queue(error.to_string()))?;
    let task = NewTask { kind: DELETE_OBJECTS, owner_id: None, video_id: None, payload, run_at };
    enqueue(connection, &task).await
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
