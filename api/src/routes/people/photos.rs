//! `POST` and `GET /people/{id}/photos`, `DELETE /people/{id}/photos/{photo_id}`.
//!
//! The API keeps the bytes and looks at none of them: a worker reads them in its sandbox and says what became of the photo, on the
//! person and on the event stream.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use heimdex_db::{
    DbError, PersonId, PhotoId, keys,
    people::{self, NewPhoto},
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    Faces,
    shape::{Photo, read},
};
use crate::{
    auth::Caller,
    error::ApiError,
    extract::{Path, SentPicture},
    idempotent::Idempotent,
    origin::Origin,
    state::AppState,
};

/// Adds a photo; the body is the file. A worker checks it: exactly one face, large and sharp enough, seen from the front, and like
/// the person's other photos. 3 to 10 photos make a dependable enrolment; from the second accepted one on the person is looked for.
#[utoipa::path(post, path = "/people/{person_id}/photos", tag = "people",
    params(("person_id" = uuid::Uuid, Path), ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer for a day")),
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"))),
    responses((status = ACCEPTED, body = Photo)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    origin: Origin,
    Path(person): Path<PersonId>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let owner = caller.user_id();
    if people::consent_of(&state.pool, owner, person).await?.is_none() {
        return Err(DbError::Conflict("consent_required").into());
    }
    let headers = request.headers().clone();
    let SentPicture { bytes, mime_type: declared } = SentPicture::from_request(request, &()).await?;
    let digest = hex::encode(Sha256::digest(&bytes));
    let once = Idempotent::read(&headers, &json!(["POST /people/photos", person, declared, digest]))?;
    let new = NewPhoto { photo_id: PhotoId::new(), person_id: person };
    // Before the transaction, which must not wait for S3. What is left without a row goes with the person.
    let key = keys::sent_photo(owner, person, new.photo_id);
    state.store.put_bytes(&key, bytes.into(), &declared).await?;
    match take_in(&state, &caller, origin, &once, &new).await {
        Ok((answer, is_new)) => {
            if !is_new {
                forget(&state, &key).await;
            }
            Ok(answer)
        }
        Err(error) => {
            forget(&state, &key).await;
            Err(error)
        }
    }
}

type Answer = (StatusCode, Json<Value>);

/// True when this call, and not one before with the same key, took the photo in.
async fn take_in(
    state: &AppState,
    caller: &Caller,
    origin: Origin,
    once: &Idempotent,
    new: &NewPhoto,
) -> Result<(Answer, bool), ApiError> {
    let owner = caller.user_id();
    let mut tx = people::begin(&state.pool).await?;
    if let Some(answer) = once.claim(&mut tx, owner).await? {
        return Ok((answer, false));
    }
    let row = people::add_photo(&mut tx, owner, new, &origin.person(owner)).await?;
    let photo = Photo::new(&state.store, row).await?;
    let answer = once.remember(&mut tx, owner, StatusCode::ACCEPTED, json!(photo)).await?;
    tx.commit().await?;
    Ok((answer, true))
}

async fn forget(state: &AppState, key: &str) {
    if let Err(error) = state.store.delete(key).await {
        tracing::warn!(error = &error as &dyn std::error::Error, key, "a photo without a row was left behind");
    }
}

#[derive(Serialize, ToSchema)]
pub struct Photos {
    items: Vec<Photo>,
}

/// The person's photos, oldest first, and what became of each.
#[utoipa::path(get, path = "/people/{person_id}/photos", tag = "people", params(("person_id" = uuid::Uuid, Path)), responses((status = OK, body = Photos)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    Path(person): Path<PersonId>,
) -> Result<Json<Photos>, ApiError> {
    Ok(Json(Photos { items: read(&state, caller.user_id(), person).await?.photos }))
}

/// Deletes a photo with its vector.
#[utoipa::path(delete, path = "/people/{person_id}/photos/{photo_id}", tag = "people",
    params(("person_id" = uuid::Uuid, Path), ("photo_id" = uuid::Uuid, Path)), responses((status = NO_CONTENT)))]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    Path((person, photo)): Path<(PersonId, PhotoId)>,
) -> Result<StatusCode, ApiError> {
    let mut tx = people::begin(&state.pool).await?;
    people::delete_photo(&mut tx, caller.user_id(), person, photo).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
