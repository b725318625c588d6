//! Deleting objects that are nobody's any more.
//! Reads: payload `{"keys": [], "replaced": {"video_id", "run_ids": []}}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{RunId, VideoId, keys, ledger::Task, moments};
use serde::{Deserialize, Serialize};

use crate::stage::{Outcome, StageContext, StageError};

/// What to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// These objects.
    #[serde(default)]
    pub keys: Vec<String>,
    /// All objects of these runs, but those that a later run has inherited.
    pub replaced: Option<Replaced>,
}

/// Runs of a video in whose place another has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub video_id: VideoId,
    pub run_ids: Vec<RunId>,
}

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let payload: Payload = super::payload(task)?;
    cx.store().delete_keys(&payload.keys).await?;
    let Some(Replaced { video_id, run_ids }) = payload.replaced else { return Ok(Outcome::done()) };
    for run_id in run_ids {
        // Listed before it is asked what is in use: what a run that begins meanwhile inherits is in use already.
        let mut unwanted = cx.store().list(&keys::run_prefix(video_id, run_id)).await?;
        let in_use = moments::objects_in_use(cx.db(), video_id).await?;
        unwanted.retain(|key| !in_use.contains(key));
        cx.store().delete_keys(&unwanted).await?;
    }
    Ok(Outcome::done())
}
