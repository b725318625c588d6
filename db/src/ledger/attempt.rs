//! One try: begin, report progress, write under the fence, complete.

use std::time::Duration;

use serde_json::Value;
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use super::{
    failure::Failure,
    run::push_ready,
    work::{Attempt, Work, WorkId, load},
};
use crate::{
    error::DbError,
    ids::{AttemptId, JobId, TaskId},
    stage::Stage,
};

/// Records an attempt under an id the caller has chosen and makes the work `running`. `None`: there is nothing to do for this
/// message now (done already, being done by another, not due yet, stage paused, video deleted).
///
/// Asking again with the same id, because the answer to the first time was lost, gives the same attempt; one whose lease
/// has run out meanwhile is given back, since nothing can have been done under it.
pub async fn begin(
    pool: &PgPool,
    id: WorkId,
    attempt_id: AttemptId,
    worker: &str,
    lease: Duration,
) -> Result<Option<Attempt>, DbError> {
    let mut tx = pool.begin().await?;
    if !begun_before(&mut tx, attempt_id, lease).await? {
        let (claimed, job_id, task_id) = match id {
            WorkId::Job(id) => (claim_job(&mut tx, id, attempt_id).await?, Some(id.0), None),
            WorkId::Task(id) => (claim_task(&mut tx, id, attempt_id).await?, None, Some(id.0)),
        };
        if !claimed {
            return Ok(None);
        }
        sqlx::query!(
            "INSERT INTO job_attempts (attempt_id, job_id, task_id, number, worker, lease_expires_at)
             VALUES ($1, $2, $3, 1 + (SELECT count(*) FROM job_attempts WHERE job_id = $2 OR task_id = $3), $4, now() + $5)",
            attempt_id.0,
            job_id,
            task_id,
            worker,
            interval(lease)
        )
        .execute(&mut *tx)
        .await?;
    }
    let attempt = load(&mut tx, attempt_id).await?;
    tx.commit().await?;
    Ok(attempt)
}

async fn claim_job(connection: &mut PgConnection, job_id: JobId, attempt_id: AttemptId) -> Result<bool, DbError> {
    sqlx::query!(
        "SELECT FROM runs r JOIN jobs j USING (run_id) WHERE j.job_id = $1 AND r.state IN ('pending', 'running') FOR NO KEY UPDATE OF r",
        job_id.0
    )
    .execute(&mut *connection)
    .await?;
    let claimed = sqlx::query!(
        "UPDATE jobs j SET state = 'running', current_attempt_id = $2, attempts = attempts + 1, progress = 0,
             started_at = coalesce(j.started_at, now()), error_code = NULL, error_message = NULL, error_chain = NULL
         FROM videos v, runs r
         WHERE j.job_id = $1 AND j.state = 'pending' AND j.ready AND j.run_at <= now() AND v.video_id = j.video_id AND v.state <> 'deleted'
           AND r.run_id = j.run_id AND r.state IN ('pending', 'running')
           AND NOT EXISTS (SELECT FROM stage_controls c WHERE c.stage = j.stage AND c.paused)",
        job_id.0,
        attempt_id.0
    )
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

async fn claim_task(connection: &mut PgConnection, task_id: TaskId, attempt_id: AttemptId) -> Result<bool, DbError> {
    let claimed = sqlx::query!(
        "UPDATE tasks SET state = 'running', current_attempt_id = $2, attempts = attempts + 1, progress = 0,
             started_at = coalesce(started_at, now()), error_code = NULL, error_message = NULL, error_chain = NULL
         WHERE task_id = $1 AND state = 'pending' AND run_at <= now()",
        task_id.0,
        attempt_id.0
    )
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Whether the attempt was recorded already: then its lease is renewed, or, if it was taken for lost, it is given back.
async fn begun_before(connection: &mut PgConnection, attempt_id: AttemptId, lease: Duration) -> Result<bool, DbError> {
    let Some(before) = sqlx::query!(
        "UPDATE job_attempts SET state = CASE WHEN state = 'lost' THEN 'released' ELSE state END,
             lease_expires_at = CASE WHEN state = 'running' THEN now() + $2 ELSE lease_expires_at END
         FROM (SELECT state AS was FROM job_attempts WHERE attempt_id = $1 FOR NO KEY UPDATE) earlier
         WHERE attempt_id = $1 RETURNING was, job_id, task_id",
        attempt_id.0,
        interval(lease)
    )
    .fetch_optional(&mut *connection)
    .await?
    else {
        return Ok(false);
    };
    if before.was == "lost" {
        sqlx::query!("UPDATE jobs SET attempts = greatest(attempts - 1, 0) WHERE job_id = $1", before.job_id)
            .execute(&mut *connection)
            .await?;
        sqlx::query!("UPDATE tasks SET attempts = greatest(attempts - 1, 0) WHERE task_id = $1", before.task_id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(true)
}

/// Proves, for the rest of the caller's transaction, that this attempt may write: locks the run, if there is one, and the job
/// or task.
///
/// # Errors
/// [`DbError::LostLease`] when the work has another attempt, was cancelled, or its video was deleted.
pub async fn fence(connection: &mut PgConnection, attempt: &Attempt) -> Result<(), DbError> {
    if let Some(run_id) = attempt.run_id() {
        sqlx::query!("SELECT FROM runs WHERE run_id = $1 FOR NO KEY UPDATE", run_id.0)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query!(
        "SELECT FROM work WHERE current_attempt_id = $1 AND state = 'running' FOR NO KEY UPDATE",
        attempt.attempt_id.0
    )
    .fetch_optional(connection)
    .await?
    .map(drop)
    .ok_or(DbError::LostLease)
}

/// Writes progress (0–100); only forwards. The caller limits how often.
pub async fn progress(pool: &PgPool, attempt_id: AttemptId, percent: u8) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE work SET progress = $2 WHERE current_attempt_id = $1 AND state = 'running' AND progress < $2",
        attempt_id.0,
        i16::from(percent.min(100))
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Completes the work and pushes the stages that this makes ready, on the caller's transaction. Returns those stages.
/// `note` says why there was nothing to do, where that is so. Completing again, because the answer to the first time was
/// lost, changes nothing.
pub async fn complete(
    connection: &mut PgConnection,
    attempt: &Attempt,
    note: Option<&str>,
    stats: Value,
) -> Result<Vec<Stage>, DbError> {
    match fence(&mut *connection, attempt).await {
        Err(DbError::LostLease) if is_completed(&mut *connection, attempt.attempt_id).await? => return Ok(Vec::new()),
        fenced => fenced?,
    }
    sqlx::query!(
        "UPDATE work SET state = 'completed', progress = 100, note = $2, finished_at = now(), outage_since = NULL
         WHERE current_attempt_id = $1",
        attempt.attempt_id.0,
        note
    )
    .execute(&mut *connection)
    .await?;
    end_attempt(connection, attempt.attempt_id, "completed", stats, None).await?;
    let Work::Stage(job) = &attempt.work else { return Ok(Vec::new()) };
    if job.stage == Stage::Commit {
        sqlx::query!("UPDATE runs SET state = 'completed', finished_at = now() WHERE run_id = $1", job.run_id.0)
            .execute(&mut *connection)
            .await?;
    }
    push_ready(connection, job.run_id).await
}

async fn is_completed(connection: &mut PgConnection, attempt_id: AttemptId) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM job_attempts WHERE attempt_id = $1 AND state = 'completed') AS "completed!""#,
        attempt_id.0
    )
    .fetch_one(connection)
    .await?)
}

/// Writes how an attempt ended, and with what failure.
pub(super) async fn end_attempt(
    connection: &mut PgConnection,
    attempt_id: AttemptId,
    state: &str,
    stats: Value,
    failure: Option<&Failure>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE job_attempts SET state = $2, finished_at = now(), stats = $3, error_code = $4, error_message = $5, error_chain = $6
         WHERE attempt_id = $1",
        attempt_id.0,
        state,
        stats,
        failure.map(|f| &f.code),
        failure.map(|f| &f.message),
        failure.map(|f| &f.chain)
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
