//! Everybody's videos, by what they take and how they fare.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    enums::{JobState, VideoState},
    error::DbError,
    ids::{RunId, UserId, VideoId},
};

/// One video without what it holds: no title, no file name.
#[derive(Clone, Debug)]
pub struct VideoLine {
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub owner_email: Option<String>,
    pub state: VideoState,
    /// As announced while it is being sent.
    pub size_bytes: i64,
    pub duration_ms: Option<i64>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    /// Its newest run.
    pub run_id: Option<RunId>,
    pub run_state: Option<JobState>,
    /// Of what is left to do in that run.
    pub priority: Option<i16>,
    pub created_at: DateTime<Utc>,
    pub indexed_at: Option<DateTime<Utc>>,
    pub purge_after: Option<DateTime<Utc>>,
}

/// Which videos; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct VideoFilter {
    pub video: Option<VideoId>,
    pub owner: Option<UserId>,
    pub state: Option<VideoState>,
}

/// Newest first, after one.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &VideoFilter,
    after: Option<(DateTime<Utc>, VideoId)>,
    limit: i64,
) -> Result<Vec<VideoLine>, DbError> {
    Ok(sqlx::query_as!(
        VideoLine,
        r#"SELECT v.video_id AS "video_id!: VideoId", v.owner_id AS "owner_id!: UserId", u.email AS "owner_email?", v.state AS "state!: VideoState",
                  coalesce(v.size_bytes, v.declared_size_bytes) AS "size_bytes!", m.duration_ms AS "duration_ms?", v.failure_code, v.failure_message,
                  r.run_id AS "run_id?: RunId", r.state AS "run_state?: JobState",
                  (SELECT max(j.priority) FROM jobs j WHERE j.run_id = r.run_id AND j.state IN ('pending', 'running')) AS "priority?",
                  v.created_at AS "created_at!", v.indexed_at, v.purge_after
           FROM videos v JOIN users u ON u.user_id = v.owner_id LEFT JOIN video_metadata m ON m.video_id = v.video_id
           LEFT JOIN LATERAL (SELECT run_id, state FROM runs WHERE video_id = v.video_id ORDER BY created_at DESC, run_id DESC LIMIT 1) r ON true
           WHERE ($1::uuid IS NULL OR v.video_id = $1) AND ($2::uuid IS NULL OR v.owner_id = $2) AND ($3::video_state IS NULL OR v.state = $3)
             AND ($4::timestamptz IS NULL OR (v.created_at, v.video_id) < ($4, $5))
           ORDER BY v.created_at DESC, v.video_id DESC LIMIT $6"#,
        filter.video.map(|id| id.0),
        filter.owner.map(|id| id.0),
        filter.state as Option<VideoState>,
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.0),
        limit
    )
    .fetch_all(db)
    .await?)
}
