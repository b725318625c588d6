//! `GET /videos/{id}/scenes` and `GET /scenes/{id}`.

use std::collections::HashMap;

use axum::{Json, extract::State};
use heimdex_db::{
    RunId, SceneId, UserId, VideoId,
    moments::screen_texts::OnScreen,
    people::{self, InScene},
    scenes::{self, SceneRow},
    transcripts,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::videos::shape::signed;
use crate::{
    auth::Caller,
    domain,
    error::ApiError,
    extract::{Path, Query},
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SceneParams {
    /// Of the tags' labels: ISO 639-1, by default `en`. A tag without a label in it has its English one.
    language: Option<String>,
}

impl SceneParams {
    fn language(&self) -> Result<String, ApiError> {
        match self.language.as_deref() {
            None | Some("") => Ok("en".into()),
            Some(language) => domain::line("language", language, 35),
        }
    }
}

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
    /// What can be read in its pictures, in order of time.
    on_screen: Vec<OnScreenText>,
    /// What it shows, the surest first.
    tags: Vec<SceneTag>,
    /// Null while it is not known.
    affect: Option<SceneAffect>,
    /// Who is in it: those with a name first, then those seen most. Empty where faces are switched off.
    people: Vec<ScenePerson>,
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

/// Something that a scene shows.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct SceneTag {
    /// Id, for filters.
    tag: String,
    /// In the asked-for language.
    label: String,
    /// 0 to 1
    score: f32,
    /// What it was seen by: `image`, `faces`, `text`, `motion`, `brightness` or `colour`.
    source: String,
}

/// How a scene feels. Each is null where there is nothing to tell it by.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct SceneAffect {
    /// Unpleasant (-1) to pleasant (1).
    valence: Option<AffectValue>,
    /// How excited people seem: calm (0) to excited (1).
    arousal: Option<AffectValue>,
    /// How much goes on: nothing (0) to very much (1).
    energy: Option<AffectValue>,
}

#[derive(Deserialize, Serialize, ToSchema)]
pub struct AffectValue {
    value: f64,
    /// 0 to 1: how much of what it could be told by was there.
    confidence: f64,
    /// The weightiest first.
    sources: Vec<AffectSource>,
}

#[derive(Deserialize, Serialize, ToSchema)]
pub struct AffectSource {
    /// `text`, `expression`, `colour`, `voice_loudness`, `voice_pitch`, `speech_rate`, `motion`, `loudness` or `pace`
    source: String,
    value: f64,
    /// Of the whole, 0 to 1; what is left is neutral.
    share: f64,
}

#[derive(Serialize, ToSchema)]
pub struct ScenePerson {
    person_id: Uuid,
    /// Null for somebody without a name.
    display_name: Option<String>,
    /// Part of the scene's pictures that they are seen in, 0 to 1.
    share: f32,
}

impl From<InScene> for ScenePerson {
    fn from(row: InScene) -> Self {
        Self { person_id: row.person_id.0, display_name: row.display_name, share: row.share }
    }
}

impl Scene {
    async fn new(state: &AppState, row: SceneRow, people: Vec<ScenePerson>) -> Result<Self, ApiError> {
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
            on_screen: row.on_screen.0.into_iter().map(OnScreenText::from).collect(),
            tags: read(row.tags),
            affect: row.affect.map(read),
            people,
        })
    }
}

/// What another version wrote may have another shape: then there is none, rather than no scene.
fn read<T: Default + serde::de::DeserializeOwned>(stored: serde_json::Value) -> T {
    serde_json::from_value(stored).unwrap_or_default()
}

/// What a scene's tags are called, the surest first.
pub(super) fn labels(tags: &serde_json::Value) -> Vec<String> {
    read::<Vec<SceneTag>>(tags.clone()).into_iter().map(|tag| tag.label).collect()
}

/// The scenes of the visible run, in order.
#[utoipa::path(get, path = "/videos/{video_id}/scenes", tag = "scenes", params(("video_id" = uuid::Uuid, Path), SceneParams), responses((status = OK, body = Scenes)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    Query(params): Query<SceneParams>,
) -> Result<Json<Scenes>, ApiError> {
    let language = params.language()?;
    let run = transcripts::visible_run(&state.pool, caller.user_id(), video_id).await?;
    let rows = scenes::of_video(&state.pool, caller.user_id(), video_id, &language).await?;
    let mut people: HashMap<SceneId, Vec<ScenePerson>> = HashMap::new();
    for one in who_is_in(&state, caller.user_id(), rows.first().map(|row| row.run_id), None).await? {
        people.entry(one.scene_id).or_default().push(one.into());
    }
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let people = people.remove(&row.scene_id).unwrap_or_default();
        items.push(Scene::new(&state, row, people).await?);
    }
    Ok(Json(Scenes { run_id: run.map(|run| run.run_id.0), items }))
}

/// One scene.
#[utoipa::path(get, path = "/scenes/{scene_id}", tag = "scenes", params(("scene_id" = uuid::Uuid, Path), SceneParams), responses((status = OK, body = Scene)))]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(scene_id): Path<SceneId>,
    Query(params): Query<SceneParams>,
) -> Result<Json<Scene>, ApiError> {
    let row = scenes::find(&state.pool, caller.user_id(), scene_id, &params.language()?).await?;
    let people = who_is_in(&state, caller.user_id(), Some(row.run_id), Some(scene_id)).await?;
    Scene::new(&state, row, people.into_iter().map(Into::into).collect()).await.map(Json)
}

async fn who_is_in(
    state: &AppState,
    owner: UserId,
    run: Option<RunId>,
    only: Option<SceneId>,
) -> Result<Vec<InScene>, ApiError> {
    match run {
        Some(run) if state.config.features.faces => Ok(people::in_scenes(&state.pool, owner, run, only).await?),
        _ => Ok(Vec::new()),
    }
}
