//! Starting a run.

use serde_json::Value;
use sqlx::PgConnection;

use crate::{
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

/// Writes a run with its twelve jobs and pushes those that need nothing first, all on the caller's transaction.
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
    for spec in &STAGES {
        sqlx::query!(
            "INSERT INTO jobs (job_id, run_id, video_id, stage, max_attempts) VALUES ($1, $2, $3, $4, $5)",
            JobId::new().0,
            run_id.0,
            video_id.0,
            spec.stage as Stage,
            spec.max_attempts
        )
        .execute(&mut *connection)
        .await?;
    }
    push_ready(connection, run_id).await?;
    Ok(run_id)
}

/// Pushes the jobs of a run whose needs have all been met since the last time, and returns their stages. The caller holds
/// the run's lock: of two stages that end at once, the second sees the first completed.
pub(super) async fn push_ready(connection: &mut PgConnection, run_id: RunId) -> Result<Vec<Stage>, DbError> {
    let done = sqlx::query_scalar!(
        r#"SELECT stage AS "stage: Stage" FROM jobs WHERE run_id = $1 AND state = 'completed'"#,
        run_id.0
    )
    .fetch_all(&mut *connection)
    .await?;
    let met: Vec<Stage> =
        STAGES.iter().filter(|spec| spec.needs.iter().all(|need| done.contains(need))).map(|spec| spec.stage).collect();
    let ready: Vec<(JobId, Stage)> = sqlx::query!(
        r#"UPDATE jobs SET ready = true, run_at = now(), pushed_at = now()
           WHERE run_id = $1 AND stage = ANY($2) AND state = 'pending' AND NOT ready
           RETURNING job_id AS "job_id: JobId", stage AS "stage: Stage""#,
        run_id.0,
        &met as &[Stage]
    )
    .fetch_all(&mut *connection)
    .await?
    .into_iter()
    .map(|row| (row.job_id, row.stage))
    .collect();
    queue::push_jobs(connection, &ready).await?;
    Ok(ready.into_iter().map(|(_, stage)| stage).collect())
}
