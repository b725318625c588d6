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

use std::time::Duration;

use heimdex_db::{Stage, runs};
use heimdex_media::{
    MediaError,
    child::{Limits, Request, Response, Runner},
};

use crate::{
    config::Config,
    fault,
    stage::{Job, Outcome, StageContext, StageError},
};

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

/// What starts media children: this program, or the one the configuration names.
pub fn media_runner(config: &Config) -> Result<Runner, std::io::Error> {
    let exe = config.media_child.clone().map_or_else(std::env::current_exe, Ok)?;
    Ok(Runner { exe, limits: Limits::default() })
}

/// Lets a child process do something with an owner's bytes. Its progress counts between the two percentages; what it used
/// is kept with the attempt; it is killed at the deadline and when the attempt must end.
async fn child(
    cx: &StageContext,
    job: &Job,
    request: Request,
    deadline: Duration,
    progress: (u8, u8),
) -> Result<Response, StageError> {
    let (request, deadline) = fault::child(job.stage, request, deadline);
    let said = |percent: u8| cx.progress_between(progress.0, progress.1, percent.into(), 100);
    let finished = tokio::select! {
        finished = cx.media().run(request, deadline, said) => finished?,
        () = cx.cancel.cancelled() => return Err(StageError::Cancelled),
    };
    let usage = finished.usage;
    cx.note_child(Duration::from_secs_f64(usage.cpu_s.max(0.0)), usage.max_rss_bytes);
    Ok(finished.response)
}

/// Enough for any honest file of this length, and little enough that a hung decoder is noticed.
fn child_deadline(duration_ms: i64, times_realtime: u32) -> Duration {
    let length = Duration::from_millis(u64::try_from(duration_ms).unwrap_or(0));
    Duration::from_secs(120) + length * times_realtime
}

/// A child that answered another question than the one it was asked.
fn wrong_answer() -> StageError {
    MediaError::Failed { what: "media child".into(), detail: "answered another question".into() }.into()
}

/// The end of a stage whose kind of model is switched off.
async fn no_model(cx: &StageContext, job: &Job, kind: &str) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, kind, None).await?;
    cx.commit(tx).await?;
    Ok(Outcome::nothing("no model"))
}

/// Runs something that computes for long, away from the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StageError> + Send + 'static,
) -> Result<T, StageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StageError::Cancelled),
    }
}
