//! Leases: how a dead worker's jobs are taken up again, and how messages that got lost are sent again.

use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;

use super::{
    attempt::{end_attempt, interval},
    failure::{Ended, Failure, FailureKind, end_failed_run},
};
use crate::{
    error::DbError,
    ids::{AttemptId, JobId, RunId, VideoId},
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

/// Ends attempts whose lease has run out: their jobs become ready again, or fail once their attempts are used up. Returns
/// how many were handled.
///
/// Leases also run out while PostgreSQL itself is away; nothing is reaped within one lease of its start, and callers who
/// could not reach it have to wait one lease too, so that workers who are well can renew theirs first.
pub async fn reap(pool: &PgPool) -> Result<usize, DbError> {
    let lost = sqlx::query!(
        r#"SELECT a.attempt_id AS "attempt_id: AttemptId", j.job_id AS "job_id: JobId", j.run_id AS "run_id: RunId" FROM job_attempts a JOIN jobs j USING (job_id)
           WHERE a.state = 'running' AND a.lease_expires_at < now() AND pg_postmaster_start_time() < now() - $1::interval LIMIT 100"#,
        interval(LEASE)
    )
    .fetch_all(pool)
    .await?;
    let mut handled = 0;
    for row in &lost {
        handled += usize::from(reap_one(pool, row.attempt_id, row.job_id, row.run_id).await?);
    }
    Ok(handled)
}

async fn reap_one(pool: &PgPool, attempt_id: AttemptId, job_id: JobId, run_id: RunId) -> Result<bool, DbError> {
    let mut tx = pool.begin().await?;
    sqlx::query!("SELECT FROM runs WHERE run_id = $1 FOR NO KEY UPDATE", run_id.0).execute(&mut *tx).await?;
    // Looked at again under the lock: another reaper, or a late heartbeat, may have been first.
    let Some(attempt) = sqlx::query!(
        "SELECT worker FROM job_attempts WHERE attempt_id = $1 AND state = 'running' AND lease_expires_at < now() FOR NO KEY UPDATE",
        attempt_id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    end_attempt(&mut tx, attempt_id, "lost", json!({})).await?;
    let Some(job) = sqlx::query!(
        r#"SELECT video_id AS "video_id: VideoId", stage AS "stage: Stage", attempts, max_attempts FROM jobs
           WHERE job_id = $1 AND current_attempt_id = $2 AND state = 'running' FOR NO KEY UPDATE"#,
        job_id.0,
        attempt_id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        tx.commit().await?;
        return Ok(true);
    };
    if job.attempts >= job.max_attempts {
        let failure = Failure {
            kind: FailureKind::Transient,
            code: "worker_lost".into(),
            message: "Indexing this video stopped the worker each time it was tried.".into(),
            chain: format!(
                "{} attempts of {} ended without a word; the last on {}",
                job.attempts, job.stage, attempt.worker
            ),
            stats: json!({}),
        };
        end_failed_run(&mut tx, &Ended { run_id, video_id: job.video_id, job_id, state: "failed" }, &failure).await?;
    } else {
        sqlx::query!(
            "UPDATE jobs SET state = 'pending', current_attempt_id = NULL, progress = 0, run_at = now(), pushed_at = now(),
                 error_code = 'worker_lost', error_message = 'The worker stopped; another takes over.' WHERE job_id = $1",
            job_id.0
        )
        .execute(&mut *tx)
        .await?;
        queue::push_jobs(&mut tx, &[(job_id, job.stage)]).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Hands jobs whose time has come to their queues: scheduled retries, and those of a stage that was resumed.
pub async fn push_due(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    let due = sqlx::query!(
        r#"UPDATE jobs SET pushed_at = now() WHERE job_id IN (
               SELECT job_id FROM jobs j WHERE state = 'pending' AND ready AND run_at <= now() AND (pushed_at IS NULL OR pushed_at < run_at)
                 AND NOT EXISTS (SELECT FROM stage_controls c WHERE c.stage = j.stage AND c.paused)
               ORDER BY run_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
           RETURNING job_id AS "job_id: JobId", stage AS "stage: Stage""#
    )
    .fetch_all(&mut *tx)
    .await?;
    let jobs: Vec<_> = due.into_iter().map(|row| (row.job_id, row.stage)).collect();
    queue::push_jobs(&mut tx, &jobs).await?;
    tx.commit().await?;
    Ok(jobs.len())
}

/// Sends the message of a job again whose message has vanished: it was pushed a minute ago or more, nobody has begun it, and
/// no queue holds a message for it (a restored backup, a truncated queue, a worker killed between fetching and beginning).
pub async fn repush_lost(pool: &PgPool) -> Result<usize, DbError> {
    let mut tx = pool.begin().await?;
    // apalis' own table: checked at run time, since its schema is not ours.
    let lost: Vec<(JobId, Stage)> = sqlx::query_as(
        "UPDATE jobs SET pushed_at = now() WHERE job_id IN (
             SELECT j.job_id FROM jobs j
             WHERE j.state = 'pending' AND j.ready AND j.run_at <= now() AND j.pushed_at < now() - interval '60 seconds'
               AND NOT EXISTS (SELECT FROM apalis.jobs m WHERE m.job_type = 'stage.' || j.stage::text
                   AND m.status IN ('Pending', 'Queued', 'Running') AND convert_from(m.job, 'UTF8')::jsonb ->> 'job_id' = j.job_id::text)
             LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING job_id, stage",
    )
    .fetch_all(&mut *tx)
    .await?;
    queue::push_jobs(&mut tx, &lost).await?;
    tx.commit().await?;
    Ok(lost.len())
}
