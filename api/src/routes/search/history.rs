//! `GET` and `DELETE /searches/history`: what the person has searched for.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use heimdex_db::search::{self, AskedBefore};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::clean;
use crate::{auth::Caller, cursor, domain, error::ApiError, extract::Query, state::AppState};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryParams {
    /// 1 to 100, by default 20.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct HistoryPage {
    items: Vec<PastSearch>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PastSearch {
    query: String,
    /// The last time.
    searched_at: DateTime<Utc>,
    /// On the first page of the last time.
    hits: i32,
    /// Among the newest 5000 searches.
    times: i64,
}

impl From<AskedBefore> for PastSearch {
    fn from(asked: AskedBefore) -> Self {
        Self { query: asked.query, searched_at: asked.last_at, hits: asked.hits, times: asked.times }
    }
}

/// What a cursor is bound to: there is one history only.
const REQUEST: &str = "search history";

/// What the person has searched for: each query once, the last one first. Of the newest 5000 searches; searches by picture are not kept.
#[utoipa::path(get, path = "/searches/history", tag = "search", params(HistoryParams), responses((status = OK, body = HistoryPage)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<HistoryParams>,
) -> Result<Json<HistoryPage>, ApiError> {
    let limit = params.limit.or(20, 100)?;
    let before: Option<i64> = cursor::decode(&REQUEST, params.cursor.as_deref())?;
    let rows = search::history(&state.pool, caller.user_id(), before, i64::from(limit) + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &REQUEST, |last| last.last_id);
    Ok(Json(HistoryPage { items: rows.into_iter().map(PastSearch::from).collect(), next_cursor }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ForgetParams {
    /// Only this query, as the history has it. Without it everything is forgotten.
    query: Option<String>,
}

/// Forgets one query of the history, or all of it.
#[utoipa::path(delete, path = "/searches/history", tag = "search", params(ForgetParams), responses((status = NO_CONTENT, description = "It is forgotten")))]
pub async fn forget(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<ForgetParams>,
) -> Result<StatusCode, ApiError> {
    let query = params.query.as_deref().map(clean);
    if query.as_deref() == Some("") {
        return Err(ApiError::field("query", "empty", "query must be one of the history; leave it out to forget all."));
    }
    search::forget(&state.pool, caller.user_id(), query.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
