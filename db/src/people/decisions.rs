//! What owners decide about faces: these faces are somebody else, this is not them (`merge`: these two are one). Each is written
//! down by its place in the video (`face_decisions`), so that it holds for every run to come.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    forget_orphans,
    identify::{Area, Span, is_same_face},
    library, lock,
    profiles::note,
    uuids,
};
use crate::{
    audit::{Action, By},
    error::DbError,
    ids::{PersonId, RunId, SceneId, UserId},
};

/// Faces of a person in the visible run: one track of a scene, or all of theirs in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceAt {
    pub scene_id: SceneId,
    pub track_no: Option<i32>,
}

/// Rows of `face_tracks`.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    pub runs: Vec<RunId>,
    pub numbers: Vec<i32>,
}

impl Tracks {
    fn runs(&self) -> Vec<RunId> {
        let mut runs = self.runs.clone();
        runs.sort_unstable();
        runs.dedup();
        runs
    }
}

/// Says that these faces of a person are somebody else: they become a cluster of their own, which is answered.
///
/// # Errors
/// [`DbError::NotFound`] when the person is not the owner's, or has no such face.
pub async fn split(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    faces: &[FaceAt],
    by: &By,
) -> Result<PersonId, DbError> {
    lock(&mut *connection, owner).await?;
    let tracks = theirs(&mut *connection, owner, person, faces).await?;
    let other = PersonId::new();
    sqlx::query!("INSERT INTO face_profiles (person_id, owner_id) VALUES ($1, $2)", other.0, owner.0)
        .execute(&mut *connection)
        .await?;
    decide(&mut *connection, owner, person, &tracks, "rejected").await?;
    give(&mut *connection, owner, &tracks, Some(other)).await?;
    decide(&mut *connection, owner, other, &tracks, "assigned").await?;
    note(&mut *connection, owner, person, Action::PersonSplit, by).await?;
    forget_orphans(connection, owner).await?;
    Ok(other)
}

/// Says that these faces are not this person. Whose they are is found out by a task.
///
/// # Errors
/// As [`split`].
pub async fn reject(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    face: FaceAt,
) -> Result<(), DbError> {
    lock(&mut *connection, owner).await?;
    let tracks = theirs(&mut *connection, owner, person, &[face]).await?;
    decide(&mut *connection, owner, person, &tracks, "rejected").await?;
    give(&mut *connection, owner, &tracks, None).await?;
    for run in tracks.runs() {
        library::request_match_of_run(&mut *connection, owner, run).await?;
    }
    forget_orphans(connection, owner).await
}

/// The person's tracks at these places, in visible runs.
async fn theirs(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    faces: &[FaceAt],
) -> Result<Tracks, DbError> {
    let scenes: Vec<SceneId> = faces.iter().map(|face| face.scene_id).collect();
    let numbers: Vec<Option<i32>> = faces.iter().map(|face| face.track_no).collect();
    let rows = sqlx::query!(
        r#"SELECT t.run_id AS "run_id: RunId", t.track_no, array_agg(DISTINCT a.place) AS "places!"
           FROM unnest($3::uuid[], $4::int[]) WITH ORDINALITY AS a (scene_id, track_no, place)
           JOIN face_tracks t ON t.scene_id = a.scene_id AND (a.track_no IS NULL OR t.track_no = a.track_no)
           JOIN videos v ON v.current_run_id = t.run_id AND v.owner_id = $1 AND v.state <> 'deleted'
           WHERE t.owner_id = $1 AND t.person_id = $2
           GROUP BY t.run_id, t.track_no ORDER BY t.run_id, t.track_no"#,
        owner.0,
        person.0,
        &uuids(&scenes),
        &numbers as &[Option<i32>]
    )
    .fetch_all(connection)
    .await?;
    let (mut tracks, mut found) = (Tracks::default(), BTreeSet::new());
    for row in rows {
        tracks.runs.push(row.run_id);
        tracks.numbers.push(row.track_no);
        found.extend(row.places);
    }
    // Every place that was named must have a face of theirs: half of a decision is none.
    if tracks.runs.is_empty() || found.len() != faces.len() {
        return Err(DbError::NotFound);
    }
    Ok(tracks)
}

async fn give(
    connection: &mut PgConnection,
    owner: UserId,
    tracks: &Tracks,
    whose: Option<PersonId>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE face_tracks t SET person_id = $2, similarity = NULL
         FROM unnest($3::uuid[], $4::int[]) AS w (run_id, track_no)
         WHERE t.owner_id = $1 AND t.run_id = w.run_id AND t.track_no = w.track_no",
        owner.0,
        whose.map(|person| person.0),
        &uuids(&tracks.runs),
        &tracks.numbers
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a decision for each track, by its place, and forgets what it contradicts or repeats.
pub(super) async fn decide(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    tracks: &Tracks,
    kind: &str,
) -> Result<(), DbError> {
    forget_contrary(&mut *connection, owner, person, tracks, kind).await?;
    sqlx::query!(
        "INSERT INTO face_decisions (owner_id, video_id, person_id, kind, start_ms, end_ms, area, face_vec, face_model, quality)
         SELECT $1, r.video_id, $2, $3, t.start_ms, t.end_ms, heimdex_mean_box(t.run_id, t.track_no),
                CASE WHEN $3 = 'assigned' THEN t.face_vec END, CASE WHEN $3 = 'assigned' AND t.face_vec IS NOT NULL THEN t.face_model END, t.quality
         FROM unnest($4::uuid[], $5::int[]) AS w (run_id, track_no)
         JOIN face_tracks t ON t.run_id = w.run_id AND t.track_no = w.track_no JOIN runs r ON r.run_id = t.run_id
         WHERE t.owner_id = $1 ORDER BY t.run_id, t.track_no",
        owner.0,
        person.0,
        kind,
        &uuids(&tracks.runs),
        &tracks.numbers
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A face that is somebody's is nobody else's, and one that is refused is not what the person is known by.
async fn forget_contrary(
    connection: &mut PgConnection,
    owner: UserId,
    person: PersonId,
    tracks: &Tracks,
    kind: &str,
) -> Result<(), DbError> {
    let faces = sqlx::query!(
        r#"SELECT r.video_id, t.start_ms, t.end_ms, heimdex_mean_box(t.run_id, t.track_no) AS area
           FROM unnest($2::uuid[], $3::int[]) AS w (run_id, track_no)
           JOIN face_tracks t ON t.run_id = w.run_id AND t.track_no = w.track_no JOIN runs r ON r.run_id = t.run_id
           WHERE t.owner_id = $1"#,
        owner.0,
        &uuids(&tracks.runs),
        &tracks.numbers
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut places: HashMap<Uuid, Vec<(Span, Option<Area>)>> = HashMap::new();
    for face in faces {
        let span = Span { start_ms: face.start_ms, end_ms: face.end_ms };
        places.entry(face.video_id).or_default().push((span, Area::read(face.area.as_deref())));
    }
    let videos: Vec<Uuid> = places.keys().copied().collect();
    let earlier = sqlx::query!(
        "SELECT decision_id, video_id, start_ms, end_ms, area FROM face_decisions
         WHERE owner_id = $1 AND video_id = ANY($2)
           AND CASE WHEN $4 = 'assigned' THEN kind = 'assigned' OR person_id = $3 ELSE person_id = $3 END",
        owner.0,
        &videos,
        person.0,
        kind
    )
    .fetch_all(&mut *connection)
    .await?;
    let contrary: Vec<Uuid> = earlier
        .into_iter()
        .filter(|old| {
            let (span, area) = (Span { start_ms: old.start_ms, end_ms: old.end_ms }, Area::read(old.area.as_deref()));
            let here = places.get(&old.video_id).map(Vec::as_slice).unwrap_or_default();
            // What was said of a whole scene is more than what is said of one face in it.
            here.iter().any(|&place| place.1.is_some() == area.is_some() && is_same_face(place, (span, area)))
        })
        .map(|old| old.decision_id)
        .collect();
    sqlx::query!("DELETE FROM face_decisions WHERE decision_id = ANY($1)", &contrary).execute(connection).await?;
    Ok(())
}

/// Says that all faces of a person are theirs: what naming a cluster means. The rows say so already, and without a similarity.
pub(super) async fn keep_all(connection: &mut PgConnection, owner: UserId, person: PersonId) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"SELECT t.run_id AS "run_id: RunId", t.track_no FROM face_tracks t JOIN videos v ON v.current_run_id = t.run_id
           WHERE t.owner_id = $1 AND t.person_id = $2 ORDER BY 1, 2"#,
        owner.0,
        person.0
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tracks = Tracks::default();
    for row in rows {
        tracks.runs.push(row.run_id);
        tracks.numbers.push(row.track_no);
    }
    decide(connection, owner, person, &tracks, "assigned").await
}
