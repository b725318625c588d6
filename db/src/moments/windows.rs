//! Scene text in windows that fit the text model, with their vectors.

use pgvector::Vector;
use sqlx::{PgConnection, PgExecutor};
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
    insert(connection, run_id, owner_id, model, windows).await
}

async fn insert(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    model: &str,
    windows: &[NewWindow],
) -> Result<(), DbError> {
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

/// A window that is there; without its vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWindow {
    pub window_id: i64,
    pub scene_id: SceneId,
    pub ordinal: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
}

impl StoredWindow {
    /// Whether it says the same at the same place.
    pub fn is(&self, new: &NewWindow) -> bool {
        (self.scene_id, self.ordinal, self.start_ms, self.end_ms)
            == (new.scene_id, new.ordinal, new.start_ms, new.end_ms)
            && self.text == new.text
    }
}

/// The windows of a run that are of a model, in order.
pub async fn list(db: impl PgExecutor<'_>, run_id: RunId, model: &str) -> Result<Vec<StoredWindow>, DbError> {
    Ok(sqlx::query_as!(
        StoredWindow,
        r#"SELECT w.window_id, w.scene_id AS "scene_id: SceneId", w.ordinal, w.start_ms, w.end_ms, w.text
           FROM text_windows w JOIN scenes s USING (run_id, scene_id)
           WHERE w.run_id = $1 AND w.text_model = $2 ORDER BY s.ordinal, w.ordinal"#,
        run_id as RunId,
        model
    )
    .fetch_all(db)
    .await?)
}

/// Gives windows of a run, by their ids, other vectors of the same model; what they say stays.
pub async fn set_vectors(
    connection: &mut PgConnection,
    run_id: RunId,
    vectors: &[(i64, Vec<f32>)],
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE text_windows w SET text_vec = n.vector FROM unnest($2::bigint[], $3::vector[]) AS n (window_id, vector)
         WHERE w.run_id = $1 AND w.window_id = n.window_id",
        run_id as RunId,
        &vectors.iter().map(|(window_id, _)| *window_id).collect::<Vec<_>>(),
        &vectors.iter().map(|(_, vector)| Vector::from(vector.clone())).collect::<Vec<_>>() as &[Vector]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts windows into the place of others; the rest of the run's stay as they are.
pub async fn exchange(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    model: &str,
    gone: &[i64],
    new: &[NewWindow],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM text_windows WHERE run_id = $1 AND window_id = ANY($2)", run_id as RunId, gone)
        .execute(&mut *connection)
        .await?;
    insert(connection, run_id, owner_id, model, new).await
}
