//! `GET /videos`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    VideoId, VideoState,
    videos::{self, After, ListQuery, Sort, VideoRow},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::shape::Video;
use crate::{auth::Caller, cursor, domain, error::ApiError, extract::Query, state::AppState};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// 1 to 100, by default 24.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same other parameters.
    cursor: Option<String>,
    #[param(example = "indexed")]
    state: Option<String>,
    /// Words or a part of the title.
    q: Option<String>,
    /// `newest` (default), `oldest` or `title`.
    sort: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct VideoPage {
    items: Vec<Video>,
    next_cursor: Option<String>,
}

/// The person's videos, a page at a time.
#[utoipa::path(get, path = "/videos", tag = "videos", params(ListParams), responses((status = OK, body = VideoPage)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<VideoPage>, ApiError> {
    let limit = params.limit.or(24, 100)?;
    let sort = match params.sort.as_deref() {
        None | Some("newest" | "") => Sort::Newest,
        Some("oldest") => Sort::Oldest,
        Some("title") => Sort::Title,
        Some(_) => return Err(ApiError::field("sort", "unknown", "sort must be one of: newest, oldest, title.")),
    };
    let video_state = match params.state.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse::<VideoState>().map_err(|e| ApiError::field("state", "unknown", e.to_string()))?),
    };
    let text = match params.q.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(q) => Some(domain::line("q", q, 200)?),
    };
    let request = (&params.state, &params.q, &params.sort);
    let after = match &params.cursor {
        Some(text) => Some(position(sort, cursor::decode(&request, text)?)?),
        None => None,
    };
    let query = ListQuery { state: video_state, text, sort, after, limit: i64::from(limit) + 1 };
    let mut rows = videos::list(&state.pool, caller.user_id(), &query).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|last| cursor::encode(&request, &Position::of(sort, last)));
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(Video::new(&state.store, row).await?);
    }
    Ok(Json(VideoPage { items, next_cursor }))
}

/// The last video of a page.
#[derive(Serialize, Deserialize)]
struct Position {
    id: VideoId,
    at: DateTime<Utc>,
    title: Option<String>,
}

impl Position {
    fn of(sort: Sort, row: &VideoRow) -> Self {
        Self { id: row.video_id, at: row.created_at, title: (sort == Sort::Title).then(|| row.title.clone()) }
    }
}

fn position(sort: Sort, position: Position) -> Result<After, ApiError> {
    match sort {
        Sort::Title => Ok(After::Title(position.title.unwrap_or_default().replace('\0', ""), position.id)),
        _ if !domain::is_in_calendar(position.at) => Err(cursor::invalid()),
        Sort::Newest | Sort::Oldest => Ok(After::CreatedAt(position.at, position.id)),
    }
}
