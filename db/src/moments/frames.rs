//! Pictures of scenes: every candidate of the single decode, and which of them were chosen.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
};

/// A row of `frames`, without its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub scene_id: SceneId,
    pub at_ms: i64,
    pub object_key: String,
    pub width: i32,
    pub height: i32,
    /// Variance of the Laplacian; higher is sharper.
    pub sharpness: f32,
    /// Mean luma, 0 to 1.
    pub brightness: f32,
    /// 64-bit perceptual hash, as a signed integer.
    pub phash: i64,
    /// Mean saturation (HSV), 0 to 1; `None` in runs that are older than the measure.
    pub saturation: Option<f32>,
    /// Mean of red minus blue, -1 (cold) to 1 (warm).
    pub warmth: Option<f32>,
    /// Chosen as sharp and distinct.
    pub sampled: bool,
}

/// Replaces the candidate pictures of a run; none is chosen yet.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    frames: &[Frame],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM frames WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    sqlx::query!(
        "INSERT INTO frames (run_id, owner_id, scene_id, at_ms, object_key, width, height, sharpness, brightness, phash,
                             saturation, warmth)
         SELECT $1, $2, * FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::int[], $7::int[], $8::real[], $9::real[], $10::bigint[],
                                      $11::real[], $12::real[])",
        run_id as RunId,
        owner_id as UserId,
        &frames.iter().map(|f| f.scene_id.0).collect::<Vec<Uuid>>(),
        &frames.iter().map(|f| f.at_ms).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.object_key.clone()).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.width).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.height).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.sharpness).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.brightness).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.phash).collect::<Vec<_>>(),
        &frames.iter().map(|f| f.saturation).collect::<Vec<_>>() as &[Option<f32>],
        &frames.iter().map(|f| f.warmth).collect::<Vec<_>>() as &[Option<f32>]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The pictures of a run, in order of time.
pub async fn list(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<Frame>, DbError> {
    Ok(sqlx::query_as!(
        Frame,
        r#"SELECT scene_id AS "scene_id: SceneId", at_ms, object_key, width, height, sharpness, brightness, phash, saturation, warmth, sampled
           FROM frames WHERE run_id = $1 ORDER BY at_ms"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}

/// Chooses exactly the pictures at these times.
pub async fn set_sampled(connection: &mut PgConnection, run_id: RunId, at_ms: &[i64]) -> Result<(), DbError> {
    sqlx::query!("UPDATE frames SET sampled = (at_ms = ANY($2)) WHERE run_id = $1", run_id as RunId, at_ms)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the candidates that were not chosen and answers with the keys of their objects, which are now nobody's.
pub async fn drop_unsampled(connection: &mut PgConnection, run_id: RunId) -> Result<Vec<String>, DbError> {
    let mut keys = sqlx::query_scalar!(
        "DELETE FROM frames WHERE run_id = $1 AND NOT sampled RETURNING object_key",
        run_id as RunId
    )
    .fetch_all(connection)
    .await?;
    keys.sort_unstable();
    Ok(keys)
}
