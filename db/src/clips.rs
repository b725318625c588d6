//! Clips: parts of videos as files of their own, made by a task of kind [`CUT_CLIP`] and removed when their time is over.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{
    enums::JobState,
    error::DbError,
    ids::{ClipId, UserId, VideoId},
    keys,
    tasks::{self, CUT_CLIP, NewTask, Unwanted},
};

/// Clips of one person that are kept at a time.
pub const MAX_LIVE: i64 = 200;
/// Of these, clips that are still to be made: those of others wait behind them.
pub const MAX_WAITING: i64 = 20;

/// A clip to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewClip {
    pub start_ms: i64,
    pub end_ms: i64,
    /// At the picture, not at the keyframe before it.
    pub exact: bool,
    pub for_share: bool,
    pub expires_at: DateTime<Utc>,
}

/// Payload of [`CUT_CLIP`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutClip {
    pub clip_id: ClipId,
    /// Tells where an object may lie once the row is gone; tasks of an older version lack it.
    #[serde(default)]
    pub video_id: Option<VideoId>,
}

/// A clip, and how far it is.
#[derive(Clone, Debug)]
pub struct ClipRow {
    pub clip_id: ClipId,
    pub video_id: VideoId,
    pub start_ms: i64,
    pub end_ms: i64,
    pub exact: bool,
    /// Where it lies, once it is made.
    pub object_key: Option<String>,
    pub size_bytes: Option<i64>,
    pub expires_at: DateTime<Utc>,
    /// Of the task that makes it.
    pub state: Option<JobState>,
    /// 0 to 100.
    pub progress: Option<i16>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

/// Has a part of the owner's video cut out. The same part that was asked for before, and has not failed, is not made again.
/// `Conflict("too_many_clips")` at [`MAX_LIVE`] and `Conflict("clips_waiting")` at [`MAX_WAITING`], however many ask at once.
pub async fn request(db: &mut PgConnection, owner: UserId, video: VideoId, new: &NewClip) -> Result<ClipId, DbError> {
    sqlx::query!("SELECT FROM users WHERE user_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE", owner.0)
        .fetch_optional(&mut *db)
        .await?
        .ok_or(DbError::NotFound)?;
    crate::videos::exists(&mut *db, owner, video).await?;
    if !new.for_share {
        let before = sqlx::query_scalar!(
            r#"SELECT c.clip_id AS "clip_id: ClipId" FROM clips c LEFT JOIN tasks t ON t.task_id = c.task_id
               WHERE c.owner_id = $1 AND c.video_id = $2 AND c.start_ms = $3 AND c.end_ms = $4 AND c.exact = $5 AND NOT c.for_share
                 AND c.expires_at > now() + interval '10 minutes'
                 AND (c.object_key IS NOT NULL OR t.state IN ('pending', 'running')) LIMIT 1"#,
            owner.0,
            video.0,
            new.start_ms,
            new.end_ms,
            new.exact
        )
        .fetch_optional(&mut *db)
        .await?;
        if let Some(clip) = before {
            return Ok(clip);
        }
    }
    let kept = sqlx::query!(
        r#"SELECT count(*) AS "live!", count(*) FILTER (WHERE c.object_key IS NULL AND t.state IN ('pending', 'running')) AS "waiting!"
           FROM clips c LEFT JOIN tasks t ON t.task_id = c.task_id WHERE c.owner_id = $1 AND c.expires_at > now()"#,
        owner.0
    )
    .fetch_one(&mut *db)
    .await?;
    if kept.live >= MAX_LIVE {
        return Err(DbError::Conflict("too_many_clips"));
    }
    if kept.waiting >= MAX_WAITING {
        return Err(DbError::Conflict("clips_waiting"));
    }
    let clip = ClipId::new();
    let payload = serde_json::to_value(CutClip { clip_id: clip, video_id: Some(video) })
        .map_err(|error| DbError::Queue(error.to_string()))?;
    // Without the video: of one kind a video has one task at a time, and several parts may be wanted.
    let task = NewTask { kind: CUT_CLIP, owner_id: Some(owner), video_id: None, payload, run_at: None };
    let task_id = tasks::enqueue(&mut *db, &task).await?;
    sqlx::query!(
        "INSERT INTO clips (clip_id, owner_id, video_id, start_ms, end_ms, exact, for_share, task_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        clip.0,
        owner.0,
        video.0,
        new.start_ms,
        new.end_ms,
        new.exact,
        new.for_share,
        task_id.0,
        new.expires_at
    )
    .execute(db)
    .await?;
    Ok(clip)
}

/// One clip of one video of one owner, unless its time is over.
pub async fn find(db: impl PgExecutor<'_>, owner: UserId, video: VideoId, clip: ClipId) -> Result<ClipRow, DbError> {
    sqlx::query_as!(
        ClipRow,
        r#"SELECT c.clip_id AS "clip_id: ClipId", c.video_id AS "video_id: VideoId", c.start_ms, c.end_ms, c.exact, c.object_key, c.size_bytes,
                  c.expires_at, t.state AS "state?: JobState", t.progress AS "progress?", t.error_code AS "error_code?",
                  t.error_message AS "error_message?"
           FROM clips c JOIN videos v USING (video_id) LEFT JOIN tasks t ON t.task_id = c.task_id
           WHERE c.clip_id = $1 AND c.video_id = $2 AND c.owner_id = $3 AND v.owner_id = $3 AND v.state <> 'deleted'
             AND NOT c.for_share AND c.expires_at > now()"#,
        clip.0,
        video.0,
        owner.0
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// What a clip is cut from.
#[derive(Clone, Debug)]
pub struct ClipSource {
    pub video_id: VideoId,
    pub start_ms: i64,
    pub end_ms: i64,
    pub exact: bool,
    /// Of the video.
    pub size_bytes: i64,
    /// It is there already.
    pub made: bool,
}

/// `None` when the clip is over, or its video deleted or never looked at.
pub async fn source(db: impl PgExecutor<'_>, clip: ClipId) -> Result<Option<ClipSource>, DbError> {
    Ok(sqlx::query_as!(
        ClipSource,
        r#"SELECT c.video_id AS "video_id: VideoId", c.start_ms, c.end_ms, c.exact, v.declared_size_bytes AS size_bytes,
                  c.object_key IS NOT NULL AS "made!"
           FROM clips c JOIN videos v USING (video_id) JOIN video_metadata m USING (video_id)
           WHERE c.clip_id = $1 AND c.expires_at > now() AND v.state <> 'deleted'"#,
        clip.0
    )
    .fetch_optional(db)
    .await?)
}

/// Whether the object of a clip is one that a row names, be its time over or its video deleted: whoever removes the row removes it.
pub async fn is_kept(db: impl PgExecutor<'_>, clip: ClipId) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM clips WHERE clip_id = $1 AND object_key IS NOT NULL) AS "kept!""#,
        clip.0
    )
    .fetch_one(db)
    .await?)
}

/// Records where the clip lies. False when it, or its video, is gone meanwhile.
pub async fn set(
    connection: &mut PgConnection,
    clip: ClipId,
    object_key: &str,
    size_bytes: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE clips c SET object_key = $2, size_bytes = $3 FROM videos v
         WHERE c.clip_id = $1 AND c.expires_at > now() AND v.video_id = c.video_id AND v.state <> 'deleted'",
        clip.0,
        object_key,
        size_bytes
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets a clip, and has its object removed.
pub(crate) async fn remove(connection: &mut PgConnection, clip: ClipId) -> Result<(), DbError> {
    let video = sqlx::query_scalar!(
        r#"DELETE FROM clips WHERE clip_id = $1 RETURNING video_id AS "video_id: VideoId""#,
        clip.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(video) = video {
        tasks::delete_objects(connection, &unwanted(vec![keys::clip(video, clip)])).await?;
    }
    Ok(())
}

/// What there may be of clips whose rows go. Whatever is at work on one finds no row, and removes what it puts after that.
fn unwanted(keys: Vec<String>) -> Unwanted {
    // Of a worker that died while it sent a long one.
    Unwanted { uploads: keys.clone(), keys, ..Unwanted::default() }
}

/// Forgets clips whose time is over, at most a hundred, and has their objects removed. Safe to be done by many at once.
pub async fn expire(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    let over = sqlx::query!(
        r#"DELETE FROM clips WHERE clip_id IN (SELECT clip_id FROM clips WHERE expires_at < now() ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)
           RETURNING clip_id AS "clip_id: ClipId", video_id AS "video_id: VideoId""#
    )
    .fetch_all(&mut *tx)
    .await?;
    if over.is_empty() {
        return Ok(0);
    }
    let keys = over.iter().map(|row| keys::clip(row.video_id, row.clip_id)).collect();
    tasks::delete_objects(&mut tx, &unwanted(keys)).await?;
    tx.commit().await?;
    Ok(over.len())
}
