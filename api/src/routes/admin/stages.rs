//! `POST /admin/stages/{stage}/pause` and `/resume`.

use axum::{Json, extract::State};
use heimdex_db::{
    Stage, UserId,
    audit::{self, Action, Event},
    ledger,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::guard::Operator,
    error::{ApiError, Code},
    extract::Path,
    origin::Origin,
    state::AppState,
};

#[derive(Serialize, ToSchema)]
pub struct StageControl {
    #[schema(example = "asr_fast")]
    stage: &'static str,
    paused: bool,
    /// False: it was so already.
    changed: bool,
}

/// Holds a stage for all workers, at once and until it is resumed: nothing new is begun, what runs goes on. For operators and
/// admins.
#[utoipa::path(post, path = "/admin/stages/{stage}/pause", tag = "admin", params(("stage" = String, Path)),
    responses((status = OK, body = StageControl)))]
pub async fn pause(
    State(state): State<AppState>,
    Operator(caller): Operator,
    origin: Origin,
    Path(stage): Path<String>,
) -> Result<Json<StageControl>, ApiError> {
    set(&state, caller.user_id(), origin, &stage, true).await
}

/// Lets a stage go on. For operators and admins.
#[utoipa::path(post, path = "/admin/stages/{stage}/resume", tag = "admin", params(("stage" = String, Path)),
    responses((status = OK, body = StageControl)))]
pub async fn resume(
    State(state): State<AppState>,
    Operator(caller): Operator,
    origin: Origin,
    Path(stage): Path<String>,
) -> Result<Json<StageControl>, ApiError> {
    set(&state, caller.user_id(), origin, &stage, false).await
}

async fn set(
    state: &AppState,
    operator: UserId,
    origin: Origin,
    stage: &str,
    paused: bool,
) -> Result<Json<StageControl>, ApiError> {
    let stage: Stage = stage.parse().map_err(|_| ApiError::new(Code::NotFound))?;
    let mut tx = state.pool.begin().await?;
    let changed = ledger::pause_stage(&mut tx, stage, paused, Some(operator)).await?;
    if changed {
        let action = if paused { Action::StagePaused } else { Action::StageResumed };
        let event = Event::of_installation(action).target(stage.as_str());
        audit::record(&mut *tx, &origin.person(operator), event).await?;
    }
    tx.commit().await?;
    Ok(Json(StageControl { stage: stage.as_str(), paused, changed }))
}
