//! The worker: takes stages from the queue and runs them.
//!
//! ```text
//! main → run ─┬─ queues      one apalis worker a stage: messages in
//!             ├─ runner      one attempt: begin, stage, end; in the ledger
//!             ├─ stages/     twelve files, one shape
//!             ├─ tasks/      what is no stage
//!             ├─ leases      renewals; attempts no longer ours are ended
//!             └─ supervisor  dead workers, due retries, sweeps
//! ```

pub mod affect;
pub mod child;
pub mod cli;
pub mod config;
pub mod evidence;
pub mod faces;
pub mod fault;
pub mod formats;
pub mod frames;
pub mod indexes;
pub mod leases;
pub mod mail;
pub mod memory;
pub mod metrics;
pub mod models;
pub mod queues;
pub mod runner;
pub mod scratch;
pub mod screen_text;
pub mod shutdown;
pub mod stage;
pub mod stages;
pub mod supervisor;
pub mod tasks;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use heimdex_db::{
    PgPool, enums,
    pool::ConnectError,
    store::Store,
    tag_labels::{self, TagLabel},
    workers,
};
use heimdex_models::tags::{Label, Tag, Vocabulary};
use secrecy::SecretString;
use tokio::task::JoinSet;

use crate::{
    config::{Config, ConfigError},
    leases::{Leases, Reason},
    models::Models,
    queues::Wake,
    runner::Runner,
    scratch::{Scratch, ScratchError},
    shutdown::Shutdown,
    stage::Services,
    supervisor::Supervisor,
};

/// How long writing down the last endings may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// How long PostgreSQL may keep a starting worker waiting.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Migrate(#[from] heimdex_db::schema::MigrateError),
    #[error(transparent)]
    Enums(#[from] enums::EnumDrift),
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    #[error("object storage: {0}")]
    Store(#[from] heimdex_db::store::StoreError),
    #[error("writing down what tags are called: {0}")]
    Labels(#[from] heimdex_db::DbError),
    #[error(transparent)]
    Models(#[from] models::ModelFailure),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The program as `media-child`: parses one file in a sandbox and says how that ended. Must run before any thread is started.
pub fn media_child() -> std::process::ExitCode {
    heimdex_media::child::main()
}

/// Serves the configured stages until told to stop.
///
/// # Errors
/// [`StartError`] when something it cannot work without is missing. Once it serves, nothing but `shutdown` ends it.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), StartError> {
    let models = Models::open(&config.models, config.faces, &config.stages)?;
    models.try_engines().await?;
    // Leases and supervision have connections of their own, so that no amount of work keeps a renewal waiting.
    let control = connect(&config.database_url, 4).await?;
    heimdex_db::migrate(&control).await?;
    enums::check(&control).await?;
    if let Some(vocabulary) = &models.vocabulary {
        tag_labels::publish(&control, &labels(vocabulary)).await?;
    }
    let db = connect(&config.database_url, connections(&config)).await?;
    let store = Store::new(&config.s3);
    store.ensure_bucket().await?;
    let scratch = Scratch::open(&config.scratch, &config.name)?;
    let media = child::runner(&config)?;
    let services = Arc::new(Services { config, db, store, models, media, scratch });
    let result = serve(&services, &control, &shutdown).await;
    services.scratch.close();
    result
}

/// What tags are called, for search, which reads no vocabulary of its own.
fn labels(vocabulary: &Vocabulary) -> Vec<TagLabel> {
    let row = |tag: &Tag, label: &Label| TagLabel {
        tag: tag.id.clone(),
        language: label.language.clone(),
        label: label.text.clone(),
        place: i16::try_from(label.place).unwrap_or(i16::MAX),
    };
    vocabulary.tags.iter().flat_map(|tag| tag.labels.iter().map(move |label| row(tag, label))).collect()
}

async fn serve(services: &Arc<Services>, control: &PgPool, shutdown: &Shutdown) -> Result<(), StartError> {
    let config = &services.config;
    let (stop, leases, wake) = (shutdown.stop.clone(), Leases::default(), Wake::default());
    if let Some(bind) = config.metrics_bind {
        metrics::serve(bind, stop.clone()).await?;
    }
    let mut background = JoinSet::new();
    background.spawn(leases.clone().renew(control.clone()));
    background.spawn(wake.clone().listen(control.clone()));
    background.spawn(indexes::tend(control.clone()));
    background.spawn(Supervisor { services: Arc::clone(services), db: control.clone(), leases: leases.clone() }.run());

    let runner =
        Arc::new(Runner { services: Arc::clone(services), leases: leases.clone(), shutdown: shutdown.clone() });
    let mut serving = JoinSet::new();
    for &stage in &config.stages {
        serving.spawn(queues::serve_stage(Arc::clone(&runner), services.db.clone(), stage, wake.clone(), stop.clone()));
    }
    let (ours, db) = (Arc::clone(&runner), services.db.clone());
    serving.spawn(queues::serve_maintenance(ours, db, wake.clone(), stop.clone()));
    serving.spawn(queues::serve_encoding(runner, services.db.clone(), wake, stop.clone()));
    tracing::info!(worker = config.name, stages = config.stages.len(), "serving");

    stop.cancelled().await;
    tracing::info!(running = leases.running(), "stopping");
    let drained = async { while serving.join_next().await.is_some() {} };
    tokio::pin!(drained);
    let politely = tokio::select! {
        () = &mut drained => true,
        () = tokio::time::sleep(config.grace) => false,
        () = shutdown.now.cancelled() => false,
    };
    if !politely {
        tracing::info!(running = leases.running(), "handing back what still runs");
        leases.end_all(Reason::Shutdown);
        let _ = tokio::time::timeout(FAREWELL, drained).await;
    }
    background.abort_all();
    let _ = tokio::time::timeout(Duration::from_secs(2), workers::leave(control, &config.name)).await;
    Ok(())
}

/// Connects; PostgreSQL may need a while after a restart of the machine, so it is asked again for a minute.
async fn connect(url: &SecretString, connections: u32) -> Result<PgPool, ConnectError> {
    let started = Instant::now();
    loop {
        match heimdex_db::connect(url, connections).await {
            Err(ConnectError::Connect(error)) if started.elapsed() < START_PATIENCE => {
                tracing::warn!(%error, "PostgreSQL does not answer yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            other => return other,
        }
    }
}

/// Queues ask and acknowledge, running stages write; none of them holds a connection for long.
fn connections(config: &Config) -> u32 {
    u32::try_from(config.stages.len()).unwrap_or(12) / 2 + 6
}
