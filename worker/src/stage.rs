//! What a stage or a task is given, and how it may end.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use heimdex_db::{
    DbError, PgPool, RunId, Stage, Tx, UserId, VideoId,
    ledger::{self, Attempt, Work},
    runs::Subject,
    store::{Store, StoreError},
};
use heimdex_media::{Limit, MediaError, child};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    models::{ModelFailure, Models},
    scratch::{Scratch, ScratchError},
};

/// What every stage of this worker shares.
pub struct Services {
    pub config: Config,
    pub db: PgPool,
    pub store: Store,
    pub models: Models,
    pub media: child::Runner,
    pub scratch: Scratch,
}

/// What is to be done, and for whom.
#[derive(Clone, Debug)]
pub struct Job {
    pub run_id: RunId,
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub stage: Stage,
    pub subject: Subject,
}

/// How a stage ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why there was nothing to do, where that is so: `no audio`, `no model`, …
    pub note: Option<String>,
}

impl Outcome {
    pub fn done() -> Self {
        Self::default()
    }

    pub fn nothing(note: impl Into<String>) -> Self {
        Self { note: Some(note.into()) }
    }
}

/// How a stage ended badly: whose fault it is decides what happens next.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The video is at fault: final, told to the owner.
    #[error("rejected ({code}): {detail}")]
    Rejected {
        /// Stable.
        code: String,
        /// A sentence for the owner.
        message: String,
        /// For the operator.
        detail: String,
    },
    /// The world is at fault: tried again.
    #[error("{code}")]
    Transient {
        /// Stable.
        code: &'static str,
        #[source]
        source: anyhow::Error,
    },
    /// PostgreSQL or S3 is out of reach: tried again without spending an attempt.
    #[error("out of reach")]
    Outage(#[source] anyhow::Error),
    /// The attempt is no longer wanted, or no longer ours.
    #[error("cancelled")]
    Cancelled,
}

impl StageError {
    pub fn transient(code: &'static str, source: impl Into<anyhow::Error>) -> Self {
        Self::Transient { code, source: source.into() }
    }

    /// Something that an earlier stage must have left is not there.
    pub fn missing(what: &str) -> Self {
        Self::transient("input_missing", anyhow::anyhow!("{what} is missing"))
    }
}

impl From<DbError> for StageError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::LostLease => Self::Cancelled,
            error if error.is_outage() => Self::Outage(error.into()),
            error => Self::transient("database", error),
        }
    }
}

impl From<StoreError> for StageError {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_outage() => Self::Outage(error.into()),
            StoreError::File(source) => Self::from(source),
            error if error.code() == Some("StorageFull") => Self::transient("disk_full", error),
            error => Self::transient("object_storage", error),
        }
    }
}

impl From<std::io::Error> for StageError {
    fn from(error: std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "disk_full",
            _ => "local_file",
        };
        Self::transient(code, error)
    }
}

impl From<ScratchError> for StageError {
    fn from(error: ScratchError) -> Self {
        match error {
            ScratchError::Io(error) => error.into(),
            ScratchError::Store(error) => error.into(),
            error @ (ScratchError::Full { .. } | ScratchError::TooSmall { .. }) => {
                Self::transient("scratch_full", error)
            }
        }
    }
}

impl From<MediaError> for StageError {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Rejected { code, detail } => {
                Self::Rejected { code: code.code().to_owned(), message: code.message().to_owned(), detail }
            }
            error @ MediaError::Crashed { .. } => Self::transient("decoder_crashed", error),
            error @ MediaError::TimedOut(_) => Self::transient("decoder_hung", error),
            error @ MediaError::ResourceLimit { limit: Limit::Disk, .. } => Self::transient("disk_full", error),
            error @ MediaError::ResourceLimit { .. } => Self::transient("decoder_limit", error),
            error => Self::transient("decoder_failed", error),
        }
    }
}

impl From<ModelFailure> for StageError {
    fn from(error: ModelFailure) -> Self {
        match error {
            ModelFailure::Cancelled => Self::Cancelled,
            error => Self::transient("model", error),
        }
    }
}

/// What the work and its children used; kept with the attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub child_cpu: Duration,
    pub child_max_rss_bytes: u64,
    pub children: u32,
}

/// The hands of a running stage or task. Cheap to clone; every clone belongs to the same attempt.
#[derive(Clone)]
pub struct StageContext {
    services: Arc<Services>,
    attempt: Attempt,
    /// Ends when the attempt must: lease lost, deadline, shutdown.
    pub cancel: CancellationToken,
    progress: Arc<AtomicU8>,
    usage: Arc<Mutex<Usage>>,
}

impl StageContext {
    pub(crate) fn new(services: Arc<Services>, attempt: Attempt, cancel: CancellationToken) -> Self {
        Self { services, attempt, cancel, progress: Arc::default(), usage: Arc::default() }
    }

    pub fn config(&self) -> &Config {
        &self.services.config
    }

    pub fn db(&self) -> &PgPool {
        &self.services.db
    }

    pub fn store(&self) -> &Store {
        &self.services.store
    }

    pub fn models(&self) -> &Models {
        &self.services.models
    }

    /// What the attempt is at.
    pub fn work(&self) -> &Work {
        &self.attempt.work
    }

    pub fn media(&self) -> &child::Runner {
        &self.services.media
    }

    pub fn scratch(&self) -> &Scratch {
        &self.services.scratch
    }

    /// A transaction that only this attempt can commit: the first statement proves that the work is still ours and holds
    /// it until the end.
    pub async fn fenced_tx(&self) -> Result<Tx, StageError> {
        let mut tx = self.services.db.begin().await.map_err(DbError::from)?;
        ledger::fence(&mut tx, &self.attempt).await?;
        Ok(tx)
    }

    pub async fn commit(&self, tx: Tx) -> Result<(), StageError> {
        Ok(tx.commit().await.map_err(DbError::from)?)
    }

    /// Says how far the work is, 0 to 100. Cheap: what was said last is written once a second.
    pub fn progress(&self, percent: u8) {
        self.progress.store(percent.min(99), Ordering::Relaxed);
    }

    /// As [`Self::progress`], for `done` of `all` between two percentages.
    pub fn progress_between(&self, from: u8, to: u8, done: usize, all: usize) {
        let share = (usize::from(to - from) * done).checked_div(all).unwrap_or(0);
        self.progress(from.saturating_add(u8::try_from(share).unwrap_or(0)));
    }

    pub(crate) fn last_progress(&self) -> u8 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Adds what a child process used.
    pub fn note_child(&self, cpu: Duration, max_rss_bytes: u64) {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.child_cpu += cpu;
        usage.child_max_rss_bytes = usage.child_max_rss_bytes.max(max_rss_bytes);
        usage.children += 1;
    }

    pub(crate) fn stats(&self, wall: Duration) -> Value {
        let usage = *self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stats = json!({ "wall_s": seconds(wall) });
        if usage.children > 0 {
            stats["children"] = usage.children.into();
            stats["child_cpu_s"] = seconds(usage.child_cpu).into();
            stats["child_max_rss_bytes"] = usage.child_max_rss_bytes.into();
        }
        stats
    }
}

/// To the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
