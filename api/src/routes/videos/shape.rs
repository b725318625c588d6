//! What a video looks like from outside.

use std::time::Duration;

use chrono::{DateTime, Utc};
use heimdex_db::{
    VideoState,
    store::Store,
    videos::{MetadataRow, VideoRow},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;

/// How long a signed URL is good for.
pub const SIGNED_FOR: Duration = Duration::from_secs(600);

#[derive(Serialize, ToSchema)]
pub struct Video {
    pub video_id: Uuid,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    /// `uploading`, `validating`, `processing`, `indexed` or `failed`
    #[schema(example = "indexed")]
    pub state: &'static str,
    pub original_filename: String,
    pub mime_type: String,
    /// As announced, until the object has been seen.
    pub size_bytes: i64,
    pub duration_ms: Option<i64>,
    /// As displayed, after rotation.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Signed, for ten minutes.
    pub poster_url: Option<String>,
    /// The run whose scenes are visible.
    pub run_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub indexed_at: Option<DateTime<Utc>>,
    pub failure: Option<Remark>,
    pub warnings: Vec<Remark>,
    /// Of the run that is under way; null when none is.
    pub progress: Option<Progress>,
    /// Only where one video is asked for, and once the file has been looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// A stable code and a sentence for the owner.
#[derive(Serialize, ToSchema)]
pub struct Remark {
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Progress {
    /// 0 to 100
    pub percent: i32,
    pub stages_total: i64,
    pub stages_done: i64,
    pub active_stages: Vec<String>,
}

/// What was read from the file.
#[derive(Serialize, ToSchema)]
pub struct Metadata {
    pub container: String,
    pub video_codec: String,
    pub audio_codec: Option<String>,
    pub fps: f64,
    pub variable_fps: bool,
    /// Degrees, clockwise.
    pub rotation: i16,
    pub bit_depth: Option<i16>,
    /// Bits a second.
    pub bit_rate: Option<i64>,
    /// How many.
    pub audio_tracks: usize,
    /// As recorded by the camera.
    pub created_at: Option<DateTime<Utc>>,
}

impl Progress {
    pub fn of(
        percent: Option<i32>,
        total: Option<i64>,
        done: Option<i64>,
        active: Option<Vec<heimdex_db::Stage>>,
    ) -> Option<Self> {
        Some(Self {
            percent: percent?,
            stages_total: total?,
            stages_done: done?,
            active_stages: active.unwrap_or_default().into_iter().map(|stage| stage.to_string()).collect(),
        })
    }
}

impl Video {
    /// Dresses a row; signs the poster's URL.
    pub async fn new(store: &Store, row: VideoRow) -> Result<Self, ApiError> {
        let poster_url = signed(store, row.poster_key.as_deref()).await?;
        let failure = (row.state == VideoState::Failed).then(|| Remark {
            code: row.failure_code.unwrap_or_else(|| "unknown".into()),
            message: row.failure_message.unwrap_or_else(|| "The video could not be indexed.".into()),
        });
        Ok(Self {
            video_id: row.video_id.0,
            title: row.title,
            description: row.description,
            tags: row.tags,
            state: row.state.as_str(),
            original_filename: row.original_filename,
            mime_type: row.mime_type,
            size_bytes: row.size_bytes.unwrap_or(row.declared_size_bytes),
            duration_ms: row.duration_ms,
            width: row.width,
            height: row.height,
            poster_url,
            run_id: row.current_run_id.map(|run| run.0),
            created_at: row.created_at,
            updated_at: row.updated_at,
            indexed_at: row.indexed_at,
            failure,
            warnings: remarks(&row.warnings),
            progress: Progress::of(row.percent, row.stages_total, row.stages_done, row.active_stages),
            metadata: None,
        })
    }
}

impl From<MetadataRow> for Metadata {
    fn from(row: MetadataRow) -> Self {
        Self {
            container: row.container,
            video_codec: row.video_codec,
            audio_codec: row.audio_codec,
            fps: row.fps,
            variable_fps: row.variable_fps,
            rotation: row.rotation,
            bit_depth: row.bit_depth,
            bit_rate: row.bit_rate,
            audio_tracks: row.audio_tracks.as_array().map_or(0, Vec::len),
            created_at: row.creation_time,
        }
    }
}

fn remarks(warnings: &Value) -> Vec<Remark> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let all = warnings.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|w| Some(Remark { code: text(w, "code")?, message: text(w, "message")? })).collect()
}

/// A URL for ten minutes, where there is an object.
pub async fn signed(store: &Store, key: Option<&str>) -> Result<Option<String>, ApiError> {
    match key {
        Some(key) => Ok(Some(store.presign_get(key, SIGNED_FOR, None, None).await?.into())),
        None => Ok(None),
    }
}
