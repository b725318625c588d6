//! `GET /admin/queues`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    operator::queues::{self, StageQueue, TaskQueue},
    stage::Stage,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{auth::guard::Operator, error::ApiError, state::AppState};

#[derive(Serialize, ToSchema)]
pub struct Queues {
    /// When this was so.
    at: DateTime<Utc>,
    /// In pipeline order.
    stages: Vec<StageQueueItem>,
    /// Work that is no stage, by kind.
    tasks: Vec<TaskQueueItem>,
}

/// One stage: what it needs, how much there is to do, and how fast it is done.
#[derive(Serialize, ToSchema)]
pub struct StageQueueItem {
    #[schema(example = "asr_fast")]
    stage: &'static str,
    /// Stages that must be completed before: the edges of the graph.
    #[schema(example = json!(["audio_extract"]))]
    needs: Vec<&'static str>,
    /// Takes nothing new; what runs goes on.
    paused: bool,
    changed_at: DateTime<Utc>,
    /// Who paused or resumed it last.
    changed_by: Option<String>,
    /// Waits for a stage before it.
    blocked: i64,
    /// Could be begun now.
    waiting: i64,
    /// Will be tried again later.
    scheduled: i64,
    running: i64,
    completed: i64,
    /// Not mended yet: no newer run of the video was made.
    failed: i64,
    cancelled: i64,
    /// Ended well in the last minute.
    done_1m: i64,
    done_5m: i64,
    done_60m: i64,
    /// Since when the one that waits longest could be begun.
    oldest_waiting_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
pub struct TaskQueueItem {
    #[schema(example = "make_proxy")]
    kind: String,
    waiting: i64,
    /// Is for later, or will be tried again later.
    scheduled: i64,
    running: i64,
    failed: i64,
    done_1m: i64,
    done_5m: i64,
    done_60m: i64,
    oldest_waiting_at: Option<DateTime<Utc>>,
}

impl From<StageQueue> for StageQueueItem {
    fn from(queue: StageQueue) -> Self {
        Self {
            stage: queue.stage.as_str(),
            needs: queue.stage.spec().needs.iter().copied().map(Stage::as_str).collect(),
            paused: queue.paused,
            changed_at: queue.changed_at,
            changed_by: queue.changed_by,
            blocked: queue.blocked,
            waiting: queue.waiting,
            scheduled: queue.scheduled,
            running: queue.running,
            completed: queue.completed,
            failed: queue.failed,
            cancelled: queue.cancelled,
            done_1m: queue.done_1m,
            done_5m: queue.done_5m,
            done_60m: queue.done_60m,
            oldest_waiting_at: queue.oldest_waiting_at,
        }
    }
}

impl From<TaskQueue> for TaskQueueItem {
    fn from(queue: TaskQueue) -> Self {
        Self {
            kind: queue.kind,
            waiting: queue.waiting,
            scheduled: queue.scheduled,
            running: queue.running,
            failed: queue.failed,
            done_1m: queue.done_1m,
            done_5m: queue.done_5m,
            done_60m: queue.done_60m,
            oldest_waiting_at: queue.oldest_waiting_at,
        }
    }
}

/// The stage graph with what waits, runs, ends and fails at each stage, and the same of other work. For operators and admins.
#[utoipa::path(get, path = "/admin/queues", tag = "admin", responses((status = OK, body = Queues)))]
pub async fn get(State(state): State<AppState>, Operator(_caller): Operator) -> Result<Json<Queues>, ApiError> {
    read(&state).await.map(Json)
}

pub async fn read(state: &AppState) -> Result<Queues, ApiError> {
    let at = Utc::now();
    let stages = queues::stages(&state.pool).await?.into_iter().map(Into::into).collect();
    let tasks = queues::tasks(&state.pool).await?.into_iter().map(Into::into).collect();
    Ok(Queues { at, stages, tasks })
}
