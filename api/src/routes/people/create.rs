//! `POST /people`.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use heimdex_db::people::{self, Consent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Faces, shape};
use crate::{auth::Caller, domain, error::ApiError, extract, idempotent::Idempotent, origin::Origin, state::AppState};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    #[schema(example = "Minji")]
    display_name: String,
    /// True: the person agreed to be recognised. Without it no photo is taken.
    #[serde(default)]
    consent: bool,
    /// How and when they agreed.
    consent_note: Option<String>,
}

/// What was noted of a consent; `false` is no consent, and none is taken back here.
pub(super) fn consent(given: bool, note: Option<&str>) -> Result<Option<Consent>, ApiError> {
    let note = note.map(|note| domain::paragraph("consent_note", note, 1000)).transpose()?;
    match (given, note.filter(|note| !note.is_empty())) {
        (true, Some(note)) => Ok(Some(Consent { note })),
        (true, None) => Err(ApiError::field(
            "consent_note",
            "empty",
            "consent_note must say how the person agreed, for example: by mail, on 3 May.",
        )),
        (false, Some(_)) => Err(ApiError::field("consent", "missing", "A consent_note belongs to `consent: true`.")),
        (false, None) => Ok(None),
    }
}

/// Makes a person with a name. Photos come next.
#[utoipa::path(post, path = "/people", tag = "people", request_body = NewPerson,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer for a day")),
    responses((status = CREATED, body = shape::PersonWithPhotos)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    origin: Origin,
    headers: HeaderMap,
    extract::Json(new): extract::Json<NewPerson>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let owner = caller.user_id();
    let name = domain::line("display_name", &new.display_name, 100)?;
    let consent = consent(new.consent, new.consent_note.as_deref())?;
    let once = Idempotent::read(&headers, &json!(["POST /people", &new]))?;
    let mut tx = people::begin(&state.pool).await?;
    if let Some(answer) = once.claim(&mut tx, owner).await? {
        return Ok(answer);
    }
    let person = people::create(&mut tx, owner, &name, consent.as_ref(), &origin.person(owner)).await?;
    let row = people::find(&mut *tx, owner, person).await?;
    let made = shape::PersonWithPhotos { person: shape::Person::new(&state.store, row).await?, photos: Vec::new() };
    let answer = once.remember(&mut tx, owner, StatusCode::CREATED, json!(made)).await?;
    tx.commit().await?;
    Ok(answer)
}
