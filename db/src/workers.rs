//! Who is at work. A row lives as long as its heartbeat.

use sqlx::PgPool;

use crate::{error::DbError, stage::Stage};

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
         ON CONFLICT (worker) DO UPDATE SET heartbeat_at = now(), pid = EXCLUDED.pid, stages = EXCLUDED.stages",
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
