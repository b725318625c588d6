//! Live changes: one `LISTEN` session for the whole process, passed on to every open stream.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heimdex_db::{
    PgPool, UserId,
    events::{Event, Heard, Listener},
};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Messages a slow stream may be behind before it is given a fresh snapshot instead.
const BACKLOG: usize = 1024;
/// Streams that one person may have open here at a time; a tab has two at most.
pub const MOST_STREAMS: usize = 100;

/// What a stream is told.
#[derive(Clone, Debug)]
pub enum Signal {
    Changed(Arc<Event>),
    /// Something may have been missed: look at the tables again.
    Resync,
}

/// Hands out signals.
#[derive(Clone, Debug)]
pub struct Hub(broadcast::Sender<Signal>, Arc<Open>);

/// How many streams each person has open.
type Open = Mutex<HashMap<UserId, usize>>;

/// Room for one stream of a person, until it is dropped.
#[derive(Debug)]
pub struct Place(UserId, Arc<Open>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.0);
            }
        }
    }
}

impl Hub {
    /// Starts listening; goes on, with pauses, until told to stop.
    pub fn start(pool: PgPool, stopping: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        let hub = Self(sender.clone(), Arc::default());
        tokio::spawn(async move {
            tokio::select! {
                () = listen(&pool, &sender) => {}
                () = stopping.cancelled() => {}
            }
        });
        hub
    }

    /// Room for another stream of a person, if there is any.
    pub fn place(&self, person: UserId) -> Option<Place> {
        let mut open = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(person).or_default();
        if *count >= MOST_STREAMS {
            return None;
        }
        *count += 1;
        Some(Place(person, Arc::clone(&self.1)))
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.0.subscribe()
    }
}

async fn listen(pool: &PgPool, sender: &broadcast::Sender<Signal>) {
    let mut pause = Duration::from_millis(100);
    loop {
        match Listener::connect(pool).await {
            Ok(mut listener) => {
                pause = Duration::from_millis(100);
                // Nobody listened until now.
                let _ = sender.send(Signal::Resync);
                let error = pass_on(&mut listener, sender).await;
                tracing::warn!(error = &error as &dyn std::error::Error, "lost the event listener; making it again");
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot listen for events"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn pass_on(listener: &mut Listener, sender: &broadcast::Sender<Signal>) -> heimdex_db::DbError {
    loop {
        let signal = match listener.next().await {
            Ok(Heard::Event(event)) => Signal::Changed(Arc::new(event)),
            Ok(Heard::Gap) => Signal::Resync,
            Err(error) => return error,
        };
        // An error only says that nobody is subscribed.
        let _ = sender.send(signal);
    }
}
