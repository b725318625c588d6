//! `POST /people/{id}/merge`, `/split` and `/reject`: what the owner knows better. It holds for every later indexing.

use axum::{Json, extract::State, http::StatusCode};
use heimdex_db::{
    PersonId, SceneId,
    people::{self, FaceAt},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Faces,
    shape::{PersonWithPhotos, read},
};
use crate::{
    auth::Caller,
    error::ApiError,
    extract::{self, Path},
    origin::Origin,
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// Who is the same person; 1 to 50. They are gone afterwards.
    from: Vec<Uuid>,
}

/// Faces of the person: all of theirs in a scene, or one of them.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Face {
    scene_id: Uuid,
    /// As `GET /people/{id}/scenes` tells; left out: all of theirs in the scene.
    track_no: Option<i32>,
}

impl From<Face> for FaceAt {
    fn from(face: Face) -> Self {
        Self { scene_id: SceneId(face.scene_id), track_no: face.track_no }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// 1 to 500.
    faces: Vec<Face>,
}

fn some<T>(field: &str, items: &[T], most: usize) -> Result<(), ApiError> {
    if (1..=most).contains(&items.len()) {
        return Ok(());
    }
    Err(ApiError::field(field, "out_of_range", format!("{field} must have 1 to {most} items.")))
}

/// Says that others are this person. Photos, faces and decisions of theirs become this person's.
#[utoipa::path(post, path = "/people/{person_id}/merge", tag = "people", params(("person_id" = uuid::Uuid, Path)), request_body = Merge,
    responses((status = OK, body = PersonWithPhotos)))]
pub async fn merge(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    origin: Origin,
    Path(person): Path<PersonId>,
    extract::Json(merge): extract::Json<Merge>,
) -> Result<Json<PersonWithPhotos>, ApiError> {
    let owner = caller.user_id();
    some("from", &merge.from, 50)?;
    let mut from: Vec<PersonId> = merge.from.into_iter().map(PersonId).collect();
    from.sort_unstable();
    from.dedup();
    let mut tx = people::begin(&state.pool).await?;
    people::merge(&mut tx, owner, person, &from, &origin.person(owner)).await?;
    tx.commit().await?;
    read(&state, owner, person).await.map(Json)
}

/// Says that some of a person's faces are somebody else. They become a cluster of their own, which can be named.
#[utoipa::path(post, path = "/people/{person_id}/split", tag = "people", params(("person_id" = uuid::Uuid, Path)), request_body = Split,
    responses((status = CREATED, body = PersonWithPhotos)))]
pub async fn split(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    origin: Origin,
    Path(person): Path<PersonId>,
    extract::Json(split): extract::Json<Split>,
) -> Result<(StatusCode, Json<PersonWithPhotos>), ApiError> {
    let owner = caller.user_id();
    some("faces", &split.faces, 500)?;
    let faces: Vec<FaceAt> = split.faces.into_iter().map(Into::into).collect();
    let mut tx = people::begin(&state.pool).await?;
    let other = people::split(&mut tx, owner, person, &faces, &origin.person(owner)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(read(&state, owner, other).await?)))
}

/// Says "this is not that person" of a face. Who it is instead is found out in the background.
#[utoipa::path(post, path = "/people/{person_id}/reject", tag = "people", params(("person_id" = uuid::Uuid, Path)), request_body = Face,
    responses((status = NO_CONTENT)))]
pub async fn reject(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    Path(person): Path<PersonId>,
    extract::Json(face): extract::Json<Face>,
) -> Result<StatusCode, ApiError> {
    let mut tx = people::begin(&state.pool).await?;
    people::reject(&mut tx, caller.user_id(), person, face.into()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
