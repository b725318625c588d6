//! Pictures that people search with. Their bytes are read in a child process without rights (`heimdex_media::child`); what comes back
//! is a JPEG that our own code wrote, and only that is decoded here.

use std::time::Duration;

use heimdex_media::{
    MediaError,
    child::{Limits, Request, Response, Runner},
    pictures::{Rgb, decode_jpeg},
};
use tokio::sync::Semaphore;

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// Read at the same time in this process: each may take [`LIMITS`].
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// A search waits so long for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// An honest picture takes less than a second.
const DEADLINE: Duration = Duration::from_secs(10);
const LIMITS: Limits = Limits { memory_bytes: 1 << 30, cpu_s: 8, file_bytes: 4 << 20, open_files: 64 };
/// Pixels: more than any model looks at.
const LONG_SIDE: usize = 768;

/// The pixels of a picture, upright, its long side at most [`LONG_SIDE`].
///
/// # Errors
/// A field error of `body` when the picture is at fault, with the code that a photo of a person would get.
pub async fn read(state: &AppState, bytes: &[u8]) -> Result<Rgb, ApiError> {
    let Ok(Ok(_turn)) = tokio::time::timeout(PATIENCE, AT_ONCE.acquire()).await else {
        let detail = "Many pictures are being looked at just now; try again.";
        return Err(ApiError::new(Code::Unavailable).detail(detail).retry_after(3));
    };
    let folder = tempfile::tempdir().map_err(|error| ApiError::internal(&error))?;
    let (source, target) = (folder.path().join("sent"), folder.path().join("small.jpg"));
    tokio::fs::write(&source, bytes).await.map_err(|error| ApiError::internal(&error))?;
    let exe = state.config.media_child.clone().map_or_else(std::env::current_exe, Ok);
    let runner = Runner { exe: exe.map_err(|error| ApiError::internal(&error))?, limits: LIMITS };
    let request = Request::DecodeStill { source, target: target.clone(), long_side: LONG_SIDE };
    let finished = Box::pin(runner.run(request, DEADLINE, |_| {})).await.map_err(|error| refused(&error))?;
    if !matches!(finished.response, Response::DecodeStill { .. }) {
        return Err(ApiError::internal(&MediaError::failed("media child", "answered another question")));
    }
    let jpeg = tokio::fs::read(&target).await.map_err(|error| ApiError::internal(&error))?;
    let decoded = tokio::task::spawn_blocking(move || decode_jpeg(&jpeg)).await;
    decoded.map_err(|error| ApiError::internal(&error))?.map_err(|error| ApiError::internal(&error))
}

/// Whose fault it is. What breaks or exhausts a decoder is a bad picture; anything else is ours.
fn refused(error: &MediaError) -> ApiError {
    match error {
        MediaError::Rejected { code, .. } => ApiError::field("body", code.code(), code.message()),
        MediaError::Crashed { .. } | MediaError::TimedOut(_) | MediaError::ResourceLimit { .. } => {
            tracing::warn!(error = error as &dyn std::error::Error, "a picture broke its decoder");
            ApiError::field("body", "picture_damaged", "The picture is damaged and cannot be read; send another.")
        }
        MediaError::Failed { .. } | MediaError::Io { .. } => ApiError::internal(error),
    }
}
