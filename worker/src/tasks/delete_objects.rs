//! Deleting objects that are nobody's any more.
//! Reads: payload `{"keys": [], "prefixes": []}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::ledger::Task;
use serde::{Deserialize, Serialize};

use crate::stage::{Outcome, StageContext, StageError};

/// What to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub prefixes: Vec<String>,
}

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let payload: Payload = super::payload(task)?;
    cx.store().delete_keys(&payload.keys).await?;
    for prefix in &payload.prefixes {
        cx.store().delete_prefix(prefix).await?;
    }
    Ok(Outcome::done())
}
