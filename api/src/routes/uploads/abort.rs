//! `DELETE /videos/{id}/uploads`: the upload is given up and given back.

use axum::{extract::State, http::StatusCode};
use heimdex_db::{UserId, VideoId, VideoState, uploads};

use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::Path,
    state::AppState,
};

/// Gives an unfinished upload up; the day's count gets it back.
#[utoipa::path(delete, path = "/videos/{video_id}/uploads", tag = "uploads", params(("video_id" = uuid::Uuid, Path)), responses((status = NO_CONTENT)))]
pub async fn abort(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<StatusCode, ApiError> {
    if uploads::find(&state.pool, caller.user_id(), video_id).await?.state != VideoState::Uploading {
        return Err(ApiError::new(Code::UploadNotOpen).detail("The upload is complete; delete the video instead."));
    }
    give_up(&state, caller.user_id(), video_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the row, and has removed what S3 holds of it.
pub async fn give_up(state: &AppState, owner: UserId, video_id: VideoId) -> Result<(), ApiError> {
    let mut tx = state.pool.begin().await?;
    uploads::abort(&mut tx, owner, video_id).await?;
    Ok(tx.commit().await?)
}
