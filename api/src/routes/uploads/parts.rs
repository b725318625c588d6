//! `POST` and `GET /videos/{id}/uploads/parts`.

use std::time::Duration;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{VideoId, VideoState, keys, uploads};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::open;
use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::{self, Path},
    state::AppState,
};

/// A slow line takes a while for 64 MiB.
const PART_URL_TTL: Duration = Duration::from_secs(3600);
const MAX_AT_ONCE: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsWanted {
    /// From 1; at most 100.
    part_numbers: Vec<i32>,
}

#[derive(Serialize, ToSchema)]
pub struct PartUrls {
    parts: Vec<PartUrl>,
}

#[derive(Serialize, ToSchema)]
pub struct PartUrl {
    part_number: i32,
    /// PUT the part's bytes here; keep the `ETag` of the answer.
    url: String,
    /// Exactly so many bytes.
    size_bytes: i64,
    expires_at: DateTime<Utc>,
}

/// URLs to which parts are PUT. A part may be sent again; the last one counts.
#[utoipa::path(post, path = "/videos/{video_id}/uploads/parts", tag = "uploads", params(("video_id" = uuid::Uuid, Path)),
    request_body = PartsWanted, responses((status = OK, body = PartUrls)))]
pub async fn presign(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    extract::Json(wanted): extract::Json<PartsWanted>,
) -> Result<Json<PartUrls>, ApiError> {
    let upload = uploads::find(&state.pool, caller.user_id(), video_id).await?;
    if wanted.part_numbers.is_empty() || wanted.part_numbers.len() > MAX_AT_ONCE {
        return Err(ApiError::field("part_numbers", "count", format!("Ask for 1 to {MAX_AT_ONCE} parts at once.")));
    }
    if wanted.part_numbers.iter().any(|n| !(1..=upload.part_count).contains(n)) {
        return Err(ApiError::field(
            "part_numbers",
            "out_of_range",
            format!("Parts are numbered from 1 to {}.", upload.part_count),
        ));
    }
    let upload_id = open(&state, caller.user_id(), &upload).await?;
    let key = keys::source(video_id);
    let expires_at = Utc::now() + PART_URL_TTL;
    let mut parts = Vec::with_capacity(wanted.part_numbers.len());
    for part_number in wanted.part_numbers {
        let size_bytes = upload.part_len(part_number);
        let url =
            state.store.presign_part(&key, &upload_id, part_number, size_bytes.unsigned_abs(), PART_URL_TTL).await?;
        parts.push(PartUrl { part_number, url: url.into(), size_bytes, expires_at });
    }
    Ok(Json(PartUrls { parts }))
}

#[derive(Serialize, ToSchema)]
pub struct StoredParts {
    part_size_bytes: i64,
    part_count: i32,
    size_bytes: i64,
    filename: String,
    parts: Vec<StoredPart>,
}

#[derive(Serialize, ToSchema)]
pub struct StoredPart {
    part_number: i32,
    etag: String,
    size_bytes: u64,
}

/// The parts that are already there, to go on from another browser or process.
#[utoipa::path(get, path = "/videos/{video_id}/uploads/parts", tag = "uploads", params(("video_id" = uuid::Uuid, Path)),
    responses((status = OK, body = StoredParts)))]
pub async fn stored(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<StoredParts>, ApiError> {
    let upload = uploads::find(&state.pool, caller.user_id(), video_id).await?;
    if upload.state != VideoState::Uploading {
        return Err(ApiError::new(Code::UploadNotOpen).detail("The upload is complete already."));
    }
    let parts = match &upload.upload_id {
        Some(upload_id) => state.store.list_parts(&keys::source(video_id), upload_id).await?,
        None => Vec::new(),
    };
    Ok(Json(StoredParts {
        part_size_bytes: upload.part_size_bytes,
        part_count: upload.part_count,
        size_bytes: upload.size_bytes,
        filename: upload.filename,
        parts: parts
            .into_iter()
            .map(|p| StoredPart { part_number: p.part_number, etag: p.etag, size_bytes: p.size_bytes })
            .collect(),
    }))
}
