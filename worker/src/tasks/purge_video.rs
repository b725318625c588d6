//! Purge: a deleted video, its open upload and its objects first, then its rows.
//! Reads: payload `{"video_id"}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{
    VideoId, keys,
    ledger::Task,
    maintenance::{self, DueVideo},
};
use serde::Deserialize;

use crate::stage::{Outcome, StageContext, StageError};

#[derive(Deserialize)]
struct Payload {
    video_id: VideoId,
}

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let Payload { video_id } = super::payload(task)?;
    let Some(due) = maintenance::due_for_purge(cx.db(), video_id).await? else {
        return Ok(Outcome::nothing("restored"));
    };
    Ok(if purge(cx, &due).await? { Outcome::done() } else { Outcome::nothing("restored") })
}

/// Removes one video for good. False when it was restored in the meantime.
pub(super) async fn purge(cx: &StageContext, due: &DueVideo) -> Result<bool, StageError> {
    let (prefix, source) = (keys::video_prefix(due.video_id), keys::source(due.video_id));
    if let Some(upload_id) = &due.upload_id {
        cx.store().abort_multipart(&source, upload_id).await?;
    }
    // Also those no row names: of a process that died in between. Some servers list open uploads by their whole key only.
    for under in [&prefix, &source, &keys::proxy(due.video_id)] {
        cx.store().abort_multiparts(under).await?;
    }
    cx.store().delete_prefix(&prefix).await?;
    let mut tx = cx.fenced_tx().await?;
    let purged = maintenance::purge_video(&mut tx, due.video_id).await?;
    cx.commit(tx).await?;
    Ok(purged)
}
