//! `PATCH /videos/{id}/transcript/segments/{no}`: correcting what was heard.

use axum::{Json, extract::State};
use heimdex_db::{
    RunId, VideoId,
    moments::edits::{self, SegmentEdit},
    transcripts,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Segment, Word};
use crate::{
    auth::Caller,
    domain,
    error::{ApiError, Code},
    extract::{self, Path},
    origin::Origin,
    state::AppState,
};

const MAX_CHARS: usize = 1000;
/// What was recognised may be longer than what a person may write.
const MAX_WAS_CHARS: usize = 20_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentCorrection {
    /// The run whose transcript the person looked at.
    run_id: Uuid,
    /// The text of the segment as they saw it.
    was: String,
    /// What is really said; null for what was recognised.
    text: Option<String>,
}

/// Corrects a segment of the visible run, or takes the correction back. It is found by its new words at once, and by their meaning a
/// little later. The correction belongs to the video: when that is indexed again, it is applied again. 409 `transcript_changed` when
/// the segment is no longer what `run_id` and `was` say.
#[utoipa::path(patch, path = "/videos/{video_id}/transcript/segments/{segment_no}", tag = "videos",
    params(("video_id" = uuid::Uuid, Path), ("segment_no" = i32, Path)), request_body = SegmentCorrection, responses((status = OK, body = Segment)))]
pub async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path((video_id, segment_no)): Path<(VideoId, i32)>,
    extract::Json(correction): extract::Json<SegmentCorrection>,
) -> Result<Json<Segment>, ApiError> {
    let owner = caller.user_id();
    let text = correction.text.as_deref().map(|text| domain::line("text", text, MAX_CHARS)).transpose()?;
    let was = domain::paragraph("was", &correction.was, MAX_WAS_CHARS)?;
    let run_id = RunId(correction.run_id);
    let edit = SegmentEdit { run_id, segment_no, was: &was, text: text.as_deref() };
    let mut tx = state.pool.begin().await?;
    edits::edit(&mut tx, owner, video_id, &edit, &origin.person(owner)).await?;
    tx.commit().await?;
    let row = transcripts::segments(&state.pool, owner, run_id).await?.into_iter().find(|s| s.segment_no == segment_no);
    let row = row.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let words = transcripts::words(&state.pool, owner, run_id).await?.into_iter();
    let words = words
        .filter(|word| word.segment_no == segment_no)
        .map(|w| Word { start_ms: w.start_ms, end_ms: w.end_ms, text: w.text, probability: w.probability })
        .collect();
    Ok(Json(Segment {
        segment_no,
        start_ms: row.start_ms,
        end_ms: row.end_ms,
        text: row.text,
        edited: row.edited,
        words,
    }))
}
