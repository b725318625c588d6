//! Purge: a deleted video, its open upload and its objects first, then its rows.
//! Reads: payload `{"video_id"}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{
    DbError, VideoId, keys,
    maintenance::{self, DueVideo},
    tasks::TaskAttempt,
};
use serde::Deserialize;

use crate::stage::{Outcome, Services, StageError};

#[derive(Deserialize)]
struct Payload {
    video_id: VideoId,
}

pub async fn run(services: &Services, task: &TaskAttempt) -> Result<Outcome, StageError> {
    let Payload { video_id } =
        serde_json::from_value(task.payload.clone()).map_err(|error| StageError::transient("payload", error))?;
    let Some(due) = maintenance::due_for_purge(&services.db, video_id).await? else {
        return Ok(Outcome::nothing("restored"));
    };
    Ok(if purge(services, task, &due).await? { Outcome::done() } else { Outcome::nothing("restored") })
}

/// Removes one video for good. False when it was restored in the meantime.
pub(super) async fn purge(services: &Services, task: &TaskAttempt, due: &DueVideo) -> Result<bool, StageError> {
    if let Some(upload_id) = &due.upload_id {
        services.store.abort_multipart(&keys::source(due.video_id), upload_id).await?;
    }
    services.store.delete_prefix(&keys::video_prefix(due.video_id)).await?;
    let mut tx = services.db.begin().await.map_err(DbError::from)?;
    heimdex_db::tasks::fence(&mut tx, task).await?;
    let purged = maintenance::purge_video(&mut tx, due.video_id).await?;
    tx.commit().await.map_err(DbError::from)?;
    Ok(purged)
}
