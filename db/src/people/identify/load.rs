//! What is known before it is decided, and what was decided.

use std::collections::{BTreeMap, BTreeSet};

use pgvector::Vector;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{
    Area, Span,
    decide::{Known, Said, Track},
};
use crate::{
    error::DbError,
    ids::{PersonId, RunId, UserId, VideoId},
    people::{MATCHED_FROM, REFERENCES},
};

/// Clusters that are looked at, the largest first.
const MAX_CLUSTERS: i64 = 50_000;

pub(super) async fn video(db: impl PgExecutor<'_>, owner: UserId, run: RunId) -> Result<VideoId, DbError> {
    sqlx::query_scalar!(
        r#"SELECT r.video_id AS "video_id: VideoId" FROM runs r JOIN videos v USING (video_id) WHERE r.run_id = $1 AND v.owner_id = $2"#,
        run.0,
        owner.0
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// The face models of a run's tracks: one, unless somebody mixed them.
pub(super) async fn models(db: impl PgExecutor<'_>, owner: UserId, run: RunId) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT DISTINCT face_model FROM face_tracks WHERE run_id = $1 AND owner_id = $2 ORDER BY 1",
        run.0,
        owner.0
    )
    .fetch_all(db)
    .await?)
}

pub(super) async fn tracks(
    db: impl PgExecutor<'_>,
    owner: UserId,
    run: RunId,
    model: &str,
) -> Result<Vec<Track>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT t.track_no, t.start_ms, t.end_ms, t.quality, t.face_vec AS "face_vec: Vector",
                  CASE WHEN p.display_name IS NULL THEN p.person_id END AS "cluster?: PersonId", d.area AS "area?: Vec<f32>"
           FROM face_tracks t
           LEFT JOIN face_profiles p ON p.person_id = t.person_id
           LEFT JOIN LATERAL (SELECT heimdex_mean_box(t.run_id, t.track_no) AS area) d ON true
           WHERE t.run_id = $1 AND t.owner_id = $2 AND t.face_model = $3 ORDER BY t.track_no"#,
        run.0,
        owner.0,
        model
    )
    .fetch_all(db)
    .await?;
    let tracks = rows.into_iter().map(|row| Track {
        track_no: row.track_no,
        span: Span { start_ms: row.start_ms, end_ms: row.end_ms },
        area: Area::read(row.area.as_deref()),
        quality: row.quality,
        vector: row.face_vec.map(|vector| vector.to_vec()),
        cluster: row.cluster,
    });
    Ok(tracks.collect())
}

/// What the owner decided about faces of a video, oldest first.
pub(super) async fn said(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<Vec<Said>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT person_id AS "person_id: PersonId", kind = 'assigned' AS "is_theirs!", start_ms, end_ms, area
           FROM face_decisions WHERE video_id = $1 AND owner_id = $2 ORDER BY seq"#,
        video.0,
        owner.0
    )
    .fetch_all(db)
    .await?;
    let said = rows.into_iter().map(|row| Said {
        person: row.person_id,
        is_theirs: row.is_theirs,
        span: Span { start_ms: row.start_ms, end_ms: row.end_ms },
        area: Area::read(row.area.as_deref()),
    });
    Ok(said.collect())
}

/// What named people with consent are known by, in the space of one model.
pub(super) async fn known(db: impl PgExecutor<'_>, owner: UserId, model: &str) -> Result<Known, DbError> {
    let rows = sqlx::query!(
        r#"WITH named AS MATERIALIZED (
               SELECT person_id FROM face_profiles WHERE owner_id = $1 AND display_name IS NOT NULL AND consent_at IS NOT NULL
           ), photos AS (
               SELECT person_id, photo_id AS id, face_vec, count(*) OVER (PARTITION BY person_id) AS of_person
               FROM face_photos WHERE owner_id = $1 AND face_model = $2 AND state = 'accepted'
           ), faces AS MATERIALIZED (
               -- The best of each person are one walk along `face_decisions_known`.
               SELECT n.person_id, d.id, d.face_vec FROM named n CROSS JOIN LATERAL (
                   SELECT decision_id AS id, face_vec FROM face_decisions
                   WHERE person_id = n.person_id AND owner_id = $1 AND face_model = $2 AND kind = 'assigned'
                   ORDER BY quality DESC NULLS LAST, seq LIMIT $4) d
           )
           SELECT person_id AS "person_id!: PersonId", r.face_vec AS "face_vec!: Vector"
           FROM (SELECT person_id, id, face_vec FROM photos
                 WHERE of_person >= $3 OR EXISTS (SELECT FROM faces f WHERE f.person_id = photos.person_id)
                 UNION ALL SELECT person_id, id, face_vec FROM faces) r
           JOIN named USING (person_id)
           ORDER BY person_id, r.id"#,
        owner.0,
        model,
        MATCHED_FROM,
        REFERENCES
    )
    .fetch_all(db)
    .await?;
    let mut known = Known::new();
    for row in rows {
        known.entry(row.person_id).or_default().push(row.face_vec.to_vec());
    }
    Ok(known)
}

/// The sums of the vectors of each cluster, in visible runs other than this one.
pub(super) async fn clusters(
    db: impl PgExecutor<'_>,
    owner: UserId,
    except: RunId,
    model: &str,
) -> Result<BTreeMap<PersonId, Vec<f32>>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT t.person_id AS "person_id!: PersonId", sum(t.face_vec) AS "sum!: Vector"
           FROM face_tracks t JOIN face_profiles p ON p.person_id = t.person_id JOIN videos v ON v.current_run_id = t.run_id
           WHERE t.owner_id = $1 AND t.face_model = $3 AND t.face_vec IS NOT NULL AND t.run_id <> $2 AND p.display_name IS NULL
           GROUP BY t.person_id ORDER BY count(*) DESC, t.person_id LIMIT $4"#,
        owner.0,
        except.0,
        model,
        MAX_CLUSTERS
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row.sum.to_vec())).collect())
}

pub(super) async fn named(db: impl PgExecutor<'_>, owner: UserId) -> Result<BTreeSet<PersonId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"SELECT person_id AS "person_id: PersonId" FROM face_profiles WHERE owner_id = $1 AND display_name IS NOT NULL"#,
        owner.0
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

/// Makes the cluster, unless it is there. False when the id is somebody's who has a name.
pub(super) async fn has_cluster(connection: &mut PgConnection, owner: UserId, id: PersonId) -> Result<bool, DbError> {
    sqlx::query!(
        "INSERT INTO face_profiles (person_id, owner_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        id.0,
        owner.0
    )
    .execute(&mut *connection)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM face_profiles WHERE person_id = $1 AND owner_id = $2 AND display_name IS NULL) AS "cluster!""#,
        id.0,
        owner.0
    )
    .fetch_one(connection)
    .await?)
}

/// Writes whose the tracks are; those not among them stay as they are.
pub(super) async fn write(
    connection: &mut PgConnection,
    run: RunId,
    model: &str,
    decided: &[(i32, Option<PersonId>, Option<f32>)],
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE face_tracks t SET person_id = d.person_id, similarity = d.similarity
         FROM unnest($3::int[], $4::uuid[], $5::real[]) AS d (track_no, person_id, similarity)
         WHERE t.run_id = $1 AND t.face_model = $2 AND t.track_no = d.track_no
           AND (t.person_id, t.similarity) IS DISTINCT FROM (d.person_id, d.similarity)",
        run.0,
        model,
        &decided.iter().map(|d| d.0).collect::<Vec<i32>>(),
        &decided.iter().map(|d| d.1.map(|person| person.0)).collect::<Vec<Option<Uuid>>>() as &[Option<Uuid>],
        &decided.iter().map(|d| d.2).collect::<Vec<Option<f32>>>() as &[Option<f32>]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Faces that the owner said are a person's get the vectors that this run found, so that people are known by them in the space of
/// the model in use.
pub(super) async fn learn(
    connection: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    run: RunId,
    model: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE face_decisions d SET face_vec = t.face_vec, face_model = t.face_model, quality = t.quality
         FROM face_tracks t
         WHERE d.video_id = $1 AND d.owner_id = $2 AND d.kind = 'assigned' AND d.face_model IS DISTINCT FROM $4
           AND t.run_id = $3 AND t.face_model = $4 AND t.person_id = d.person_id AND t.similarity IS NULL AND t.face_vec IS NOT NULL
           AND d.start_ms <= t.end_ms AND t.start_ms <= d.end_ms",
        video.0,
        owner.0,
        run.0,
        model
    )
    .execute(connection)
    .await?;
    Ok(())
}
