//! Taking messages: one apalis worker for each stage's queue and two for what is no stage, kept alive through outages.
//!
//! apalis delivers and nothing more: what is done, tried again or given up is decided by the ledger, and every message is
//! acknowledged. Of apalis-postgres' defaults these are changed, each for a reason found by trying:
//! one message at a time (with more, long jobs stall heartbeats and acknowledgements), a heartbeat of 2 s (orphans are
//! found in 6 s instead of 300), and one shared listener of ours instead of one connection a queue, since its own ends
//! with the first error.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use apalis::prelude::*;
use apalis_core::backend::ext::{
    BackendExt,
    poll_strategy::{IntervalStrategy, Strategy, StreamStrategy},
};
use apalis_postgres::{Config, PostgresStorage};
use futures::{FutureExt, channel::mpsc};
use heimdex_db::{
    PgPool, Stage,
    ledger::WorkId,
    queue::{ENCODING, MAINTENANCE},
    queue_events::QueueListener,
};
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::runner::{self, Runner};

const HEARTBEAT: Duration = Duration::from_secs(2);
const MISSED_HEARTBEATS: usize = 3;
/// Asked anyway, in case a notification was missed (and for those that send none).
const POLL: Duration = Duration::from_secs(1);
/// Between two tries to serve a queue again.
const RESTART: Duration = Duration::from_secs(1);

/// Wakes the queues that got a message.
#[derive(Clone, Default)]
pub struct Wake(Arc<Mutex<HashMap<String, mpsc::Sender<()>>>>);

impl Wake {
    fn subscribe(&self, queue: &str) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel(1);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned(), sender);
        receiver
    }

    /// Wakes one queue, or all.
    fn wake(&self, queue: Option<&str>) {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, sender) in senders.iter_mut() {
            if queue.is_none_or(|queue| queue == name) {
                // Full: a wake-up is waiting already.
                let _ = sender.try_send(());
            }
        }
    }

    /// Listens for ever.
    pub async fn listen(self, db: PgPool) {
        loop {
            match QueueListener::connect(&db).await {
                Ok(mut listener) => loop {
                    match listener.next().await {
                        Ok(queue) => self.wake(queue.as_deref()),
                        Err(error) => {
                            tracing::warn!(%error, "the queue listener lost its connection");
                            break;
                        }
                    }
                },
                Err(error) => tracing::warn!(%error, "the queue listener cannot connect"),
            }
            sleep(RESTART).await;
            self.wake(None);
        }
    }
}

/// How many tasks run here at once.
const TASKS: usize = 2;
/// How many of those that encode: each takes all cores there are.
const ENCODINGS: usize = 1;

/// Serves a stage until `stop`, and returns when what it was doing has ended.
pub async fn serve_stage(runner: Arc<Runner>, db: PgPool, stage: Stage, wake: Wake, stop: CancellationToken) {
    let limit = runner::concurrency(&runner.services, stage);
    serve(stage.spec().queue, limit, runner, db, wake, stop).await;
}

/// As [`serve_stage`], for what is no stage.
pub async fn serve_maintenance(runner: Arc<Runner>, db: PgPool, wake: Wake, stop: CancellationToken) {
    serve(MAINTENANCE, TASKS, runner, db, wake, stop).await;
}

/// As [`serve_maintenance`], for what takes long.
pub async fn serve_encoding(runner: Arc<Runner>, db: PgPool, wake: Wake, stop: CancellationToken) {
    serve(ENCODING, ENCODINGS, runner, db, wake, stop).await;
}

async fn serve(
    queue: &'static str,
    limit: usize,
    runner: Arc<Runner>,
    db: PgPool,
    wake: Wake,
    stop: CancellationToken,
) {
    let name = runner.services.config.name.clone();
    // Of one process, whatever becomes of its apalis workers: they may end while their work goes on.
    let slots = Arc::new(tokio::sync::Semaphore::new(limit));
    for generation in 0_u64.. {
        if stop.is_cancelled() {
            return;
        }
        // A name is used once: the database still knows the one that ended.
        let context = WorkerContext::new(&format!("{name}/{queue}/{generation}"));
        let config = Config::default()
            .queue(queue)
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS);
        let strategy =
            Strategy::new().apply(IntervalStrategy::new(POLL)).apply(StreamStrategy::new(wake.subscribe(queue)));
        // The message is parsed here and not by apalis, where one that does not parse would come again for ever.
        let backend = PostgresStorage::<Value>::new(&db).with_config(config).poll_with_strategy(strategy);
        let (runner, slots) = (Arc::clone(&runner), Arc::clone(&slots));
        let worker = WorkerBuilder::new(&context).backend(backend).concurrency(limit).build(move |message: Value| {
            let (runner, slots) = (Arc::clone(&runner), Arc::clone(&slots));
            async move {
                let message = match serde_json::from_value::<WorkId>(message) {
                    Ok(message) => message,
                    Err(error) => {
                        tracing::error!(queue, %error, "dropped a message that cannot be read");
                        return;
                    }
                };
                let Ok(_slot) = slots.acquire().await else { return };
                // In a task of its own, so that neither a panic nor the end of this apalis worker touches it.
                if let Err(error) = tokio::spawn(runner.work(message)).await {
                    tracing::error!(queue, %error, "the handler of a message panicked");
                }
            }
        });
        let mut run = worker.run().boxed();
        let ended = tokio::select! {
            // Polled once before it may be stopped: a worker that has not started cannot be.
            biased;
            ended = &mut run => ended,
            () = stop.cancelled() => {
                // An error here says that it has ended already.
                let _ = context.stop();
                run.await
            }
        };
        if stop.is_cancelled() {
            return;
        }
        tracing::warn!(queue, error = ?ended.err().map(|error| error.to_string()), "queue interrupted; serving it again");
        tokio::select! {
            () = sleep(RESTART) => {}
            () = stop.cancelled() => return,
        }
    }
}
