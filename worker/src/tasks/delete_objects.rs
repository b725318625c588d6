//! Deleting objects that are nobody's any more.
//! Reads: payload `{"keys": [], "prefixes": []}`. Writes: nothing; removes. Again: finds less to remove.

use heimdex_db::tasks::TaskAttempt;
use serde::{Deserialize, Serialize};

use crate::stage::{Outcome, Services, StageError};

/// What to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub prefixes: Vec<String>,
}

pub async fn run(services: &Services, task: &TaskAttempt) -> Result<Outcome, StageError> {
    let payload: Payload =
        serde_json::from_value(task.payload.clone()).map_err(|error| StageError::transient("payload", error))?;
    services.store.delete_keys(&payload.keys).await?;
    for prefix in &payload.prefixes {
        services.store.delete_prefix(prefix).await?;
    }
    Ok(Outcome::done())
}
