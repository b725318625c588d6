//! Scene text in windows that fit the text model, with their vectors.

use pgvector::Vector;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
};

/// A row of `text_windows`.
#[derive(Clone, Debug, PartialEq)]
pub struct NewWindow {
    pub scene_id: SceneId,
    /// Place within the scene.
    pub ordinal: i32,
    /// Start of the first word.
    pub start_ms: i64,
    /// End of the last word.
    pub end_ms: i64,
    pub text: String,
    /// Unit length.
    pub vector: Vec<f32>,
}

/// Replaces the windows of a run; all vectors are of one model.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    model: &str,
    windows: &[NewWindow],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM text_windows WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    sqlx::query!(
        "INSERT INTO text_windows (run_id, owner_id, text_model, scene_id, ordinal, start_ms, end_ms, text, text_vec)
         SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::vector[])",
        run_id as RunId,
        owner_id as UserId,
        model,
        &windows.iter().map(|w| w.scene_id.0).collect::<Vec<Uuid>>(),
        &windows.iter().map(|w| w.ordinal).collect::<Vec<_>>(),
        &windows.iter().map(|w| w.start_ms).collect::<Vec<_>>(),
        &windows.iter().map(|w| w.end_ms).collect::<Vec<_>>(),
        &windows.iter().map(|w| w.text.clone()).collect::<Vec<_>>(),
        &windows.iter().map(|w| Vector::from(w.vector.clone())).collect::<Vec<_>>() as &[Vector]
    )
    .execute(connection)
    .await?;
    Ok(())
}
