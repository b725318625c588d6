//! Being told at once that a queue has got a message, instead of asking every second.

use serde::Deserialize;
use sqlx::{PgPool, postgres::PgListener};

use crate::error::DbError;

/// apalis-postgres' channel (its trigger `notify_workers`).
const CHANNEL: &str = "apalis::job::insert";

#[derive(Deserialize)]
struct Inserted {
    job_type: String,
}

/// One connection that listens for all queues.
pub struct QueueListener(PgListener);

impl QueueListener {
    pub async fn connect(pool: &PgPool) -> Result<Self, DbError> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Waits for the next message and names its queue. `None`: the connection was lost and messages may have been missed;
    /// calling again opens a new one.
    pub async fn next(&mut self) -> Result<Option<String>, DbError> {
        loop {
            let Some(notification) = self.0.try_recv().await? else { return Ok(None) };
            if let Ok(inserted) = serde_json::from_str::<Inserted>(notification.payload()) {
                return Ok(Some(inserted.job_type));
            }
        }
    }
}
