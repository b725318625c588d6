//! Making, naming and deleting people.

use sqlx::PgConnection;

use super::{MAX_NAMED, decisions, library, lock, photos::objects_of};
use crate::{
    audit::{self, Action, By, Event, Whom},
    error::DbError,
    ids::{PersonId, UserId},
    keys,
    tasks::{self, Unwanted},
};

/// That somebody agreed to be recognised, as the owner noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub note: String,
}

/// What to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    pub display_name: Option<String>,
    pub consent: Option<Consent>,
}

/// Makes a person with a name.
///
/// # Errors
/// [`DbError::Conflict`] `too_many_people`.
pub async fn create(
    connection: &mut PgConnection,
    owner: UserId,
    name: &str,
    consent: Option<&Consent>,
    by: &By,
) -> Result<PersonId, DbError> {
    lock(&mut *connection, owner).await?;
    has_room(&mut *connection, owner).await?;
    let person = PersonId::new();
    sqlx::query!(
        "INSERT INTO face_profiles (person_id, owner_id, display_name) VALUES ($1, $2, $3)",
        person.0,
        owner.0,
        name
    )
    .execute(&mut *connection)
    .await?;
    note(&mut *connection, owner, person, Action::PersonMade, by).await?;
    if let Some(consent) = consent {
        record_consent(connection, owner, person, consent, by).await?;
    }
    Ok(person)
}

async fn has_room(connection: &mut PgConnection, owner: UserId) -> Result<(), DbError> {
    let named = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM face_profiles WHERE owner_id = $1 AND display_name IS NOT NULL"#,
        owner.0
    )
    .fetch_one(connection)
    .await?;
    if named >= MAX_NAMED { Err(DbError::Conflict("too_many_people")) } else { Ok(()) }
}

async fn record_consent(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    consent: &Consent,
    by: &By,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE face_profiles SET consent_at = coalesce(consent_at, now()), consent_by = coalesce(consent_by, $2), consent_note = $3
         WHERE person_id = $1 AND owner_id = $2",
        person.0,
        owner.0,
        consent.note
    )
    .execute(&mut *connection)
    .await?;
    note(connection, owner, person, Action::ConsentRecorded, by).await
}

/// Names and consents outlive nobody: the history has the person's id only.
pub(super) async fn note(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    action: Action,
    by: &By,
) -> Result<(), DbError> {
    audit::record(connection, by, Event::new(action, Whom::User(owner)).target(person.to_string())).await
}

/// Renames a person, names a cluster, records a consent. Naming a cluster is an enrolment: its faces are from then on what the
/// person is known by, and the library is looked through for more of them.
///
/// # Errors
/// [`DbError::Conflict`] `consent_required` when a cluster is to be named and nobody has agreed; `too_many_people`.
pub async fn edit(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    edit: &Edit,
    by: &By,
) -> Result<(), DbError> {
    lock(&mut *connection, owner).await?;
    let before = sqlx::query!(
        "SELECT display_name, consent_at FROM face_profiles WHERE person_id = $1 AND owner_id = $2",
        person.0,
        owner.0
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(DbError::NotFound)?;
    if let Some(consent) = &edit.consent {
        record_consent(&mut *connection, owner, person, consent, by).await?;
    }
    let Some(name) = &edit.display_name else { return Ok(()) };
    let is_cluster = before.display_name.is_none();
    if is_cluster {
        if before.consent_at.is_none() && edit.consent.is_none() {
            return Err(DbError::Conflict("consent_required"));
        }
        has_room(&mut *connection, owner).await?;
    }
    sqlx::query!(
        "UPDATE face_profiles SET display_name = $3 WHERE person_id = $1 AND owner_id = $2",
        person.0,
        owner.0,
        name
    )
    .execute(&mut *connection)
    .await?;
    if is_cluster {
        decisions::keep_all(&mut *connection, owner, person).await?;
        library::request_match(&mut *connection, owner, person).await?;
        note(connection, owner, person, Action::PersonNamed, by).await?;
    }
    Ok(())
}

/// Deletes a person with everything that tells them: photos, and the vectors and cut-out faces of every place they were seen in, in
/// every run. What is known of others stays as it is. Another indexing of the same videos finds their faces again, as unknown ones.
pub async fn delete(connection: &mut PgConnection, owner: UserId, person: PersonId, by: &By) -> Result<(), DbError> {
    lock(&mut *connection, owner).await?;
    let covers = sqlx::query_scalar!(
        r#"UPDATE face_tracks t SET face_vec = NULL, cover_key = NULL, person_id = NULL, similarity = NULL
           FROM (SELECT run_id, track_no, cover_key FROM face_tracks WHERE owner_id = $1 AND person_id = $2 FOR UPDATE) before
           WHERE t.run_id = before.run_id AND t.track_no = before.track_no RETURNING before.cover_key"#,
        owner.0,
        person.0
    )
    .fetch_all(&mut *connection)
    .await?;
    let photos = sqlx::query!(
        "SELECT object_key, sent_key FROM face_photos WHERE owner_id = $1 AND person_id = $2",
        owner.0,
        person.0
    )
    .fetch_all(&mut *connection)
    .await?;
    let photos = photos.into_iter().flat_map(|photo| objects_of(photo.object_key, photo.sent_key));
    let gone = sqlx::query!("DELETE FROM face_profiles WHERE person_id = $1 AND owner_id = $2", person.0, owner.0)
        .execute(&mut *connection)
        .await?;
    if gone.rows_affected() == 0 {
        return Err(DbError::NotFound);
    }
    let unwanted = Unwanted {
        keys: covers.into_iter().flatten().chain(photos).collect(),
        prefixes: vec![keys::person_prefix(owner, person)],
        ..Unwanted::default()
    };
    tasks::delete_objects(&mut *connection, &unwanted).await?;
    note(connection, owner, person, Action::PersonDeleted, by).await
}

/// Removes clusters that nothing visible, and nothing that is being indexed, has a face of. One that the owner said a face is of stays:
/// the decision finds that face again in the next run, and with the cluster it would be gone. Under [`lock`].
pub async fn forget_orphans(connection: &mut PgConnection, owner: UserId) -> Result<(), DbError> {
    sqlx::query!(
        "DELETE FROM face_profiles p WHERE p.owner_id = $1 AND p.display_name IS NULL AND p.consent_at IS NULL
           AND NOT EXISTS (SELECT FROM face_decisions d WHERE d.person_id = p.person_id AND d.kind = 'assigned')
           AND NOT EXISTS (SELECT FROM face_tracks t JOIN runs r USING (run_id) JOIN videos v USING (video_id)
                           WHERE t.person_id = p.person_id AND (v.current_run_id = t.run_id OR r.state IN ('pending', 'running')))",
        owner.0
    )
    .execute(connection)
    .await?;
    Ok(())
}
