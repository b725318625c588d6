//! Two people are one, says the owner.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    decisions::{Tracks, decide},
    library, lock,
    profiles::note,
    uuids,
};
use crate::{
    audit::{Action, By},
    error::DbError,
    ids::{PersonId, RunId, UserId},
};

/// Says that these people are one: photos, faces and decisions of `from` become those of `into`, which takes over a name and a consent
/// where it has none. Of `from` nothing is left. The person may then have more photos than can be added.
///
/// # Errors
/// [`DbError::NotFound`] when one of them is not the owner's; [`DbError::Conflict`] `merge_with_itself`, or `consent_required` when
/// they would have a name and nobody has agreed. After an error the transaction is of no further use.
pub async fn merge(
    connection: &mut PgConnection,
    owner: UserId,
    into: PersonId,
    from: &[PersonId],
    by: &By,
) -> Result<(), DbError> {
    if from.contains(&into) {
        return Err(DbError::Conflict("merge_with_itself"));
    }
    lock(&mut *connection, owner).await?;
    let ids = uuids(from);
    let there = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM face_profiles WHERE owner_id = $1 AND (person_id = $2 OR person_id = ANY($3))"#,
        owner.0,
        into.0,
        &ids
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut wanted = ids.clone();
    wanted.sort_unstable();
    wanted.dedup();
    if usize::try_from(there).ok() != Some(wanted.len() + 1) {
        return Err(DbError::NotFound);
    }
    take_over(&mut *connection, owner, into, &ids).await?;
    // What was refused for one of them was refused for the person they are; the faces the owner has just called theirs are not.
    sqlx::query!(
        "UPDATE face_decisions SET person_id = $2 WHERE owner_id = $1 AND person_id = ANY($3)",
        owner.0,
        into.0,
        &ids
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE face_photos SET person_id = $2 WHERE owner_id = $1 AND person_id = ANY($3)",
        owner.0,
        into.0,
        &ids
    )
    .execute(&mut *connection)
    .await?;
    let moved = sqlx::query!(
        r#"UPDATE face_tracks SET person_id = $2, similarity = NULL WHERE owner_id = $1 AND person_id = ANY($3)
           RETURNING run_id AS "run_id: RunId", track_no"#,
        owner.0,
        into.0,
        &ids
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tracks = Tracks::default();
    for row in moved {
        tracks.runs.push(row.run_id);
        tracks.numbers.push(row.track_no);
    }
    decide(&mut *connection, owner, into, &tracks, "assigned").await?;
    sqlx::query!("DELETE FROM face_profiles WHERE owner_id = $1 AND person_id = ANY($2)", owner.0, &ids)
        .execute(&mut *connection)
        .await?;
    library::request_match(&mut *connection, owner, into).await?;
    note(connection, owner, into, Action::PeopleMerged, by).await
}

/// Gives a person the name and the consent of others, where they have none of their own. The two may come from different ones.
async fn take_over(connection: &mut PgConnection, owner: UserId, into: PersonId, from: &[Uuid]) -> Result<(), DbError> {
    let has_agreed = sqlx::query_scalar!(
        r#"UPDATE face_profiles p SET display_name = coalesce(p.display_name, n.display_name),
               consent_at = coalesce(p.consent_at, c.consent_at), consent_note = CASE WHEN p.consent_at IS NULL THEN c.consent_note ELSE p.consent_note END,
               consent_by = CASE WHEN p.consent_at IS NULL THEN c.consent_by ELSE p.consent_by END
           FROM (SELECT 1) AS one
           LEFT JOIN (SELECT display_name FROM face_profiles WHERE person_id = ANY($3) AND owner_id = $1 AND display_name IS NOT NULL
                      ORDER BY consent_at NULLS LAST, display_name, person_id LIMIT 1) n ON true
           LEFT JOIN (SELECT consent_at, consent_note, consent_by FROM face_profiles
                      WHERE person_id = ANY($3) AND owner_id = $1 AND consent_at IS NOT NULL ORDER BY consent_at, person_id LIMIT 1) c ON true
           WHERE p.person_id = $2 AND p.owner_id = $1
           RETURNING p.display_name IS NULL OR p.consent_at IS NOT NULL AS "has_agreed!""#,
        owner.0,
        into.0,
        from
    )
    .fetch_one(connection)
    .await?;
    if has_agreed { Ok(()) } else { Err(DbError::Conflict("consent_required")) }
}
