//! `GET` and `PATCH /users/me`.

use axum::{Json, extract::State};
use heimdex_db::{
    DbError,
    users::{self, ProfilePatch},
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::Me;
use crate::{
    auth::{Caller, claims},
    domain,
    error::ApiError,
    extract,
    origin::Origin,
    state::AppState,
};

/// The signed-in person.
#[utoipa::path(get, path = "/users/me", tag = "users", responses((status = OK, body = Me)))]
pub async fn get(caller: Caller) -> Json<Me> {
    Json(caller.user.into())
}

/// Fields to change; those left out stay, `null` empties.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileEdit {
    #[serde(default, deserialize_with = "given")]
    display_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    avatar_url: Option<Option<String>>,
    #[schema(example = "archivist")]
    role: Option<String>,
}

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Edits the signed-in person's profile.
#[utoipa::path(patch, path = "/users/me", tag = "users", request_body = ProfileEdit, responses((status = OK, body = Me)))]
pub async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    extract::Json(edit): extract::Json<ProfileEdit>,
) -> Result<Json<Me>, ApiError> {
    let patch = ProfilePatch {
        display_name: edit
            .display_name
            .map(|name| name.map(|name| domain::line("display_name", &name, claims::MAX_NAME_CHARS)).transpose())
            .transpose()?,
        avatar_url: edit
            .avatar_url
            .map(|url| url.map(|url| claims::web_url(&url).ok_or_else(|| not_a_url(&url))).transpose())
            .transpose()?,
        role: edit.role.as_deref().map(|role| domain::word("role", role)).transpose()?,
    };
    let mut tx = state.pool.begin().await?;
    users::update_profile(&mut tx, caller.user_id(), &patch, &origin.person(caller.user_id())).await?;
    tx.commit().await?;
    let subject = caller.user.supabase_user_id.ok_or(DbError::NotFound)?;
    let (user, _) = users::find_by_subject(&state.pool, subject, None).await?.ok_or(DbError::NotFound)?;
    Ok(Json(user.into()))
}

fn not_a_url(_: &str) -> ApiError {
    ApiError::field("avatar_url", "invalid", "avatar_url must be an http or https URL.")
}
