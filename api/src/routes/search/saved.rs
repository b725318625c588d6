//! `GET` and `POST /searches/saved`, `PATCH` and `DELETE /searches/saved/{id}`: searches that a person keeps by name.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use heimdex_db::{
    DbError,
    search::{self, MAX_SAVED, SavedSearch as Row},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    filters::SearchFilters,
    query::{SearchRequest, check},
};
use crate::{
    auth::Caller,
    cursor, domain,
    error::{ApiError, Code},
    extract::{self, Path, Query},
    state::AppState,
};

const MAX_NAME_CHARS: usize = 100;
/// Of a request as it is kept: a query and filters as long as those of a person, not of a program.
const MAX_REQUEST_BYTES: usize = 32 << 10;

/// A search without its page. It passes what `POST /search` checks, so that it can be sent there as it is.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptSearch {
    #[schema(example = "tag:car person:minji")]
    query: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<BTreeMap<String, f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filters: Option<SearchFilters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_video: Option<usize>,
}

impl KeptSearch {
    /// As it is kept, if it is one that can be carried out.
    fn checked(mut self) -> Result<Value, ApiError> {
        let request = SearchRequest {
            query: self.query.clone(),
            limit: domain::Limit::default(),
            cursor: None,
            channels: self.channels.clone(),
            weights: self.weights.clone(),
            filters: self.filters.clone(),
            per_video: self.per_video,
        };
        // Without control characters, of which a database takes not every one.
        self.query = check(&request)?;
        let kept = serde_json::to_value(&self).map_err(|error| ApiError::internal(&error))?;
        if kept.to_string().len() > MAX_REQUEST_BYTES {
            return Err(ApiError::field("request", "too_long", "A saved search has at most 32 KiB."));
        }
        Ok(kept)
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSavedSearch {
    /// 1 to 100 characters; each name once.
    #[schema(example = "Minji's cars")]
    name: String,
    request: KeptSearch,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedSearchChange {
    name: Option<String>,
    request: Option<KeptSearch>,
}

#[derive(Serialize, ToSchema)]
pub struct SavedSearch {
    saved_id: Uuid,
    name: String,
    /// What to send to `POST /search`.
    #[schema(value_type = KeptSearch)]
    request: Value,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for SavedSearch {
    fn from(row: Row) -> Self {
        let Row { saved_id, name, request, created_at, updated_at } = row;
        Self { saved_id, name, request, created_at, updated_at }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SavedParams {
    /// 1 to 100, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SavedPage {
    items: Vec<SavedSearch>,
    next_cursor: Option<String>,
}

/// What a cursor is bound to: there is one list only.
const REQUEST: &str = "saved searches";

/// The person's saved searches, newest first.
#[utoipa::path(get, path = "/searches/saved", tag = "search", params(SavedParams), responses((status = OK, body = SavedPage)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<SavedParams>,
) -> Result<Json<SavedPage>, ApiError> {
    let limit = params.limit.or(50, 100)?;
    let after = cursor::decode::<(cursor::Time, Uuid)>(&REQUEST, params.cursor.as_deref())?;
    let after = after.map(|(at, id)| (at.0, id));
    let rows = search::saved(&state.pool, caller.user_id(), after, i64::from(limit) + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &REQUEST, |last| (last.created_at, last.saved_id));
    Ok(Json(SavedPage { items: rows.into_iter().map(SavedSearch::from).collect(), next_cursor }))
}

/// Keeps a search by name. It is checked as `POST /search` checks it, with the same errors. 409 with `conflict: name_taken`, or
/// `too_many_saved_searches` from 200 on.
#[utoipa::path(post, path = "/searches/saved", tag = "search", request_body = NewSavedSearch, responses((status = CREATED, body = SavedSearch)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    extract::Json(new): extract::Json<NewSavedSearch>,
) -> Result<(StatusCode, Json<SavedSearch>), ApiError> {
    let name = domain::line("name", &new.name, MAX_NAME_CHARS)?;
    let request = new.request.checked()?;
    let mut tx = state.pool.begin().await?;
    let made = search::save(&mut tx, caller.user_id(), &name, &request).await.map_err(|error| taken(error, &name))?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Renames a saved search or keeps another one under its name. 409 with `conflict: name_taken`.
#[utoipa::path(patch, path = "/searches/saved/{saved_id}", tag = "search", params(("saved_id" = uuid::Uuid, Path)),
    request_body = SavedSearchChange, responses((status = OK, body = SavedSearch)))]
pub async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Path(saved_id): Path<Uuid>,
    extract::Json(change): extract::Json<SavedSearchChange>,
) -> Result<Json<SavedSearch>, ApiError> {
    let name = change.name.map(|name| domain::line("name", &name, MAX_NAME_CHARS)).transpose()?;
    let request = change.request.map(KeptSearch::checked).transpose()?;
    let changed =
        search::change_saved(&state.pool, caller.user_id(), saved_id, name.as_deref(), request.as_ref()).await;
    Ok(Json(changed.map_err(|error| taken(error, name.as_deref().unwrap_or_default()))?.into()))
}

/// Deletes a saved search.
#[utoipa::path(delete, path = "/searches/saved/{saved_id}", tag = "search", params(("saved_id" = uuid::Uuid, Path)),
    responses((status = NO_CONTENT, description = "It is gone")))]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(saved_id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    search::delete_saved(&state.pool, caller.user_id(), saved_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Conflicts with a sentence.
fn taken(error: DbError, name: &str) -> ApiError {
    let (code, sentence) = match error {
        DbError::Conflict(code @ "name_taken") => {
            (code, format!("There is a saved search \"{name}\" already; choose another name."))
        }
        DbError::Conflict(code @ "too_many_saved_searches") => {
            (code, format!("There are {MAX_SAVED} saved searches already; delete one to keep another."))
        }
        other => return other.into(),
    };
    ApiError::new(Code::Conflict).with("conflict", code).detail(sentence)
}
