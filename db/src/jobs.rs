//! Reading the ledger on behalf of a video's owner.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    enums::JobState,
    error::DbError,
    ids::{JobId, RunId, UserId, VideoId},
    stage::Stage,
};

/// One stage of a run, as its owner sees it.
#[derive(Clone, Debug)]
pub struct JobRow {
    pub job_id: JobId,
    pub run_id: RunId,
    pub stage: Stage,
    pub state: JobState,
    /// 0 to 100.
    pub progress: i16,
    pub attempts: i32,
    pub max_attempts: i32,
    pub note: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// The jobs of the video's newest run in pipeline order; empty before the upload is complete.
pub async fn of_newest_run(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<Vec<JobRow>, DbError> {
    Ok(sqlx::query_as!(
        JobRow,
        r#"SELECT j.job_id AS "job_id: JobId", j.run_id AS "run_id: RunId", j.stage AS "stage: Stage", j.state AS "state: JobState", j.progress,
                  j.attempts, j.max_attempts, j.note, j.error_code, j.error_message, j.created_at, j.started_at, j.finished_at
           FROM jobs j JOIN videos v USING (video_id)
           WHERE v.video_id = $1 AND v.owner_id = $2 AND v.state <> 'deleted'
             AND j.run_id = (SELECT r.run_id FROM runs r WHERE r.video_id = $1 ORDER BY r.created_at DESC, r.run_id DESC LIMIT 1)
           ORDER BY j.stage"#,
        video.0,
        owner.0
    )
    .fetch_all(db)
    .await?)
}
