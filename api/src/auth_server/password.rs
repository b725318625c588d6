//! Passwords: Argon2id, off the async runtime, a few at a time. Each hash takes 19 MiB and some 20 ms; more than the queue
//! holds is refused with 503 instead of filling memory.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use tokio::sync::Semaphore;

use super::error::AuthError;

/// Waiting longer would only make the queue longer.
const PATIENCE: Duration = Duration::from_secs(4);
pub const MIN_CHARS: usize = 8;
/// Supabase's limit (bcrypt's), kept so that an account can move.
pub const MAX_BYTES: usize = 72;

/// What an unknown address is checked against, so that it takes as long as a known one.
static DUMMY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password").ok());

/// How many may wait for their turn; the next is told to come again at once.
const WAITING: usize = 64;

/// Bounded access to Argon2id.
#[derive(Clone, Debug)]
pub struct Hasher {
    working: Arc<Semaphore>,
    /// Those at work and those who wait.
    inside: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get), WAITING)
    }
}

impl Hasher {
    /// So many at once, and so many who wait.
    pub fn new(at_once: usize, waiting: usize) -> Self {
        Self { working: Arc::new(Semaphore::new(at_once)), inside: Arc::new(Semaphore::new(at_once + waiting)) }
    }

    pub async fn hash(&self, password: &str) -> Result<String, AuthError> {
        let password = password.to_owned();
        self.run(move || hash_now(&password)).await?.map_err(|error| {
            tracing::error!(%error, "could not hash a password");
            AuthError::overloaded()
        })
    }

    /// Compares with a stored hash; without one, with a dummy, and the answer is no.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, AuthError> {
        let password = password.to_owned();
        let known = stored.is_some();
        let stored = stored.map(ToOwned::to_owned);
        self.run(move || {
            let hash = stored.as_deref().or(DUMMY.as_deref());
            let parsed = hash.and_then(|hash| PasswordHash::new(hash).ok());
            parsed.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()) && known
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AuthError> {
        let inside = Arc::clone(&self.inside).try_acquire_owned().map_err(|_| AuthError::overloaded())?;
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.working).acquire_owned())
            .await
            .map_err(|_| AuthError::overloaded())?
            .map_err(|_| AuthError::overloaded())?;
        tokio::task::spawn_blocking(move || {
            let _permits = (permit, inside);
            work()
        })
        .await
        .map_err(|_| AuthError::overloaded())
    }
}

fn hash_now(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
}

/// Whether a new password will do.
pub fn check_strength(password: &str) -> Result<(), AuthError> {
    use axum::http::StatusCode;
    if password.len() > MAX_BYTES {
        return Err(AuthError::invalid(format!("Password cannot be longer than {MAX_BYTES} characters")));
    }
    if password.chars().count() < MIN_CHARS {
        let message = format!("Password should be at least {MIN_CHARS} characters.");
        return Err(AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", message.clone())
            .with("weak_password", serde_json::json!({ "reasons": ["length"], "message": message })));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_when_the_queue_is_full_is_told_to_come_again() {
        let hasher = Hasher::new(1, 1);
        let (one, two) =
            (hasher.inside.clone().try_acquire_owned().unwrap(), hasher.inside.clone().try_acquire_owned().unwrap());
        assert_eq!(hasher.verify("x", None).await.unwrap_err().code, "overloaded");
        drop((one, two));
        let hash = hasher.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(hasher.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("correct house", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("nobody has this password", None).await.unwrap(), "the dummy's password opens nothing");
    }
}
