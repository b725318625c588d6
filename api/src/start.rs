//! Starting and stopping.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use heimdex_db::{
    PgPool,
    enums::{self, EnumDrift},
    pool::ConnectError,
    schema::MigrateError,
    search::VectorSearch,
    store::{Store, StoreError},
    vectors::{self, VectorKind},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    auth::{
        TokenCache,
        jwks::{Jwks, Timing},
        liveness::Liveness,
        own_keys::{KeyError, OwnKeys},
        reader::PersonReader,
        verifier::{KeySource, Rules, Verifier},
    },
    auth_server::{AuthServer, links::Links, password::Hasher, upkeep},
    config::{AuthConfig, Config},
    dictionary::QueryDictionary,
    encoders::{QueryEncoders, Sense, Status},
    events::Hub,
    metrics_server, router, routes,
    state::{AppState, Inner},
};

/// Requests under way get this long to end once the process is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Why the API did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Drift(#[from] EnumDrift),
    #[error("the bucket cannot be had")]
    Store(#[from] StoreError),
    #[error("signing keys cannot be had")]
    Keys(#[from] KeyError),
    #[error("a configured address is wrong: {0}")]
    ProjectUrl(#[from] url::ParseError),
    #[error("no HTTP client can be made")]
    Http(#[from] reqwest::Error),
    #[error("the start was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    #[error("serving failed")]
    Serve(#[from] std::io::Error),
}

/// Bound by the caller, so that tests can have port 0.
pub struct Listeners {
    pub api: TcpListener,
    pub metrics: TcpListener,
}

/// Runs the API until `shutdown` is cancelled, then lets requests end.
pub async fn run(config: Config, listeners: Listeners, shutdown: CancellationToken) -> Result<(), StartError> {
    let address = listeners.api.local_addr()?;
    let state = prepare_apart(Config { bind: address, ..config }, shutdown.clone()).await?;
    tracing::info!(%address, "listening");
    let upkeep = tokio::spawn(metrics_server::upkeep());
    let metrics = tokio::spawn(
        axum::serve(listeners.metrics, metrics_server::router())
            .with_graceful_shutdown(shutdown.clone().cancelled_owned())
            .into_future(),
    );
    let app = router::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listeners.api, app).with_graceful_shutdown(shutdown.clone().cancelled_owned()).into_future();
    let out_of_patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = serving => result?,
        () = out_of_patience => tracing::warn!("some requests did not end in time"),
    }
    metrics.abort();
    upkeep.abort();
    // A stream's task may still hold a connection; it has been told to end.
    let _ = tokio::time::timeout(Duration::from_secs(2), state.pool.close()).await;
    Ok(())
}

/// A database that is migrated and whose enums are ours.
pub async fn open_database(config: &Config) -> Result<PgPool, StartError> {
    let pool = heimdex_db::connect(&config.database_url, config.database_connections).await?;
    heimdex_db::migrate(&pool).await?;
    enums::check(&pool).await?;
    Ok(pool)
}

/// The migrator's future is not `Send` for every lifetime; on a thread of its own it does not keep [`run`] from being spawned.
async fn prepare_apart(config: Config, shutdown: CancellationToken) -> Result<AppState, StartError> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(prepare(config, shutdown))).await?
}

/// Everything the handlers work with; `shutdown` ends what it starts.
pub async fn prepare(config: Config, shutdown: CancellationToken) -> Result<AppState, StartError> {
    let pool = open_database(&config).await?;
    let store = Store::new(&config.s3);
    store.ensure_bucket().await?;
    let (verifier, auth_server) = authentication(&config, &pool).await?;
    let liveness = match &config.auth.supabase_url {
        Some(url) => Liveness::of_project(auth_call(url, "user")?, config.auth.publishable_key.clone())?,
        None => Liveness::Own,
    };
    let encoders =
        QueryEncoders::start(config.models_dir.clone(), config.text_model.clone(), config.image_model.clone());
    let dictionary = QueryDictionary::start(config.models_dir.clone(), config.dictionary.clone());
    tokio::spawn(register(pool.clone(), encoders.clone()));
    let events = Hub::start(pool.clone(), shutdown.clone());
    if let Some(server) = &auth_server {
        upkeep::start(Arc::clone(server), shutdown.clone());
    }
    Ok(AppState::new(Inner {
        config,
        callers: PersonReader::start(pool.clone()),
        vectors: VectorSearch::new(pool.clone()),
        pool,
        store,
        verifier,
        tokens: TokenCache::default(),
        liveness,
        exports: Arc::new(tokio::sync::Semaphore::new(routes::users::export::AT_ONCE)),
        auth_server,
        events,
        encoders,
        dictionary,
        stopping: shutdown,
    }))
}

/// The embedded auth server, or a Supabase project's keys.
async fn authentication(config: &Config, pool: &PgPool) -> Result<(Verifier, Option<Arc<AuthServer>>), StartError> {
    let auth = &config.auth;
    match &auth.supabase_url {
        Some(url) => {
            let jwks = auth_call(url, ".well-known/jwks.json")?;
            let source = KeySource::Project(Arc::new(Jwks::new(jwks, Timing::default())?));
            Ok((verifier(auth, source, auth.issuer.clone()), None))
        }
        None => {
            let server = Arc::new(embedded(config, pool).await?);
            let source = KeySource::Own(Arc::clone(&server.keys));
            Ok((verifier(auth, source, Some(server.issuer.clone())), Some(server)))
        }
    }
}

/// A call of the project's auth server.
pub fn auth_call(project: &Url, path: &str) -> Result<Url, url::ParseError> {
    format!("{}/auth/v1/{path}", project.as_str().trim_end_matches('/')).parse()
}

fn verifier(auth: &AuthConfig, source: KeySource, issuer: Option<String>) -> Verifier {
    Verifier::new(source, Rules { issuer, audience: auth.audience.clone() }, auth.legacy_jwt_secret.as_ref())
}

/// The embedded auth server alone; also for commands that make accounts.
pub async fn embedded(config: &Config, pool: &PgPool) -> Result<AuthServer, StartError> {
    let base = config
        .public_url
        .as_ref()
        .map_or_else(|| format!("http://{}", config.bind), |url| url.as_str().trim_end_matches('/').to_owned());
    let settings = config.auth.embedded.clone();
    let site = settings.site_url.clone().map_or_else(|| format!("{base}/app").parse(), Ok)?;
    Ok(AuthServer {
        pool: pool.clone(),
        keys: Arc::new(OwnKeys::load_or_make(pool.clone()).await?),
        hasher: Hasher::default(),
        issuer: config.auth.issuer.clone().unwrap_or_else(|| format!("{base}/auth/v1")),
        links: Links::new(format!("{base}/auth/v1"), site, settings.redirect_urls.clone()),
        settings,
    })
}

/// Once loaded, the text model is known to the database, in case no worker has told it yet.
async fn register(pool: PgPool, encoders: QueryEncoders) {
    if encoders.settled(Sense::Text, Duration::from_secs(600)).await != Status::Ready {
        return;
    }
    let Some(id) = encoders.configured(Sense::Text) else { return };
    let Ok(probe) = encoders.embed(Sense::Text, id, "dimension").await else { return };
    if let Err(error) = vectors::ensure_model(&pool, VectorKind::Text, id, probe.vector.len()).await {
        tracing::error!(error = &error as &dyn std::error::Error, model = id, "the text model cannot be registered");
    }
}
