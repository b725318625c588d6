//! Who is in which scene. What that means is the view `scene_people`.

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{PersonId, RunId, SceneId, UserId, VideoId},
};

/// A person in a scene.
#[derive(Clone, Debug)]
pub struct InScene {
    pub scene_id: SceneId,
    pub person_id: PersonId,
    /// None for a cluster.
    pub display_name: Option<String>,
    /// Part of the scene's pictures that the person is seen in, 0 to 1.
    pub share: f32,
}

/// Who is in the scenes of a run, or in one of them: by scene, those with a name first, then those seen most.
pub async fn in_scenes(
    db: impl PgExecutor<'_>,
    owner: UserId,
    run: RunId,
    only: Option<SceneId>,
) -> Result<Vec<InScene>, DbError> {
    Ok(sqlx::query_as!(
        InScene,
        r#"SELECT s.scene_id AS "scene_id!: SceneId", s.person_id AS "person_id!: PersonId", p.display_name, s.share AS "share!"
           FROM scene_people s JOIN face_profiles p ON p.person_id = s.person_id AND p.owner_id = $1
           WHERE s.run_id = $2 AND s.owner_id = $1 AND ($3::uuid IS NULL OR s.scene_id = $3)
           ORDER BY s.scene_id, p.display_name IS NULL, s.share DESC, s.person_id"#,
        owner.0,
        run.0,
        only.map(|scene| scene.0)
    )
    .fetch_all(db)
    .await?)
}

/// A scene that a person is in.
#[derive(Clone, Debug)]
pub struct PersonScene {
    pub run_id: RunId,
    pub scene_id: SceneId,
    pub video_id: VideoId,
    pub video_title: String,
    pub ordinal: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    pub thumbnail_key: Option<String>,
    pub share: f32,
    pub tracks: Vec<PersonTrack>,
}

/// Where in the scene.
#[derive(Clone, Debug)]
pub struct PersonTrack {
    pub track_no: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    /// Cosine; none where the owner said so.
    pub similarity: Option<f32>,
    pub cover_key: Option<String>,
}

/// Visible scenes a person is in, by video and place in it, behind `after`.
pub async fn scenes_of(
    db: impl PgExecutor<'_>,
    owner: UserId,
    person: PersonId,
    after: Option<(VideoId, i32)>,
    limit: i64,
) -> Result<Vec<PersonScene>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT s.run_id AS "run_id: RunId", s.scene_id AS "scene_id: SceneId", s.video_id AS "video_id: VideoId", v.title, s.ordinal,
                  s.start_ms, s.end_ms, s.text, s.thumbnail_key, p.share AS "share!",
                  t.numbers AS "numbers!", t.starts AS "starts!", t.ends AS "ends!", t.scores AS "scores!: Vec<Option<f32>>",
                  t.covers AS "covers!: Vec<Option<String>>"
           FROM scene_people p JOIN scenes s ON s.run_id = p.run_id AND s.scene_id = p.scene_id
           JOIN videos v ON v.video_id = s.video_id AND v.current_run_id = s.run_id
           CROSS JOIN LATERAL (
               SELECT array_agg(f.track_no ORDER BY f.track_no) AS numbers, array_agg(f.start_ms ORDER BY f.track_no) AS starts,
                      array_agg(f.end_ms ORDER BY f.track_no) AS ends, array_agg(f.similarity ORDER BY f.track_no) AS scores,
                      array_agg(f.cover_key ORDER BY f.track_no) AS covers
               FROM face_tracks f WHERE f.run_id = s.run_id AND f.scene_id = s.scene_id AND f.person_id = p.person_id) t
           WHERE p.person_id = $2 AND p.owner_id = $1 AND v.owner_id = $1 AND v.state <> 'deleted'
             AND ($3::uuid IS NULL OR (s.video_id, s.ordinal) > ($3, $4))
           ORDER BY s.video_id, s.ordinal LIMIT $5"#,
        owner.0,
        person.0,
        after.map(|(video, _)| video.0) as Option<Uuid>,
        after.map(|(_, ordinal)| ordinal),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let places = row.numbers.into_iter().zip(row.starts).zip(row.ends).zip(row.scores).zip(row.covers);
            PersonScene {
                run_id: row.run_id,
                scene_id: row.scene_id,
                video_id: row.video_id,
                video_title: row.title,
                ordinal: row.ordinal,
                start_ms: row.start_ms,
                end_ms: row.end_ms,
                text: row.text,
                thumbnail_key: row.thumbnail_key,
                share: row.share,
                tracks: places
                    .map(|((((track_no, start_ms), end_ms), similarity), cover_key)| PersonTrack {
                        track_no,
                        start_ms,
                        end_ms,
                        similarity,
                        cover_key,
                    })
                    .collect(),
            }
        })
        .collect())
}
