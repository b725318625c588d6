//! Who is at work. A row lives as long as its heartbeat.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::{
    error::DbError,
    ids::{JobId, TaskId, VideoId},
    ledger::LEASE,
    stage::Stage,
};

/// A worker as it introduces itself.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Unique among all live processes.
    pub name: String,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub stages: Vec<Stage>,
}

/// Says that the worker is there, from now on or still.
pub async fn heartbeat(pool: &PgPool, worker: &Worker) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO workers (worker, host, pid, version, stages) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (worker) DO UPDATE SET heartbeat_at = now(), host = EXCLUDED.host, pid = EXCLUDED.pid, version = EXCLUDED.version,
             stages = EXCLUDED.stages,
             started_at = CASE WHEN (workers.host, workers.pid) = (EXCLUDED.host, EXCLUDED.pid) THEN workers.started_at ELSE now() END",
        worker.name,
        worker.host,
        worker.pid,
        worker.version,
        &worker.stages as &[Stage]
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The worker has gone home.
pub async fn leave(pool: &PgPool, name: &str) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM workers WHERE worker = $1", name).execute(pool).await?;
    Ok(())
}

/// Forgets workers that have not been heard of for an hour.
pub async fn forget_silent(pool: &PgPool) -> Result<u64, DbError> {
    Ok(sqlx::query!("DELETE FROM workers WHERE heartbeat_at < now() - interval '1 hour'")
        .execute(pool)
        .await?
        .rows_affected())
}

/// A worker as others see it.
#[derive(Clone, Debug)]
pub struct WorkerLine {
    pub name: String,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub stages: Vec<Stage>,
    pub started_at: DateTime<Utc>,
    pub heartbeat_at: DateTime<Utc>,
    /// Heard of within one lease; what another one holds is handed on.
    pub alive: bool,
}

/// All that were heard of in the last hour, by name; at most 500.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<WorkerLine>, DbError> {
    Ok(sqlx::query_as!(
        WorkerLine,
        r#"SELECT worker AS name, host, pid, version, stages AS "stages: Vec<Stage>", started_at, heartbeat_at,
                  (heartbeat_at > now() - make_interval(secs => $1)) AS "alive!"
           FROM workers ORDER BY worker LIMIT 500"#,
        LEASE.as_secs_f64()
    )
    .fetch_all(db)
    .await?)
}

/// What a worker is at: a job or a task.
#[derive(Clone, Debug)]
pub struct Doing {
    pub worker: String,
    /// Counts from 1 over all tries.
    pub number: i32,
    pub started_at: DateTime<Utc>,
    pub job_id: Option<JobId>,
    pub task_id: Option<TaskId>,
    /// The stage, or the kind of task.
    pub name: String,
    pub video_id: Option<VideoId>,
    /// 0 to 100.
    pub progress: i16,
}

/// All attempts under way, those that began first first; at most 2,000.
pub async fn doing(db: impl PgExecutor<'_>) -> Result<Vec<Doing>, DbError> {
    Ok(sqlx::query_as!(
        Doing,
        r#"SELECT a.worker AS "worker!", a.number AS "number!", a.started_at AS "started_at!", a.job_id AS "job_id: JobId", a.task_id AS "task_id: TaskId",
                  coalesce(j.stage::text, t.kind) AS "name!", coalesce(j.video_id, t.video_id) AS "video_id: VideoId",
                  coalesce(j.progress, t.progress) AS "progress!"
           FROM job_attempts a LEFT JOIN jobs j ON j.job_id = a.job_id LEFT JOIN tasks t ON t.task_id = a.task_id
           WHERE a.state = 'running' ORDER BY a.started_at, a.attempt_id LIMIT 2000"#
    )
    .fetch_all(db)
    .await?)
}
