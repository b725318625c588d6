//! Tags and affect of scenes, written by `vision_affect_tags`.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
};

/// A row of `scene_tags`.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneTag {
    pub scene_id: SceneId,
    /// Id of the vocabulary.
    pub tag: String,
    /// 0 to 1.
    pub score: f32,
    /// What it was seen by: `image`, `faces`, `text`, `motion`, `brightness` or `colour`.
    pub source: String,
}

/// Replaces the tags of a run.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    tags: &[SceneTag],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM scene_tags WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    sqlx::query!(
        "INSERT INTO scene_tags (run_id, owner_id, scene_id, tag, score, source)
         SELECT $1, $2, * FROM unnest($3::uuid[], $4::text[], $5::real[], $6::text[])",
        run_id as RunId,
        owner_id as UserId,
        &tags.iter().map(|t| t.scene_id.0).collect::<Vec<Uuid>>(),
        &tags.iter().map(|t| t.tag.clone()).collect::<Vec<_>>(),
        &tags.iter().map(|t| t.score).collect::<Vec<_>>(),
        &tags.iter().map(|t| t.source.clone()).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The tags of a run: by scene, the surest first.
pub async fn list(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<SceneTag>, DbError> {
    Ok(sqlx::query_as!(
        SceneTag,
        r#"SELECT scene_id AS "scene_id: SceneId", tag, score, source
           FROM scene_tags WHERE run_id = $1 ORDER BY scene_id, score DESC, tag"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}

/// Writes the affect of scenes, one for each; null where there is none.
pub async fn set_affect(
    connection: &mut PgConnection,
    run_id: RunId,
    affects: &[(SceneId, Option<Value>)],
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE scenes s SET affect = given.affect FROM unnest($2::uuid[], $3::jsonb[]) AS given (scene_id, affect)
         WHERE s.run_id = $1 AND s.scene_id = given.scene_id",
        run_id as RunId,
        &affects.iter().map(|(scene, _)| scene.0).collect::<Vec<Uuid>>(),
        &affects.iter().map(|(_, affect)| affect.clone()).collect::<Vec<_>>() as &[Option<Value>]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Vectors of a run's pictures, in order of time, with the model that made them.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameVector {
    pub scene_id: SceneId,
    pub model: String,
    /// L2-normalised.
    pub vector: Vec<f32>,
}

/// The vectors of the chosen pictures; pictures without one are left out.
pub async fn frame_vectors(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<FrameVector>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT scene_id AS "scene_id: SceneId", image_model AS "model!", image_vec AS "vector!: pgvector::Vector" FROM frames
           WHERE run_id = $1 AND sampled AND image_vec IS NOT NULL AND image_model IS NOT NULL ORDER BY at_ms"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| FrameVector { scene_id: row.scene_id, model: row.model, vector: row.vector.to_vec() })
        .collect())
}

/// What was found of faces in a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneFaces {
    pub scene_id: SceneId,
    /// Most faces in one picture.
    pub most_at_once: i64,
    /// Share of the looked-at pictures in which the most frequent track has its face, 0 to 1.
    pub longest_share: f32,
    /// Height of the largest face in heights of its picture.
    pub largest: f32,
    /// Of the best face, 0 to 1.
    pub quality: f32,
}

/// Scenes of a run in which faces were found.
pub async fn faces(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<SceneFaces>, DbError> {
    Ok(sqlx::query_as!(
        SceneFaces,
        r#"SELECT t.scene_id AS "scene_id: SceneId", max(t.faces::real / t.frames::real) AS "longest_share!", max(t.quality) AS "quality!",
                  coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM face_detections d
                            WHERE d.run_id = $1 AND d.scene_id = t.scene_id GROUP BY d.at_ms) AS at_once), 1) AS "most_at_once!",
                  coalesce((SELECT max((d.box ->> 'height')::real) FROM face_detections d
                            WHERE d.run_id = $1 AND d.scene_id = t.scene_id), 0) AS "largest!"
           FROM face_tracks t WHERE t.run_id = $1 GROUP BY t.scene_id"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}

/// What the face of a track expresses.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackExpression {
    pub scene_id: SceneId,
    /// `{class: probability}`
    pub expression: Value,
    /// Of its best face, 0 to 1.
    pub quality: f32,
    /// Share of the looked-at pictures of the scene that have its face, 0 to 1.
    pub share: f32,
}

/// Tracks of a run for whose faces there was a model of expressions, in their order.
pub async fn expressions(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<TrackExpression>, DbError> {
    Ok(sqlx::query_as!(
        TrackExpression,
        r#"SELECT scene_id AS "scene_id: SceneId", expression AS "expression!", quality, faces::real / frames::real AS "share!"
           FROM face_tracks WHERE run_id = $1 AND expression IS NOT NULL ORDER BY track_no"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}

/// How sure writing on screen was read, by scene.
pub async fn written(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<(SceneId, f32)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT scene_id AS "scene_id: SceneId", max(confidence) AS "confidence!" FROM screen_texts WHERE run_id = $1 GROUP BY scene_id"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.scene_id, row.confidence)).collect())
}
