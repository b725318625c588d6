//! Photos a person is known by: taken in as they are, checked by a worker, accepted or rejected with a reason.

use chrono::{DateTime, Utc};
use pgvector::Vector;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{MATCHED_FROM, MAX_PHOTOS, library, lock};
use crate::{
    audit::{self, Action, By, Event, Whom},
    error::DbError,
    ids::{PersonId, PhotoId, UserId},
    keys,
    tasks::{self, NewTask, Unwanted},
};

/// Checks a photo; payload [`CheckPhoto`].
pub const CHECK_PHOTO: &str = "check_photo";

/// Payload of [`CHECK_PHOTO`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPhoto {
    pub photo_id: PhotoId,
    /// What was sent; none when a checked copy is looked at again. Tells where a copy may lie once the row is gone.
    #[serde(default)]
    pub sent_key: Option<String>,
}

/// What became of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoState {
    Checking,
    Accepted,
    Rejected,
}

impl PhotoState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// A photo that lies in the object storage already, under [`keys::sent_photo`].
#[derive(Clone, Copy, Debug)]
pub struct NewPhoto {
    pub photo_id: PhotoId,
    pub person_id: PersonId,
}

/// A photo as its owner sees it.
#[derive(Clone, Debug)]
pub struct PhotoRow {
    pub photo_id: PhotoId,
    pub state: String,
    /// Why it was rejected.
    pub code: Option<String>,
    pub message: Option<String>,
    /// The copy without metadata; none before it is checked, or where it could not be read.
    pub object_key: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// The person's photos, oldest first.
pub async fn photos(db: impl PgExecutor<'_>, owner: UserId, person: PersonId) -> Result<Vec<PhotoRow>, DbError> {
    Ok(sqlx::query_as!(
        PhotoRow,
        r#"SELECT photo_id AS "photo_id: PhotoId", state, code, message, object_key, created_at FROM face_photos
           WHERE person_id = $1 AND owner_id = $2 ORDER BY created_at, photo_id"#,
        person.0,
        owner.0
    )
    .fetch_all(db)
    .await?)
}

/// Takes a photo in and has it checked. Rejected photos make room for it: the oldest go first.
///
/// # Errors
/// [`DbError::NotFound`]; [`DbError::Conflict`] `consent_required`, `too_many_photos`.
pub async fn add_photo(
    connection: &mut PgConnection,
    owner: UserId,
    new: &NewPhoto,
    by: &By,
) -> Result<PhotoRow, DbError> {
    lock(&mut *connection, owner).await?;
    may_have_another(&mut *connection, owner, new.person_id).await?;
    let stale = sqlx::query!(
        "DELETE FROM face_photos WHERE photo_id IN (
             SELECT photo_id FROM face_photos WHERE person_id = $1 AND state = 'rejected'
             ORDER BY created_at DESC, photo_id DESC OFFSET $2)
         RETURNING object_key, sent_key",
        new.person_id.0,
        MAX_PHOTOS - 1
    )
    .fetch_all(&mut *connection)
    .await?;
    let stale: Vec<String> = stale.into_iter().flat_map(|row| objects_of(row.object_key, row.sent_key)).collect();
    if !stale.is_empty() {
        tasks::delete_objects(&mut *connection, &Unwanted { keys: stale, ..Unwanted::default() }).await?;
    }
    let sent_key = keys::sent_photo(owner, new.person_id, new.photo_id);
    let row = sqlx::query_as!(
        PhotoRow,
        r#"INSERT INTO face_photos (photo_id, person_id, owner_id, sent_key) VALUES ($1, $2, $3, $4)
           RETURNING photo_id AS "photo_id: PhotoId", state, code, message, object_key, created_at"#,
        new.photo_id.0,
        new.person_id.0,
        owner.0,
        sent_key
    )
    .fetch_one(&mut *connection)
    .await?;
    check(&mut *connection, owner, CheckPhoto { photo_id: new.photo_id, sent_key: Some(sent_key) }).await?;
    let event = Event::new(Action::PersonPhotoAdded, Whom::User(owner)).target(new.person_id.to_string());
    audit::record(connection, by, event).await?;
    Ok(row)
}

/// Whether a photo may be added now; see [`add_photo`].
async fn may_have_another(connection: &mut PgConnection, owner: UserId, person: PersonId) -> Result<(), DbError> {
    let now = sqlx::query!(
        r#"SELECT p.consent_at IS NOT NULL AS "consent!",
                  (SELECT count(*) FROM face_photos f WHERE f.person_id = p.person_id AND f.state <> 'rejected') AS "photos!"
           FROM face_profiles p WHERE p.person_id = $1 AND p.owner_id = $2"#,
        person.0,
        owner.0
    )
    .fetch_optional(connection)
    .await?
    .ok_or(DbError::NotFound)?;
    if !now.consent {
        return Err(DbError::Conflict("consent_required"));
    }
    if now.photos >= MAX_PHOTOS { Err(DbError::Conflict("too_many_photos")) } else { Ok(()) }
}

async fn check(connection: &mut PgConnection, owner: UserId, photo: CheckPhoto) -> Result<(), DbError> {
    let payload = serde_json::to_value(photo).map_err(|error| DbError::Queue(error.to_string()))?;
    let task = NewTask { kind: CHECK_PHOTO, owner_id: Some(owner), video_id: None, payload, run_at: None };
    tasks::enqueue(connection, &task).await.map(drop)
}

/// Every object a photo may have. The copy of a check that has not ended may be there already, without its row saying so.
pub(super) fn objects_of(object_key: Option<String>, sent_key: Option<String>) -> impl Iterator<Item = String> {
    let copy = sent_key.as_deref().map(keys::checked_photo);
    [object_key, sent_key, copy].into_iter().flatten()
}

/// Removes a photo. Where it was accepted, the library is looked through again without it.
pub async fn delete_photo(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    photo: PhotoId,
) -> Result<(), DbError> {
    lock(&mut *connection, owner).await?;
    let gone = sqlx::query!(
        "DELETE FROM face_photos WHERE photo_id = $1 AND person_id = $2 AND owner_id = $3 RETURNING state, object_key, sent_key",
        photo.0,
        person.0,
        owner.0
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(DbError::NotFound)?;
    let keys = objects_of(gone.object_key, gone.sent_key).collect();
    tasks::delete_objects(&mut *connection, &Unwanted { keys, ..Unwanted::default() }).await?;
    if gone.state == PhotoState::Accepted.as_str() {
        library::request_match(connection, owner, person).await?;
    }
    Ok(())
}

/// A photo that is to be looked at.
#[derive(Clone, Debug)]
pub struct ToCheck {
    pub photo_id: PhotoId,
    pub person_id: PersonId,
    pub owner_id: UserId,
    /// As it was sent; none once it was checked.
    pub sent_key: Option<String>,
    /// The checked copy, once there is one.
    pub object_key: Option<String>,
    pub state: String,
    pub face_model: Option<String>,
}

/// `None` when it was deleted.
pub async fn to_check(db: impl PgExecutor<'_>, photo: PhotoId) -> Result<Option<ToCheck>, DbError> {
    Ok(sqlx::query_as!(
        ToCheck,
        r#"SELECT photo_id AS "photo_id: PhotoId", person_id AS "person_id: PersonId", owner_id AS "owner_id: UserId",
                  sent_key, object_key, state, face_model
           FROM face_photos WHERE photo_id = $1"#,
        photo.0
    )
    .fetch_optional(db)
    .await?)
}

/// Vectors of the person's accepted photos but this one, in the space of a model: what another photo must be alike to.
pub async fn references_of(
    db: impl PgExecutor<'_>,
    person: PersonId,
    model: &str,
    except: PhotoId,
) -> Result<Vec<Vec<f32>>, DbError> {
    let rows = sqlx::query_scalar!(
        r#"SELECT face_vec AS "face_vec!: Vector" FROM face_photos
           WHERE person_id = $1 AND face_model = $2 AND state = 'accepted' AND photo_id <> $3 ORDER BY created_at, photo_id"#,
        person.0,
        model,
        except.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|vector| vector.to_vec()).collect())
}

/// What the check found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// One good face; its vector has length 1.
    Accepted { model: String, vector: Vec<f32>, quality: f32 },
    /// A stable code, and a sentence that says why and what to do.
    Rejected { code: String, message: String },
}

/// Writes what became of a photo; `object_key` is the copy without metadata, if there is one. What was sent is removed. False when the
/// photo was deleted meanwhile. An accepted photo has the library looked through, once there are enough of them.
pub async fn set_verdict(
    connection: &mut PgConnection,
    photo: &ToCheck,
    object_key: Option<&str>,
    verdict: &Verdict,
) -> Result<bool, DbError> {
    lock(&mut *connection, photo.owner_id).await?;
    let (state, code, message, model, vector, quality) = match verdict {
        Verdict::Accepted { model, vector, quality } => {
            (PhotoState::Accepted, None, None, Some(model.as_str()), Some(Vector::from(vector.clone())), Some(*quality))
        }
        Verdict::Rejected { code, message } => (PhotoState::Rejected, Some(code), Some(message), None, None, None),
    };
    // The person may be another by now: two were merged.
    let person = sqlx::query_scalar!(
        r#"UPDATE face_photos SET state = $2, code = $3, message = $4, face_model = $5, face_vec = $6, quality = $7,
               object_key = coalesce($8, object_key), sent_key = NULL, checked_at = now()
           WHERE photo_id = $1 RETURNING person_id AS "person_id: PersonId""#,
        photo.photo_id.0,
        state.as_str(),
        code,
        message,
        model,
        vector as Option<Vector>,
        quality,
        object_key
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(person) = person else { return Ok(false) };
    if let Some(sent) = &photo.sent_key {
        // Without a copy now, there may be one of an attempt that died.
        let copy = object_key.is_none().then(|| keys::checked_photo(sent));
        let keys = [sent.clone()].into_iter().chain(copy).collect();
        tasks::delete_objects(&mut *connection, &Unwanted { keys, ..Unwanted::default() }).await?;
    }
    let accepted = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM face_photos WHERE person_id = $1 AND state = 'accepted'"#,
        person.0
    )
    .fetch_one(&mut *connection)
    .await?;
    let was_accepted = photo.state == PhotoState::Accepted.as_str();
    if was_accepted || (state == PhotoState::Accepted && accepted >= MATCHED_FROM) {
        library::request_match(connection, photo.owner_id, person).await?;
    }
    Ok(true)
}

/// Has the owner's photos looked at again whose vectors are of another model than the one in use; answers with how many that were.
pub async fn of_other_models(connection: &mut PgConnection, owner: UserId, model: &str) -> Result<usize, DbError> {
    let photos: Vec<Uuid> = sqlx::query_scalar!(
        "SELECT f.photo_id FROM face_photos f
         WHERE f.owner_id = $1 AND f.state = 'accepted' AND f.face_model <> $2
           AND NOT EXISTS (SELECT FROM tasks t WHERE t.kind = $3 AND t.owner_id = $1 AND t.state IN ('pending', 'running')
                           AND t.payload ->> 'photo_id' = f.photo_id::text)
         ORDER BY f.photo_id",
        owner.0,
        model,
        CHECK_PHOTO
    )
    .fetch_all(&mut *connection)
    .await?;
    for &photo in &photos {
        check(&mut *connection, owner, CheckPhoto { photo_id: PhotoId(photo), sent_key: None }).await?;
    }
    Ok(photos.len())
}
