//! Deleting objects that are nobody's any more.
//! Reads: payload [`Unwanted`]. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::{
    keys,
    ledger::Task,
    moments,
    tasks::{Replaced, Unwanted},
};

use crate::stage::{Outcome, StageContext, StageError};

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let unwanted: Unwanted = super::payload(task)?;
    for key in &unwanted.uploads {
        cx.store().abort_multiparts(key).await?;
    }
    cx.store().delete_keys(&unwanted.keys).await?;
    for prefix in &unwanted.prefixes {
        cx.store().delete_prefix(prefix).await?;
    }
    let Some(Replaced { video_id, run_ids }) = unwanted.replaced else { return Ok(Outcome::done()) };
    for run_id in run_ids {
        // Listed before it is asked what is in use: what a run that begins meanwhile inherits is in use already.
        let mut old = cx.store().list(&keys::run_prefix(video_id, run_id)).await?;
        let in_use = moments::objects_in_use(cx.db(), video_id).await?;
        old.retain(|key| !in_use.contains(key));
        cx.store().delete_keys(&old).await?;
    }
    Ok(Outcome::done())
}
