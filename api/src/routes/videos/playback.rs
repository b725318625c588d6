//! `GET /videos/{id}/playback`: where a browser gets the picture and sound.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{JobState, UserId, VideoId, keys, proxies, proxies::ProxyTask, transcripts, videos};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    playable::browser_type,
    shape::{SIGNED_FOR, signed},
};
use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::Path,
    state::AppState,
};

/// For a client without the event stream: when to ask again for a version that is being made.
const ASK_AGAIN_S: u64 = 10;
/// A version that could not be made is tried again when somebody asks this long after.
const TRY_AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);

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
    pub url: String,
    pub vtt_url: String,
}

/// A version that browsers play is being made; the event stream tells when it is there (`task` of kind `make_proxy`).
#[derive(Serialize, ToSchema)]
pub struct PlaybackPreparing {
    /// `pending` or `running`
    #[schema(example = "running")]
    state: &'static str,
    /// 0 to 100
    progress: i16,
}

/// Where a browser gets the picture and sound: the source, or, where some browser cannot play that, a version made for it,
/// which the first call has made (202). 409 `not_playable_yet` before the file has been looked at, `proxy_failed` with the
/// reason when no version could be made.
#[utoipa::path(get, path = "/videos/{video_id}/playback", tag = "videos", params(("video_id" = uuid::Uuid, Path)),
    responses((status = OK, body = Playback), (status = ACCEPTED, body = PlaybackPreparing)))]
pub async fn playback(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Response, ApiError> {
    let owner = caller.user_id();
    let row = videos::find(&state.pool, owner, video_id).await?;
    let metadata = videos::metadata(&state.pool, owner, video_id)
        .await?
        .ok_or_else(|| ApiError::new(Code::NotPlayableYet).detail("The file has not been looked at yet."))?;
    let (key, mime_type, kind) = match browser_type(&metadata) {
        Some(mime_type) => (keys::source(video_id), mime_type, "source"),
        None => match proxy(&state, owner, video_id).await? {
            Ok(key) => (key, "video/mp4", "proxy"),
            Err(preparing) => {
                let again = [(header::RETRY_AFTER, ASK_AGAIN_S.to_string())];
                return Ok((StatusCode::ACCEPTED, again, Json(preparing)).into_response());
            }
        },
    };
    let run = transcripts::visible_run(&state.pool, owner, video_id).await?;
    let artifact = |name: &str| run.as_ref().and_then(|run| run.artifacts.get(name)).and_then(Value::as_str);
    let url = state.store.presign_get(&key, SIGNED_FOR, Some(mime_type), None).await?;
    let expires_at = Utc::now() + SIGNED_FOR;
    let (picture, cues) =
        (signed(&state.store, artifact("sprite")).await?, signed(&state.store, artifact("sprite_vtt")).await?);
    let playback = Playback {
        url: url.into(),
        mime_type: mime_type.to_owned(),
        expires_at,
        duration_ms: row.duration_ms.unwrap_or(metadata.duration_ms),
        kind,
        sprite: picture.zip(cues).map(|(url, vtt_url)| Sprite { url, vtt_url }),
        captions_url: signed(&state.store, artifact("vtt")).await?,
        sidecar_url: signed(&state.store, artifact("sidecar")).await?,
    };
    Ok(Json(playback).into_response())
}

/// The proxy's key, or how far it is; has it made where nobody has asked before.
async fn proxy(
    state: &AppState,
    owner: UserId,
    video_id: VideoId,
) -> Result<Result<String, PlaybackPreparing>, ApiError> {
    let found = proxies::find(&state.pool, owner, video_id).await?;
    if let Some(key) = found.object_key {
        return Ok(Ok(key));
    }
    match found.task {
        Some(task) if matches!(task.state, JobState::Pending | JobState::Running) => {
            Ok(Err(PlaybackPreparing { state: task.state.as_str(), progress: task.progress }))
        }
        Some(task) if task.state == JobState::Failed && is_recent(&task) => Err(failed(task)),
        _ => {
            let mut tx = state.pool.begin().await?;
            proxies::request(&mut tx, owner, video_id).await?;
            tx.commit().await?;
            Ok(Err(PlaybackPreparing { state: JobState::Pending.as_str(), progress: 0 }))
        }
    }
}

fn is_recent(task: &ProxyTask) -> bool {
    task.finished_at.is_some_and(|at| Utc::now() - at < TRY_AGAIN_AFTER)
}

fn failed(task: ProxyTask) -> ApiError {
    let why = task.error_message.unwrap_or_else(|| "Something went wrong while converting this video.".into());
    ApiError::new(Code::ProxyFailed)
        .detail(format!("No version that browsers play could be made. {why}"))
        .with("reason", task.error_code.unwrap_or_else(|| "unknown".into()))
}
