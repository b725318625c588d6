//! `GET /videos/{id}/markers`: scenes for an editing program.

mod formats;
mod timecode;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use heimdex_db::{SceneId, VideoId, scenes, videos};
use serde::Deserialize;
use utoipa::IntoParams;

use self::{
    formats::{Film, Mark},
    timecode::Rate,
};
use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::{Path, Query},
    routes::scenes::labels,
    state::AppState,
};

/// Ids in one address.
const MOST_CHOSEN: usize = 150;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MarkerParams {
    /// `edl` (CMX 3600), `fcpxml` (1.9) or `csv`.
    format: String,
    /// Ids of at most 150 scenes, separated by commas; without it all scenes.
    scenes: Option<String>,
}

/// Scenes as a sequence for an editing program, or as a table. Times are counted in frames of the file's average rate, from
/// timecode 0; at 29.97 and 59.94 frames a second in drop-frame.
#[utoipa::path(get, path = "/videos/{video_id}/markers", tag = "videos", params(("video_id" = uuid::Uuid, Path), MarkerParams),
    responses((status = OK, content((String = "text/plain"), (String = "application/xml"), (String = "text/csv")))))]
pub async fn markers(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    Query(params): Query<MarkerParams>,
) -> Result<Response, ApiError> {
    let owner = caller.user_id();
    let video = videos::find(&state.pool, owner, video_id).await?;
    let (kind, write): (_, fn(&Film<'_>, &[Mark<'_>]) -> String) = match params.format.as_str() {
        "edl" => ("text/plain; charset=utf-8", formats::edl),
        "fcpxml" => ("application/xml; charset=utf-8", formats::fcpxml),
        "csv" => ("text/csv; charset=utf-8", formats::csv),
        _ => return Err(ApiError::field("format", "unknown", "format must be one of: edl, fcpxml, csv.")),
    };
    let chosen = params.scenes.as_deref().filter(|ids| !ids.is_empty()).map(chosen).transpose()?;
    let metadata = videos::metadata(&state.pool, owner, video_id)
        .await?
        .ok_or_else(|| ApiError::new(Code::NotPlayableYet).detail("The file has not been looked at yet."))?;
    let rows = scenes::of_video(&state.pool, owner, video_id, "en").await?;
    let marks: Vec<Mark<'_>> = rows
        .iter()
        .filter(|row| chosen.as_ref().is_none_or(|ids| ids.contains(&row.scene_id)))
        .map(|row| Mark {
            number: row.ordinal + 1,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            text: &row.text,
            tags: labels(&row.tags),
        })
        .collect();
    let film = Film {
        title: &video.title,
        file_name: &video.original_filename,
        rate: Rate::of(metadata.fps),
        width: video.width.unwrap_or(0),
        height: video.height.unwrap_or(0),
        duration_ms: metadata.duration_ms,
        has_sound: metadata.audio_codec.is_some(),
    };
    Ok(([(header::CONTENT_TYPE, kind)], write(&film, &marks)).into_response())
}

fn chosen(ids: &str) -> Result<Vec<SceneId>, ApiError> {
    let wrong = || {
        ApiError::field("scenes", "invalid", format!("scenes must be at most {MOST_CHOSEN} ids, separated by commas."))
    };
    let ids: Vec<_> = ids.split(',').take(MOST_CHOSEN + 1).map(|id| id.trim().parse::<SceneId>()).collect();
    if ids.len() > MOST_CHOSEN {
        return Err(wrong());
    }
    ids.into_iter().collect::<Result<_, _>>().map_err(|_| wrong())
}
