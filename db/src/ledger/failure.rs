//! What becomes of work whose attempt did not complete.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    OUTAGE_LIMIT,
    attempt::{end_attempt, fence, interval},
    backoff::retry_delay,
    work::{Attempt, Work},
};
use crate::{
    error::DbError,
    ids::{RunId, VideoId},
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
    /// The worker is shutting down and hands the work back.
    Released,
    /// The worker was not heard of until its lease ran out: tried again at once until the attempts are used up.
    Lost,
    /// Somebody cancelled the run.
    Cancelled,
}

/// What is done about a failure, apart from writing it down.
struct Verdict {
    /// Of the attempt.
    state: &'static str,
    /// `None`: it is not tried again.
    retry_after: Option<Duration>,
    /// The attempt does not count.
    given_back: bool,
}

impl FailureKind {
    /// `attempts` are those that count, this one among them.
    fn verdict(self, attempts: i32, max_attempts: i32, outage_too_long: bool) -> Verdict {
        let left = attempts < max_attempts;
        let (state, retry_after, given_back) = match self {
            Self::Rejected => ("failed", None, false),
            Self::Transient => ("failed", left.then(|| retry_delay(attempts)), false),
            Self::Outage => ("outage", (!outage_too_long).then_some(Duration::from_secs(5)), true),
            Self::Released => ("released", Some(Duration::ZERO), true),
            Self::Lost => ("lost", left.then_some(Duration::ZERO), false),
            Self::Cancelled => ("cancelled", None, false),
        };
        Verdict { state, retry_after, given_back }
    }
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
    /// The work, and for a stage its run, has ended with this failure.
    Final,
}

/// Ends the attempt and either schedules the next or ends the work (for a stage: the run), on the caller's transaction.
pub async fn fail(
    connection: &mut PgConnection,
    attempt: &Attempt,
    failure: &Failure,
) -> Result<AfterFailure, DbError> {
    fence(connection, attempt).await?;
    let row = sqlx::query!(
        r#"SELECT attempts AS "attempts!", max_attempts AS "max_attempts!", coalesce(now() - outage_since > $2, false) AS "outage_too_long!"
           FROM work WHERE current_attempt_id = $1"#,
        attempt.attempt_id.0,
        interval(OUTAGE_LIMIT)
    )
    .fetch_one(&mut *connection)
    .await?;
    let verdict = failure.kind.verdict(row.attempts, row.max_attempts, row.outage_too_long);
    end_attempt(connection, attempt.attempt_id, verdict.state, failure.stats.clone(), Some(failure)).await?;
    if let Some(delay) = verdict.retry_after {
        return retry(connection, attempt, failure, delay, verdict.given_back).await;
    }
    let state = if failure.kind == FailureKind::Cancelled { "cancelled" } else { "failed" };
    sqlx::query!(
        "UPDATE work SET state = $2::text::job_state, current_attempt_id = NULL, finished_at = now(),
             error_code = $3, error_message = $4, error_chain = $5 WHERE current_attempt_id = $1",
        attempt.attempt_id.0,
        state,
        failure.code,
        failure.message,
        failure.chain
    )
    .execute(&mut *connection)
    .await?;
    if let Work::Stage(job) = &attempt.work {
        let ended = Ended { run_id: job.run_id, video_id: job.video_id, state };
        end_failed_run(connection, &ended, failure).await?;
    }
    Ok(AfterFailure::Final)
}

async fn retry(
    connection: &mut PgConnection,
    attempt: &Attempt,
    failure: &Failure,
    delay: Duration,
    given_back: bool,
) -> Result<AfterFailure, DbError> {
    let run_at = sqlx::query_scalar!(
        r#"UPDATE work SET state = 'pending', current_attempt_id = NULL, attempts = attempts - $2, run_at = now() + $3, progress = 0,
               pushed_at = CASE WHEN $4 THEN now() END, outage_since = CASE WHEN $5 THEN coalesce(outage_since, now()) END,
               error_code = $6, error_message = $7, error_chain = $8
           WHERE current_attempt_id = $1 RETURNING run_at AS "run_at!""#,
        attempt.attempt_id.0,
        i32::from(given_back),
        interval(delay),
        delay.is_zero(),
        failure.kind == FailureKind::Outage,
        failure.code,
        failure.message,
        failure.chain
    )
    .fetch_one(&mut *connection)
    .await?;
    if delay.is_zero() {
        match &attempt.work {
            Work::Stage(job) => queue::push_jobs(connection, &[(job.job_id, job.stage)]).await?,
            Work::Task(task) => queue::push_tasks(connection, &[task.task_id]).await?,
        }
    }
    Ok(AfterFailure::Retry { run_at })
}

/// A run that ends before its time.
pub(super) struct Ended<'a> {
    pub run_id: RunId,
    pub video_id: VideoId,
    /// 'failed' or 'cancelled'.
    pub state: &'a str,
}

/// Ends a run whose row is locked: what has not ended is cancelled, and the video fails unless an earlier run is visible (then
/// it stays indexed with that one). A rejected upload is given back to its day; that of a rejected re-index is not, since the
/// upload was good.
pub(super) async fn end_failed_run(
    connection: &mut PgConnection,
    ended: &Ended<'_>,
    failure: &Failure,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE job_attempts a SET state = 'cancelled', finished_at = now() FROM jobs j
         WHERE j.run_id = $1 AND a.job_id = j.job_id AND a.state = 'running'",
        ended.run_id.0
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
               counted_on = CASE WHEN $5 AND NOT earlier.visible THEN NULL ELSE v.counted_on END
           FROM (SELECT counted_on, coalesce(current_run_id <> $2, false) AS visible FROM videos WHERE video_id = $1) earlier
           WHERE v.video_id = $1
           RETURNING v.owner_id, CASE WHEN earlier.visible THEN NULL ELSE earlier.counted_on END AS counted_on"#,
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
