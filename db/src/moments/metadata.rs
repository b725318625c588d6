//! What `upload_validate` read from the file.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use crate::{error::DbError, ids::VideoId};

/// A row of `video_metadata`. Widths and heights are as displayed, after rotation.
#[derive(Clone, Debug)]
pub struct VideoMetadata {
    pub container: String,
    pub duration_ms: i64,
    pub width: i32,
    pub height: i32,
    pub fps: f64,
    pub variable_fps: bool,
    /// Degrees clockwise: 0, 90, 180 or 270.
    pub rotation: i16,
    pub video_codec: String,
    pub bit_depth: Option<i16>,
    /// FFmpeg's name, for example `yuv420p`.
    pub pixel_format: Option<String>,
    pub bit_rate: Option<i64>,
    pub audio_codec: Option<String>,
    /// `[{index, codec, channels, sample_rate, language, start_ms}]`
    pub audio_tracks: Value,
    /// Integrated loudness by ITU-R BS.1770; known once `audio_extract` has run.
    pub loudness_lufs: Option<f64>,
    pub creation_time: Option<DateTime<Utc>>,
}

/// Writes the metadata of a video; the loudness is left to [`set_loudness`].
pub async fn replace(
    connection: &mut PgConnection,
    video_id: VideoId,
    metadata: &VideoMetadata,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO video_metadata (video_id, container, duration_ms, width, height, fps, variable_fps, rotation, video_codec,
                                     bit_depth, bit_rate, audio_codec, audio_tracks, creation_time, pixel_format)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (video_id) DO UPDATE SET
             container = EXCLUDED.container, duration_ms = EXCLUDED.duration_ms, width = EXCLUDED.width, height = EXCLUDED.height,
             fps = EXCLUDED.fps, variable_fps = EXCLUDED.variable_fps, rotation = EXCLUDED.rotation,
             video_codec = EXCLUDED.video_codec, bit_depth = EXCLUDED.bit_depth, bit_rate = EXCLUDED.bit_rate,
             audio_codec = EXCLUDED.audio_codec, audio_tracks = EXCLUDED.audio_tracks, creation_time = EXCLUDED.creation_time, pixel_format = EXCLUDED.pixel_format,
             probed_at = now()",
        video_id as VideoId,
        metadata.container,
        metadata.duration_ms,
        metadata.width,
        metadata.height,
        metadata.fps,
        metadata.variable_fps,
        metadata.rotation,
        metadata.video_codec,
        metadata.bit_depth,
        metadata.bit_rate,
        metadata.audio_codec,
        metadata.audio_tracks,
        metadata.creation_time,
        metadata.pixel_format
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn set_loudness(
    connection: &mut PgConnection,
    video_id: VideoId,
    loudness_lufs: Option<f64>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE video_metadata SET loudness_lufs = $2 WHERE video_id = $1",
        video_id as VideoId,
        loudness_lufs
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The metadata of a video that was validated.
pub async fn find(db: impl PgExecutor<'_>, video_id: VideoId) -> Result<VideoMetadata, DbError> {
    sqlx::query_as!(
        VideoMetadata,
        "SELECT container, duration_ms, width, height, fps, variable_fps, rotation, video_codec, bit_depth, pixel_format, bit_rate, audio_codec,
                audio_tracks, loudness_lufs, creation_time
         FROM video_metadata WHERE video_id = $1",
        video_id as VideoId
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}
