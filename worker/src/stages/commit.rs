//! Commit: the run replaces whatever was visible, and the video is indexed.
//! Reads: the run. Writes: visible run, video state; removes intermediates and the replaced run's findings. Again: the same.

use heimdex_db::{
    keys,
    moments::frames,
    runs,
    tasks::{self, DELETE_OBJECTS, NewTask},
};
use serde_json::json;

use crate::{
    stage::{Job, Outcome, StageContext, StageError},
    tasks::delete_objects::Payload,
};

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    runs::publish(&mut tx, job.run_id, job.video_id).await?;
    let mut unwanted = Payload { keys: frames::drop_unsampled(&mut tx, job.run_id).await?, prefixes: Vec::new() };
    if let Some(audio) = job.subject.artifact("audio") {
        unwanted.keys.push(audio.to_owned());
        runs::forget_artifact(&mut tx, job.run_id, "audio").await?;
    }
    let replaced = runs::drop_replaced(&mut tx, job.run_id, job.video_id).await?;
    unwanted.prefixes = replaced.into_iter().map(|run| keys::run_prefix(job.video_id, run)).collect();
    if !unwanted.keys.is_empty() || !unwanted.prefixes.is_empty() {
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
