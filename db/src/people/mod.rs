//! People: who the owner has named, the photos they are known by, clusters of unknown faces, and who is in which scene.
//!
//! A person is a row of `face_profiles`. Without a name it is a cluster: faces that look alike and wait to be named. What a
//! person is known by are vectors of one face model: those of accepted photos, and those of faces that the owner said are
//! theirs (`face_decisions`). Vectors of different models are never compared.
//!
//! A named person with consent is looked for once there are [`MATCHED_FROM`] accepted photos, or one face that the owner said is
//! theirs: two photos that agree say already whose face is meant. [`GOOD_PHOTOS`] make it dependable; with fewer the person is
//! shown as `enrolling`, and how many are missing.
//!
//! Whatever writes `face_tracks.person_id` holds the owner's lock ([`lock`]), taken after those of a run and its work and before
//! those of rows, so that an enrolment and an indexing that happen at once take turns.

mod decisions;
mod identify;
mod library;
mod list;
mod merge;
mod photos;
mod profiles;
mod scenes;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub use decisions::{FaceAt, reject, split};
pub use identify::{Identified, Thresholds, identify};
pub(crate) use library::request_match_if_decided;
pub use library::{
    MATCH_PERSON, MatchPerson, fitting_runs, model_of_run, request_match, request_match_of_run, visible_runs,
};
pub use list::{After, Kind, PersonRow, consent_of, find, list};
pub use merge::merge;
pub use photos::{
    CHECK_PHOTO, CheckPhoto, NewPhoto, PhotoRow, PhotoState, ToCheck, Verdict, add_photo, delete_photo,
    of_other_models, photos, references_of, set_verdict, to_check,
};
pub use profiles::{Consent, Edit, create, delete, edit, forget_orphans};
pub use scenes::{InScene, PersonScene, PersonTrack, in_scenes, scenes_of};

use crate::{Tx, error::DbError, ids::UserId};

/// Accepted photos from which a person is looked for.
pub const MATCHED_FROM: i64 = 2;
/// Accepted photos of a good enrolment.
pub const GOOD_PHOTOS: i64 = 3;
/// Photos a person may have; rejected ones do not count.
pub const MAX_PHOTOS: i64 = 10;
/// Faces the owner said are a person's that count as references, the best first. More say nothing new.
const REFERENCES: i64 = 20;
/// People with a name an owner may have.
pub const MAX_NAMED: i64 = 1000;

/// A transaction of somebody who waits for an answer: it waits three seconds for [`lock`] and other locks, then fails
/// ([`DbError::is_busy`]), so that a long indexing does not hold as many connections as there are requests.
pub async fn begin(pool: &PgPool) -> Result<Tx, DbError> {
    let mut tx = pool.begin().await?;
    sqlx::query!("SET LOCAL lock_timeout = '3s'").execute(&mut *tx).await?;
    Ok(tx)
}

/// Makes everything that says whose faces are whose in this library take turns, until the transaction ends.
pub async fn lock(connection: &mut PgConnection, owner: UserId) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('people:' || $1::uuid::text, 0))", owner.0)
        .execute(connection)
        .await?;
    Ok(())
}

fn uuids<T: Copy>(ids: &[T]) -> Vec<Uuid>
where
    Uuid: From<T>,
{
    ids.iter().map(|&id| id.into()).collect()
}
