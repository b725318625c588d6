//! `GET /users/me/usage`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    quotas::{self, Quota},
    users,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{auth::Caller, error::ApiError, state::AppState};

#[derive(Serialize, ToSchema)]
pub struct Usage {
    #[schema(example = "free")]
    tier: &'static str,
    uploads_today: UploadsToday,
    storage_bytes: i64,
    video_count: i64,
    /// Null: no limit.
    max_duration_s: Option<i64>,
    max_size_bytes: i64,
    searches_per_minute: Option<i32>,
}

#[derive(Serialize, ToSchema)]
pub struct UploadsToday {
    used: i32,
    /// Null: no limit.
    limit: Option<i32>,
    resets_at: DateTime<Utc>,
}

/// What the person has used and what their tier allows.
#[utoipa::path(get, path = "/users/me/usage", tag = "users", responses((status = OK, body = Usage)))]
pub async fn usage(State(state): State<AppState>, caller: Caller) -> Result<Json<Usage>, ApiError> {
    let limits = state.config.limits.of(caller.user.tier);
    let (used, resets_at) = quotas::used(&state.pool, caller.user_id(), Quota::Uploads, Utc::now()).await?;
    let storage = users::storage_use(&state.pool, caller.user_id()).await?;
    Ok(Json(Usage {
        tier: caller.user.tier.as_str(),
        uploads_today: UploadsToday { used, limit: limits.uploads_per_day, resets_at },
        storage_bytes: storage.storage_bytes,
        video_count: storage.video_count,
        max_duration_s: limits.max_duration_s,
        max_size_bytes: limits.max_size_bytes,
        searches_per_minute: limits.searches_per_minute,
    }))
}
