//! Shares: links to one moment of a video, for signed-in people, until they expire or are revoked.
//!
//! `POST` and `GET /videos/{id}/shares`, `DELETE /videos/{id}/shares/{share_id}` for the owner; `GET /shares/{token}` for whoever
//! has the link. They get a clip of the moment, cut for the share, and never the source. What the clip's own signed URL gives
//! away lives ten minutes longer than a revoked share at most, and the clip itself is removed with the share.

pub mod open;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{
    ShareId, VideoId,
    shares::{self, NewShare, ShareRow},
    videos,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::videos::part::Part;
use crate::{
    auth::Caller,
    error::ApiError,
    extract::{self, Path},
    origin::Origin,
    state::AppState,
};

const LONGEST_MS: i64 = 10 * 60_000;
const LONGEST_LIFE: TimeDelta = TimeDelta::days(30);
const USUAL_LIFE: TimeDelta = TimeDelta::days(7);
/// Whoever counts thirty days from their own clock may be ahead of ours.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    start_ms: i64,
    end_ms: i64,
    /// At most 30 days from now; by default in 7 days.
    expires_at: Option<DateTime<Utc>>,
}

/// A share as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct Share {
    share_id: Uuid,
    video_id: Uuid,
    start_ms: i64,
    end_ms: i64,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<ShareRow> for Share {
    fn from(row: ShareRow) -> Self {
        let ShareRow { share_id, video_id, start_ms, end_ms, created_at, expires_at } = row;
        Self { share_id: share_id.0, video_id: video_id.0, start_ms, end_ms, created_at, expires_at }
    }
}

#[derive(Serialize, ToSchema)]
pub struct NewShareAnswer {
    /// Shown this once.
    token: String,
    /// The page of the dashboard that shows the moment: put it behind this server's address.
    #[schema(example = "/app/s/Zk3fV0…")]
    path: String,
    #[serde(flatten)]
    share: Share,
}

#[derive(Serialize, ToSchema)]
pub struct Shares {
    items: Vec<Share>,
}

/// Shares a moment, at most ten minutes long, with whoever has the link and an account here. At most 100 live shares (409,
/// `conflict: too_many_shares`).
#[utoipa::path(post, path = "/videos/{video_id}/shares", tag = "shares", params(("video_id" = uuid::Uuid, Path)), request_body = ShareRequest,
    responses((status = CREATED, body = NewShareAnswer)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(video_id): Path<VideoId>,
    extract::Json(request): extract::Json<ShareRequest>,
) -> Result<(StatusCode, Json<NewShareAnswer>), ApiError> {
    let owner = caller.user_id();
    let part = Part::of(&state, owner, video_id, (request.start_ms, request.end_ms), LONGEST_MS).await?;
    let now = Utc::now();
    let expires_at = request.expires_at.unwrap_or(now + USUAL_LIFE);
    if expires_at <= now || expires_at > now + LONGEST_LIFE + CLOCKS_DIFFER {
        return Err(ApiError::field("expires_at", "out_of_range", "expires_at must be within 30 days from now."));
    }
    let expires_at = expires_at.min(now + LONGEST_LIFE);
    let token = open::Token::new();
    let hash = token.hash();
    let new = NewShare { token_hash: &hash, start_ms: part.start_ms, end_ms: part.end_ms, expires_at };
    let mut tx = state.pool.begin().await?;
    let made = shares::create(&mut tx, owner, video_id, &new, &origin.person(owner)).await?;
    tx.commit().await?;
    let path = format!("/app/s/{}", token.text());
    Ok((StatusCode::CREATED, Json(NewShareAnswer { token: token.text().to_owned(), path, share: made.into() })))
}

/// The live shares of a video, newest first; never their tokens.
#[utoipa::path(get, path = "/videos/{video_id}/shares", tag = "shares", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Shares)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Shares>, ApiError> {
    videos::exists(&state.pool, caller.user_id(), video_id).await?;
    let rows = shares::list(&state.pool, caller.user_id(), video_id).await?;
    Ok(Json(Shares { items: rows.into_iter().map(Into::into).collect() }))
}

/// Ends a share at once.
#[utoipa::path(delete, path = "/videos/{video_id}/shares/{share_id}", tag = "shares",
    params(("video_id" = uuid::Uuid, Path), ("share_id" = uuid::Uuid, Path)), responses((status = NO_CONTENT, description = "Its link no longer works")))]
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path((video_id, share_id)): Path<(VideoId, ShareId)>,
) -> Result<StatusCode, ApiError> {
    let owner = caller.user_id();
    let mut tx = state.pool.begin().await?;
    shares::revoke(&mut tx, owner, video_id, share_id, &origin.person(owner)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
