//! Purge: everything of a deleted account but its tombstone and its history: videos with their objects and open uploads,
//! people with their photos, searches, shares, tokens.
//! Reads: payload `{"user_id"}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{UserId, keys, ledger::Task, maintenance};
use serde::Deserialize;

use super::purge_video;
use crate::stage::{Outcome, StageContext, StageError};

#[derive(Deserialize)]
struct Payload {
    user_id: UserId,
}

/// Videos that are looked up at once.
const PAGE: i64 = 100;

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let Payload { user_id } = super::payload(task)?;
    if !maintenance::is_buried(cx.db(), user_id).await? {
        return Ok(Outcome::nothing("not deleted"));
    }
    loop {
        let videos = maintenance::videos_of_the_buried(cx.db(), user_id, PAGE).await?;
        if videos.is_empty() {
            break;
        }
        for video in videos {
            purge_video::purge(cx, &video).await?;
        }
    }
    cx.store().delete_prefix(&keys::people_prefix(user_id)).await?;
    let mut tx = cx.fenced_tx().await?;
    maintenance::purge_account(&mut tx, user_id, task.task_id).await?;
    cx.commit(tx).await?;
    // What was sent, or checked, between the first time and the end of the rows.
    cx.store().delete_prefix(&keys::people_prefix(user_id)).await?;
    Ok(Outcome::done())
}
