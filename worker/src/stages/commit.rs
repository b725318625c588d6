//! Commit: the run replaces whatever was visible, and the video is indexed.
//! Reads: the run. Writes: visible run, video state; removes intermediates and the replaced run's findings. Again: the same.

use heimdex_db::{
    moments::frames,
    runs,
    tasks::{self, DELETE_OBJECTS, NewTask},
};
use serde_json::json;

use crate::{
    stage::{Job, Outcome, StageContext, StageError},
    tasks::delete_objects::{Payload, Replaced},
};

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    runs::publish(&mut tx, job.run_id, job.video_id).await?;
    let mut unwanted = Payload { keys: frames::drop_unsampled(&mut tx, job.run_id).await?, replaced: None };
    if let Some(audio) = job.subject.artifact("audio") {
        unwanted.keys.push(audio.to_owned());
        runs::forget_artifact(&mut tx, job.run_id, "audio").await?;
    }
    let run_ids = runs::drop_replaced(&mut tx, job.run_id, job.video_id).await?;
    if !run_ids.is_empty() {
        unwanted.replaced = Some(Replaced { video_id: job.video_id, run_ids });
    }
    if unwanted != Payload::default() {
        // Written down before the rows that name the objects are gone: nothing is forgotten, whatever happens next, and
        // a storage that does not answer cannot fail a video that is indexed.
        let task = NewTask {
            kind: DELETE_OBJECTS,
            owner_id: Some(job.owner_id),
            video_id: None,
            payload: json!(unwanted),
            run_at: None,
        };
        tasks::enqueue(&mut tx, &task).await?;
    }
    cx.commit(tx).await?;
    Ok(Outcome::done())
}
