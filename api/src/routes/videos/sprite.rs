//! `GET /videos/{id}/sprite`.

use axum::{Json, extract::State};
use heimdex_db::{VideoId, transcripts, videos};
use serde_json::Value;

use super::{playback::Sprite, shape::signed};
use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::Path,
    state::AppState,
};

/// Small pictures of the whole video in one, to look through it without playing it: nothing is made for this. 409
/// `not_playable_yet` before they have been drawn.
#[utoipa::path(get, path = "/videos/{video_id}/sprite", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Sprite)))]
pub async fn sprite(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Sprite>, ApiError> {
    let owner = caller.user_id();
    videos::exists(&state.pool, owner, video_id).await?;
    let run = transcripts::visible_run(&state.pool, owner, video_id).await?;
    let artifact = |name: &str| run.as_ref().and_then(|run| run.artifacts.get(name)).and_then(Value::as_str);
    let (picture, cues) =
        (signed(&state.store, artifact("sprite")).await?, signed(&state.store, artifact("sprite_vtt")).await?);
    let (Some(url), Some(vtt_url)) = (picture, cues) else {
        return Err(ApiError::new(Code::NotPlayableYet).detail("The small pictures have not been drawn yet."));
    };
    Ok(Json(Sprite { url, vtt_url }))
}
