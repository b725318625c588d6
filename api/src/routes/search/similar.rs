//! `GET /scenes/{id}/similar`.

use axum::{Json, extract::State};
use heimdex_db::{SceneId, scenes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::Caller,
    error::ApiError,
    extract::{Path, Query},
    search::{
        alike::{By, similar},
        run::Hit,
    },
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SimilarParams {
    /// `said` or `seen`; by default both.
    #[param(inline)]
    by: Option<By>,
}

#[derive(Serialize, ToSchema)]
pub struct Similar {
    items: Vec<Hit>,
}

/// Scenes that say or show something alike. 409 `no_vectors` if there is nothing in this one to compare by.
#[utoipa::path(get, path = "/scenes/{scene_id}/similar", tag = "scenes", params(("scene_id" = uuid::Uuid, Path), SimilarParams), responses((status = OK, body = Similar)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(scene_id): Path<SceneId>,
    Query(params): Query<SimilarParams>,
) -> Result<Json<Similar>, ApiError> {
    scenes::find(&state.pool, caller.user_id(), scene_id, "en").await?;
    Ok(Json(Similar { items: similar(&state, caller.user_id(), scene_id, params.by, 20).await? }))
}
