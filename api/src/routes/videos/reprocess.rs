//! `POST /videos/{id}/reprocess`.

use axum::{Json, extract::State, http::StatusCode};
use heimdex_db::{
    Stage, VideoId, VideoState,
    ledger::{self, RunReason},
    videos,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::{self, Path},
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redo {
    /// Empty: all of them.
    #[serde(default)]
    stages: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Started {
    run_id: Uuid,
}

/// Indexes a video again. It stays searchable meanwhile, and as it was if this fails.
#[utoipa::path(post, path = "/videos/{video_id}/reprocess", tag = "videos", params(("video_id" = uuid::Uuid, Path)), request_body = Redo,
    responses((status = ACCEPTED, body = Started)))]
pub async fn reprocess(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    extract::Json(redo): extract::Json<Redo>,
) -> Result<(StatusCode, Json<Started>), ApiError> {
    let row = videos::find(&state.pool, caller.user_id(), video_id).await?;
    for stage in &redo.stages {
        stage.parse::<Stage>().map_err(|e| ApiError::field("stages", "unknown", e.to_string()))?;
    }
    if !redo.stages.is_empty() && redo.stages.len() < Stage::ALL.len() {
        return Err(ApiError::new(Code::NotImplemented)
            .detail("Redoing single stages is not available yet; leave `stages` empty to redo all."));
    }
    match row.state {
        VideoState::Indexed | VideoState::Failed => {}
        _ => return Err(ApiError::new(Code::RunActive).detail("The video is still being indexed.")),
    }
    if row.size_bytes.is_none() {
        return Err(ApiError::new(Code::Conflict).detail("The video was never uploaded completely."));
    }
    let mut tx = state.pool.begin().await?;
    let run_id = ledger::start_run(&mut tx, video_id, RunReason::Reprocess, serde_json::json!({})).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(Started { run_id: run_id.0 })))
}
