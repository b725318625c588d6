//! `GET /videos/{id}/playback`: where a browser gets the picture and sound.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{VideoId, keys, transcripts, videos, videos::MetadataRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::shape::{SIGNED_FOR, signed};
use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::Path,
    state::AppState,
};

#[derive(Serialize, ToSchema)]
pub struct Playback {
    /// Signed; ask again before `expires_at`.
    url: String,
    mime_type: String,
    expires_at: DateTime<Utc>,
    duration_ms: i64,
    /// `source` or `proxy`
    kind: &'static str,
    sprite: Option<Sprite>,
    captions_url: Option<String>,
    sidecar_url: Option<String>,
}

/// Small pictures for the seek bar.
#[derive(Serialize, ToSchema)]
pub struct Sprite {
    url: String,
    vtt_url: String,
}

/// Where a browser gets the picture and sound. 409 `not_playable_yet` if browsers cannot play the file.
#[utoipa::path(get, path = "/videos/{video_id}/playback", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Playback)))]
pub async fn playback(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Playback>, ApiError> {
    let row = videos::find(&state.pool, caller.user_id(), video_id).await?;
    let metadata = videos::metadata(&state.pool, caller.user_id(), video_id).await?;
    let not_yet = |why: &str| ApiError::new(Code::NotPlayableYet).detail(why);
    let metadata = metadata.ok_or_else(|| not_yet("The file has not been looked at yet."))?;
    let run = transcripts::visible_run(&state.pool, caller.user_id(), video_id).await?;
    let artifact = |name: &str| run.as_ref().and_then(|run| run.artifacts.get(name)).and_then(Value::as_str);
    let (key, mime_type, kind) = match (artifact("proxy"), browser_type(&metadata)) {
        (_, Some(mime_type)) => (keys::source(video_id), mime_type, "source"),
        (Some(proxy), None) => (proxy.to_owned(), "video/mp4", "proxy"),
        (None, None) => {
            return Err(not_yet("Browsers cannot play this file's format, and there is no converted version."));
        }
    };
    let url = state.store.presign_get(&key, SIGNED_FOR, Some(mime_type), None).await?;
    let expires_at = Utc::now() + SIGNED_FOR;
    let (picture, cues) =
        (signed(&state.store, artifact("sprite")).await?, signed(&state.store, artifact("sprite_vtt")).await?);
    Ok(Json(Playback {
        url: url.into(),
        mime_type: mime_type.to_owned(),
        expires_at,
        duration_ms: row.duration_ms.unwrap_or(metadata.duration_ms),
        kind,
        sprite: picture.zip(cues).map(|(url, vtt_url)| Sprite { url, vtt_url }),
        captions_url: signed(&state.store, artifact("vtt")).await?,
        sidecar_url: signed(&state.store, artifact("sidecar")).await?,
    }))
}

/// The type under which every current browser plays the file, or `None`. Names are FFmpeg's.
fn browser_type(file: &MetadataRow) -> Option<&'static str> {
    let container = file.container.to_ascii_lowercase();
    let has = |name: &str| container.split(',').any(|part| part == name);
    let audio = file.audio_codec.as_deref();
    let eight_bit = file.bit_depth.is_none_or(|depth| depth <= 8);
    if has("mp4") || has("mov") || has("m4v") {
        let picture =
            (file.video_codec == "h264" && eight_bit) || file.video_codec == "av1" || file.video_codec == "vp9";
        let sound = matches!(audio, None | Some("aac" | "mp3" | "opus" | "flac"));
        return (picture && sound).then_some("video/mp4");
    }
    if has("webm") || has("matroska") {
        let picture = matches!(file.video_codec.as_str(), "vp8" | "vp9" | "av1");
        let sound = matches!(audio, None | Some("opus" | "vorbis"));
        return (picture && sound).then_some("video/webm");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(container: &str, video: &str, audio: Option<&str>, bit_depth: i16) -> MetadataRow {
        MetadataRow {
            container: container.into(),
            duration_ms: 1000,
            fps: 25.0,
            variable_fps: false,
            rotation: 0,
            video_codec: video.into(),
            bit_depth: Some(bit_depth),
            bit_rate: None,
            audio_codec: audio.map(Into::into),
            audio_tracks: Value::Null,
            creation_time: None,
        }
    }

    #[test]
    fn what_browsers_play_is_served_as_it_is() {
        assert_eq!(browser_type(&file("mov,mp4,m4a,3gp,3g2,mj2", "h264", Some("aac"), 8)), Some("video/mp4"));
        assert_eq!(browser_type(&file("matroska,webm", "vp9", Some("opus"), 8)), Some("video/webm"));
        assert_eq!(browser_type(&file("mov", "hevc", Some("aac"), 8)), None);
        assert_eq!(browser_type(&file("mov", "h264", Some("aac"), 10)), None);
        assert_eq!(browser_type(&file("matroska", "h264", Some("aac"), 8)), None);
        assert_eq!(browser_type(&file("avi", "mpeg4", Some("mp3"), 8)), None);
    }
}
