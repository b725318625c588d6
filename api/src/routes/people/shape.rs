//! What a person looks like from outside.

use chrono::{DateTime, Utc};
use heimdex_db::{
    people::{self, GOOD_PHOTOS, MATCHED_FROM, PersonRow, PhotoRow},
    store::Store,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{error::ApiError, routes::videos::shape::signed};

#[derive(Serialize, ToSchema)]
pub struct Person {
    pub person_id: Uuid,
    /// Null for a cluster: faces that look alike and have no name yet.
    pub display_name: Option<String>,
    /// `unknown` (a cluster), `enrolling` (fewer photos than a dependable enrolment needs) or `enrolled`
    #[schema(example = "enrolled")]
    pub state: &'static str,
    /// Whether the library is looked through for them: from two accepted photos on, or once faces in videos were named.
    pub is_matched: bool,
    pub photos_accepted: i64,
    pub photos_checking: i64,
    /// Until the enrolment is good; 0 when it is.
    pub photos_missing: i64,
    /// Scenes they are in.
    pub scenes: i64,
    pub videos: i64,
    /// Signed, for ten minutes.
    pub cover_url: Option<String>,
    /// Null: nobody has agreed yet.
    pub consent: Option<ConsentGiven>,
    pub created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct ConsentGiven {
    pub at: DateTime<Utc>,
    pub note: String,
}

impl Person {
    pub async fn new(store: &Store, row: PersonRow) -> Result<Self, ApiError> {
        // A person known by faces of videos needs no photos.
        let missing = if row.faces_known > 0 { 0 } else { (GOOD_PHOTOS - row.photos_accepted).max(0) };
        let is_named = row.display_name.is_some();
        let state = match (is_named, missing) {
            (false, _) => "unknown",
            (true, 0) => "enrolled",
            (true, _) => "enrolling",
        };
        Ok(Self {
            person_id: row.person_id.0,
            state,
            is_matched: is_named
                && row.consent_at.is_some()
                && (row.photos_accepted >= MATCHED_FROM || row.faces_known > 0),
            photos_accepted: row.photos_accepted,
            photos_checking: row.photos_checking,
            photos_missing: if is_named { missing } else { 0 },
            scenes: row.scenes,
            videos: row.videos,
            cover_url: signed(store, row.cover_key.as_deref()).await?,
            consent: row.consent_at.map(|at| ConsentGiven { at, note: row.consent_note.unwrap_or_default() }),
            created_at: row.created_at,
            display_name: row.display_name,
        })
    }
}

#[derive(Serialize, ToSchema)]
pub struct Photo {
    pub photo_id: Uuid,
    /// `checking`, `accepted` or `rejected`
    #[schema(example = "accepted")]
    pub state: String,
    /// Why it was rejected; stable.
    #[schema(example = "several_faces")]
    pub code: Option<String>,
    /// Why, and what to do.
    pub message: Option<String>,
    /// Signed, for ten minutes; null until it is checked, and where it could not be read.
    pub url: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl Photo {
    pub async fn new(store: &Store, row: PhotoRow) -> Result<Self, ApiError> {
        Ok(Self {
            photo_id: row.photo_id.0,
            state: row.state,
            code: row.code,
            message: row.message,
            url: signed(store, row.object_key.as_deref()).await?,
            created_at: row.created_at,
        })
    }
}

/// A person with their photos.
#[derive(Serialize, ToSchema)]
pub struct PersonWithPhotos {
    #[serde(flatten)]
    pub person: Person,
    /// Oldest first.
    pub photos: Vec<Photo>,
}

/// Reads one of the owner's people.
pub async fn read(
    state: &crate::state::AppState,
    owner: heimdex_db::UserId,
    person: heimdex_db::PersonId,
) -> Result<PersonWithPhotos, ApiError> {
    let row = people::find(&state.pool, owner, person).await?;
    let mut photos = Vec::new();
    for photo in people::photos(&state.pool, owner, person).await? {
        photos.push(Photo::new(&state.store, photo).await?);
    }
    Ok(PersonWithPhotos { person: Person::new(&state.store, row).await?, photos })
}
