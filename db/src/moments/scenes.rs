//! Scenes: boundaries by `scene_detect`, text by `align_merge`, pictures by `vision_sample_frames`.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId, VideoId},
};

/// Boundaries of a scene. `[start_ms, end_ms)`; scenes of a run follow each other without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct NewScene {
    pub scene_id: SceneId,
    pub ordinal: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    /// Mean change between neighbouring frames, 0 (still) to 1.
    pub motion: Option<f32>,
    /// How the scene begins: `start`, `cut`, `fade` or `dissolve`.
    pub transition: String,
}

/// A scene as the later stages read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub scene_id: SceneId,
    pub ordinal: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub motion: Option<f32>,
    pub transition: String,
    pub text: String,
    pub language: Option<String>,
    pub thumbnail_key: Option<String>,
    pub thumbnail_large_key: Option<String>,
    pub keyframe_ms: Option<i64>,
    /// As `vision_affect_tags` wrote it.
    pub affect: Option<Value>,
}

/// Replaces the scenes of a run, and with them everything that hung on the old ones.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    video_id: VideoId,
    owner_id: UserId,
    scenes: &[NewScene],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM scenes WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    sqlx::query!(
        "INSERT INTO scenes (run_id, video_id, owner_id, scene_id, ordinal, start_ms, end_ms, motion, transition)
         SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::int[], $6::bigint[], $7::bigint[], $8::real[], $9::text[])",
        run_id as RunId,
        video_id as VideoId,
        owner_id as UserId,
        &scenes.iter().map(|s| s.scene_id.0).collect::<Vec<Uuid>>(),
        &scenes.iter().map(|s| s.ordinal).collect::<Vec<_>>(),
        &scenes.iter().map(|s| s.start_ms).collect::<Vec<_>>(),
        &scenes.iter().map(|s| s.end_ms).collect::<Vec<_>>(),
        &scenes.iter().map(|s| s.motion).collect::<Vec<_>>() as &[Option<f32>],
        &scenes.iter().map(|s| s.transition.clone()).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The scenes of a run, in order.
pub async fn list(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<Scene>, DbError> {
    Ok(sqlx::query_as!(
        Scene,
        r#"SELECT scene_id AS "scene_id: SceneId", ordinal, start_ms, end_ms, motion, transition, text, language,
                  thumbnail_key, thumbnail_large_key, keyframe_ms, affect
           FROM scenes WHERE run_id = $1 ORDER BY ordinal"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}

/// The words spoken in a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneText {
    pub scene_id: SceneId,
    pub text: String,
}

/// Writes the text of scenes, with its search form: the language's own stems beside the words as they are, so that both
/// "running" and the exact "Times" are found.
pub async fn set_texts(
    connection: &mut PgConnection,
    run_id: RunId,
    language: Option<&str>,
    texts: &[SceneText],
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE scenes s SET text = given.text, language = $2,
                text_tsv = CASE WHEN $3 = 'simple' THEN to_tsvector('simple', given.text)
                                ELSE to_tsvector($3::text::regconfig, given.text) || to_tsvector('simple', given.text) END
         FROM unnest($4::uuid[], $5::text[]) AS given (scene_id, text)
         WHERE s.run_id = $1 AND s.scene_id = given.scene_id",
        run_id as RunId,
        language,
        text_search_config(language),
        &texts.iter().map(|t| t.scene_id.0).collect::<Vec<Uuid>>(),
        &texts.iter().map(|t| t.text.clone()).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The picture that stands for a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneThumbnail {
    pub scene_id: SceneId,
    pub keyframe_ms: i64,
    pub small_key: String,
    pub large_key: String,
}

/// Gives scenes their thumbnails; those not named lose theirs.
pub async fn set_thumbnails(
    connection: &mut PgConnection,
    run_id: RunId,
    thumbnails: &[SceneThumbnail],
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE scenes s SET thumbnail_key = given.small_key, thumbnail_large_key = given.large_key, keyframe_ms = given.at_ms
         FROM scenes old LEFT JOIN unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[]) AS given (scene_id, at_ms, small_key, large_key)
              ON given.scene_id = old.scene_id
         WHERE old.run_id = $1 AND s.run_id = $1 AND s.scene_id = old.scene_id",
        run_id as RunId,
        &thumbnails.iter().map(|t| t.scene_id.0).collect::<Vec<Uuid>>(),
        &thumbnails.iter().map(|t| t.keyframe_ms).collect::<Vec<_>>(),
        &thumbnails.iter().map(|t| t.small_key.clone()).collect::<Vec<_>>(),
        &thumbnails.iter().map(|t| t.large_key.clone()).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// PostgreSQL's text search configuration for a language (`en`, `en (assumed)`, `de`, …); `simple` for one without stems.
pub fn text_search_config(language: Option<&str>) -> &'static str {
    let code = language.unwrap_or_default().split([' ', '-', '_']).next().unwrap_or_default();
    match code {
        "ar" => "arabic",
        "ca" => "catalan",
        "da" => "danish",
        "de" => "german",
        "el" => "greek",
        "en" => "english",
        "es" => "spanish",
        "eu" => "basque",
        "fi" => "finnish",
        "fr" => "french",
        "ga" => "irish",
        "hi" => "hindi",
        "hu" => "hungarian",
        "hy" => "armenian",
        "id" => "indonesian",
        "it" => "italian",
        "lt" => "lithuanian",
        "ne" => "nepali",
        "nl" => "dutch",
        "no" | "nb" | "nn" => "norwegian",
        "pt" => "portuguese",
        "ro" => "romanian",
        "ru" => "russian",
        "sr" => "serbian",
        "sv" => "swedish",
        "ta" => "tamil",
        "tr" => "turkish",
        "yi" => "yiddish",
        _ => "simple",
    }
}
