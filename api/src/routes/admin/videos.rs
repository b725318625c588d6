//! `GET /admin/videos` and `PUT /admin/videos/{video_id}/priority`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    UserId, VideoId,
    audit::{self, Action, Event, Whom},
    ledger::{self, MAX_PRIORITY},
    operator::videos::{self, VideoFilter, VideoLine},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::refused;
use crate::{
    auth::guard::Operator,
    cursor, domain,
    error::ApiError,
    extract::{self, Path, Query},
    origin::Origin,
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AdminVideoParams {
    /// 1 to 100, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same other parameters.
    cursor: Option<String>,
    /// `uploading`, `validating`, `processing`, `indexed`, `failed` or `deleted`
    #[param(example = "failed")]
    state: Option<String>,
    owner_id: Option<Uuid>,
    video_id: Option<Uuid>,
}

#[derive(Serialize, ToSchema)]
pub struct AdminVideoPage {
    items: Vec<AdminVideo>,
    next_cursor: Option<String>,
}

/// Somebody's video: what it takes and how it fares. Not what it is called or shows, which is its owner's alone and
/// mends nothing.
#[derive(Serialize, ToSchema)]
pub struct AdminVideo {
    video_id: Uuid,
    owner_id: Uuid,
    owner_email: Option<String>,
    #[schema(example = "indexed")]
    state: &'static str,
    /// As announced while it is being sent.
    size_bytes: i64,
    duration_ms: Option<i64>,
    failure_code: Option<String>,
    failure_message: Option<String>,
    /// Its newest run.
    run_id: Option<Uuid>,
    #[schema(example = "running")]
    run_state: Option<&'static str>,
    /// 0 to 9, of what is left to do; null when nothing is.
    priority: Option<i16>,
    created_at: DateTime<Utc>,
    indexed_at: Option<DateTime<Utc>>,
    /// Of a deleted one.
    purge_after: Option<DateTime<Utc>>,
}

impl From<VideoLine> for AdminVideo {
    fn from(video: VideoLine) -> Self {
        Self {
            video_id: video.video_id.0,
            owner_id: video.owner_id.0,
            owner_email: video.owner_email,
            state: video.state.as_str(),
            size_bytes: video.size_bytes,
            duration_ms: video.duration_ms,
            failure_code: video.failure_code,
            failure_message: video.failure_message,
            run_id: video.run_id.map(|id| id.0),
            run_state: video.run_state.map(heimdex_db::JobState::as_str),
            priority: video.priority,
            created_at: video.created_at,
            indexed_at: video.indexed_at,
            purge_after: video.purge_after,
        }
    }
}

/// Everybody's videos, newest first. For operators and admins.
#[utoipa::path(get, path = "/admin/videos", tag = "admin", params(AdminVideoParams), responses((status = OK, body = AdminVideoPage)))]
pub async fn list(
    State(state): State<AppState>,
    Operator(_caller): Operator,
    Query(params): Query<AdminVideoParams>,
) -> Result<Json<AdminVideoPage>, ApiError> {
    let limit = params.limit.or(50, 100)?;
    let filter = VideoFilter {
        video: params.video_id.map(VideoId),
        owner: params.owner_id.map(UserId),
        state: domain::given_word("state", params.state.as_deref())?,
    };
    let request = (&params.state, params.owner_id, params.video_id);
    let after = cursor::decode::<(cursor::Time, VideoId)>(&request, params.cursor.as_deref())?;
    let after = after.map(|(at, id)| (at.0, id));
    let rows = videos::list(&state.pool, &filter, after, i64::from(limit) + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &request, |last| (last.created_at, last.video_id));
    Ok(Json(AdminVideoPage { items: rows.into_iter().map(Into::into).collect(), next_cursor }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorityRequest {
    /// 0 to 9; more is earlier. Everything begins with 0.
    #[schema(example = 5)]
    priority: i16,
}

#[derive(Serialize, ToSchema)]
pub struct PriorityAnswer {
    video_id: Uuid,
    priority: i16,
}

/// Puts what is left to do for a video before the work of others. 409 (`conflict: no_run_active`) when nothing is being done
/// for it. For operators and admins.
#[utoipa::path(put, path = "/admin/videos/{video_id}/priority", tag = "admin", params(("video_id" = uuid::Uuid, Path)),
    request_body = PriorityRequest, responses((status = OK, body = PriorityAnswer)))]
pub async fn prioritise(
    State(state): State<AppState>,
    Operator(caller): Operator,
    origin: Origin,
    Path(video_id): Path<VideoId>,
    extract::Json(request): extract::Json<PriorityRequest>,
) -> Result<Json<PriorityAnswer>, ApiError> {
    let priority = request.priority;
    if !(0..=MAX_PRIORITY).contains(&priority) {
        let detail = format!("priority must be between 0 and {MAX_PRIORITY}.");
        return Err(ApiError::field("priority", "out_of_range", detail));
    }
    let mut tx = state.pool.begin().await?;
    let (owner, before) = ledger::set_priority(&mut tx, video_id, priority).await.map_err(refused)?;
    if before != priority {
        let event = Event::new(Action::PrioritySet, Whom::User(owner))
            .target(video_id.to_string())
            .changed(json!({ "priority": before }), json!({ "priority": priority }));
        audit::record(&mut *tx, &origin.person(caller.user_id()), event).await?;
    }
    tx.commit().await?;
    Ok(Json(PriorityAnswer { video_id: video_id.0, priority }))
}
