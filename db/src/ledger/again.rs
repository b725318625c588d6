//! What an operator has done again, ended or put first, by the job they look at.

use sqlx::PgConnection;

use super::{
    operator::{cancel_run, retry_run},
    run::{push_ready, redo_stages},
};
use crate::{
    enums::{JobState, VideoState},
    error::DbError,
    ids::{JobId, RunId, TaskId, UserId, VideoId},
    stage::{Stage, redo_of},
};

/// The highest priority; 0 is what everything begins with.
pub const MAX_PRIORITY: i16 = 9;

/// A run that is under way because of this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopened {
    pub run_id: RunId,
    pub video_id: VideoId,
    pub owner_id: UserId,
    /// What is done again, in pipeline order.
    pub stages: Vec<Stage>,
}

/// A job as it is once its run is locked.
struct Found {
    run_id: RunId,
    video_id: VideoId,
    owner_id: UserId,
    stage: Stage,
    state: JobState,
    run_state: JobState,
    video_state: VideoState,
    /// Another run of the video was made after this one.
    superseded: bool,
}

/// Locks the run of a job, so that of two who press at once the second sees what the first did, and looks at both.
async fn lock(connection: &mut PgConnection, job_id: JobId) -> Result<Found, DbError> {
    sqlx::query!(
        "SELECT FROM runs r WHERE r.run_id = (SELECT run_id FROM jobs WHERE job_id = $1) FOR NO KEY UPDATE",
        job_id.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_as!(
        Found,
        r#"SELECT j.run_id AS "run_id: RunId", j.video_id AS "video_id: VideoId", v.owner_id AS "owner_id: UserId", j.stage AS "stage: Stage",
                  j.state AS "state: JobState", r.state AS "run_state: JobState", v.state AS "video_state: VideoState",
                  EXISTS (SELECT FROM runs later WHERE later.video_id = r.video_id AND (later.created_at, later.run_id) > (r.created_at, r.run_id)) AS "superseded!"
           FROM jobs j JOIN runs r ON r.run_id = j.run_id JOIN videos v ON v.video_id = j.video_id WHERE j.job_id = $1"#,
        job_id.0
    )
    .fetch_optional(connection)
    .await?
    .ok_or(DbError::NotFound)
}

impl Found {
    /// A run whose video is gone or has a newer run would put old findings in the place of newer ones.
    fn may_go_on(&self) -> Result<(), DbError> {
        if self.video_state == VideoState::Deleted {
            return Err(DbError::Conflict("video_deleted"));
        }
        if self.superseded { Err(DbError::Conflict("run_superseded")) } else { Ok(()) }
    }

    fn reopened(&self, run_id: RunId, stages: Vec<Stage>) -> Reopened {
        Reopened { run_id, video_id: self.video_id, owner_id: self.owner_id, stages }
    }
}

/// Takes up the run of a failed or cancelled job where it ended. `None`: it is under way already, for example because
/// somebody else was faster.
///
/// # Errors
/// [`DbError::NotFound`]; [`DbError::Conflict`] `job_completed`, `video_deleted`, `run_superseded` by a newer run.
pub async fn retry_job(connection: &mut PgConnection, job_id: JobId) -> Result<Option<Reopened>, DbError> {
    let found = lock(&mut *connection, job_id).await?;
    match found.state {
        JobState::Pending | JobState::Running => return Ok(None),
        JobState::Completed => return Err(DbError::Conflict("job_completed")),
        JobState::Failed | JobState::Cancelled => found.may_go_on()?,
    }
    let again = sqlx::query_scalar!(
        r#"SELECT stage AS "stage: Stage" FROM jobs WHERE run_id = $1 AND state IN ('failed', 'cancelled') ORDER BY stage"#,
        found.run_id.0
    )
    .fetch_all(&mut *connection)
    .await?;
    retry_run(connection, found.run_id).await?;
    Ok(Some(found.reopened(found.run_id, again)))
}

/// Does a stage again with all that depends on it and what it feeds on ([`redo_of`]). A run that failed or was cancelled is
/// taken up again; one that was completed gets a successor that inherits the rest, so that the video stays searchable.
///
/// # Errors
/// [`DbError::NotFound`]; [`DbError::Conflict`] `run_active`, `video_deleted`, `run_superseded`.
pub async fn retry_from(connection: &mut PgConnection, job_id: JobId) -> Result<Reopened, DbError> {
    let found = lock(&mut *connection, job_id).await?;
    found.may_go_on()?;
    match found.run_state {
        JobState::Pending | JobState::Running => Err(DbError::Conflict("run_active")),
        JobState::Completed => {
            let (run_id, stages) = redo_stages(connection, found.video_id, &[found.stage]).await?;
            Ok(found.reopened(run_id, stages))
        }
        JobState::Failed | JobState::Cancelled => {
            retry_run(&mut *connection, found.run_id).await?;
            let again = redo_of(&[found.stage]);
            sqlx::query!(
                "UPDATE jobs SET state = 'pending', ready = false, attempts = 0, progress = 0, current_attempt_id = NULL, outage_since = NULL,
                     note = NULL, finished_at = NULL WHERE run_id = $1 AND stage = ANY($2)",
                found.run_id.0,
                &again as &[Stage]
            )
            .execute(&mut *connection)
            .await?;
            push_ready(&mut *connection, found.run_id).await?;
            let stages = sqlx::query_scalar!(
                r#"SELECT stage AS "stage: Stage" FROM jobs WHERE run_id = $1 AND state = 'pending' ORDER BY stage"#,
                found.run_id.0
            )
            .fetch_all(connection)
            .await?;
            Ok(found.reopened(found.run_id, stages))
        }
    }
}

/// Cancels the run of a job: a stage alone cannot be left out. `None`: it was cancelled already.
///
/// # Errors
/// [`DbError::NotFound`]; [`DbError::Conflict`] `run_ended`.
pub async fn cancel_job(
    connection: &mut PgConnection,
    job_id: JobId,
) -> Result<Option<(RunId, VideoId, UserId)>, DbError> {
    let found = lock(&mut *connection, job_id).await?;
    match found.run_state {
        JobState::Cancelled => Ok(None),
        JobState::Completed | JobState::Failed => Err(DbError::Conflict("run_ended")),
        JobState::Pending | JobState::Running => {
            cancel_run(connection, found.run_id).await?;
            Ok(Some((found.run_id, found.video_id, found.owner_id)))
        }
    }
}

/// Has a failed task tried anew. False: it is under way already, or has ended otherwise.
///
/// # Errors
/// [`DbError::Conflict`] `task_active` when another task does the same for the same video.
pub async fn retry_task(connection: &mut PgConnection, task_id: TaskId) -> Result<bool, DbError> {
    let retried = sqlx::query!(
        "UPDATE tasks SET state = 'pending', attempts = 0, progress = 0, run_at = now(), pushed_at = NULL, current_attempt_id = NULL, outage_since = NULL,
             error_code = NULL, error_message = NULL, error_chain = NULL, finished_at = NULL WHERE task_id = $1 AND state = 'failed'",
        task_id.0
    )
    .execute(connection)
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(database) if database.constraint() == Some("tasks_one_active") => DbError::Conflict("task_active"),
        _ => DbError::Sqlx(error),
    })?;
    Ok(retried.rows_affected() == 1)
}

/// Puts what is left of a video's run before (or after) the work of others: 0 to [`MAX_PRIORITY`]. Messages that wait are
/// moved too. Returns the owner and the priority before.
///
/// # Errors
/// [`DbError::NotFound`]; [`DbError::Conflict`] `no_run_active` when nothing is being done for the video.
pub async fn set_priority(
    connection: &mut PgConnection,
    video_id: VideoId,
    priority: i16,
) -> Result<(UserId, i16), DbError> {
    let owner = crate::videos::owner(&mut *connection, video_id).await?;
    let run_id: RunId = sqlx::query_scalar!(
        r#"SELECT run_id AS "run_id: RunId" FROM runs WHERE video_id = $1 AND state IN ('pending', 'running') FOR NO KEY UPDATE"#,
        video_id.0
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(DbError::Conflict("no_run_active"))?;
    let before = sqlx::query_scalar!(
        r#"SELECT coalesce(max(priority), 0::smallint) AS "priority!" FROM jobs WHERE run_id = $1 AND state IN ('pending', 'running')"#,
        run_id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE jobs SET priority = $2 WHERE run_id = $1 AND state IN ('pending', 'running')",
        run_id.0,
        priority
    )
    .execute(&mut *connection)
    .await?;
    // apalis' own table: checked at run time, since its schema is not ours.
    sqlx::query(
        "UPDATE apalis.jobs m SET priority = $2 FROM jobs j
         WHERE j.run_id = $1 AND j.state = 'pending' AND j.ready AND m.job_type = 'stage.' || j.stage::text AND m.status = 'Pending'
           AND convert_from(m.job, 'UTF8')::jsonb ->> 'job_id' = j.job_id::text",
    )
    .bind(run_id.0)
    .bind(i32::from(priority))
    .execute(connection)
    .await?;
    Ok((owner, before))
}
