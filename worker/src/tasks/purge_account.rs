//! Purge: everything of a deleted account but its tombstone and its history: videos with their objects and open uploads,
//! people with their photos, searches, shares, tokens.
//! Reads: payload `{"user_id"}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{DbError, UserId, maintenance, tasks::TaskAttempt};
use serde::Deserialize;

use super::purge_video;
use crate::stage::{Outcome, Services, StageError};

#[derive(Deserialize)]
struct Payload {
    user_id: UserId,
}

/// Videos, or photos, that are looked up at once.
const PAGE: i64 = 100;

pub async fn run(services: &Services, task: &TaskAttempt) -> Result<Outcome, StageError> {
    let Payload { user_id } =
        serde_json::from_value(task.payload.clone()).map_err(|error| StageError::transient("payload", error))?;
    if !maintenance::is_buried(&services.db, user_id).await? {
        return Ok(Outcome::nothing("not deleted"));
    }
    loop {
        let videos = maintenance::videos_of_the_buried(&services.db, user_id, PAGE).await?;
        if videos.is_empty() {
            break;
        }
        for video in videos {
            purge_video::purge(services, task, &video).await?;
        }
    }
    loop {
        let keys = maintenance::photo_keys_of_the_buried(&services.db, user_id, PAGE).await?;
        if keys.is_empty() {
            break;
        }
        services.store.delete_keys(&keys).await?;
        maintenance::forget_photos(&services.db, &keys).await?;
    }
    let mut tx = services.db.begin().await.map_err(DbError::from)?;
    heimdex_db::tasks::fence(&mut tx, task).await?;
    maintenance::purge_account(&mut tx, user_id, task.task_id).await?;
    tx.commit().await.map_err(DbError::from)?;
    Ok(Outcome::done())
}
