//! Scenes of visible runs, as their owner sees them.

use serde_json::Value;
use sqlx::{PgExecutor, types::Json};

use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId, VideoId},
    moments::screen_texts::OnScreen,
};

/// A scene of the visible run.
#[derive(Clone, Debug)]
pub struct SceneRow {
    pub scene_id: SceneId,
    pub video_id: VideoId,
    pub run_id: RunId,
    pub ordinal: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    pub language: Option<String>,
    pub thumbnail_key: Option<String>,
    pub thumbnail_large_key: Option<String>,
    pub keyframe_ms: Option<i64>,
    /// 0 (still) to 1.
    pub motion: Option<f32>,
    pub transition: String,
    /// What can be read in its pictures, in order of time.
    pub on_screen: Json<Vec<OnScreen>>,
    /// `[{tag, label, score, source}]`, the surest first.
    pub tags: Value,
    /// `{valence, arousal, energy}`, each `{value, confidence, sources}` or null.
    pub affect: Option<Value>,
}

/// The scenes of a video's visible run in order; empty while none is visible. Tags are called as in `language` (ISO 639-1) where the vocabulary
/// has it, else as in English.
pub async fn of_video(
    db: impl PgExecutor<'_>,
    owner: UserId,
    video: VideoId,
    language: &str,
) -> Result<Vec<SceneRow>, DbError> {
    Ok(sqlx::query_as!(
        SceneRow,
        r#"SELECT s.scene_id AS "scene_id: SceneId", s.video_id AS "video_id: VideoId", s.run_id AS "run_id: RunId", s.ordinal, s.start_ms, s.end_ms,
                  s.text, s.language, s.thumbnail_key, s.thumbnail_large_key, s.keyframe_ms, s.motion, s.transition,
                  COALESCE((SELECT jsonb_agg(jsonb_build_object('start_ms', x.start_ms, 'end_ms', x.end_ms, 'text', x.text, 'confidence', x.confidence,
                      'box', x.box) ORDER BY x.start_ms, x.text_id) FROM screen_texts x WHERE x.run_id = s.run_id AND x.scene_id = s.scene_id), '[]')
                  AS "on_screen!: Json<Vec<OnScreen>>",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('tag', t.tag, 'score', t.score, 'source', t.source, 'label',
                       coalesce((SELECT l.label FROM tag_labels l WHERE l.tag = t.tag AND l.language IN ($3, 'en') AND l.place = 0
                            ORDER BY l.language = $3 DESC LIMIT 1), t.tag))
                       ORDER BY t.score DESC, t.tag), '[]') FROM scene_tags t WHERE t.run_id = s.run_id AND t.scene_id = s.scene_id) AS "tags!",
                  s.affect
           FROM scenes s JOIN videos v ON v.video_id = s.video_id AND v.current_run_id = s.run_id
           WHERE v.video_id = $1 AND v.owner_id = $2 AND v.state <> 'deleted'
           ORDER BY s.ordinal"#,
        video.0,
        owner.0,
        language
    )
    .fetch_all(db)
    .await?)
}

/// One scene of a visible run; see [`of_video`] for the language.
pub async fn find(db: impl PgExecutor<'_>, owner: UserId, scene: SceneId, language: &str) -> Result<SceneRow, DbError> {
    sqlx::query_as!(
        SceneRow,
        r#"SELECT s.scene_id AS "scene_id: SceneId", s.video_id AS "video_id: VideoId", s.run_id AS "run_id: RunId", s.ordinal, s.start_ms, s.end_ms,
                  s.text, s.language, s.thumbnail_key, s.thumbnail_large_key, s.keyframe_ms, s.motion, s.transition,
                  COALESCE((SELECT jsonb_agg(jsonb_build_object('start_ms', x.start_ms, 'end_ms', x.end_ms, 'text', x.text, 'confidence', x.confidence,
                      'box', x.box) ORDER BY x.start_ms, x.text_id) FROM screen_texts x WHERE x.run_id = s.run_id AND x.scene_id = s.scene_id), '[]')
                  AS "on_screen!: Json<Vec<OnScreen>>",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('tag', t.tag, 'score', t.score, 'source', t.source, 'label',
                       coalesce((SELECT l.label FROM tag_labels l WHERE l.tag = t.tag AND l.language IN ($3, 'en') AND l.place = 0
                            ORDER BY l.language = $3 DESC LIMIT 1), t.tag))
                       ORDER BY t.score DESC, t.tag), '[]') FROM scene_tags t WHERE t.run_id = s.run_id AND t.scene_id = s.scene_id) AS "tags!",
                  s.affect
           FROM scenes s JOIN videos v ON v.video_id = s.video_id AND v.current_run_id = s.run_id
           WHERE s.scene_id = $1 AND s.owner_id = $2 AND v.owner_id = $2 AND v.state <> 'deleted'"#,
        scene.0,
        owner.0,
        language
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}
