//! What is seen, as vectors: of each chosen picture, and pooled for each scene.

use pgvector::Vector;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId},
};

/// The vector of a picture of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameVector {
    pub at_ms: i64,
    /// Unit length.
    pub vector: Vec<f32>,
}

/// The vector of a scene of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneVector {
    pub scene_id: SceneId,
    /// Unit length.
    pub vector: Vec<f32>,
}

/// Replaces the image vectors of a run; all are of one model. What is not named has none.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    model: &str,
    frames: &[FrameVector],
    scenes: &[SceneVector],
) -> Result<(), DbError> {
    let vectors = |all: Vec<&Vec<f32>>| all.into_iter().map(|v| Vector::from(v.clone())).collect::<Vec<_>>();
    sqlx::query!(
        "UPDATE frames f SET image_vec = n.image_vec, image_model = CASE WHEN n.image_vec IS NOT NULL THEN $2 END
         FROM frames o LEFT JOIN unnest($3::bigint[], $4::vector[]) AS n (at_ms, image_vec) USING (at_ms)
         WHERE o.run_id = $1 AND f.run_id = $1 AND f.at_ms = o.at_ms",
        run_id.0,
        model,
        &frames.iter().map(|f| f.at_ms).collect::<Vec<_>>(),
        &vectors(frames.iter().map(|f| &f.vector).collect()) as &[Vector]
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE scenes s SET image_vec = n.image_vec, image_model = CASE WHEN n.image_vec IS NOT NULL THEN $2 END
         FROM scenes o LEFT JOIN unnest($3::uuid[], $4::vector[]) AS n (scene_id, image_vec) USING (scene_id)
         WHERE o.run_id = $1 AND s.run_id = $1 AND s.scene_id = o.scene_id",
        run_id.0,
        model,
        &scenes.iter().map(|s| s.scene_id.0).collect::<Vec<Uuid>>(),
        &vectors(scenes.iter().map(|s| &s.vector).collect()) as &[Vector]
    )
    .execute(connection)
    .await?;
    Ok(())
}
