//! `POST /videos/{id}/uploads/complete`: the parts become an object and the object a run.

use axum::{Json, body::Bytes, extract::State, http::StatusCode};
use heimdex_db::{
    VideoId, VideoState, keys,
    ledger::{self, RunReason},
    store::{StoreError, StoredPart},
    uploads::{self, Upload},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::Path,
    routes::videos::{get::read, shape::Video},
    state::AppState,
};

#[derive(Default, Deserialize, ToSchema)]
pub struct Completion {
    /// What the client believes to have sent. May be left out: S3's own list decides.
    #[serde(default)]
    parts: Option<Vec<SentPart>>,
}

#[derive(Deserialize, ToSchema)]
pub struct SentPart {
    part_number: i32,
    etag: String,
}

/// Puts the parts together and starts indexing, in one transaction with the video's new state. Done twice, or twice at
/// once, it is the same answer and one run.
#[utoipa::path(post, path = "/videos/{video_id}/uploads/complete", tag = "uploads", params(("video_id" = uuid::Uuid, Path)),
    request_body = Option<Completion>, responses((status = ACCEPTED, body = Video)))]
pub async fn complete(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
    body: Bytes,
) -> Result<(StatusCode, Json<Video>), ApiError> {
    let completion = parse(&body)?;
    let upload = uploads::find(&state.pool, caller.user_id(), video_id).await?;
    if upload.state == VideoState::Uploading {
        let size_bytes = assemble(&state, &upload, &completion).await?;
        let mut tx = state.pool.begin().await?;
        if uploads::mark_uploaded(&mut tx, caller.user_id(), video_id, size_bytes).await? {
            ledger::start_run(&mut tx, video_id, RunReason::Initial, serde_json::json!({})).await?;
        }
        tx.commit().await?;
    }
    Ok((StatusCode::ACCEPTED, Json(read(&state, &caller, video_id).await?)))
}

/// The body may be missing altogether.
fn parse(body: &[u8]) -> Result<Completion, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Completion::default());
    }
    serde_json::from_slice(body).map_err(|e| ApiError::new(Code::InvalidJson).detail(e.to_string()))
}

/// Holds S3's list of parts against the announcement, then makes the object. Returns its size.
async fn assemble(state: &AppState, upload: &Upload, completion: &Completion) -> Result<i64, ApiError> {
    let key = keys::source(upload.video_id);
    let parts = match &upload.upload_id {
        Some(upload_id) => match state.store.list_parts(&key, upload_id).await {
            Ok(parts) => parts,
            // Another request, perhaps one that died afterwards, has completed it in S3: the object tells.
            Err(StoreError::NotFound(_)) => return already_whole(state, upload, &key).await,
            Err(error) => return Err(error.into()),
        },
        None => Vec::new(),
    };
    check(upload, &parts, completion)?;
    let upload_id = upload.upload_id.as_deref().unwrap_or_default();
    match state.store.complete_multipart(&key, upload_id, &parts).await {
        Ok(()) => {}
        Err(error) if error.is_outage() => return Err(error.into()),
        // Lost a race against the same request.
        Err(error) => match already_whole(state, upload, &key).await {
            Ok(size) => return Ok(size),
            Err(_) => return Err(error.into()),
        },
    }
    already_whole(state, upload, &key).await
}

/// The object's size, if it is there and as announced.
async fn already_whole(state: &AppState, upload: &Upload, key: &str) -> Result<i64, ApiError> {
    match state.store.head(key).await? {
        Some(object) if i64::try_from(object.size_bytes) == Ok(upload.size_bytes) => Ok(upload.size_bytes),
        Some(object) => Err(size_mismatch(upload, object.size_bytes)),
        None => Err(missing(upload, &[])),
    }
}

fn check(upload: &Upload, parts: &[StoredPart], completion: &Completion) -> Result<(), ApiError> {
    if (1..=upload.part_count).any(|n| !parts.iter().any(|part| part.part_number == n)) {
        return Err(missing(upload, parts));
    }
    let total: u64 = parts.iter().map(|part| part.size_bytes).sum();
    if i64::try_from(total) != Ok(upload.size_bytes) || parts.len() != usize::try_from(upload.part_count).unwrap_or(0) {
        return Err(size_mismatch(upload, total));
    }
    let bare = |etag: &str| etag.trim_matches('"').to_owned();
    let differs = |sent: &&SentPart| {
        !parts.iter().any(|p| p.part_number == sent.part_number && bare(&p.etag) == bare(&sent.etag))
    };
    if let Some(sent) = completion.parts.iter().flatten().find(differs) {
        return Err(ApiError::new(Code::UploadEtagMismatch)
            .detail(format!("Part {} in storage is not the one the client sent; send it again.", sent.part_number))
            .with("part_number", sent.part_number));
    }
    Ok(())
}

fn missing(upload: &Upload, parts: &[StoredPart]) -> ApiError {
    let absent: Vec<i32> =
        (1..=upload.part_count).filter(|n| !parts.iter().any(|part| part.part_number == *n)).collect();
    ApiError::new(Code::UploadPartsMissing)
        .detail(format!(
            "{} of {} parts have not arrived; send them and complete again.",
            absent.len(),
            upload.part_count
        ))
        .with("missing", absent)
}

fn size_mismatch(upload: &Upload, actual: u64) -> ApiError {
    ApiError::new(Code::UploadSizeMismatch)
        .detail(format!("{} bytes were announced, {actual} have arrived.", upload.size_bytes))
        .with("announced_bytes", upload.size_bytes)
        .with("stored_bytes", actual)
}
