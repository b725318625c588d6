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
    cursor, domain,
    error::ApiError,
    extract::{Path, Query},
    state::AppState,
};

const MOST_OF_A_PAGE: u32 = 1000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TranscriptParams {
    /// `json` (default), `vtt` (WebVTT), `srt` (SubRip) or `txt`.
    format: Option<String>,
    /// Whether segments come with their words; by default they do.
    words: Option<bool>,
    /// Only what is said after this moment.
    from_ms: Option<i64>,
    /// Only what is said before this moment.
    to_ms: Option<i64>,
    /// Segments of a page, 1 to 1000; by default all.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same times.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Transcript {
    /// The visible run; null while there is none, and then nothing is said yet.
    run_id: Option<Uuid>,
    language: Option<String>,
    /// What recognised the speech.
    model: Option<String>,
    segments: Vec<Segment>,
    /// Null on the last page.
    next_cursor: Option<String>,
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
    let limit = params.limit.or(u32::MAX, MOST_OF_A_PAGE)?;
    let run = transcripts::visible_run(&state.pool, caller.user_id(), video_id).await?;
    // Another run has other segments.
    let request = ("transcript of", run.as_ref().map(|run| run.run_id), params.from_ms, params.to_ms);
    let after: Option<i32> = cursor::decode(&request, params.cursor.as_deref())?;
    let mut rows = match &run {
        Some(run) => transcripts::segments(&state.pool, caller.user_id(), run.run_id).await?,
        None => Vec::new(),
    };
    rows.retain(|row| {
        after.is_none_or(|after| row.segment_no > after)
            && params.from_ms.is_none_or(|from| row.end_ms > from)
            && params.to_ms.is_none_or(|to| row.start_ms < to)
    });
    let (rows, next_cursor) = cursor::page(rows, limit, &request, |last| last.segment_no);
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
    if let Some(run) = run.as_ref().filter(|_| format == "json" && params.words.unwrap_or(true)) {
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
            next_cursor,
        })
        .into_response(),
    })
}
