//! The twelve stages: one file each, one shape. Their order is data in [`heimdex_db::stage::STAGES`].

pub mod align_merge;
pub mod asr_fast;
pub mod audio_extract;
pub mod commit;
pub mod embed_text;
pub mod faces_enroll_match;
pub mod scene_detect;
pub mod sidecar_build;
pub mod upload_validate;
pub mod vision_affect_tags;
pub mod vision_embed_frames;
pub mod vision_sample_frames;

use heimdex_db::{Stage, runs};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::stage::{Job, Outcome, StageContext, StageError};

/// Stages that read the source itself.
pub const READ_SOURCE: &[Stage] = &[Stage::UploadValidate, Stage::AudioExtract, Stage::SceneDetect];

/// Objects put or fetched at once by one stage.
const PARALLEL_OBJECTS: usize = 8;

/// Runs a job's stage.
pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    match job.stage {
        Stage::UploadValidate => upload_validate::run(cx, job).await,
        Stage::AudioExtract => audio_extract::run(cx, job).await,
        Stage::AsrFast => asr_fast::run(cx, job).await,
        Stage::SceneDetect => scene_detect::run(cx, job).await,
        Stage::AlignMerge => align_merge::run(cx, job).await,
        Stage::EmbedText => embed_text::run(cx, job).await,
        Stage::VisionSampleFrames => vision_sample_frames::run(cx, job).await,
        Stage::VisionEmbedFrames => vision_embed_frames::run(cx, job).await,
        Stage::VisionAffectTags => vision_affect_tags::run(cx, job).await,
        Stage::FacesEnrollMatch => faces_enroll_match::run(cx, job).await,
        Stage::SidecarBuild => sidecar_build::run(cx, job).await,
        Stage::Commit => commit::run(cx, job).await,
    }
}

/// The end of a stage whose kind of model is switched off.
async fn no_model(cx: &StageContext, job: &Job, kind: &str) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, kind, None).await?;
    cx.commit(tx).await?;
    Ok(Outcome::nothing("no model"))
}

/// Runs something that computes for long, away from the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StageError> + Send + 'static,
) -> Result<T, StageError> {
    joined(tokio::task::spawn_blocking(work).await)
}

/// Begins a part of a stage as a task of its own, so that it goes on while its stage does something else. It ends with what is returned.
pub(crate) fn ahead<T: Send + 'static>(
    work: impl Future<Output = Result<T, StageError>> + Send + 'static,
) -> impl Future<Output = Result<T, StageError>> + Send {
    let task = AbortOnDropHandle::new(tokio::spawn(work));
    async move { joined(task.await) }
}

/// A panic goes on in whoever waits.
fn joined<T>(result: Result<Result<T, StageError>, JoinError>) -> Result<T, StageError> {
    match result {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StageError::Cancelled),
    }
}
