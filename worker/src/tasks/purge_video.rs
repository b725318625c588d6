//! Purge: a deleted video, its objects first, then its rows.
//! Reads: payload `{"video_id"}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{VideoId, keys, maintenance, tasks::TaskAttempt};
use serde::Deserialize;

use crate::stage::{Outcome, Services, StageError};

#[derive(Deserialize)]
struct Payload {
    video_id: VideoId,
}

pub async fn run(services: &Services, task: &TaskAttempt) -> Result<Outcome, StageError> {
    let Payload { video_id } =
        serde_json::from_value(task.payload.clone()).map_err(|error| StageError::transient("payload", error))?;
    if !maintenance::is_due_for_purge(&services.db, video_id).await? {
        return Ok(Outcome::nothing("restored"));
    }
    services.store.delete_prefix(&keys::video_prefix(video_id)).await?;
    let mut tx = services.db.begin().await.map_err(heimdex_db::DbError::from)?;
    heimdex_db::tasks::fence(&mut tx, task).await?;
    let purged = maintenance::purge_video(&mut tx, video_id).await?;
    tx.commit().await.map_err(heimdex_db::DbError::from)?;
    Ok(if purged { Outcome::done() } else { Outcome::nothing("restored") })
}
