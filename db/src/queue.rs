//! Handing work to apalis. The ledger is the truth and decides what is to be done; a message only says "look at this".
//! A message that comes twice, or late, is therefore harmless.

use apalis_core::task::builder::TaskBuilder;
use sqlx::PgConnection;

use crate::{
    error::DbError,
    ids::{JobId, TaskId},
    ledger::WorkId,
    stage::Stage,
};

/// The queue of everything that is no stage.
pub const MAINTENANCE: &str = "maintenance";

/// Pushes jobs to their stages' queues on the caller's transaction: they are delivered if, and only if, it commits.
pub(crate) async fn push_jobs(connection: &mut PgConnection, jobs: &[(JobId, Stage)]) -> Result<(), DbError> {
    for (job_id, stage) in jobs {
        push(connection, stage.spec().queue, (*job_id).into()).await?;
    }
    Ok(())
}

/// As [`push_jobs`], for tasks.
pub(crate) async fn push_tasks(connection: &mut PgConnection, tasks: &[TaskId]) -> Result<(), DbError> {
    for task_id in tasks {
        push(connection, MAINTENANCE, (*task_id).into()).await?;
    }
    Ok(())
}

async fn push(connection: &mut PgConnection, queue: &str, message: WorkId) -> Result<(), DbError> {
    let body = serde_json::to_vec(&message).map_err(|error| DbError::Queue(error.to_string()))?;
    apalis_postgres::queries::push_tasks(connection, queue, vec![TaskBuilder::new(body).build()]).await.map_err(
        |error| match error {
            apalis_postgres::Error::Database(error) => DbError::Sqlx(error),
            other => DbError::Queue(other.to_string()),
        },
    )
}
