//! `GET /admin/workers`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    stage::Stage,
    workers::{self, Doing, WorkerLine},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{auth::guard::Operator, error::ApiError, state::AppState};

#[derive(Serialize, ToSchema)]
pub struct WorkerList {
    items: Vec<WorkerItem>,
}

/// A worker process that was heard of in the last hour.
#[derive(Serialize, ToSchema)]
pub struct WorkerItem {
    name: String,
    host: String,
    pid: i32,
    #[schema(example = "0.1.0")]
    version: String,
    /// Those it takes.
    stages: Vec<&'static str>,
    started_at: DateTime<Utc>,
    heartbeat_at: DateTime<Utc>,
    /// False: it has not been heard of for so long that its work is handed to others.
    alive: bool,
    /// What it is at.
    doing: Vec<DoingItem>,
}

/// An attempt under way: at a stage (`job_id`) or at other work (`task_id`).
#[derive(Serialize, ToSchema)]
pub struct DoingItem {
    /// The stage, or the kind of task.
    #[schema(example = "asr_fast")]
    name: String,
    job_id: Option<Uuid>,
    task_id: Option<Uuid>,
    video_id: Option<Uuid>,
    /// Counts from 1 over all tries.
    attempt: i32,
    started_at: DateTime<Utc>,
    /// 0 to 100
    progress: i16,
}

impl From<Doing> for DoingItem {
    fn from(doing: Doing) -> Self {
        Self {
            name: doing.name,
            job_id: doing.job_id.map(|id| id.0),
            task_id: doing.task_id.map(|id| id.0),
            video_id: doing.video_id.map(|id| id.0),
            attempt: doing.number,
            started_at: doing.started_at,
            progress: doing.progress,
        }
    }
}

fn item(worker: WorkerLine, doing: &mut Vec<Doing>) -> WorkerItem {
    WorkerItem {
        doing: doing.extract_if(.., |one| one.worker == worker.name).map(Into::into).collect(),
        name: worker.name,
        host: worker.host,
        pid: worker.pid,
        version: worker.version,
        stages: worker.stages.into_iter().map(Stage::as_str).collect(),
        started_at: worker.started_at,
        heartbeat_at: worker.heartbeat_at,
        alive: worker.alive,
    }
}

/// Who is at work, and what at; at most 500. For operators and admins.
#[utoipa::path(get, path = "/admin/workers", tag = "admin", responses((status = OK, body = WorkerList)))]
pub async fn list(State(state): State<AppState>, Operator(_caller): Operator) -> Result<Json<WorkerList>, ApiError> {
    let mut doing = workers::doing(&state.pool).await?;
    let items = workers::list(&state.pool).await?.into_iter().map(|worker| item(worker, &mut doing)).collect();
    Ok(Json(WorkerList { items }))
}
