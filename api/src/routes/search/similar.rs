//! `GET /scenes/{id}/similar`.

use axum::{Json, extract::State};
use heimdex_db::{SceneId, scenes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::ApiError,
    extract::Path,
    search::run::{Hit, similar},
    state::AppState,
};

#[derive(Serialize, ToSchema)]
pub struct Similar {
    items: Vec<Hit>,
}

/// Scenes that say something alike. 409 `no_vectors` if nothing is said in this one.
#[utoipa::path(get, path = "/scenes/{scene_id}/similar", tag = "scenes", params(("scene_id" = uuid::Uuid, Path)), responses((status = OK, body = Similar)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(scene_id): Path<SceneId>,
) -> Result<Json<Similar>, ApiError> {
    scenes::find(&state.pool, caller.user_id(), scene_id, "en").await?;
    Ok(Json(Similar { items: similar(&state, caller.user_id(), scene_id, 20).await? }))
}
