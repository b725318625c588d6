//! What becomes of a job whose attempt did not complete.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    OUTAGE_LIMIT,
    attempt::{Attempt, end_attempt, fence, interval},
    backoff::retry_delay,
};
use crate::{
    error::DbError,
    ids::{JobId, RunId, VideoId},
    queue,
};

/// Who is at fault, and therefore what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The video: terminal, no retry.
    Rejected,
    /// The world: tried again until the attempts are used up.
    Transient,
    /// PostgreSQL or S3 is out of reach: tried again without spending an attempt, for an hour.
    Outage,
    /// The worker is shutting down and hands the job back.
    Released,
    /// Somebody cancelled the run.
    Cancelled,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: FailureKind,
    /// Stable, for programs.
    pub code: String,
    /// A sentence for the owner.
    pub message: String,
    /// The whole chain, for the operator.
    pub chain: String,
    pub stats: Value,
}

/// What the ledger decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    Retry {
        run_at: DateTime<Utc>,
    },
    /// The run has ended with this failure.
    Final,
}

/// Ends the attempt and either schedules the next or ends the run, on the caller's transaction.
pub async fn fail(
    connection: &mut PgConnection,
    attempt: &Attempt,
    failure: &Failure,
) -> Result<AfterFailure, DbError> {
    fence(connection, attempt).await?;
    let job = sqlx::query!(
        "SELECT attempts, max_attempts, coalesce(now() - outage_since > $2, false) AS \"outage_too_long!\" FROM jobs WHERE job_id = $1",
        attempt.job_id.0,
        interval(OUTAGE_LIMIT)
    )
    .fetch_one(&mut *connection)
    .await?;
    let state = match failure.kind {
        FailureKind::Rejected | FailureKind::Transient => "failed",
        FailureKind::Outage => "outage",
        FailureKind::Released => "released",
        FailureKind::Cancelled => "cancelled",
    };
    end_attempt(connection, attempt.attempt_id, state, failure.stats.clone()).await?;
    sqlx::query!(
        "UPDATE job_attempts SET error_code = $2, error_message = $3, error_chain = $4 WHERE attempt_id = $1",
        attempt.attempt_id.0,
        failure.code,
        failure.message,
        failure.chain
    )
    .execute(&mut *connection)
    .await?;

    match failure.kind {
        FailureKind::Rejected => end_run(connection, attempt, failure, "failed").await,
        FailureKind::Cancelled => end_run(connection, attempt, failure, "cancelled").await,
        FailureKind::Transient if job.attempts >= job.max_attempts => {
            end_run(connection, attempt, failure, "failed").await
        }
        FailureKind::Transient => retry(connection, attempt, failure, retry_delay(job.attempts), 0, false).await,
        FailureKind::Outage if job.outage_too_long => end_run(connection, attempt, failure, "failed").await,
        FailureKind::Outage => retry(connection, attempt, failure, std::time::Duration::from_secs(5), 1, true).await,
        FailureKind::Released => retry(connection, attempt, failure, std::time::Duration::ZERO, 1, false).await,
    }
}

async fn retry(
    connection: &mut PgConnection,
    attempt: &Attempt,
    failure: &Failure,
    delay: std::time::Duration,
    attempts_given_back: i32,
    outage: bool,
) -> Result<AfterFailure, DbError> {
    let run_at = sqlx::query_scalar!(
        "UPDATE jobs SET state = 'pending', current_attempt_id = NULL, attempts = attempts - $2, run_at = now() + $3, progress = 0,
             outage_since = CASE WHEN $4 THEN coalesce(outage_since, now()) END, error_code = $5, error_message = $6, error_chain = $7
         WHERE job_id = $1 RETURNING run_at",
        attempt.job_id.0,
        attempts_given_back,
        interval(delay),
        outage,
        failure.code,
        failure.message,
        failure.chain
    )
    .fetch_one(&mut *connection)
    .await?;
    if delay.is_zero() {
        sqlx::query!("UPDATE jobs SET pushed_at = now() WHERE job_id = $1", attempt.job_id.0)
            .execute(&mut *connection)
            .await?;
        queue::push_jobs(connection, &[(attempt.job_id, attempt.stage)]).await?;
    }
    Ok(AfterFailure::Retry { run_at })
}

async fn end_run(
    connection: &mut PgConnection,
    attempt: &Attempt,
    failure: &Failure,
    state: &str,
) -> Result<AfterFailure, DbError> {
    end_failed_run(
        connection,
        &Ended { run_id: attempt.run_id, video_id: attempt.video_id, job_id: attempt.job_id, state },
        failure,
    )
    .await?;
    Ok(AfterFailure::Final)
}

/// The job that ends its run.
pub(super) struct Ended<'a> {
    pub run_id: RunId,
    pub video_id: VideoId,
    pub job_id: JobId,
    /// 'failed' or 'cancelled'.
    pub state: &'a str,
}

/// Ends a run whose row is locked: the job gets the failure, what has not ended is cancelled, and the video fails unless an
/// earlier run is visible (then it stays indexed with that one). A rejected upload is given back to its day.
pub(super) async fn end_failed_run(
    connection: &mut PgConnection,
    ended: &Ended<'_>,
    failure: &Failure,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE jobs SET state = $2::text::job_state, current_attempt_id = NULL, finished_at = now(), error_code = $3, error_message = $4, error_chain = $5
         WHERE job_id = $1",
        ended.job_id.0,
        ended.state,
        failure.code,
        failure.message,
        failure.chain
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE job_attempts a SET state = 'cancelled', finished_at = now() FROM jobs j
         WHERE j.run_id = $1 AND j.job_id <> $2 AND a.job_id = j.job_id AND a.state = 'running'",
        ended.run_id.0,
        ended.job_id.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE jobs SET state = 'cancelled', current_attempt_id = NULL, finished_at = now() WHERE run_id = $1 AND state IN ('pending', 'running')",
        ended.run_id.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE runs SET state = $2::text::job_state, finished_at = now() WHERE run_id = $1",
        ended.run_id.0,
        ended.state
    )
    .execute(&mut *connection)
    .await?;
    let counted_on = sqlx::query!(
        r#"UPDATE videos v SET
               state = CASE WHEN v.state = 'deleted' OR earlier.visible THEN v.state ELSE 'failed'::video_state END,
               failure_code = CASE WHEN earlier.visible THEN v.failure_code ELSE $3 END,
               failure_message = CASE WHEN earlier.visible THEN v.failure_message ELSE $4 END,
               counted_on = CASE WHEN $5 THEN NULL ELSE v.counted_on END
           FROM (SELECT counted_on, coalesce(current_run_id <> $2, false) AS visible FROM videos WHERE video_id = $1) earlier
           WHERE v.video_id = $1
           RETURNING v.owner_id, earlier.counted_on"#,
        ended.video_id.0,
        ended.run_id.0,
        failure.code,
        failure.message,
        failure.kind == FailureKind::Rejected
    )
    .fetch_one(&mut *connection)
    .await?;
    if let (FailureKind::Rejected, Some(day)) = (failure.kind, counted_on.counted_on) {
        sqlx::query!(
            "UPDATE quota_usage SET used = greatest(used - 1, 0) WHERE user_id = $1 AND kind = 'uploads' AND window_start = ($2::date)::timestamp AT TIME ZONE 'UTC'",
            counted_on.owner_id,
            day
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}
