//! Signing keys of the embedded auth server.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use crate::error::DbError;

/// Advisory lock under which the first key is made, so that two processes that start at once agree on one.
const KEY_LOCK: i64 = 0x6865_696d_6b65_7973;

/// A key pair as stored.
#[derive(Clone, Debug)]
pub struct SigningKey {
    pub kid: String,
    pub alg: String,
    /// PKCS #8, PEM.
    pub private_pem: String,
    pub public_jwk: Value,
    /// `standby`, `in_use` or `previous`.
    pub state: String,
}

/// Every key that verifies (all but the revoked), the signing one first.
pub async fn all(db: impl PgExecutor<'_>) -> Result<Vec<SigningKey>, DbError> {
    Ok(sqlx::query_as!(
        SigningKey,
        "SELECT kid, alg, private_pem, public_jwk, state FROM auth_signing_keys WHERE state <> 'revoked'
         ORDER BY state <> 'in_use', created_at DESC"
    )
    .fetch_all(db)
    .await?)
}

/// Serialises the making of keys until the transaction ends.
pub async fn lock(db: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", KEY_LOCK).execute(db).await?;
    Ok(())
}

/// Stores a key as the one in use.
pub async fn insert_in_use(db: impl PgExecutor<'_>, key: &SigningKey) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO auth_signing_keys (kid, alg, private_pem, public_jwk, state) VALUES ($1, $2, $3, $4, 'in_use')",
        key.kid,
        key.alg,
        key.private_pem,
        key.public_jwk
    )
    .execute(db)
    .await?;
    Ok(())
}
