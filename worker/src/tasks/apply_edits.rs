//! What hangs on corrected words: text windows with their vectors, captions, sidecar.
//! Reads: payload [`ApplyEdits`], corrections, words. Writes: words of a run that was under way when they were corrected, the text
//! windows that changed, sidecar JSON, WebVTT, SRT. Again: finds nothing to change; same keys, replaced.

use heimdex_db::{
    DbError, RunId, VideoId, keys,
    ledger::Task,
    moments::{
        edits::{self, APPLY_EDITS, ApplyEdits},
        frames, scenes, transcript,
        windows::{self, StoredWindow},
    },
    runs::{self, Subject},
};

use crate::{
    fault::{self, Point},
    stage::{Outcome, StageContext, StageError},
    stages::{
        embed_text::{self, Split},
        sidecar_build,
    },
};

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let ApplyEdits { video_id } = super::payload(task)?;
    let mut put = false;
    match bring_up_to_date(cx, video_id, &mut put).await {
        // Another has the task by now, and what this one has put last, late, may lie over newer files of the other.
        Err(StageError::Cancelled) if put => {
            if let Some(owner) = task.owner_id {
                let mut tx = cx.db().begin().await.map_err(DbError::from)?;
                edits::ask_again(&mut tx, owner, video_id).await?;
                cx.commit(tx).await?;
            }
            Err(StageError::Cancelled)
        }
        ended => ended,
    }
}

/// Until nothing was corrected meanwhile. `put` says whether files were written from what is no longer true.
async fn bring_up_to_date(cx: &StageContext, video_id: VideoId, put: &mut bool) -> Result<Outcome, StageError> {
    loop {
        if cx.cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        let Some(run_id) = edits::finished_run(cx.db(), video_id).await? else {
            return Ok(Outcome::nothing("not indexed"));
        };
        let version = edits::version(cx.db(), video_id).await?;
        let mut tx = cx.fenced_tx().await?;
        edits::apply(&mut tx, run_id, true).await?;
        cx.commit(tx).await?;
        let subject = match runs::subject(cx.db(), run_id).await {
            Err(DbError::NotFound) => return Ok(Outcome::nothing("deleted")),
            subject => subject?,
        };
        cx.progress(10);
        embed(cx, &subject, &version).await?;
        cx.progress(80);
        write(cx, run_id, video_id, &subject).await?;
        *put = true;
        // Whoever corrects something now asks for a task of their own, but what was put last must be what is true.
        let unchanged = edits::version(cx.db(), video_id).await? == version;
        if unchanged && edits::finished_run(cx.db(), video_id).await? == Some(run_id) {
            return Ok(Outcome::done());
        }
    }
}

/// Embeds the windows that changed, and those whose sentences may have. A run of another model than this worker's keeps what it has until
/// it is indexed again.
async fn embed(cx: &StageContext, subject: &Subject, version: &str) -> Result<(), StageError> {
    let models = cx.models();
    let (Some(embedder), Some(model)) = (models.text().await?, models.text.as_ref()) else { return Ok(()) };
    if subject.models.get("text").and_then(|label| label.as_str()) != Some(model.label().as_str()) {
        return Ok(());
    }
    let scene_rows = scenes::list(cx.db(), subject.run_id).await?;
    let words = transcript::words(cx.db(), subject.run_id).await?;
    let there = windows::list(cx.db(), subject.run_id, model.id()).await?;
    let Changes { new, near, gone } = changes(embed_text::split(&embedder, &scene_rows, &words)?, &there);
    if gone.is_empty() && new.is_empty() {
        return Ok(());
    }
    let (count, (ids, near)) = (new.len(), near.into_iter().unzip::<_, _, Vec<i64>, Vec<Split>>());
    let mut new = embed_text::embed_all(cx, &embedder, new.into_iter().chain(near).collect()).await?;
    let near: Vec<_> = ids.into_iter().zip(new.split_off(count)).map(|(id, window)| (id, window.vector)).collect();
    let mut tx = cx.fenced_tx().await?;
    // Locked by whoever corrects, so what is read now holds until the end of this transaction.
    edits::lock(&mut tx, subject.run_id).await?;
    if edits::version(&mut *tx, subject.video_id).await? == version {
        windows::exchange(&mut tx, subject.run_id, subject.owner_id, model.id(), &gone, &new).await?;
        windows::set_vectors(&mut tx, subject.run_id, &near).await?;
    }
    cx.commit(tx).await
}

/// What of a run's windows is to be embedded, and what is to go.
struct Changes {
    new: Vec<Split>,
    /// They say what they said, but belong to sentences that may have changed beside them; by their ids.
    near: Vec<(i64, Split)>,
    gone: Vec<i64>,
}

fn changes(all: Vec<Split>, there: &[StoredWindow]) -> Changes {
    let (mut new, mut near, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut times = Vec::new();
    for split in all {
        match there.iter().find(|old| old.is(&split.window)) {
            Some(old) => near.push((old.window_id, split)),
            None => {
                times.push((split.window.start_ms, split.window.end_ms));
                new.push(split);
            }
        }
    }
    for old in there {
        if !near.iter().any(|(id, _)| *id == old.window_id) {
            times.push((old.start_ms, old.end_ms));
            gone.push(old.window_id);
        }
    }
    near.retain(|(_, split)| times.iter().any(|&time| split.hangs_on(time)));
    Changes { new, near, gone }
}

/// Writes the files that hold the words, where they lie already; what a run has inherited lies with an older one.
async fn write(cx: &StageContext, run_id: RunId, video_id: VideoId, subject: &Subject) -> Result<(), StageError> {
    let frame_rows = frames::list(cx.db(), run_id).await?;
    for (name, file_name, content_type, bytes) in
        sidecar_build::documents(cx, run_id, video_id, subject, &frame_rows).await?
    {
        fault::at(APPLY_EDITS, Point::Middle).await;
        let key = subject.artifact(name).map_or_else(|| keys::artifact(video_id, run_id, file_name), ToOwned::to_owned);
        cx.store().put_bytes(&key, bytes, content_type).await?;
    }
    Ok(())
}
