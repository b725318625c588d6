//! Work that is no stage (purge, proxy, export, …): rows of `tasks` under the ledger's rules, on the queue `maintenance`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use crate::{
    error::DbError,
    ids::{AttemptId, TaskId, UserId, VideoId},
    ledger::{AfterFailure, Failure, FailureKind, LEASE, OUTAGE_LIMIT, interval, retry_delay},
    queue,
};

/// A task to be written.
#[derive(Clone, Debug)]
pub struct NewTask<'a> {
    pub kind: &'a str,
    pub owner_id: Option<UserId>,
    pub video_id: Option<VideoId>,
    pub payload: Value,
    /// `None`: now.
    pub run_at: Option<DateTime<Utc>>,
}

/// A recorded try at a task.
#[derive(Clone, Debug)]
pub struct TaskAttempt {
    pub attempt_id: AttemptId,
    pub task_id: TaskId,
    pub kind: String,
    pub owner_id: Option<UserId>,
    pub video_id: Option<VideoId>,
    pub payload: Value,
    pub number: i32,
}

/// Writes a task; it is pushed now, or by [`push_due`] when its time comes. Where one of the kind is already under way for the
/// video, that one is left and its id returned.
pub async fn enqueue(connection: &mut PgConnection, task: &NewTask<'_>) -> Result<TaskId, DbError> {
    let inserted = sqlx::query_scalar!(
        r#"INSERT INTO tasks (task_id, kind, owner_id, video_id, payload, run_at, pushed_at)
           VALUES ($1, $2, $3, $4, $5, coalesce($6, now()), CASE WHEN $6::timestamptz IS NULL THEN now() END)
           ON CONFLICT (kind, video_id) WHERE state IN ('pending', 'running') AND video_id IS NOT NULL DO NOTHING
           RETURNING task_id AS "task_id: TaskId""#,
        TaskId::new().0,
        task.kind,
        task.owner_id.map(|id| id.0),
        task.video_id.map(|id| id.0),
        task.payload,
        task.run_at
    )
    .fetch_optional(&mut *connection)
    .await?;
    match inserted {
        Some(task_id) => {
            if task.run_at.is_none() {
                queue::push_task(connection, task_id).await?;
            }
            Ok(task_id)
        }
        None => Ok(sqlx::query_scalar!(
            r#"SELECT task_id AS "task_id: TaskId" FROM tasks WHERE kind = $1 AND video_id = $2 AND state IN ('pending', 'running')"#,
            task.kind,
            task.video_id.map(|id| id.0)
        )
        .fetch_one(connection)
        .await?),
    }
}

/// Cancels the pending task of a kind for a video, for example a purge when the video is restored. True when there was one.
pub async fn cancel(connection: &mut PgConnection, kind: &str, video_id: VideoId) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE tasks SET state = 'cancelled', finished_at = now() WHERE kind = $1 AND video_id = $2 AND state = 'pending'",
        kind,
        video_id.0
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// As [`crate::ledger::begin`].
pub async fn begin(
    pool: &PgPool,
    task_id: TaskId,
    worker: &str,
    lease: Duration,
) -> Result<Option<TaskAttempt>, DbError> {
    let mut tx = pool.begin().await?;
    let attempt_id = AttemptId::new();
    let Some(row) = sqlx::query!(
        r#"UPDATE tasks t SET state = 'running', current_attempt_id = $2, attempts = attempts + 1, started_at = coalesce(started_at, now()), progress = 0
           WHERE task_id = $1 AND state = 'pending' AND run_at <= now()
           RETURNING kind, owner_id AS "owner_id: UserId", video_id AS "video_id: VideoId", payload,
               1 + (SELECT count(*) FROM job_attempts a WHERE a.task_id = t.task_id)::int AS "number!""#,
        task_id.0,
        attempt_id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(None);
    };
    sqlx::query!(
        "INSERT INTO job_attempts (attempt_id, task_id, number, worker, lease_expires_at) VALUES ($1, $2, $3, $4, now() + $5)",
        attempt_id.0,
        task_id.0,
        row.number,
        worker,
        interval(lease)
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Some(TaskAttempt {
        attempt_id,
        task_id,
        kind: row.kind,
        owner_id: row.owner_id,
        video_id: row.video_id,
        payload: row.payload,
        number: row.number,
    }))
}

/// As [`crate::ledger::fence`].
pub async fn fence(connection: &mut PgConnection, attempt: &TaskAttempt) -> Result<(), DbError> {
    sqlx::query!(
        "SELECT FROM tasks WHERE task_id = $1 AND current_attempt_id = $2 AND state = 'running' FOR NO KEY UPDATE",
        attempt.task_id.0,
        attempt.attempt_id.0
    )
    .fetch_optional(connection)
    .await?
    .map(drop)
    .ok_or(DbError::LostLease)
}

/// Completes the task, on the caller's transaction.
pub async fn complete(connection: &mut PgConnection, attempt: &TaskAttempt, note: Option<&str>) -> Result<(), DbError> {
    fence(connection, attempt).await?;
    sqlx::query!(
        "UPDATE tasks SET state = 'completed', progress = 100, note = $2, finished_at = now(), outage_since = NULL WHERE task_id = $1",
        attempt.task_id.0,
        note
    )
    .execute(&mut *connection)
    .await?;
    end_attempt(connection, attempt.attempt_id, "completed", None).await
}

/// As [`crate::ledger::fail`], for a task.
pub async fn fail(
    connection: &mut PgConnection,
    attempt: &TaskAttempt,
    failure: &Failure,
) -> Result<AfterFailure, DbError> {
    fence(connection, attempt).await?;
    let task = sqlx::query!(
        r#"SELECT attempts, max_attempts, coalesce(now() - outage_since > $2, false) AS "outage_too_long!" FROM tasks WHERE task_id = $1"#,
        attempt.task_id.0,
        interval(OUTAGE_LIMIT)
    )
    .fetch_one(&mut *connection)
    .await?;
    let (attempt_state, delay, given_back) = match failure.kind {
        FailureKind::Rejected => ("failed", None, 0),
        FailureKind::Cancelled => ("cancelled", None, 0),
        FailureKind::Transient => {
            ("failed", (task.attempts < task.max_attempts).then(|| retry_delay(task.attempts)), 0)
        }
        FailureKind::Outage => ("outage", (!task.outage_too_long).then_some(Duration::from_secs(5)), 1),
        FailureKind::Released => ("released", Some(Duration::ZERO), 1),
    };
    end_attempt(connection, attempt.attempt_id, attempt_state, Some(failure)).await?;
    let Some(delay) = delay else {
        let state = if failure.kind == FailureKind::Cancelled { "cancelled" } else { "failed" };
        sqlx::query!(
            "UPDATE tasks SET state = $2::text::job_state, current_attempt_id = NULL, finished_at = now(), error_code = $3, error_message = $4, error_chain = $5 WHERE task_id = $1",
            attempt.task_id.0,
            state,
            failure.code,
            failure.message,
            failure.chain
        )
        .execute(connection)
        .await?;
        return Ok(AfterFailure::Final);
    };
    let run_at = sqlx::query_scalar!(
        "UPDATE tasks SET state = 'pending', current_attempt_id = NULL, attempts = attempts - $2, run_at = now() + $3, pushed_at = NULL,
             outage_since = CASE WHEN $4 THEN coalesce(outage_since, now()) END, error_code = $5, error_message = $6, error_chain = $7
         WHERE task_id = $1 RETURNING run_at",
        attempt.task_id.0,
        given_back,
        interval(delay),
        failure.kind == FailureKind::Outage,
        failure.code,
        failure.message,
        failure.chain
    )
    .fetch_one(connection)
    .await?;
    Ok(AfterFailure::Retry { run_at })
}

async fn end_attempt(
    connection: &mut PgConnection,
    attempt_id: AttemptId,
    state: &str,
    failure: Option<&Failure>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE job_attempts SET state = $2, finished_at = now(), stats = $3, error_code = $4, error_message = $5, error_chain = $6 WHERE attempt_id = $1",
        attempt_id.0,
        state,
        failure.map_or_else(|| json!({}), |f| f.stats.clone()),
        failure.map(|f| &f.code),
        failure.map(|f| &f.message),
        failure.map(|f| &f.chain)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// As [`crate::ledger::reap`], for tasks.
pub async fn reap(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    let lost = sqlx::query!(
        r#"UPDATE job_attempts SET state = 'lost', finished_at = now() WHERE attempt_id IN (
               SELECT attempt_id FROM job_attempts WHERE state = 'running' AND task_id IS NOT NULL AND lease_expires_at < now()
                 AND pg_postmaster_start_time() < now() - $1::interval LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED)
           RETURNING attempt_id"#,
        interval(LEASE)
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<_> = lost.iter().map(|row| row.attempt_id).collect();
    sqlx::query!(
        "UPDATE tasks SET state = (CASE WHEN attempts >= max_attempts THEN 'failed' ELSE 'pending' END)::job_state, current_attempt_id = NULL, run_at = now(), pushed_at = NULL,
             error_code = 'worker_lost', error_message = 'The worker stopped.', finished_at = CASE WHEN attempts >= max_attempts THEN now() END
         WHERE current_attempt_id = ANY($1) AND state = 'running'",
        &ids
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(ids.len())
}

/// Hands tasks whose time has come to the queue, and again those whose message has not been taken up for ten minutes.
pub async fn push_due(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    let due = sqlx::query_scalar!(
        r#"UPDATE tasks SET pushed_at = now() WHERE task_id IN (
               SELECT task_id FROM tasks WHERE state = 'pending' AND run_at <= now() AND (pushed_at IS NULL OR pushed_at < run_at OR pushed_at < now() - interval '10 minutes')
               ORDER BY run_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
           RETURNING task_id AS "task_id: TaskId""#
    )
    .fetch_all(&mut *tx)
    .await?;
    for task_id in &due {
        queue::push_task(&mut tx, *task_id).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}
