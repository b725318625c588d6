//! Uploads: announced here, sent straight to S3 in parts by presigned URLs, and handed to the pipeline when complete. The
//! API never sees the bytes. S3's own list of parts is the truth, so any browser can go on where another stopped.

pub mod abort;
pub mod complete;
pub mod create;
pub mod parts;
pub mod plan;

use heimdex_db::{
    UserId, VideoState, keys,
    uploads::{self, Upload},
};

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// The multipart upload in S3, opened now if it has not been. Of two requests that open one at once, one counts and the
/// other's is aborted.
async fn open(state: &AppState, owner: UserId, upload: &Upload) -> Result<String, ApiError> {
    if upload.state != VideoState::Uploading {
        return Err(ApiError::new(Code::UploadNotOpen));
    }
    if let Some(upload_id) = &upload.upload_id {
        return Ok(upload_id.clone());
    }
    let key = keys::source(upload.video_id);
    let opened = state.store.create_multipart(&key, &upload.mime_type).await?;
    let kept = uploads::set_upload_id(&state.pool, owner, upload.video_id, &opened).await;
    match kept {
        Ok(kept) if kept == opened => Ok(kept),
        other => {
            state.store.abort_multipart(&key, &opened).await?;
            Ok(other?)
        }
    }
}
