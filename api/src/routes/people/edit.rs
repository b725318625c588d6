//! `GET`, `PATCH` and `DELETE /people/{id}`.

use axum::{Json, extract::State, http::StatusCode};
use heimdex_db::{
    PersonId,
    people::{self, Edit},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Faces,
    create::consent,
    shape::{PersonWithPhotos, read},
};
use crate::{
    auth::Caller,
    domain,
    error::ApiError,
    extract::{self, Path},
    origin::Origin,
    state::AppState,
};

/// One person with their photos.
#[utoipa::path(get, path = "/people/{person_id}", tag = "people", params(("person_id" = uuid::Uuid, Path)), responses((status = OK, body = PersonWithPhotos)))]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    Path(person): Path<PersonId>,
) -> Result<Json<PersonWithPhotos>, ApiError> {
    read(&state, caller.user_id(), person).await.map(Json)
}

/// Fields to change; those left out stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonEdit {
    display_name: Option<String>,
    /// True: the person agreed. To take a consent back, delete the person.
    consent: Option<bool>,
    consent_note: Option<String>,
}

/// Renames a person, or gives a cluster its name: then the faces in it are what the person is known by, and the library is looked
/// through for more of them. A cluster is only named with consent (422 `consent_required`).
#[utoipa::path(patch, path = "/people/{person_id}", tag = "people", params(("person_id" = uuid::Uuid, Path)), request_body = PersonEdit,
    responses((status = OK, body = PersonWithPhotos)))]
pub async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    origin: Origin,
    Path(person): Path<PersonId>,
    extract::Json(given): extract::Json<PersonEdit>,
) -> Result<Json<PersonWithPhotos>, ApiError> {
    let owner = caller.user_id();
    // Whose it is not, is told nothing of what the fields should be.
    people::consent_of(&state.pool, owner, person).await?;
    if given.consent == Some(false) {
        return Err(ApiError::field(
            "consent",
            "cannot_be_taken_back",
            "To take a consent back, delete the person: photos and vectors go with them.",
        ));
    }
    let edit = Edit {
        display_name: given.display_name.map(|name| domain::line("display_name", &name, 100)).transpose()?,
        consent: consent(given.consent.unwrap_or(false), given.consent_note.as_deref())?,
    };
    let mut tx = people::begin(&state.pool).await?;
    people::edit(&mut tx, owner, person, &edit, &origin.person(owner)).await?;
    tx.commit().await?;
    read(&state, owner, person).await.map(Json)
}

/// Deletes a person, with photos, vectors and everything their face was cut out into. Videos stay as they are.
#[utoipa::path(delete, path = "/people/{person_id}", tag = "people", params(("person_id" = uuid::Uuid, Path)), responses((status = NO_CONTENT)))]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    origin: Origin,
    Path(person): Path<PersonId>,
) -> Result<StatusCode, ApiError> {
    let owner = caller.user_id();
    let mut tx = people::begin(&state.pool).await?;
    people::delete(&mut tx, owner, person, &origin.person(owner)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
