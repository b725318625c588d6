//! `GET /videos/{id}/transcript`, in four formats, and correcting it.

pub mod captions;
pub mod edit;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use heimdex_db::{VideoId, transcripts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    auth::Caller,
    error::ApiError,
    extract::{Path, Query},
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TranscriptParams {
    /// `json` (default), `vtt` (WebVTT), `srt` (SubRip) or `txt`.
    format: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Transcript {
    /// The visible run; null while there is none, and then nothing is said yet.
    run_id: Option<Uuid>,
    language: Option<String>,
    /// What recognised the speech.
    model: Option<String>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Segment {
    pub segment_no: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// A person has corrected it.
    pub edited: bool,
    pub words: Vec<Word>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Word {
    pub start_ms: i64,
    pub end_ms: i64,
    /// With its leading space where there is one.
    pub text: String,
    /// 0 to 1
    pub probability: f32,
}

/// What is said, with the time of every word. Other formats come as text of their own type.
#[utoipa::path(get, path = "/videos/{video_id}/transcript", tag = "videos", params(("video_id" = uuid::Uuid, Path), TranscriptParams),
    responses((status = OK, content((Transcript = "application/json"), (String = "text/vtt"), (String = "application/x-subrip"), (String = "text/plain")))))]
pub async fn transcript(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    Query(params): Query<TranscriptParams>,
) -> Result<Response, ApiError> {
    let format = params.format.as_deref().unwrap_or("json");
    if !["json", "vtt", "srt", "txt"].contains(&format) {
        return Err(ApiError::field("format", "unknown", "format must be one of: json, vtt, srt, txt."));
    }
    let run = transcripts::visible_run(&state.pool, caller.user_id(), video_id).await?;
    let rows = match &run {
        Some(run) => transcripts::segments(&state.pool, caller.user_id(), run.run_id).await?,
        None => Vec::new(),
    };
    let mut segments: Vec<Segment> = rows
        .into_iter()
        .map(|row| Segment {
            segment_no: row.segment_no,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            text: row.text,
            edited: row.edited,
            words: Vec::new(),
        })
        .collect();
    if let Some(run) = run.as_ref().filter(|_| format == "json") {
        for row in transcripts::words(&state.pool, caller.user_id(), run.run_id).await? {
            let word =
                Word { start_ms: row.start_ms, end_ms: row.end_ms, text: row.text, probability: row.probability };
            if let Ok(at) = segments.binary_search_by_key(&row.segment_no, |segment| segment.segment_no) {
                segments[at].words.push(word);
            }
        }
    }
    let text = |kind: &'static str, body: String| ([(header::CONTENT_TYPE, kind)], body).into_response();
    Ok(match format {
        "vtt" => text("text/vtt; charset=utf-8", captions::vtt(&segments)),
        "srt" => text("application/x-subrip; charset=utf-8", captions::srt(&segments)),
        "txt" => text("text/plain; charset=utf-8", captions::txt(&segments)),
        _ => Json(Transcript {
            run_id: run.as_ref().map(|run| run.run_id.0),
            language: run.as_ref().and_then(|run| run.language.clone()),
            model: run.as_ref().and_then(|run| run.models.get("asr")?.as_str().map(ToOwned::to_owned)),
            segments,
        })
        .into_response(),
    })
}
