//! `GET /videos/{id}`.

use axum::{Json, extract::State};
use heimdex_db::{VideoId, videos};

use super::shape::Video;
use crate::{auth::Caller, error::ApiError, extract::Path, state::AppState};

/// One video.
#[utoipa::path(get, path = "/videos/{video_id}", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Video)))]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Video>, ApiError> {
    read(&state, &caller, video_id).await.map(Json)
}

/// One video with its metadata.
pub async fn read(state: &AppState, caller: &Caller, video_id: VideoId) -> Result<Video, ApiError> {
    let row = videos::find(&state.pool, caller.user_id(), video_id).await?;
    let metadata = videos::metadata(&state.pool, caller.user_id(), video_id).await?;
    let mut video = Video::new(&state.store, row).await?;
    video.metadata = metadata.map(Into::into);
    Ok(video)
}
