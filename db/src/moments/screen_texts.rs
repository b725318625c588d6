//! Writing seen on screen, merged over neighbouring pictures: written by `vision_sample_frames`.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
};

/// Four corners [x, y], clockwise from the upper left as the line is read, in units of the picture's width and height.
pub type Corners = [[f32; 2]; 4];

/// A row of `screen_texts`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenText {
    pub scene_id: SceneId,
    /// `[start_ms, end_ms)`, within the scene.
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// Of the surest reading, 0 to 1.
    pub confidence: f32,
    pub corners: Json<Corners>,
}

/// A scene's writing as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnScreen {
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    pub confidence: f32,
    #[serde(rename = "box")]
    pub corners: Corners,
}

/// Replaces the writing of a run.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    texts: &[ScreenText],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM screen_texts WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    let boxes: Result<Vec<_>, _> = texts.iter().map(|t| serde_json::to_value(t.corners.0)).collect();
    sqlx::query!(
        "INSERT INTO screen_texts (run_id, owner_id, scene_id, start_ms, end_ms, text, confidence, box)
         SELECT $1, $2, * FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::real[], $8::jsonb[])",
        run_id as RunId,
        owner_id as UserId,
        &texts.iter().map(|t| t.scene_id.0).collect::<Vec<Uuid>>(),
        &texts.iter().map(|t| t.start_ms).collect::<Vec<_>>(),
        &texts.iter().map(|t| t.end_ms).collect::<Vec<_>>(),
        // PostgreSQL's text holds every character but this one.
        &texts.iter().map(|t| t.text.replace('\0', "")).collect::<Vec<_>>(),
        &texts.iter().map(|t| t.confidence).collect::<Vec<_>>(),
        &boxes.map_err(|error| sqlx::Error::Encode(error.into()))?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The writing of a run, in order of time.
pub async fn list(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<ScreenText>, DbError> {
    Ok(sqlx::query_as!(
        ScreenText,
        r#"SELECT scene_id AS "scene_id: SceneId", start_ms, end_ms, text, confidence, box AS "corners: Json<Corners>"
           FROM screen_texts WHERE run_id = $1 ORDER BY start_ms, text_id"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}
