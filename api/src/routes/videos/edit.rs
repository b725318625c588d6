//! `PATCH` and `DELETE /videos/{id}`, `POST /videos/{id}/restore`.

use axum::{Json, extract::State, http::StatusCode};
use heimdex_db::{
    VideoId, VideoState,
    videos::{self, VideoPatch},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{get::read, shape::Video};
use crate::{
    auth::Caller,
    domain,
    error::ApiError,
    extract::{self, Path},
    routes::uploads::abort::give_up,
    state::AppState,
};

/// Fields to change; those left out stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoEdit {
    title: Option<String>,
    description: Option<String>,
    tags: Option<Vec<String>>,
}

/// Edits title, description and tags.
#[utoipa::path(patch, path = "/videos/{video_id}", tag = "videos", params(("video_id" = uuid::Uuid, Path)), request_body = VideoEdit,
    responses((status = OK, body = Video)))]
pub async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    extract::Json(edit): extract::Json<VideoEdit>,
) -> Result<Json<Video>, ApiError> {
    let patch = VideoPatch {
        title: edit.title.map(|title| domain::line("title", &title, 200)).transpose()?,
        description: edit.description.map(|text| domain::paragraph("description", &text, 5000)).transpose()?,
        tags: edit.tags.map(|tags| domain::tags(&tags)).transpose()?,
    };
    videos::update(&state.pool, caller.user_id(), video_id, &patch).await?;
    read(&state, &caller, video_id).await.map(Json)
}

/// Deletes a video: gone at once, restorable for 24 hours, then purged.
#[utoipa::path(delete, path = "/videos/{video_id}", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = NO_CONTENT)))]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<StatusCode, ApiError> {
    // One that was never sent has nothing to restore.
    if videos::find(&state.pool, caller.user_id(), video_id).await?.state == VideoState::Uploading {
        give_up(&state, caller.user_id(), video_id).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let mut tx = state.pool.begin().await?;
    videos::delete(&mut tx, caller.user_id(), video_id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Brings a deleted video back.
#[utoipa::path(post, path = "/videos/{video_id}/restore", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Video)))]
pub async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Video>, ApiError> {
    let mut tx = state.pool.begin().await?;
    videos::restore(&mut tx, caller.user_id(), video_id).await?;
    tx.commit().await?;
    read(&state, &caller, video_id).await.map(Json)
}
