//! People as their owner sees them: how well they are known, where they are seen, a picture of them.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    error::DbError,
    ids::{PersonId, UserId},
};

/// Which of them; `None` is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Named,
    Unknown,
}

/// A person or a cluster.
#[derive(Clone, Debug)]
pub struct PersonRow {
    pub person_id: PersonId,
    /// None for a cluster.
    pub display_name: Option<String>,
    pub consent_at: Option<DateTime<Utc>>,
    pub consent_note: Option<String>,
    pub created_at: DateTime<Utc>,
    pub photos_accepted: i64,
    pub photos_checking: i64,
    /// Faces that the owner said are theirs and that they are known by.
    pub faces_known: i64,
    /// Visible scenes and videos they are in.
    pub scenes: i64,
    pub videos: i64,
    /// Cut out of their best face in visible runs, else an accepted photo.
    pub cover_key: Option<String>,
}

/// Where a page ended.
#[derive(Clone, Debug)]
pub struct After {
    pub display_name: Option<String>,
    pub scenes: i64,
    pub person_id: PersonId,
}

/// Those with a name first, by name; then clusters, those that are seen most first. With `name`, those in whose name it is.
pub async fn list(
    db: impl PgExecutor<'_>,
    owner: UserId,
    kind: Option<Kind>,
    name: Option<&str>,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<PersonRow>, DbError> {
    rows(db, owner, None, kind, name, after, limit).await
}

/// One of them.
pub async fn find(db: impl PgExecutor<'_>, owner: UserId, person: PersonId) -> Result<PersonRow, DbError> {
    rows(db, owner, Some(person), None, None, None, 1).await?.pop().ok_or(DbError::NotFound)
}

/// When somebody recorded that this person agreed; cheap, unlike [`find`].
///
/// # Errors
/// [`DbError::NotFound`] when the person is not the owner's.
pub async fn consent_of(
    db: impl PgExecutor<'_>,
    owner: UserId,
    person: PersonId,
) -> Result<Option<DateTime<Utc>>, DbError> {
    sqlx::query_scalar!(
        "SELECT consent_at FROM face_profiles WHERE person_id = $1 AND owner_id = $2",
        person.0,
        owner.0
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

async fn rows(
    db: impl PgExecutor<'_>,
    owner: UserId,
    only: Option<PersonId>,
    kind: Option<Kind>,
    name: Option<&str>,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<PersonRow>, DbError> {
    Ok(sqlx::query_as!(
        PersonRow,
        r#"WITH seen AS MATERIALIZED (
               SELECT s.person_id, count(*) AS scenes, count(DISTINCT v.video_id) AS videos
               FROM scene_people s JOIN videos v ON v.current_run_id = s.run_id AND v.state <> 'deleted'
               WHERE s.owner_id = $1 AND v.owner_id = $1 AND ($2::uuid IS NULL OR s.person_id = $2) GROUP BY s.person_id
           ), page AS MATERIALIZED (
               SELECT p.*, coalesce(seen.scenes, 0) AS scenes, coalesce(seen.videos, 0) AS videos
               FROM face_profiles p LEFT JOIN seen USING (person_id)
               WHERE p.owner_id = $1 AND ($2::uuid IS NULL OR p.person_id = $2)
                 -- A cluster that is nowhere to be seen is of no use to anybody.
                 AND ($2::uuid IS NOT NULL OR p.display_name IS NOT NULL OR seen.scenes > 0)
                 AND ($3::bool IS NULL OR (p.display_name IS NOT NULL) = $3)
                 AND ($8::text IS NULL OR strpos(lower(p.display_name), lower($8)) > 0)
                 AND ($5::uuid IS NULL OR (p.display_name IS NULL, lower(coalesce(p.display_name, '')), -coalesce(seen.scenes, 0), p.person_id)
                                          > ($4::text IS NULL, lower(coalesce($4, '')), -$6::bigint, $5))
               ORDER BY p.display_name IS NULL, lower(coalesce(p.display_name, '')), -coalesce(seen.scenes, 0), p.person_id LIMIT $7
           )
           SELECT p.person_id AS "person_id!: PersonId", p.display_name, p.consent_at, p.consent_note, p.created_at AS "created_at!",
                  (SELECT count(*) FROM face_photos f WHERE f.person_id = p.person_id AND f.state = 'accepted') AS "photos_accepted!",
                  (SELECT count(*) FROM face_photos f WHERE f.person_id = p.person_id AND f.state = 'checking') AS "photos_checking!",
                  (SELECT count(*) FROM face_decisions d WHERE d.person_id = p.person_id AND d.kind = 'assigned' AND d.face_vec IS NOT NULL) AS "faces_known!",
                  p.scenes AS "scenes!", p.videos AS "videos!",
                  coalesce((SELECT t.cover_key FROM face_tracks t JOIN videos v ON v.current_run_id = t.run_id AND v.state <> 'deleted'
                            WHERE t.person_id = p.person_id AND t.owner_id = $1 AND t.cover_key IS NOT NULL
                            ORDER BY t.quality DESC, t.run_id, t.track_no LIMIT 1),
                           (SELECT f.object_key FROM face_photos f WHERE f.person_id = p.person_id AND f.state = 'accepted'
                            ORDER BY f.quality DESC NULLS LAST, f.photo_id LIMIT 1)) AS cover_key
           FROM page p
           ORDER BY p.display_name IS NULL, lower(coalesce(p.display_name, '')), -p.scenes, p.person_id"#,
        owner.0,
        only.map(|person| person.0),
        kind.map(|kind| kind == Kind::Named),
        after.and_then(|after| after.display_name.as_deref()),
        after.map(|after| after.person_id.0),
        after.map_or(0, |after| after.scenes),
        limit,
        name
    )
    .fetch_all(db)
    .await?)
}
