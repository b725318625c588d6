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

/// Bounded access to Argon2id.
#[derive(Clone, Debug)]
pub struct Hasher(Arc<Semaphore>);

impl Default for Hasher {
    fn default() -> Self {
        let at_once = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self(Arc::new(Semaphore::new(at_once)))
    }
}

impl Hasher {
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
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned())
            .await
            .map_err(|_| AuthError::overloaded())?
            .map_err(|_| AuthError::overloaded())?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
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
