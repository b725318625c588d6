//! What every handler works with. Made once at start; cheap to clone.

use std::{ops::Deref, sync::Arc};

use heimdex_db::{PgPool, search::VectorSearch, store::Store};

use crate::{
    auth::{TokenCache, liveness::Liveness, reader::PersonReader, verifier::Verifier},
    auth_server::AuthServer,
    config::Config,
    dictionary::QueryDictionary,
    encoders::QueryEncoders,
    events::Hub,
};

/// Shared by all requests.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    pub pool: PgPool,
    pub vectors: VectorSearch,
    pub store: Store,
    pub verifier: Verifier,
    pub tokens: TokenCache,
    pub callers: PersonReader,
    pub liveness: Liveness,
    /// Exports under way.
    pub exports: Arc<tokio::sync::Semaphore>,
    /// Only where no Supabase project is configured.
    pub auth_server: Option<Arc<AuthServer>>,
    pub events: Hub,
    pub encoders: QueryEncoders,
    pub dictionary: QueryDictionary,
    /// Ends the event streams when the process is told to stop.
    pub stopping: tokio_util::sync::CancellationToken,
}

impl AppState {
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
