//! Commit: the run replaces whatever was visible, and the video is indexed.
//! Reads: the run. Writes: visible run, video state; removes intermediates and the replaced run's findings. Again: the same.

use heimdex_db::{
    moments::frames,
    runs,
    tasks::{self, Replaced, Unwanted},
};

use crate::stage::{Job, Outcome, StageContext, StageError};

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    runs::publish(&mut tx, job.run_id, job.video_id).await?;
    let mut unwanted = Unwanted { keys: frames::drop_unsampled(&mut tx, job.run_id).await?, ..Unwanted::default() };
    if let Some(audio) = job.subject.artifact("audio") {
        unwanted.keys.push(audio.to_owned());
        runs::forget_artifact(&mut tx, job.run_id, "audio").await?;
    }
    let run_ids = runs::drop_replaced(&mut tx, job.run_id, job.video_id).await?;
    if !run_ids.is_empty() {
        unwanted.replaced = Some(Replaced { video_id: job.video_id, run_ids });
    }
    if unwanted != Unwanted::default() {
        tasks::delete_objects(&mut tx, &unwanted).await?;
    }
    cx.commit(tx).await?;
    Ok(Outcome::done())
}
