//! Leases: how a dead worker's jobs are taken up again, and how messages that got lost are sent again.

use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;

use super::{
    attempt::interval,
    failure::{Failure, FailureKind, fail},
    work::{Work, load},
};
use crate::{
    error::DbError,
    ids::{AttemptId, JobId, RunId, TaskId},
    queue,
    stage::Stage,
};

/// How long an attempt is held without a heartbeat. Together with the two seconds between two looks at the leases, a killed
/// worker's job is taken up within ten seconds.
pub const LEASE: Duration = Duration::from_secs(8);

/// Renews the leases of attempts (of jobs and of tasks) and returns those still held; work on the others must stop.
pub async fn heartbeat(pool: &PgPool, attempts: &[AttemptId], lease: Duration) -> Result<Vec<AttemptId>, DbError> {
    if attempts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = attempts.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"UPDATE job_attempts SET lease_expires_at = now() + $2 WHERE attempt_id = ANY($1) AND state = 'running'
           RETURNING attempt_id AS "attempt_id: AttemptId""#,
        &ids,
        interval(lease)
    )
    .fetch_all(pool)
    .await?)
}

/// Ends attempts whose lease has run out: their work becomes ready again, or fails once its attempts are used up. Returns
/// how many were handled.
///
/// Leases also run out while PostgreSQL itself is away; nothing is reaped within one lease of its start, and callers who
/// could not reach it have to wait one lease too, so that workers who are well can renew theirs first.
pub async fn reap(pool: &PgPool) -> Result<usize, DbError> {
    let lost = sqlx::query!(
        r#"SELECT a.attempt_id AS "attempt_id: AttemptId", j.run_id AS "run_id?: RunId" FROM job_attempts a LEFT JOIN jobs j USING (job_id)
           WHERE a.state = 'running' AND a.lease_expires_at < now() AND pg_postmaster_start_time() < now() - $1::interval LIMIT 100"#,
        interval(LEASE)
    )
    .fetch_all(pool)
    .await?;
    let mut handled = 0;
    for row in &lost {
        handled += usize::from(reap_one(pool, row.attempt_id, row.run_id).await?);
    }
    Ok(handled)
}

async fn reap_one(pool: &PgPool, attempt_id: AttemptId, run_id: Option<RunId>) -> Result<bool, DbError> {
    let mut tx = pool.begin().await?;
    if let Some(run_id) = run_id {
        sqlx::query!("SELECT FROM runs WHERE run_id = $1 FOR NO KEY UPDATE", run_id.0).execute(&mut *tx).await?;
    }
    // Looked at again under the lock: another reaper, or a late heartbeat, may have been first.
    let lost = sqlx::query!(
        "SELECT worker FROM job_attempts WHERE attempt_id = $1 AND state = 'running' AND lease_expires_at < now() FOR NO KEY UPDATE",
        attempt_id.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    let (Some(lost), Some(attempt)) = (lost, load(&mut tx, attempt_id).await?) else { return Ok(false) };
    let message = match &attempt.work {
        Work::Stage(_) => "Indexing this video stopped the worker each time it was tried.",
        Work::Task(_) => "This work stopped the worker each time it was tried.",
    };
    let failure = Failure {
        kind: FailureKind::Lost,
        code: "worker_lost".into(),
        message: message.into(),
        chain: format!("attempt {} of {} on {} ended without a word", attempt.number, attempt.work, lost.worker),
        stats: json!({}),
    };
    match fail(&mut tx, &attempt, &failure).await {
        Ok(_) => {}
        // The work has been taken from it by other means; only the attempt is left to be ended.
        Err(DbError::LostLease) => {
            super::attempt::end_attempt(&mut tx, attempt_id, "lost", json!({}), Some(&failure)).await?;
        }
        Err(error) => return Err(error),
    }
    tx.commit().await?;
    Ok(true)
}

/// Hands work whose time has come to its queue: scheduled retries, tasks for later, jobs of a stage that was resumed.
pub async fn push_due(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    let jobs: Vec<(JobId, Stage)> = sqlx::query!(
        r#"UPDATE jobs SET pushed_at = now() WHERE job_id IN (
               SELECT job_id FROM jobs j WHERE state = 'pending' AND ready AND run_at <= now() AND (pushed_at IS NULL OR pushed_at < run_at)
                 AND NOT EXISTS (SELECT FROM stage_controls c WHERE c.stage = j.stage AND c.paused)
               ORDER BY priority DESC, run_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
           RETURNING job_id AS "job_id: JobId", stage AS "stage: Stage""#
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(|row| (row.job_id, row.stage))
    .collect();
    let tasks = sqlx::query_scalar!(
        r#"UPDATE tasks SET pushed_at = now() WHERE task_id IN (
               SELECT task_id FROM tasks WHERE state = 'pending' AND run_at <= now() AND (pushed_at IS NULL OR pushed_at < run_at)
               ORDER BY run_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
           RETURNING task_id AS "task_id: TaskId""#
    )
    .fetch_all(&mut *tx)
    .await?;
    queue::push_jobs(&mut tx, &jobs).await?;
    queue::push_tasks(&mut tx, &tasks).await?;
    tx.commit().await?;
    Ok(jobs.len() + tasks.len())
}

/// Sends the message again of work whose message has vanished: it was pushed a minute ago or more, nobody has begun it, and
/// no queue holds a message for it (a restored backup, a truncated queue, a worker killed between fetching and beginning).
pub async fn repush_lost(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    // apalis' own table: checked at run time, since its schema is not ours.
    let jobs: Vec<(JobId, Stage)> = sqlx::query_as(
        "UPDATE jobs SET pushed_at = now() WHERE job_id IN (
             SELECT j.job_id FROM jobs j
             WHERE j.state = 'pending' AND j.ready AND j.run_at <= now() AND j.pushed_at < now() - interval '60 seconds'
               AND NOT EXISTS (SELECT FROM stage_controls c WHERE c.stage = j.stage AND c.paused)
               AND NOT EXISTS (SELECT FROM apalis.jobs m WHERE m.job_type = 'stage.' || j.stage::text
                   AND m.status IN ('Pending', 'Queued', 'Running') AND convert_from(m.job, 'UTF8')::jsonb ->> 'job_id' = j.job_id::text)
             LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING job_id, stage",
    )
    .fetch_all(&mut *tx)
    .await?;
    let tasks: Vec<TaskId> = sqlx::query_scalar(
        "UPDATE tasks SET pushed_at = now() WHERE task_id IN (
             SELECT t.task_id FROM tasks t
             WHERE t.state = 'pending' AND t.run_at <= now() AND t.pushed_at < now() - interval '60 seconds'
               AND NOT EXISTS (SELECT FROM apalis.jobs m WHERE m.job_type = ANY($1)
                   AND m.status IN ('Pending', 'Queued', 'Running') AND convert_from(m.job, 'UTF8')::jsonb ->> 'task_id' = t.task_id::text)
             LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING task_id",
    )
    .bind(vec![queue::MAINTENANCE, queue::ENCODING])
    .fetch_all(&mut *tx)
    .await?;
    queue::push_jobs(&mut tx, &jobs).await?;
    queue::push_tasks(&mut tx, &tasks).await?;
    tx.commit().await?;
    Ok(jobs.len() + tasks.len())
}
