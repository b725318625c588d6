//! The keys of a Supabase project, fetched and kept.
//!
//! - Fresh for ten minutes; afterwards a known key still answers at once while one request fetches in the background.
//! - If fetching fails, or brings no key at all, the last good set stays, for a day at most.
//! - An unknown key id fetches at most once in thirty seconds, one request at a time: random ids cost the project nothing.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use futures::StreamExt;
use url::Url;

use super::keyset::{KeySet, VerifyingKey};

const FRESH: Duration = Duration::from_secs(600);
const STALE_AT_MOST: Duration = Duration::from_secs(24 * 3600);
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 256 << 10;

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the key set cannot be fetched")]
    Http(#[from] reqwest::Error),
    #[error("the key set's server answered {0}")]
    Status(reqwest::StatusCode),
    #[error("the key set is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the key set is no JWKS document")]
    Json(#[from] serde_json::Error),
    #[error("the key set has no usable key")]
    Empty,
}

/// No key set was ever had, or the last one is too old: nobody can be told apart.
#[derive(Debug, thiserror::Error)]
#[error("the project's keys cannot be had")]
pub struct Unavailable;

#[derive(Default)]
struct State {
    keys: Arc<KeySet>,
    fetched_at: Option<Instant>,
    tried_at: Option<Instant>,
}

/// A remote key set.
pub struct Jwks {
    url: Url,
    http: reqwest::Client,
    state: RwLock<State>,
    /// Held while fetching.
    flight: tokio::sync::Mutex<()>,
}

impl Jwks {
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(5))
            .build()?;
        Ok(Self { url, http, state: RwLock::default(), flight: tokio::sync::Mutex::new(()) })
    }

    /// The key of an id, or `Ok(None)` if the project has none of it.
    pub(super) async fn find(self: &Arc<Self>, kid: &str) -> Result<Option<VerifyingKey>, Unavailable> {
        let (known, age) = self.look(kid);
        match (known, age) {
            (Some(key), Some(age)) if age < FRESH => return Ok(Some(key)),
            (Some(key), Some(age)) if age < STALE_AT_MOST => {
                self.refresh_in_background();
                return Ok(Some(key));
            }
            _ => {}
        }
        // Unknown, or nothing usable is known: wait for the one fetch, unless there was one a moment ago.
        let _flight = self.flight.lock().await;
        if self.may_try() {
            self.fetch_and_keep().await;
        }
        match self.look(kid) {
            (_, Some(age)) if age >= STALE_AT_MOST => Err(Unavailable),
            (_, None) => Err(Unavailable),
            (key, Some(_)) => Ok(key),
        }
    }

    fn look(&self, kid: &str) -> (Option<VerifyingKey>, Option<Duration>) {
        let state = self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        (state.keys.get(kid).cloned(), state.fetched_at.map(|at| at.elapsed()))
    }

    fn may_try(&self) -> bool {
        let state = self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.tried_at.is_none_or(|at| at.elapsed() >= BETWEEN_FETCHES)
    }

    fn refresh_in_background(self: &Arc<Self>) {
        if !self.may_try() {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            if let Ok(_flight) = this.flight.try_lock()
                && this.may_try()
            {
                this.fetch_and_keep().await;
            }
        });
    }

    /// With the flight held.
    async fn fetch_and_keep(&self) {
        let fetched = self.fetch().await;
        let mut state = self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.tried_at = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                state.keys = Arc::new(keys);
                state.fetched_at = state.tried_at;
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, url = %self.url, "could not renew the project's keys");
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let response = self.http.get(self.url.clone()).header("accept", "application/json").send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status()));
        }
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let keys = KeySet::from_jwks(&body)?;
        if keys.is_empty() { Err(FetchError::Empty) } else { Ok(keys) }
    }
}
