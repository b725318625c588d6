//! Tokens that were verified a moment ago. Only the token is remembered, not the person: the row, its tombstone and the
//! session are read anew by every request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use heimdex_db::users::ClaimedProfile;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A key that was revoked stops counting after this long at the latest.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
const MAX_TOKENS: usize = 20_000;

/// A token that passed every check.
#[derive(Clone, Debug)]
pub struct Verified {
    pub profile: Arc<ClaimedProfile>,
    pub session_id: Option<Uuid>,
    pub expires_at: DateTime<Utc>,
}

/// By the token's SHA-256, so that tokens do not lie about in memory.
#[derive(Default)]
pub struct TokenCache(Mutex<HashMap<[u8; 32], (Verified, Instant)>>);

impl TokenCache {
    pub fn get(&self, token: &str) -> Option<Verified> {
        let tokens = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (verified, at) = tokens.get(&key(token))?;
        (at.elapsed() < REMEMBERED_FOR && verified.expires_at > Utc::now()).then(|| verified.clone())
    }

    pub fn put(&self, token: &str, verified: Verified) {
        let mut tokens = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            let now = Utc::now();
            tokens.retain(|_, (verified, at)| at.elapsed() < REMEMBERED_FOR && verified.expires_at > now);
            // Everybody at once: forgetting costs one signature check each.
            if tokens.len() >= MAX_TOKENS {
                tokens.clear();
            }
        }
        tokens.insert(key(token), (verified, Instant::now()));
    }
}

fn key(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
