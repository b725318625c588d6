//! Tokens that were verified before, remembered until they expire. Only the token is remembered, not the person: the row,
//! its tombstone and the session are read anew by every request, and whether the key still counts is asked every time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use heimdex_db::users::ClaimedProfile;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::keyset::KeyMark;

/// About 10 MB.
const MAX_TOKENS: usize = 20_000;

/// A token that passed every check.
#[derive(Clone, Debug)]
pub struct Verified {
    pub profile: Arc<ClaimedProfile>,
    pub session_id: Option<Uuid>,
    pub expires_at: DateTime<Utc>,
    /// What it was verified with; none where a shared secret did.
    pub(super) key: Option<KeyMark>,
}

/// By the token's SHA-256, so that tokens do not lie about in memory.
#[derive(Default)]
pub struct TokenCache(Mutex<HashMap<[u8; 32], Verified>>);

impl TokenCache {
    pub fn get(&self, token: &str) -> Option<Verified> {
        let tokens = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tokens.get(&key(token)).filter(|verified| verified.expires_at > Utc::now()).cloned()
    }

    pub fn put(&self, token: &str, verified: Verified) {
        let mut tokens = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            let now = Utc::now();
            tokens.retain(|_, verified| verified.expires_at > now);
            // Everybody at once: forgetting costs one signature check each.
            if tokens.len() >= MAX_TOKENS {
                tokens.clear();
            }
        }
        tokens.insert(key(token), verified);
    }

    pub fn forget(&self, token: &str) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&key(token));
    }
}

fn key(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use heimdex_db::users::ClaimedProfile;

    use super::*;

    fn verified(expires_in: TimeDelta) -> Verified {
        let profile = ClaimedProfile {
            subject: Uuid::nil(),
            email: None,
            email_verified: false,
            display_name: None,
            avatar_url: None,
            role: None,
            issued_at: Utc::now(),
        };
        Verified { profile: Arc::new(profile), session_id: None, expires_at: Utc::now() + expires_in, key: None }
    }

    #[test]
    fn a_token_is_remembered_until_it_expires_and_there_are_never_too_many() {
        let cache = TokenCache::default();
        cache.put("over", verified(TimeDelta::seconds(-1)));
        cache.put("alive", verified(TimeDelta::hours(1)));
        assert!(cache.get("over").is_none() && cache.get("alive").is_some() && cache.get("never seen").is_none());
        cache.forget("alive");
        assert!(cache.get("alive").is_none());
        for n in 0..MAX_TOKENS + 10 {
            cache.put(&n.to_string(), verified(TimeDelta::hours(1)));
        }
        assert!(cache.0.lock().unwrap().len() <= MAX_TOKENS);
    }
}
