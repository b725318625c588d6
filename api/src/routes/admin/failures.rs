//! `GET /admin/failures` and `POST /admin/failures/{code}/retry`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    DbError, JobId, TaskId,
    audit::{self, Action, By, Event},
    ledger,
    operator::failures::{self, FailureGroup},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::remember;
use crate::{auth::guard::Operator, domain, error::ApiError, extract::Path, origin::Origin, state::AppState};

/// As many are retried at once; what is left is said and can be retried next.
const BATCH: usize = 100;

#[derive(Serialize, ToSchema)]
pub struct FailureList {
    items: Vec<FailureItem>,
}

/// One kind of failure that was not mended yet.
#[derive(Serialize, ToSchema)]
pub struct FailureItem {
    #[schema(example = "worker_lost")]
    code: String,
    count: i64,
    /// Of these, work that is no stage.
    tasks: i64,
    /// Stages and kinds of task.
    #[schema(example = json!(["scene_detect"]))]
    places: Vec<String>,
    first_at: Option<DateTime<Utc>>,
    last_at: Option<DateTime<Utc>>,
    /// Of the newest: what its owner is told,
    message: Option<String>,
    /// the chain of causes,
    chain: Option<String>,
    /// and where it happened.
    job_id: Option<Uuid>,
    video_id: Option<Uuid>,
}

impl From<FailureGroup> for FailureItem {
    fn from(group: FailureGroup) -> Self {
        Self {
            code: group.code,
            count: group.jobs + group.tasks,
            tasks: group.tasks,
            places: group.places,
            first_at: group.first_at,
            last_at: group.last_at,
            message: group.message,
            chain: group.chain,
            job_id: group.job_id.map(|id| id.0),
            video_id: group.video_id.map(|id| id.0),
        }
    }
}

/// What has failed and was not mended yet, by kind, the newest first; at most 200 kinds. For operators and admins.
#[utoipa::path(get, path = "/admin/failures", tag = "admin", responses((status = OK, body = FailureList)))]
pub async fn list(State(state): State<AppState>, Operator(_caller): Operator) -> Result<Json<FailureList>, ApiError> {
    let items = failures::groups(&state.pool).await?.into_iter().map(Into::into).collect();
    Ok(Json(FailureList { items }))
}

#[derive(Serialize, ToSchema)]
pub struct BatchAnswer {
    retried: usize,
    /// Could not be, or somebody else was faster.
    skipped: usize,
    /// There are more of this kind: ask again.
    more: bool,
}

/// Retries everything that failed with a code, those that have waited longest first, at most a hundred. For operators and
/// admins.
#[utoipa::path(post, path = "/admin/failures/{code}/retry", tag = "admin", params(("code" = String, Path)),
    responses((status = OK, body = BatchAnswer)))]
pub async fn retry(
    State(state): State<AppState>,
    Operator(caller): Operator,
    origin: Origin,
    Path(code): Path<String>,
) -> Result<Json<BatchAnswer>, ApiError> {
    let code = domain::line("code", &code, 200)?;
    let by = origin.person(caller.user_id());
    let asked = i64::try_from(BATCH).unwrap_or(i64::MAX) + 1;
    let jobs = failures::jobs_with(&state.pool, &code, asked).await?;
    let tasks = failures::tasks_with(&state.pool, &code, asked).await?;
    let more = jobs.len() + tasks.len() > BATCH;
    let (mut retried, mut skipped) = (0, 0);
    let work = jobs.into_iter().map(Failed::Job).chain(tasks.into_iter().map(Failed::Task));
    for one in work.take(BATCH) {
        match retry_one(&state, &by, one).await {
            Ok(true) => retried += 1,
            Ok(false) | Err(Skipped::It) => skipped += 1,
            Err(Skipped::All(error)) => return Err(error),
        }
    }
    Ok(Json(BatchAnswer { retried, skipped, more }))
}

enum Failed {
    Job(JobId),
    Task(TaskId),
}

/// Why one of many was not retried.
enum Skipped {
    /// It cannot be.
    It,
    /// Nothing can be at this moment.
    All(ApiError),
}

impl From<DbError> for Skipped {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound | DbError::Conflict(_) => Self::It,
            error => Self::All(error.into()),
        }
    }
}

/// In a transaction of its own, so that no lock is held for long. False: somebody else was faster.
async fn retry_one(state: &AppState, by: &By, one: Failed) -> Result<bool, Skipped> {
    let mut tx = state.pool.begin().await.map_err(DbError::from)?;
    let retried = match one {
        Failed::Job(job_id) => match ledger::retry_job(&mut tx, job_id).await? {
            Some(reopened) => {
                remember(&mut tx, by, job_id, &reopened).await.map_err(Skipped::All)?;
                true
            }
            None => false,
        },
        Failed::Task(task_id) => {
            let retried = ledger::retry_task(&mut tx, task_id).await?;
            if retried {
                let event = Event::of_installation(Action::TaskRetried).target(task_id.to_string());
                audit::record(&mut *tx, by, event).await?;
            }
            retried
        }
    };
    tx.commit().await.map_err(DbError::from)?;
    Ok(retried)
}
