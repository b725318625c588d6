//! `PATCH` and `DELETE /videos/{id}`, `POST /videos/{id}/restore`.

use axum::{Json, extract::State, http::StatusCode};
use heimdex_db::{
    UserId, VideoId, VideoState,
    audit::{self, Action, By, Event, Whom},
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
    origin::Origin,
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
    origin: Origin,
    Path(video_id): Path<VideoId>,
) -> Result<StatusCode, ApiError> {
    let owner = caller.user_id();
    remove(&state, owner, &origin.person(owner), video_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hides a video and makes its purge an appointment. One that was never sent has nothing to restore: it is given up.
pub async fn remove(state: &AppState, owner: UserId, by: &By, video_id: VideoId) -> Result<(), ApiError> {
    if videos::find(&state.pool, owner, video_id).await?.state == VideoState::Uploading {
        return give_up(state, owner, video_id).await;
    }
    let mut tx = state.pool.begin().await?;
    videos::delete(&mut tx, owner, video_id).await?;
    let event = Event::new(Action::VideoDeleted, Whom::User(owner)).target(video_id.to_string());
    audit::record(&mut *tx, by, event).await?;
    Ok(tx.commit().await?)
}

/// Brings a deleted video back.
#[utoipa::path(post, path = "/videos/{video_id}/restore", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Video)))]
pub async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Video>, ApiError> {
    let owner = caller.user_id();
    bring_back(&state, owner, &origin.person(owner), video_id).await?;
    read(&state, &caller, video_id).await.map(Json)
}

/// Undoes [`remove`], as long as the video has not been purged.
pub async fn bring_back(state: &AppState, owner: UserId, by: &By, video_id: VideoId) -> Result<(), ApiError> {
    let mut tx = state.pool.begin().await?;
    videos::restore(&mut tx, owner, video_id).await?;
    let event = Event::new(Action::VideoRestored, Whom::User(owner)).target(video_id.to_string());
    audit::record(&mut *tx, by, event).await?;
    Ok(tx.commit().await?)
}
