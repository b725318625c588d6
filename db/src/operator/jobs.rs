//! Stages of anybody's videos, and what was tried at each.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use crate::{
    enums::JobState,
    error::DbError,
    ids::{AttemptId, JobId, RunId, UserId, VideoId},
    stage::Stage,
};

/// One stage of one run.
#[derive(Clone, Debug)]
pub struct JobLine {
    pub job_id: JobId,
    pub run_id: RunId,
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub owner_email: Option<String>,
    pub stage: Stage,
    pub state: JobState,
    /// Its needs are met.
    pub ready: bool,
    /// 0 to 100.
    pub progress: i16,
    /// Those that count.
    pub attempts: i32,
    pub max_attempts: i32,
    /// 0 to 9; more is earlier.
    pub priority: i16,
    pub note: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub error_chain: Option<String>,
    /// Who had it last.
    pub worker: Option<String>,
    /// Not before.
    pub run_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which jobs; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    pub job: Option<JobId>,
    pub run: Option<RunId>,
    pub state: Option<JobState>,
    pub stage: Option<Stage>,
    pub code: Option<String>,
    pub video: Option<VideoId>,
    pub owner: Option<UserId>,
    /// Had an attempt at it.
    pub worker: Option<String>,
    /// Of its last change: the end, else the beginning, else when it was made.
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Those made last first, made before the job `before`, at most `limit`.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobLine>, DbError> {
    Ok(sqlx::query_as!(
        JobLine,
        r#"SELECT j.job_id AS "job_id: JobId", j.run_id AS "run_id: RunId", j.video_id AS "video_id: VideoId", v.owner_id AS "owner_id: UserId",
                  u.email AS "owner_email?", j.stage AS "stage: Stage", j.state AS "state: JobState", j.ready, j.progress, j.attempts, j.max_attempts,
                  j.priority, j.note, j.error_code, j.error_message, j.error_chain,
                  (SELECT a.worker FROM job_attempts a WHERE a.job_id = j.job_id ORDER BY a.number DESC LIMIT 1) AS "worker?",
                  j.run_at, j.created_at, j.started_at, j.finished_at
           FROM jobs j JOIN videos v ON v.video_id = j.video_id JOIN users u ON u.user_id = v.owner_id
           WHERE ($1::uuid IS NULL OR j.job_id = $1) AND ($2::uuid IS NULL OR j.run_id = $2)
             AND ($3::job_state IS NULL OR j.state = $3) AND ($4::job_stage IS NULL OR j.stage = $4)
             AND ($5::text IS NULL OR j.error_code = $5) AND ($6::uuid IS NULL OR j.video_id = $6) AND ($7::uuid IS NULL OR v.owner_id = $7)
             AND ($8::text IS NULL OR EXISTS (SELECT FROM job_attempts a WHERE a.job_id = j.job_id AND a.worker = $8))
             AND ($9::timestamptz IS NULL OR coalesce(j.finished_at, j.started_at, j.created_at) >= $9)
             AND ($10::timestamptz IS NULL OR coalesce(j.finished_at, j.started_at, j.created_at) < $10)
             AND ($11::uuid IS NULL OR j.job_id < $11)
           ORDER BY j.job_id DESC LIMIT $12"#,
        filter.job.map(|id| id.0),
        filter.run.map(|id| id.0),
        filter.state as Option<JobState>,
        filter.stage as Option<Stage>,
        filter.code,
        filter.video.map(|id| id.0),
        filter.owner.map(|id| id.0),
        filter.worker,
        filter.since,
        filter.until,
        before.map(|id| id.0),
        limit
    )
    .fetch_all(db)
    .await?)
}

/// One try.
#[derive(Clone, Debug)]
pub struct AttemptLine {
    pub attempt_id: AttemptId,
    /// Counts from 1 over all tries.
    pub number: i32,
    pub worker: String,
    /// running, completed, failed, lost, outage, released or cancelled.
    pub state: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub error_chain: Option<String>,
    pub stats: Value,
}

/// What was tried at a job, newest first, at most a hundred.
pub async fn attempts(db: impl PgExecutor<'_>, job: JobId) -> Result<Vec<AttemptLine>, DbError> {
    Ok(sqlx::query_as!(
        AttemptLine,
        r#"SELECT attempt_id AS "attempt_id: AttemptId", number, worker, state, started_at, finished_at, error_code, error_message, error_chain, stats
           FROM job_attempts WHERE job_id = $1 ORDER BY number DESC LIMIT 100"#,
        job.0
    )
    .fetch_all(db)
    .await?)
}
