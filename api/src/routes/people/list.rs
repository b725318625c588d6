//! `GET /people`.

use axum::{Json, extract::State};
use heimdex_db::{
    PersonId,
    people::{self, After, Kind},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Faces, shape::Person};
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
    /// `named` or `unknown`; by default both.
    kind: Option<String>,
    /// A part of the name, in any case.
    q: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PersonPage {
    items: Vec<Person>,
    next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Position {
    name: Option<String>,
    scenes: i64,
    id: Uuid,
}

/// People by name, then clusters of unknown faces, those seen in most scenes first.
#[utoipa::path(get, path = "/people", tag = "people", params(ListParams), responses((status = OK, body = PersonPage)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    Query(params): Query<ListParams>,
) -> Result<Json<PersonPage>, ApiError> {
    let limit = params.limit.or(24, 100)?;
    let kind = match params.kind.as_deref() {
        None => None,
        Some("named") => Some(Kind::Named),
        Some("unknown") => Some(Kind::Unknown),
        Some(_) => return Err(ApiError::field("kind", "unknown", "kind must be `named` or `unknown`.")),
    };
    let name = domain::given_line("q", params.q.as_deref(), 200)?;
    let request = ("people", &params.kind, &params.q);
    let position: Option<Position> = cursor::decode(&request, params.cursor.as_deref())?;
    // What no page has ended with, PostgreSQL may not even be able to read.
    if position.as_ref().is_some_and(|p| p.scenes < 0 || p.name.as_ref().is_some_and(|name| name.contains('\0'))) {
        return Err(cursor::invalid());
    }
    let after = position.map(|p| After { display_name: p.name, scenes: p.scenes, person_id: PersonId(p.id) });
    let rows = people::list(&state.pool, caller.user_id(), kind, name.as_deref(), after.as_ref(), i64::from(limit) + 1)
        .await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &request, |last| Position {
        name: last.display_name.clone(),
        scenes: last.scenes,
        id: last.person_id.0,
    });
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(Person::new(&state.store, row).await?);
    }
    Ok(Json(PersonPage { items, next_cursor }))
}
