//! Proxies: the version of a video for browsers that cannot play its source, made by a task of kind [`MAKE_PROXY`].

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    enums::JobState,
    error::DbError,
    ids::{TaskId, UserId, VideoId},
    tasks::{self, MAKE_PROXY, NewTask},
};

/// How far a video's proxy is.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it lies, once it is made.
    pub object_key: Option<String>,
    /// The newest task that was to make it.
    pub task: Option<ProxyTask>,
}

#[derive(Clone, Debug)]
pub struct ProxyTask {
    pub state: JobState,
    /// 0 to 100.
    pub progress: i16,
    /// Why it ended badly: a stable code and a sentence for the owner.
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// What is known of the proxy of an owner's video.
pub async fn find(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<Proxy, DbError> {
    let row = sqlx::query!(
        r#"SELECT v.proxy_key, t.state AS "state?: JobState", t.progress AS "progress?", t.error_code AS "error_code?",
                  t.error_message AS "error_message?", t.finished_at AS "finished_at?"
           FROM videos v
           LEFT JOIN LATERAL (SELECT * FROM tasks WHERE video_id = v.video_id AND kind = $3 ORDER BY created_at DESC LIMIT 1) t ON true
           WHERE v.video_id = $1 AND v.owner_id = $2 AND v.state <> 'deleted'"#,
        video.0,
        owner.0,
        MAKE_PROXY
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)?;
    let task = row.state.map(|state| ProxyTask {
        state,
        progress: row.progress.unwrap_or(0),
        error_code: row.error_code,
        error_message: row.error_message,
        finished_at: row.finished_at,
    });
    Ok(Proxy { object_key: row.proxy_key, task })
}

/// Has the proxy made. However many ask at once, it is made once.
pub async fn request(connection: &mut PgConnection, owner: UserId, video: VideoId) -> Result<TaskId, DbError> {
    let task =
        NewTask { kind: MAKE_PROXY, owner_id: Some(owner), video_id: Some(video), payload: json!({}), run_at: None };
    tasks::enqueue(connection, &task).await
}

/// What a proxy is made from.
#[derive(Clone, Debug)]
pub struct ProxySource {
    pub size_bytes: i64,
    pub duration_ms: i64,
    /// It is there already.
    pub made: bool,
}

/// `None` when the video is deleted or was never looked at.
pub async fn source(db: impl PgExecutor<'_>, video: VideoId) -> Result<Option<ProxySource>, DbError> {
    Ok(sqlx::query_as!(
        ProxySource,
        r#"SELECT v.declared_size_bytes AS size_bytes, m.duration_ms, v.proxy_key IS NOT NULL AS "made!"
           FROM videos v JOIN video_metadata m USING (video_id) WHERE v.video_id = $1 AND v.state <> 'deleted'"#,
        video.0
    )
    .fetch_optional(db)
    .await?)
}

/// Records where the proxy lies. False when the video has been deleted meanwhile.
pub async fn set(connection: &mut PgConnection, video: VideoId, object_key: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE videos SET proxy_key = $2 WHERE video_id = $1 AND state <> 'deleted'",
        video.0,
        object_key
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
