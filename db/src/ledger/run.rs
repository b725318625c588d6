//! Starting a run.

use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::inherit::inherit;
use crate::{
    error::DbError,
    ids::{JobId, RunId, VideoId},
    people, queue,
    stage::{STAGES, Stage, redo_of},
    videos,
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
    let run_id = insert_run(connection, video_id, reason, &[], &models).await?;
    insert_jobs(connection, video_id, run_id, Stage::ALL).await?;
    push_ready(connection, run_id).await?;
    Ok(run_id)
}

/// Writes a run that does only some stages again and inherits what the visible run has of the others: their jobs are
/// completed with the note `inherited`, their rows are copied. Returns the run and the stages it does ([`redo_of`]).
///
/// # Errors
/// [`DbError::Conflict`] `run_active` when a run of this video is still under way, `nothing_to_inherit` when none was
/// completed. [`DbError::NotFound`] when there is no such video.
pub async fn redo_stages(
    connection: &mut PgConnection,
    video_id: VideoId,
    wanted: &[Stage],
) -> Result<(RunId, Vec<Stage>), DbError> {
    let again = redo_of(wanted);
    if !again.contains(&Stage::FacesEnrollMatch) {
        // Whose the faces are is copied, so it must not be decided anew meanwhile. Before the run, which refers to the video's row.
        let owner = videos::owner(&mut *connection, video_id).await?;
        people::lock(&mut *connection, owner).await?;
    }
    let run_id = insert_run(connection, video_id, RunReason::Reprocess, wanted, &Value::Object(Map::new())).await?;
    if again.len() < Stage::ALL.len() {
        // Read after our run is there: from now on no other can be started or become visible. Whoever corrects what was heard holds
        // the video's row until it is written: what is copied has it, and what is corrected later is applied to our run as well.
        let base: RunId = sqlx::query_scalar!(
            r#"SELECT r.run_id AS "run_id: RunId" FROM videos v JOIN runs r ON r.run_id = v.current_run_id
               WHERE v.video_id = $1 AND r.state = 'completed' FOR NO KEY UPDATE OF v"#,
            video_id.0
        )
        .fetch_optional(&mut *connection)
        .await?
        .ok_or(DbError::Conflict("nothing_to_inherit"))?;
        inherit(connection, base, run_id, &again).await?;
    }
    insert_jobs(connection, video_id, run_id, &again).await?;
    push_ready(connection, run_id).await?;
    Ok((run_id, again))
}

async fn insert_run(
    connection: &mut PgConnection,
    video_id: VideoId,
    reason: RunReason,
    redo: &[Stage],
    models: &Value,
) -> Result<RunId, DbError> {
    let run_id = RunId::new();
    sqlx::query!(
        "INSERT INTO runs (run_id, video_id, reason, state, redo, models) VALUES ($1, $2, $3, 'running', $4, $5)",
        run_id.0,
        video_id.0,
        reason.as_str(),
        redo as &[Stage],
        models
    )
    .execute(connection)
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(database) if database.constraint() == Some("runs_one_active") => {
            DbError::Conflict("run_active")
        }
        _ => DbError::Sqlx(error),
    })?;
    Ok(run_id)
}

/// The twelve jobs of a run; those not to be done are inherited.
async fn insert_jobs(
    connection: &mut PgConnection,
    video_id: VideoId,
    run_id: RunId,
    to_do: &[Stage],
) -> Result<(), DbError> {
    for spec in &STAGES {
        sqlx::query!(
            "INSERT INTO jobs (job_id, run_id, video_id, stage, max_attempts, state, ready, progress, note, finished_at)
             VALUES ($1, $2, $3, $4, $5, (CASE WHEN $6 THEN 'completed' ELSE 'pending' END)::job_state, $6, CASE WHEN $6 THEN 100 ELSE 0 END,
                     CASE WHEN $6 THEN 'inherited' END, CASE WHEN $6 THEN now() END)",
            JobId::new().0,
            run_id.0,
            video_id.0,
            spec.stage as Stage,
            spec.max_attempts,
            !to_do.contains(&spec.stage)
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
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
