//! `GET /videos/{id}/scenes` and `GET /scenes/{id}`.

use axum::{Json, extract::State};
use heimdex_db::{
    SceneId, VideoId,
    moments::screen_texts::OnScreen,
    scenes::{self, SceneRow},
    transcripts,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::videos::shape::signed;
use crate::{auth::Caller, error::ApiError, extract::Path, state::AppState};

#[derive(Serialize, ToSchema)]
pub struct Scenes {
    /// The visible run; null while there is none.
    run_id: Option<Uuid>,
    items: Vec<Scene>,
}

#[derive(Serialize, ToSchema)]
pub struct Scene {
    /// The same for the same scene after another indexing.
    scene_id: Uuid,
    video_id: Uuid,
    run_id: Uuid,
    /// From 0.
    ordinal: i32,
    start_ms: i64,
    end_ms: i64,
    /// The words spoken in it.
    text: String,
    language: Option<String>,
    thumbnail_url: Option<String>,
    thumbnail_large_url: Option<String>,
    keyframe_ms: Option<i64>,
    /// 0 (still) to 1
    motion: Option<f32>,
    /// How it begins: `start`, `cut`, `fade` or `dissolve`.
    transition: String,
    tags: Vec<String>,
    /// What can be read in its pictures, in order of time.
    on_screen: Vec<OnScreenText>,
}

#[derive(Serialize, ToSchema)]
pub struct OnScreenText {
    text: String,
    start_ms: i64,
    end_ms: i64,
    /// 0 to 1
    confidence: f32,
    /// Four corners `[x, y]`, clockwise from the upper left as the line is read, in units of the picture's width and height.
    #[serde(rename = "box")]
    corners: [[f32; 2]; 4],
}

impl From<OnScreen> for OnScreenText {
    fn from(seen: OnScreen) -> Self {
        let OnScreen { start_ms, end_ms, text, confidence, corners } = seen;
        Self { text, start_ms, end_ms, confidence, corners }
    }
}

impl Scene {
    async fn new(state: &AppState, row: SceneRow) -> Result<Self, ApiError> {
        Ok(Self {
            scene_id: row.scene_id.0,
            video_id: row.video_id.0,
            run_id: row.run_id.0,
            ordinal: row.ordinal,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            text: row.text,
            language: row.language,
            thumbnail_url: signed(&state.store, row.thumbnail_key.as_deref()).await?,
            thumbnail_large_url: signed(&state.store, row.thumbnail_large_key.as_deref()).await?,
            keyframe_ms: row.keyframe_ms,
            motion: row.motion,
            transition: row.transition,
            tags: row.tags,
            on_screen: row.on_screen.0.into_iter().map(OnScreenText::from).collect(),
        })
    }
}

/// The scenes of the visible run, in order.
#[utoipa::path(get, path = "/videos/{video_id}/scenes", tag = "scenes", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Scenes)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Scenes>, ApiError> {
    let run = transcripts::visible_run(&state.pool, caller.user_id(), video_id).await?;
    let rows = scenes::of_video(&state.pool, caller.user_id(), video_id).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(Scene::new(&state, row).await?);
    }
    Ok(Json(Scenes { run_id: run.map(|run| run.run_id.0), items }))
}

/// One scene.
#[utoipa::path(get, path = "/scenes/{scene_id}", tag = "scenes", params(("scene_id" = uuid::Uuid, Path)), responses((status = OK, body = Scene)))]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(scene_id): Path<SceneId>,
) -> Result<Json<Scene>, ApiError> {
    let row = scenes::find(&state.pool, caller.user_id(), scene_id).await?;
    Scene::new(&state, row).await.map(Json)
}
