//! The person behind a token, read for many requests in one query.
//!
//! Every request reads its person's row anew, so that a deleted account, an ended session and a taken permission count at
//! once. Under load most of those reads wait for a connection; those that wait are put together. A query begins after all
//! requests that it answers have come, so none of them sees anything older than a query of its own would have shown it.

use std::{collections::HashMap, sync::Arc};

use heimdex_db::{
    DbError, PgPool, pool,
    users::{self, SubjectAndSession, User},
};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Requests answered by one query.
const MOST: usize = 128;
/// Requests that may wait to be put together; more ask by themselves.
const QUEUE: usize = 1024;
/// Queries at once, each on a connection of its own: while they run, others gather.
const QUERIES: u32 = 2;

struct Ask {
    whom: SubjectAndSession,
    answer: oneshot::Sender<Option<(User, bool)>>,
}

/// Reads people. Cheap to clone.
#[derive(Clone)]
pub struct PersonReader {
    pool: PgPool,
    asks: mpsc::Sender<Ask>,
}

impl PersonReader {
    /// Ends when the last clone is dropped.
    pub fn start(pool: PgPool) -> Self {
        let (asks, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(gather(pool::planned_once(&pool, QUERIES), waiting));
        Self { pool, asks }
    }

    /// As [`users::find_by_subject`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find(&self, whom: SubjectAndSession) -> Result<Option<(User, bool)>, DbError> {
        let (answer, answered) = oneshot::channel();
        if self.asks.try_send(Ask { whom, answer }).is_ok()
            && let Ok(found) = answered.await
        {
            return Ok(found);
        }
        // Too many wait, or the query that was to answer failed: whoever asks alone learns why.
        users::find_by_subject(&self.pool, whom.0, whom.1).await
    }
}

async fn gather(pool: PgPool, mut waiting: mpsc::Receiver<Ask>) {
    let queries = Arc::new(Semaphore::new(QUERIES as usize));
    while let Ok(permit) = Arc::clone(&queries).acquire_owned().await {
        let mut asks = Vec::with_capacity(MOST);
        if waiting.recv_many(&mut asks, MOST).await == 0 {
            return;
        }
        let pool = pool.clone();
        tokio::spawn(async move {
            answer(&pool, asks).await;
            drop(permit);
        });
    }
}

async fn answer(pool: &PgPool, asks: Vec<Ask>) {
    let mut places = HashMap::with_capacity(asks.len());
    let mut whom = Vec::with_capacity(asks.len());
    for ask in &asks {
        places.entry(ask.whom).or_insert_with(|| {
            whom.push(ask.whom);
            whom.len() - 1
        });
    }
    match users::find_by_subjects(pool, &whom).await {
        Ok(found) => {
            for ask in asks {
                // Whoever has gone needs no answer.
                let _ = ask.answer.send(places.get(&ask.whom).and_then(|&place| found[place].clone()));
            }
        }
        // Dropping the asks tells all who wait.
        Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "people could not be read together"),
    }
}
