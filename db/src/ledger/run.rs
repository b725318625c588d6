//! Starting a run.

use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    enums::JobState,
    error::DbError,
    ids::{JobId, RunId, VideoId},
    queue,
    stage::{STAGES, Stage},
};

/// Why a run is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunReason {
    /// The upload was completed.
    Initial,
    /// The owner asked for it again.
    Reprocess,
}

impl RunReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Reprocess => "reprocess",
        }
    }
}

/// Writes a run with its twelve jobs and pushes those that need nothing, all on the caller's transaction.
///
/// # Errors
/// [`DbError::Conflict`] `run_active` when a run of this video is still under way.
pub async fn start_run(
    connection: &mut PgConnection,
    video_id: VideoId,
    reason: RunReason,
    models: Value,
) -> Result<RunId, DbError> {
    let run_id = RunId::new();
    sqlx::query!(
        "INSERT INTO runs (run_id, video_id, reason, state, models) VALUES ($1, $2, $3, 'running', $4)",
        run_id.0,
        video_id.0,
        reason.as_str(),
        models
    )
    .execute(&mut *connection)
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(database) if database.constraint() == Some("runs_one_active") => {
            DbError::Conflict("run_active")
        }
        _ => DbError::Sqlx(error),
    })?;
    let mut ready = Vec::new();
    for spec in &STAGES {
        let job_id = JobId::new();
        let is_ready = spec.needs.is_empty();
        sqlx::query!(
            "INSERT INTO jobs (job_id, run_id, video_id, stage, state, ready, max_attempts, pushed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $6 THEN now() END)",
            job_id.0,
            run_id.0,
            video_id.0,
            spec.stage as Stage,
            JobState::Pending as JobState,
            is_ready,
            spec.max_attempts
        )
        .execute(&mut *connection)
        .await?;
        if is_ready {
            ready.push((job_id, spec.stage));
        }
    }
    queue::push_jobs(connection, &ready).await?;
    Ok(run_id)
}
