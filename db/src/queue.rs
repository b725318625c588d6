//! Handing work to apalis. The ledger is the truth and decides what is to be done; a message only says "look at this".
//! A message that comes twice, or late, is therefore harmless.

use std::collections::{HashMap, HashSet};

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
/// The queue of tasks that take long ([`crate::tasks::ENCODING`]).
pub const ENCODING: &str = "encoding";

/// Pushes jobs to their stages' queues on the caller's transaction: they are delivered if, and only if, it commits.
/// Those of higher priority are taken first.
pub(crate) async fn push_jobs(connection: &mut PgConnection, jobs: &[(JobId, Stage)]) -> Result<(), DbError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = jobs.iter().map(|(job_id, _)| job_id.0).collect();
    let first: HashMap<JobId, i16> = sqlx::query!(
        r#"SELECT job_id AS "job_id: JobId", priority FROM jobs WHERE job_id = ANY($1) AND priority > 0"#,
        &ids
    )
    .fetch_all(&mut *connection)
    .await?
    .into_iter()
    .map(|row| (row.job_id, row.priority))
    .collect();
    for (job_id, stage) in jobs {
        let priority = first.get(job_id).copied().unwrap_or_default();
        push(connection, stage.spec().queue, (*job_id).into(), priority).await?;
    }
    Ok(())
}

/// As [`push_jobs`], for tasks.
pub(crate) async fn push_tasks(connection: &mut PgConnection, tasks: &[TaskId]) -> Result<(), DbError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = tasks.iter().map(|task_id| task_id.0).collect();
    let kinds: Vec<String> = crate::tasks::ENCODING.map(str::to_owned).into();
    let encoding: HashSet<TaskId> = sqlx::query_scalar!(
        r#"SELECT task_id AS "task_id: TaskId" FROM tasks WHERE task_id = ANY($1) AND kind = ANY($2)"#,
        &ids,
        &kinds
    )
    .fetch_all(&mut *connection)
    .await?
    .into_iter()
    .collect();
    for task_id in tasks {
        let queue = if encoding.contains(task_id) { ENCODING } else { MAINTENANCE };
        push(connection, queue, (*task_id).into(), 0).await?;
    }
    Ok(())
}

async fn push(connection: &mut PgConnection, queue: &str, message: WorkId, priority: i16) -> Result<(), DbError> {
    let body = serde_json::to_vec(&message).map_err(|error| DbError::Queue(error.to_string()))?;
    let task = TaskBuilder::new(body).priority(usize::try_from(priority).unwrap_or_default()).build();
    apalis_postgres::queries::push_tasks(connection, queue, vec![task]).await.map_err(|error| match error {
        apalis_postgres::Error::Database(error) => DbError::Sqlx(error),
        other => DbError::Queue(other.to_string()),
    })
}
