//! A person's videos: reading, listing, editing, deleting, restoring.

mod listing;
mod tags;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgExecutor};

use crate::{
    enums::VideoState,
    error::DbError,
    ids::{RunId, UserId, VideoId},
    stage::Stage,
    tasks::{self, NewTask, PURGE_VIDEO},
};

pub use listing::{After, ListQuery, ListedRow, Sort, list, list_ids};
pub use tags::{MAX_TAGS, TagUse, own_tags, retag};

/// How long a deleted video can be restored.
pub const RESTORABLE_FOR: TimeDelta = TimeDelta::hours(24);

/// A video as its owner sees it, with the progress of the run that is under way.
#[derive(Clone, Debug, FromRow)]
pub struct VideoRow {
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub state: VideoState,
    pub original_filename: String,
    pub mime_type: String,
    pub declared_size_bytes: i64,
    pub size_bytes: Option<i64>,
    pub current_run_id: Option<RunId>,
    pub poster_key: Option<String>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    /// `[{code, message}]`
    pub warnings: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub indexed_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<i64>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Null when nothing is being indexed.
    pub active_run_id: Option<RunId>,
    pub stages_total: Option<i64>,
    pub stages_done: Option<i64>,
    /// Mean over the stages, 0 to 100.
    pub percent: Option<i32>,
    pub active_stages: Option<Vec<Stage>>,
}

/// What every read of a video selects. The lateral join is empty unless a run is under way.
const SELECT: &str = r"
    SELECT v.video_id, v.owner_id, v.title, v.description, v.tags, v.state, v.original_filename, v.mime_type, v.declared_size_bytes,
           v.size_bytes, v.current_run_id, v.poster_key, v.failure_code, v.failure_message, v.warnings, v.created_at, v.updated_at,
           v.indexed_at, v.deleted_at, m.duration_ms, m.width, m.height,
           p.active_run_id, p.stages_total, p.stages_done, p.percent, p.active_stages
    FROM videos v
    LEFT JOIN video_metadata m USING (video_id)
    LEFT JOIN LATERAL (
        SELECT r.run_id AS active_run_id, count(*) AS stages_total, count(*) FILTER (WHERE j.state = 'completed') AS stages_done,
               (avg(CASE WHEN j.state = 'completed' THEN 100 ELSE j.progress END))::integer AS percent,
               COALESCE(array_agg(j.stage ORDER BY j.stage) FILTER (WHERE j.state = 'running'), '{}') AS active_stages
        FROM runs r JOIN jobs j ON j.run_id = r.run_id
        WHERE r.video_id = v.video_id AND r.state IN ('pending', 'running')
        GROUP BY r.run_id
    ) p ON true";

/// One video of one owner.
pub async fn find(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<VideoRow, DbError> {
    sqlx::query_as(AssertSqlSafe(format!(
        "{SELECT} WHERE v.video_id = $1 AND v.owner_id = $2 AND v.state <> 'deleted'"
    )))
    .bind(video)
    .bind(owner)
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// What upload_validate read from the file.
#[derive(Clone, Debug)]
pub struct MetadataRow {
    pub container: String,
    pub duration_ms: i64,
    pub fps: f64,
    pub variable_fps: bool,
    pub rotation: i16,
    pub video_codec: String,
    pub bit_depth: Option<i16>,
    pub pixel_format: Option<String>,
    pub bit_rate: Option<i64>,
    pub audio_codec: Option<String>,
    pub audio_tracks: Value,
    pub creation_time: Option<DateTime<Utc>>,
}

/// `None` before `upload_validate` has ended. Ownership has been checked by [`find`]; it is checked again here.
pub async fn metadata(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<Option<MetadataRow>, DbError> {
    Ok(sqlx::query_as!(
        MetadataRow,
        "SELECT m.container, m.duration_ms, m.fps, m.variable_fps, m.rotation, m.video_codec, m.bit_depth, m.pixel_format, m.bit_rate, m.audio_codec,
                m.audio_tracks, m.creation_time
         FROM video_metadata m JOIN videos v USING (video_id) WHERE v.video_id = $1 AND v.owner_id = $2 AND v.state <> 'deleted'",
        video.0,
        owner.0
    )
    .fetch_optional(db)
    .await?)
}

/// Makes a person's text literal inside a LIKE pattern.
pub(crate) fn escape_like(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// The LIKE pattern of whatever has a person's text in it.
pub(crate) fn like_part(text: &str) -> String {
    format!("%{}%", escape_like(text))
}

/// What every video of the owner that is not at rest is doing: the first message of an event stream.
#[derive(Clone, Debug, FromRow)]
pub struct ActivityRow {
    pub video_id: VideoId,
    pub state: VideoState,
    pub stages_total: Option<i64>,
    pub stages_done: Option<i64>,
    pub percent: Option<i32>,
    pub active_stages: Option<Vec<Stage>>,
}

/// Videos under way, and the last few others, newest first; at most 200.
pub async fn activity(db: impl PgExecutor<'_>, owner: UserId) -> Result<Vec<ActivityRow>, DbError> {
    Ok(sqlx::query_as(AssertSqlSafe(format!(
        "SELECT video_id, state, stages_total, stages_done, percent, active_stages FROM ({SELECT} WHERE v.owner_id = $1 AND v.state <> 'deleted') AS a
         ORDER BY (a.active_run_id IS NOT NULL OR a.state IN ('uploading', 'validating', 'processing')) DESC, a.created_at DESC LIMIT 200"
    )))
    .bind(owner)
    .fetch_all(db)
    .await?)
}

/// Fields to change; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct VideoPatch {
    pub title: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
}

/// Edits what the owner says of a video.
pub async fn update(db: impl PgExecutor<'_>, owner: UserId, video: VideoId, patch: &VideoPatch) -> Result<(), DbError> {
    let done = sqlx::query!(
        "UPDATE videos SET title = COALESCE($3, title), description = COALESCE($4, description), tags = COALESCE($5, tags)
         WHERE video_id = $1 AND owner_id = $2 AND state <> 'deleted'",
        video.0,
        owner.0,
        patch.title,
        patch.description,
        patch.tags.as_deref()
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 0 { Err(DbError::NotFound) } else { Ok(()) }
}

/// Hides a video at once, and has it purged when the time to restore it is over.
pub async fn delete(db: &mut PgConnection, owner: UserId, video: VideoId) -> Result<(), DbError> {
    let purge_after = Utc::now() + RESTORABLE_FOR;
    let done = sqlx::query!(
        "UPDATE videos SET state_before_delete = state, state = 'deleted', deleted_at = now(), purge_after = $3
         WHERE video_id = $1 AND owner_id = $2 AND state <> 'deleted'",
        video.0,
        owner.0,
        purge_after
    )
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Err(DbError::NotFound);
    }
    purge_at(db, owner, video, Some(purge_after)).await
}

/// Has a deleted video purged then, or now; an earlier appointment is cancelled.
pub async fn purge_at(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    tasks::cancel(&mut *db, PURGE_VIDEO, video).await?;
    let payload = serde_json::json!({ "video_id": video });
    let task = NewTask { kind: PURGE_VIDEO, owner_id: Some(owner), video_id: Some(video), payload, run_at: at };
    tasks::enqueue(db, &task).await?;
    Ok(())
}

/// Brings a deleted video back, as long as it has not been purged, and cancels the purge.
pub async fn restore(db: &mut PgConnection, owner: UserId, video: VideoId) -> Result<(), DbError> {
    let done = sqlx::query!(
        "UPDATE videos SET state = COALESCE(state_before_delete, 'failed'), state_before_delete = NULL, deleted_at = NULL, purge_after = NULL
         WHERE video_id = $1 AND owner_id = $2 AND state = 'deleted' AND purge_after > now()",
        video.0,
        owner.0
    )
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Err(DbError::NotFound);
    }
    tasks::cancel(db, PURGE_VIDEO, video).await?;
    Ok(())
}

/// Whether the owner has this video, whatever its state but deleted.
pub async fn exists(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<(), DbError> {
    sqlx::query_scalar!(
        "SELECT 1 FROM videos WHERE video_id = $1 AND owner_id = $2 AND state <> 'deleted'",
        video.0,
        owner.0
    )
    .fetch_optional(db)
    .await?
    .map(|_| ())
    .ok_or(DbError::NotFound)
}

/// Whose a video is.
pub(crate) async fn owner(db: impl PgExecutor<'_>, video: VideoId) -> Result<UserId, DbError> {
    sqlx::query_scalar!(r#"SELECT owner_id AS "owner_id: UserId" FROM videos WHERE video_id = $1"#, video.0)
        .fetch_optional(db)
        .await?
        .ok_or(DbError::NotFound)
}
