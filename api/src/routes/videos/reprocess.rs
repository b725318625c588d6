//! `POST /videos/{id}/reprocess`.

use axum::{Json, extract::State, http::StatusCode};
use heimdex_db::{RunId, Stage, UserId, VideoId, VideoState, ledger, people, videos};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::Caller,
    domain,
    error::{ApiError, Code},
    extract::{self, Path},
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redo {
    /// What depends on these is redone as well, and whatever made inputs of theirs that are gone. Both lists empty: everything.
    #[serde(default)]
    stages: Vec<String>,
    /// Kinds of models whose stages are redone: `asr`, `vad`, `text`, `image`, `affect`, `face`.
    #[serde(default)]
    models: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Started {
    run_id: Uuid,
    /// What is done again; the other stages are inherited.
    stages: Vec<&'static str>,
}

/// Indexes a video again, as a whole or in part. It stays searchable meanwhile, and as it was if this fails.
#[utoipa::path(post, path = "/videos/{video_id}/reprocess", tag = "videos", params(("video_id" = uuid::Uuid, Path)), request_body = Redo,
    responses((status = ACCEPTED, body = Started)))]
pub async fn reprocess(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    extract::Json(redo): extract::Json<Redo>,
) -> Result<(StatusCode, Json<Started>), ApiError> {
    // Whose it is not, is told nothing of what the fields should be.
    videos::exists(&state.pool, caller.user_id(), video_id).await?;
    let mut wanted = Vec::new();
    for stage in &redo.stages {
        wanted.push(domain::word::<Stage>("stages", stage)?);
    }
    for kind in &redo.models {
        wanted.push(stage_of_model(kind)?);
    }
    if wanted.is_empty() {
        wanted = Stage::ALL.to_vec();
    }
    let (run_id, stages) = start(&state, caller.user_id(), video_id, &wanted).await?;
    let stages = stages.into_iter().map(Stage::as_str).collect();
    Ok((StatusCode::ACCEPTED, Json(Started { run_id: run_id.0, stages })))
}

/// Makes a run that does these stages again, with what they need. Returns it and what it does.
pub async fn start(
    state: &AppState,
    owner: UserId,
    video_id: VideoId,
    wanted: &[Stage],
) -> Result<(RunId, Vec<Stage>), ApiError> {
    let row = videos::find(&state.pool, owner, video_id).await?;
    match row.state {
        VideoState::Indexed | VideoState::Failed => {}
        _ => return Err(ApiError::new(Code::RunActive).detail("The video is still being indexed.")),
    }
    if row.size_bytes.is_none() {
        return Err(ApiError::new(Code::Conflict).detail("The video was never uploaded completely."));
    }
    let mut tx = people::begin(&state.pool).await?;
    let started = ledger::redo_stages(&mut tx, video_id, wanted).await?;
    tx.commit().await?;
    Ok(started)
}

/// The stage that uses a kind of model.
fn stage_of_model(kind: &str) -> Result<Stage, ApiError> {
    Ok(match kind {
        "asr" | "vad" => Stage::AsrFast,
        "text" => Stage::EmbedText,
        "image" => Stage::VisionEmbedFrames,
        "affect" => Stage::VisionAffectTags,
        "face" => Stage::FacesEnrollMatch,
        _ => {
            let detail = "models are kinds: asr, vad, text, image, affect, face.";
            return Err(ApiError::field("models", "unknown", detail));
        }
    })
}
