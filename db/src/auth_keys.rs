//! Signing keys of the embedded auth server: standby (published, not signing) → in use → previous (trusted) → revoked.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool, postgres::PgListener};

use crate::error::DbError;

/// Advisory lock under which keys change, so that two processes that start at once agree on one.
const KEY_LOCK: i64 = 0x6865_696d_6b65_7973;
const CHANNEL: &str = "heimdex_signing_keys";

/// A key pair as stored.
#[derive(Clone, Debug)]
pub struct SigningKey {
    pub kid: String,
    pub alg: String,
    /// PKCS #8, PEM.
    pub private_pem: String,
    pub public_jwk: Value,
    /// `standby`, `in_use`, `previous` or `revoked`.
    pub state: String,
    pub created_at: DateTime<Utc>,
    /// When it came into this state.
    pub changed_at: DateTime<Utc>,
}

/// A fresh pair, to be stored.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub kid: String,
    pub private_pem: String,
    pub public_jwk: Value,
}

/// Every key, the signing one first, then the newest.
pub async fn all(db: impl PgExecutor<'_>) -> Result<Vec<SigningKey>, DbError> {
    Ok(sqlx::query_as!(
        SigningKey,
        "SELECT kid, alg, private_pem, public_jwk, state, created_at, changed_at FROM auth_signing_keys
         ORDER BY state <> 'in_use', created_at DESC"
    )
    .fetch_all(db)
    .await?)
}

/// Serialises changes of keys until the transaction ends.
pub async fn lock(db: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", KEY_LOCK).execute(db).await?;
    Ok(())
}

/// Stores a key in a state.
pub async fn insert(db: impl PgExecutor<'_>, key: &NewKey, state: &str) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO auth_signing_keys (kid, alg, private_pem, public_jwk, state) VALUES ($1, 'ES256', $2, $3, $4)",
        key.kid,
        key.private_pem,
        key.public_jwk,
        state
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Brings a key into a state. A revoked key's private half is forgotten.
pub async fn set_state(db: impl PgExecutor<'_>, kid: &str, state: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE auth_signing_keys SET state = $2, changed_at = now(),
             private_pem = CASE WHEN $2 = 'revoked' THEN '' ELSE private_pem END WHERE kid = $1",
        kid,
        state
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Hears of every change of the keys.
pub struct Changes(PgListener);

impl Changes {
    pub async fn listen(pool: &PgPool) -> Result<Self, DbError> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Waits for a change, or for a gap in which one may have been missed.
    pub async fn next(&mut self) -> Result<(), DbError> {
        self.0.try_recv().await?;
        Ok(())
    }
}
