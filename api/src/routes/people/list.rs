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
    let name = match params.q.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(q) => Some(domain::line("q", q, 200)?),
    };
    let request = ("people", &params.kind, &params.q);
    let position = params.cursor.as_deref().map(|text| cursor::decode::<Position>(&request, text)).transpose()?;
    // What no page has ended with, PostgreSQL may not even be able to read.
    if position.as_ref().is_some_and(|p| p.scenes < 0 || p.name.as_ref().is_some_and(|name| name.contains('\0'))) {
        return Err(cursor::invalid());
    }
    let after = position.map(|p| After { display_name: p.name, scenes: p.scenes, person_id: PersonId(p.id) });
    let mut rows =
        people::list(&state.pool, caller.user_id(), kind, name.as_deref(), after.as_ref(), i64::from(limit) + 1)
            .await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| {
        let position = Position { name: row.display_name.clone(), scenes: row.scenes, id: row.person_id.0 };
        cursor::encode(&request, &position)
    });
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(Person::new(&state.store, row).await?);
    }
    Ok(Json(PersonPage { items, next_cursor }))
}
