//! One try at a stage: begin, report progress, write under the fence, complete.

use std::time::Duration;

use serde_json::Value;
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use crate::{
    error::DbError,
    ids::{AttemptId, JobId, RunId, UserId, VideoId},
    queue,
    stage::Stage,
};

/// A recorded try. Holding one means that work may be done, until the lease is lost.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub attempt_id: AttemptId,
    pub job_id: JobId,
    pub run_id: RunId,
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub stage: Stage,
    /// Counts from 1 over all tries of the job.
    pub number: i32,
    pub max_attempts: i32,
}

/// Records an attempt and makes the job `running`. `None`: there is nothing to do for this message now (done already,
/// being done by another, not due yet, stage paused, video deleted).
pub async fn begin(pool: &PgPool, job_id: JobId, worker: &str, lease: Duration) -> Result<Option<Attempt>, DbError> {
    let mut tx = pool.begin().await?;
    let locked = sqlx::query!(
        r#"SELECT r.run_id AS "run_id: RunId" FROM runs r JOIN jobs j USING (run_id) WHERE j.job_id = $1 AND r.state IN ('pending', 'running')
           FOR NO KEY UPDATE OF r"#,
        job_id.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    if locked.is_none() {
        return Ok(None);
    }
    let attempt_id = AttemptId::new();
    let Some(row) = sqlx::query!(
        r#"UPDATE jobs j SET state = 'running', current_attempt_id = $2, attempts = attempts + 1, progress = 0,
               started_at = coalesce(j.started_at, now()), error_code = NULL, error_message = NULL, error_chain = NULL
           FROM videos v
           WHERE j.job_id = $1 AND j.state = 'pending' AND j.ready AND j.run_at <= now() AND v.video_id = j.video_id AND v.state <> 'deleted'
             AND NOT EXISTS (SELECT FROM stage_controls c WHERE c.stage = j.stage AND c.paused)
           RETURNING j.run_id AS "run_id: RunId", j.video_id AS "video_id: VideoId", v.owner_id AS "owner_id: UserId", j.stage AS "stage: Stage",
               j.max_attempts, 1 + (SELECT count(*) FROM job_attempts a WHERE a.job_id = j.job_id)::int AS "number!""#,
        job_id.0,
        attempt_id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(None);
    };
    sqlx::query!(
        "INSERT INTO job_attempts (attempt_id, job_id, number, worker, lease_expires_at) VALUES ($1, $2, $3, $4, now() + $5)",
        attempt_id.0,
        job_id.0,
        row.number,
        worker,
        interval(lease)
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Some(Attempt {
        attempt_id,
        job_id,
        run_id: row.run_id,
        video_id: row.video_id,
        owner_id: row.owner_id,
        stage: row.stage,
        number: row.number,
        max_attempts: row.max_attempts,
    }))
}

/// Proves, for the rest of the caller's transaction, that this attempt may write: locks the run and the job.
///
/// # Errors
/// [`DbError::LostLease`] when the job has another attempt, was cancelled, or its video was deleted.
pub async fn fence(connection: &mut PgConnection, attempt: &Attempt) -> Result<(), DbError> {
    sqlx::query!("SELECT FROM runs WHERE run_id = $1 FOR NO KEY UPDATE", attempt.run_id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "SELECT FROM jobs WHERE job_id = $1 AND current_attempt_id = $2 AND state = 'running' FOR NO KEY UPDATE",
        attempt.job_id.0,
        attempt.attempt_id.0
    )
    .fetch_optional(connection)
    .await?
    .map(drop)
    .ok_or(DbError::LostLease)
}

/// Writes progress (0–100); only forwards. The caller limits how often.
pub async fn progress(pool: &PgPool, attempt: &Attempt, percent: u8) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE jobs SET progress = $3 WHERE job_id = $1 AND current_attempt_id = $2 AND state = 'running' AND progress < $3",
        attempt.job_id.0,
        attempt.attempt_id.0,
        i16::from(percent.min(100))
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Completes the job and pushes the stages that this makes ready, on the caller's transaction. Returns those stages.
/// `note` says why there was nothing to do, where that is so.
pub async fn complete(
    connection: &mut PgConnection,
    attempt: &Attempt,
    note: Option<&str>,
    stats: Value,
) -> Result<Vec<Stage>, DbError> {
    fence(connection, attempt).await?;
    sqlx::query!(
        "UPDATE jobs SET state = 'completed', progress = 100, note = $2, finished_at = now(), outage_since = NULL WHERE job_id = $1",
        attempt.job_id.0,
        note
    )
    .execute(&mut *connection)
    .await?;
    end_attempt(connection, attempt.attempt_id, "completed", stats).await?;

    let mut ready = Vec::new();
    for dependent in attempt.stage.dependents() {
        // The run is locked: of two stages that end at once, the second sees the first completed.
        let job_id = sqlx::query_scalar!(
            r#"UPDATE jobs SET ready = true, run_at = now(), pushed_at = now() WHERE run_id = $1 AND stage = $2 AND state = 'pending' AND NOT ready
               AND NOT EXISTS (SELECT FROM jobs n WHERE n.run_id = $1 AND n.stage = ANY($3) AND n.state <> 'completed')
               RETURNING job_id AS "job_id: JobId""#,
            attempt.run_id.0,
            dependent as Stage,
            dependent.spec().needs as &[Stage]
        )
        .fetch_optional(&mut *connection)
        .await?;
        ready.extend(job_id.map(|job_id| (job_id, dependent)));
    }
    queue::push_jobs(connection, &ready).await?;
    if attempt.stage == Stage::Commit {
        sqlx::query!("UPDATE runs SET state = 'completed', finished_at = now() WHERE run_id = $1", attempt.run_id.0)
            .execute(connection)
            .await?;
    }
    Ok(ready.into_iter().map(|(_, stage)| stage).collect())
}

pub(super) async fn end_attempt(
    connection: &mut PgConnection,
    attempt_id: AttemptId,
    state: &str,
    stats: Value,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE job_attempts SET state = $2, finished_at = now(), stats = $3 WHERE attempt_id = $1",
        attempt_id.0,
        state,
        stats
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
