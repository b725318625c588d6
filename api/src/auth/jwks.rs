//! The keys of a Supabase project, fetched and kept.
//!
//! - Fresh for ten minutes; afterwards a known key still answers at once while one request fetches in the background.
//! - If fetching fails, or brings no key at all, the last good set stays, for a day at most.
//! - An unknown key id fetches at most once in thirty seconds, one request at a time: random ids cost the project nothing.
//! - The answer may have 256 KiB and five seconds, and no redirect is followed.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use futures::StreamExt;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use url::Url;

use super::keyset::{KeyMark, KeySet, VerifyingKey};

const MAX_BYTES: usize = 256 << 10;
/// Requests with unknown key ids that wait for one fetch; more are told at once that there is no such key.
const MAX_WAITING: usize = 256;

/// How long a key set is believed, and how often it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Believed without asking.
    pub fresh: Duration,
    /// Believed when asking fails.
    pub stale_at_most: Duration,
    /// Between two fetches, whatever asks for them.
    pub between_fetches: Duration,
    /// The same as long as no key was ever had.
    pub between_first_fetches: Duration,
    /// Of one fetch, connecting and reading included.
    pub deadline: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(600),
            stale_at_most: Duration::from_secs(24 * 3600),
            between_fetches: Duration::from_secs(30),
            between_first_fetches: Duration::from_secs(5),
            deadline: Duration::from_secs(5),
        }
    }
}

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
pub enum Unavailable {
    #[error("the project's keys cannot be had")]
    Unreachable,
    /// The project answered, and has no key of a kind we take: it signs with a shared secret only.
    #[error("the project has no public keys")]
    NoPublicKeys,
}

#[derive(Default)]
struct State {
    keys: Arc<KeySet>,
    fetched_at: Option<Instant>,
    tried_at: Option<Instant>,
    /// See [`Unavailable::NoPublicKeys`].
    has_none: bool,
}

/// A remote key set.
pub struct Jwks {
    url: Url,
    http: reqwest::Client,
    timing: Timing,
    state: RwLock<State>,
    /// Held while fetching.
    flight: Arc<Mutex<()>>,
    waiting: Semaphore,
}

impl Jwks {
    pub fn new(url: Url, timing: Timing) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timing.deadline)
            .timeout(timing.deadline)
            .build()?;
        Ok(Self {
            url,
            http,
            timing,
            state: RwLock::default(),
            flight: Arc::default(),
            waiting: Semaphore::new(MAX_WAITING),
        })
    }

    /// The key of an id, or `Ok(None)` if the project has none of it.
    pub(super) async fn find(self: &Arc<Self>, kid: &str) -> Result<Option<VerifyingKey>, Unavailable> {
        if let (Some(key), Some(age)) = self.look(kid)
            && age < self.timing.stale_at_most
        {
            self.renew_if_old(age);
            return Ok(Some(key));
        }
        // Unknown, or nothing usable is known: wait for the one fetch, unless there was one a moment ago.
        if let Ok(_place) = self.waiting.try_acquire() {
            let flight = Arc::clone(&self.flight).lock_owned().await;
            if self.may_try() {
                self.fetch_and_keep(flight).await;
            }
        }
        match self.look(kid) {
            (key, Some(age)) if age < self.timing.stale_at_most => Ok(key),
            _ if self.has_none() => Err(Unavailable::NoPublicKeys),
            _ => Err(Unavailable::Unreachable),
        }
    }

    /// Whether a key that verified a token a while ago is still one of the project's. Renews what is old on the way, so
    /// that a key which was revoked ends its tokens although none of them is verified anew.
    pub(super) fn still_has(self: &Arc<Self>, mark: &KeyMark) -> bool {
        let (has, age) = {
            let state = self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            (state.keys.holds(mark), state.fetched_at.map(|at| at.elapsed()))
        };
        let Some(age) = age else { return false };
        self.renew_if_old(age);
        has && age < self.timing.stale_at_most
    }

    fn look(&self, kid: &str) -> (Option<VerifyingKey>, Option<Duration>) {
        let state = self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        (state.keys.get(kid).cloned(), state.fetched_at.map(|at| at.elapsed()))
    }

    fn has_none(&self) -> bool {
        self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).has_none
    }

    fn may_try(&self) -> bool {
        let state = self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let between = if state.fetched_at.is_some() || state.has_none {
            self.timing.between_fetches
        } else {
            self.timing.between_first_fetches
        };
        state.tried_at.is_none_or(|at| at.elapsed() >= between)
    }

    fn renew_if_old(self: &Arc<Self>, age: Duration) {
        if age < self.timing.fresh || !self.may_try() {
            return;
        }
        let Ok(flight) = Arc::clone(&self.flight).try_lock_owned() else { return };
        let this = Arc::clone(self);
        tokio::spawn(async move { this.fetch_and_keep(flight).await });
    }

    async fn fetch_and_keep(&self, _flight: OwnedMutexGuard<()>) {
        let fetched = self.fetch().await;
        let mut state = self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.tried_at = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                state.keys = Arc::new(keys);
                state.fetched_at = state.tried_at;
                state.has_none = false;
            }
            Err(error) => {
                state.has_none = matches!(error, FetchError::Empty) && state.fetched_at.is_none();
                tracing::warn!(error = &error as &dyn std::error::Error, url = %self.url, "could not renew the project's keys");
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let response = self.http.get(self.url.clone()).header("accept", "application/json").send().await?;
        if response.status() != reqwest::StatusCode::OK {
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

#[cfg(test)]
#[path = "jwks_tests.rs"]
mod tests;
