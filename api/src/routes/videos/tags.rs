//! `GET /videos/tags`.

use axum::{Json, extract::State};
use heimdex_db::videos;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{auth::Caller, domain, error::ApiError, extract::Query, state::AppState};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TagParams {
    /// 1 to 200, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// A part of the tag.
    q: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct OwnTags {
    items: Vec<OwnTag>,
}

#[derive(Serialize, ToSchema)]
pub struct OwnTag {
    tag: String,
    /// How many of the person's videos have it.
    videos: i64,
}

/// The tags that the person has given to their videos, the most used first: suggestions, so there is no second page.
#[utoipa::path(get, path = "/videos/tags", tag = "videos", params(TagParams), responses((status = OK, body = OwnTags)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<TagParams>,
) -> Result<Json<OwnTags>, ApiError> {
    let limit = params.limit.or(50, 200)?;
    let text = match params.q.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(q) => Some(domain::line("q", q, 60)?),
    };
    let tags = videos::own_tags(&state.pool, caller.user_id(), text.as_deref(), i64::from(limit)).await?;
    Ok(Json(OwnTags { items: tags.into_iter().map(|own| OwnTag { tag: own.tag, videos: own.videos }).collect() }))
}
