//! `GET /videos` and `GET /videos/ids`: the library, a page at a time.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    VideoId,
    videos::{self, After, ListQuery, ListedRow, Sort, VideoRow},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::shape::Video;
use crate::{auth::Caller, cursor, domain, error::ApiError, extract::Query, state::AppState};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// 1 to 100, by default 24; of ids alone 1 to 5000, by default 1000.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same other parameters.
    cursor: Option<String>,
    #[param(example = "indexed")]
    state: Option<String>,
    /// Words or a part of the title.
    q: Option<String>,
    /// One of the person's own tags, exactly as it is written.
    tag: Option<String>,
    /// Added at this time or later.
    created_after: Option<DateTime<Utc>>,
    /// Added before this time.
    created_before: Option<DateTime<Utc>>,
    /// Of exactly this size.
    size_bytes: Option<i64>,
    /// `newest` (default), `oldest`, `title`, `duration` (longest first) or `indexed` (last indexed first).
    sort: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct VideoPage {
    items: Vec<Video>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct VideoIdPage {
    items: Vec<Uuid>,
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
    let query = params.read(limit)?;
    let rows = videos::list(&state.pool, caller.user_id(), &query).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &params.request(), |last| Position::of(query.sort, last));
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(Video::new(&state.store, row).await?);
    }
    Ok(Json(VideoPage { items, next_cursor }))
}

/// The ids of the same list, many at a time: to choose all of it.
#[utoipa::path(get, path = "/videos/ids", tag = "videos", params(ListParams), responses((status = OK, body = VideoIdPage)))]
pub async fn ids(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Json<VideoIdPage>, ApiError> {
    let limit = params.limit.or(1000, 5000)?;
    let query = params.read(limit)?;
    let rows = videos::list_ids(&state.pool, caller.user_id(), &query).await?;
    let (rows, next_cursor) =
        cursor::page(rows, limit, &params.request(), |last| Position::of_listed(query.sort, last));
    Ok(Json(VideoIdPage { items: rows.into_iter().map(|row| row.video_id.0).collect(), next_cursor }))
}

impl ListParams {
    /// Checks everything; asks for one more than `limit`, which tells whether there is another page.
    fn read(&self, limit: u32) -> Result<ListQuery, ApiError> {
        let sort = match domain::given(self.sort.as_deref()) {
            None | Some("newest") => Sort::Newest,
            Some("oldest") => Sort::Oldest,
            Some("title") => Sort::Title,
            Some("duration") => Sort::Duration,
            Some("indexed") => Sort::Indexed,
            Some(_) => {
                let sentence = "sort must be one of: newest, oldest, title, duration, indexed.";
                return Err(ApiError::field("sort", "unknown", sentence));
            }
        };
        let state = domain::given_word("state", self.state.as_deref())?;
        let position: Option<Position> = cursor::decode(&self.request(), self.cursor.as_deref())?;
        Ok(ListQuery {
            state,
            text: domain::given_line("q", self.q.as_deref(), 200)?,
            tag: domain::given_line("tag", self.tag.as_deref(), 60)?,
            created_after: domain::time("created_after", self.created_after)?,
            created_before: domain::time("created_before", self.created_before)?,
            size_bytes: self.size_bytes,
            sort,
            after: position.map(|position| position.after(sort)),
            limit: i64::from(limit) + 1,
        })
    }

    /// What must be the same on the next page.
    fn request(&self) -> impl Serialize {
        let texts = [self.state.clone(), self.q.clone(), self.tag.clone(), self.sort.clone()];
        (texts, self.created_after, self.created_before, self.size_bytes)
    }
}

/// The last video of a page: what the order needs of it.
#[derive(Serialize, Deserialize)]
struct Position {
    id: VideoId,
    at: cursor::Time,
    title: Option<String>,
    duration_ms: Option<i64>,
    indexed_at: Option<cursor::Time>,
}

impl Position {
    fn of(sort: Sort, row: &VideoRow) -> Self {
        Self::new(sort, row.video_id, row.created_at, &row.title, row.duration_ms, row.indexed_at)
    }

    fn of_listed(sort: Sort, row: &ListedRow) -> Self {
        Self::new(sort, row.video_id, row.created_at, &row.title, row.duration_ms, row.indexed_at)
    }

    fn new(
        sort: Sort,
        id: VideoId,
        at: DateTime<Utc>,
        title: &str,
        duration_ms: Option<i64>,
        indexed_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            id,
            at: cursor::Time(at),
            title: (sort == Sort::Title).then(|| title.to_owned()),
            duration_ms: duration_ms.filter(|_| sort == Sort::Duration),
            indexed_at: indexed_at.filter(|_| sort == Sort::Indexed).map(cursor::Time),
        }
    }

    /// Nothing in it is trusted to be what we wrote.
    fn after(self, sort: Sort) -> After {
        match sort {
            Sort::Newest | Sort::Oldest => After::CreatedAt(self.at.0, self.id),
            Sort::Title => After::Title(self.title.unwrap_or_default().replace('\0', ""), self.id),
            Sort::Duration => After::Duration(self.duration_ms, self.id),
            Sort::Indexed => After::IndexedAt(self.indexed_at.map(|at| at.0), self.id),
        }
    }
}
