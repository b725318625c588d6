//! `POST /videos/{id}/clips` and `GET /videos/{id}/clips/{clip_id}`: a part of a video as a file.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{
    ClipId, JobState, VideoId,
    clips::{self, ClipRow, NewClip},
    videos,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{part::Part, shape::SIGNED_FOR};
use crate::{
    auth::Caller,
    error::ApiError,
    extract::{self, Path},
    state::AppState,
};

const LONGEST_MS: i64 = 30 * 60_000;
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// Characters of the title that go into the file's name.
const NAME_CHARS: usize = 80;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipRequest {
    start_ms: i64,
    end_ms: i64,
    /// Begin and end at the picture: encoded anew. Otherwise the clip is copied from the keyframe before the start, which is
    /// much faster and loses nothing.
    #[serde(default)]
    exact: bool,
}

/// A part of a video as MP4, for 24 hours.
#[derive(Serialize, ToSchema)]
pub struct Clip {
    clip_id: Uuid,
    start_ms: i64,
    end_ms: i64,
    exact: bool,
    /// `preparing`, `ready` or `failed`
    #[schema(example = "ready")]
    state: &'static str,
    /// 0 to 100
    progress: i16,
    size_bytes: Option<i64>,
    /// Signed, for ten minutes; browsers save it under the video's title. Null until it is ready.
    url: Option<String>,
    /// Why it failed: a sentence for the owner.
    failure: Option<String>,
    expires_at: DateTime<Utc>,
}

/// Has a part of a video cut out, at most half an hour long. It is made by a worker; ask for the clip until it is `ready`. The
/// same part is not made twice within its 24 hours. At most 200 clips are kept (409, `conflict: too_many_clips`), and 20 are waited
/// for at a time (`clips_waiting`).
#[utoipa::path(post, path = "/videos/{video_id}/clips", tag = "videos", params(("video_id" = uuid::Uuid, Path)), request_body = ClipRequest,
    responses((status = ACCEPTED, body = Clip)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    extract::Json(request): extract::Json<ClipRequest>,
) -> Result<(StatusCode, Json<Clip>), ApiError> {
    let owner = caller.user_id();
    let part = Part::of(&state, owner, video_id, (request.start_ms, request.end_ms), LONGEST_MS).await?;
    let new = NewClip {
        start_ms: part.start_ms,
        end_ms: part.end_ms,
        exact: request.exact,
        for_share: false,
        expires_at: Utc::now() + KEPT_FOR,
    };
    let mut tx = state.pool.begin().await?;
    let clip = clips::request(&mut tx, owner, video_id, &new).await?;
    tx.commit().await?;
    read(&state, &caller, video_id, clip).await.map(|clip| (StatusCode::ACCEPTED, Json(clip)))
}

/// How far a clip is, and where it can be had.
#[utoipa::path(get, path = "/videos/{video_id}/clips/{clip_id}", tag = "videos",
    params(("video_id" = uuid::Uuid, Path), ("clip_id" = uuid::Uuid, Path)), responses((status = OK, body = Clip)))]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path((video_id, clip_id)): Path<(VideoId, ClipId)>,
) -> Result<Json<Clip>, ApiError> {
    read(&state, &caller, video_id, clip_id).await.map(Json)
}

async fn read(state: &AppState, caller: &Caller, video_id: VideoId, clip_id: ClipId) -> Result<Clip, ApiError> {
    let row = clips::find(&state.pool, caller.user_id(), video_id, clip_id).await?;
    let url = match &row.object_key {
        Some(key) => {
            let title = videos::find(&state.pool, caller.user_id(), video_id).await?.title;
            let name = file_name(&title, row.start_ms);
            Some(state.store.presign_get(key, SIGNED_FOR, Some("video/mp4"), Some(&name)).await?.into())
        }
        None => None,
    };
    Ok(Clip {
        clip_id: row.clip_id.0,
        start_ms: row.start_ms,
        end_ms: row.end_ms,
        exact: row.exact,
        state: state_of(&row),
        progress: if row.object_key.is_some() { 100 } else { row.progress.unwrap_or(0) },
        size_bytes: row.size_bytes,
        url,
        failure: (state_of(&row) == "failed").then(|| {
            row.error_message.clone().unwrap_or_else(|| "Something went wrong while cutting this part.".into())
        }),
        expires_at: row.expires_at,
    })
}

fn state_of(row: &ClipRow) -> &'static str {
    match (&row.object_key, row.state) {
        (Some(_), _) => "ready",
        (None, Some(JobState::Pending | JobState::Running)) => "preparing",
        (None, _) => "failed",
    }
}

/// For example `Rain 00-01-05.mp4`.
fn file_name(title: &str, start_ms: i64) -> String {
    let seconds = start_ms / 1000;
    let title: String =
        title.chars().map(|c| if "/\\:*?\"<>|".contains(c) { '-' } else { c }).take(NAME_CHARS).collect();
    format!("{title} {:02}-{:02}-{:02}.mp4", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_saved_under_the_title_and_its_time() {
        assert_eq!(file_name("비: \"part 1/2\"", 3_725_900), "비- -part 1-2- 01-02-05.mp4");
    }
}
