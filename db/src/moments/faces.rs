//! Faces seen in a run, followed through neighbouring pictures; whose they are is decided afterwards, for tracks as a whole.

use pgvector::Vector;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
};

/// A row of `face_tracks`, before it is known whose face it is.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTrack {
    /// Place within the run.
    pub track_no: i32,
    pub scene_id: SceneId,
    /// When it is first seen.
    pub start_ms: i64,
    /// When it is no longer seen: the next picture without it, or the scene's end.
    pub end_ms: i64,
    /// Pictures in which it was found.
    pub faces: i32,
    /// Pictures of the scene that were looked at.
    pub frames: i32,
    /// Of its best face, 0 to 1.
    pub quality: f32,
    /// Unit length; `None` when no face in it was good enough.
    pub vector: Option<Vec<f32>>,
    /// Its best face, cut out.
    pub cover_key: Option<String>,
    /// `{class: probability}`, the mean over its good faces.
    pub expression: Option<Value>,
}

/// A row of `face_detections`: one face in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDetection {
    pub track_no: i32,
    pub scene_id: SceneId,
    pub at_ms: i64,
    /// Left, top, width and height in units of the picture.
    pub bounds: [f32; 4],
    /// 0 to 1.
    pub quality: f32,
}

/// Replaces the faces of a run; all vectors are of one model.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    model: &str,
    tracks: &[NewTrack],
    detections: &[NewDetection],
) -> Result<(), DbError> {
    clear(&mut *connection, run_id).await?;
    sqlx::query!(
        "INSERT INTO face_tracks (run_id, owner_id, face_model, track_no, scene_id, start_ms, end_ms, faces, frames, quality, face_vec, cover_key,
                                  expression)
         SELECT $1, $2, $3, * FROM unnest($4::int[], $5::uuid[], $6::bigint[], $7::bigint[], $8::int[], $9::int[], $10::real[], $11::vector[], $12::text[], $13::jsonb[])",
        run_id as RunId,
        owner_id as UserId,
        model,
        &tracks.iter().map(|t| t.track_no).collect::<Vec<_>>(),
        &tracks.iter().map(|t| t.scene_id.0).collect::<Vec<Uuid>>(),
        &tracks.iter().map(|t| t.start_ms).collect::<Vec<_>>(),
        &tracks.iter().map(|t| t.end_ms).collect::<Vec<_>>(),
        &tracks.iter().map(|t| t.faces).collect::<Vec<_>>(),
        &tracks.iter().map(|t| t.frames).collect::<Vec<_>>(),
        &tracks.iter().map(|t| t.quality).collect::<Vec<_>>(),
        &tracks.iter().map(|t| t.vector.clone().map(Vector::from)).collect::<Vec<_>>() as &[Option<Vector>],
        &tracks.iter().map(|t| t.cover_key.clone()).collect::<Vec<_>>() as &[Option<String>],
        &tracks.iter().map(|t| t.expression.clone()).collect::<Vec<_>>() as &[Option<Value>]
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO face_detections (run_id, owner_id, track_no, scene_id, at_ms, box, quality)
         SELECT $1, $2, track_no, scene_id, at_ms, jsonb_build_object('x', x, 'y', y, 'width', width, 'height', height), quality
         FROM unnest($3::int[], $4::uuid[], $5::bigint[], $6::real[], $7::real[], $8::real[], $9::real[], $10::real[])
              AS found (track_no, scene_id, at_ms, x, y, width, height, quality)",
        run_id as RunId,
        owner_id as UserId,
        &detections.iter().map(|d| d.track_no).collect::<Vec<_>>(),
        &detections.iter().map(|d| d.scene_id.0).collect::<Vec<Uuid>>(),
        &detections.iter().map(|d| d.at_ms).collect::<Vec<_>>(),
        &detections.iter().map(|d| d.bounds[0]).collect::<Vec<_>>(),
        &detections.iter().map(|d| d.bounds[1]).collect::<Vec<_>>(),
        &detections.iter().map(|d| d.bounds[2]).collect::<Vec<_>>(),
        &detections.iter().map(|d| d.bounds[3]).collect::<Vec<_>>(),
        &detections.iter().map(|d| d.quality).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets the faces of a run.
pub async fn clear(connection: &mut PgConnection, run_id: RunId) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM face_tracks WHERE run_id = $1", run_id as RunId).execute(connection).await?;
    Ok(())
}

/// A row of `face_tracks`, as later stages and the tests read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    pub track_no: i32,
    pub scene_id: SceneId,
    pub start_ms: i64,
    pub end_ms: i64,
    pub faces: i32,
    pub frames: i32,
    pub quality: f32,
    pub vector: Option<Vector>,
    pub cover_key: Option<String>,
    pub expression: Option<Value>,
    pub person_id: Option<Uuid>,
    pub similarity: Option<f32>,
}

/// The tracks of a run, by number.
pub async fn list(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<Track>, DbError> {
    Ok(sqlx::query_as!(
        Track,
        r#"SELECT track_no, scene_id AS "scene_id: SceneId", start_ms, end_ms, faces, frames, quality, face_vec AS "vector: Vector", cover_key, expression,
                  person_id, similarity
           FROM face_tracks WHERE run_id = $1 ORDER BY track_no"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}
