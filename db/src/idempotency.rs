//! Answers to creating calls, kept so that a repeated `Idempotency-Key` gets the first one again.

use serde_json::Value;
use sqlx::PgConnection;

use crate::{error::DbError, ids::UserId};

/// What to do with a call that carries a key.
#[derive(Debug)]
pub enum Claim {
    /// The first time: do the work and [`remember`] the answer in the same transaction.
    First,
    /// Done before: this was the answer.
    Again { status: i16, response: Value },
    /// The key was used for another request.
    Mismatch,
}

/// Claims a key for a request. A second call with the key waits until the first one's transaction has ended.
pub async fn claim(db: &mut PgConnection, user: UserId, key: &str, request_hash: &[u8]) -> Result<Claim, DbError> {
    let inserted = sqlx::query!(
        "INSERT INTO idempotency_keys (user_id, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        user.0,
        key,
        request_hash
    )
    .execute(&mut *db)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Claim::First);
    }
    let row = sqlx::query!(
        "SELECT request_hash, status, response FROM idempotency_keys WHERE user_id = $1 AND key = $2",
        user.0,
        key
    )
    .fetch_optional(db)
    .await?
    // Swept between the two statements.
    .ok_or(DbError::Conflict("idempotency_key_expired"))?;
    match (row.status, row.response) {
        _ if row.request_hash != request_hash => Ok(Claim::Mismatch),
        (Some(status), Some(response)) => Ok(Claim::Again { status, response }),
        _ => Err(DbError::Conflict("idempotency_key_in_use")),
    }
}

/// Keeps the answer of a claimed key.
pub async fn remember(
    db: &mut PgConnection,
    user: UserId,
    key: &str,
    status: i16,
    response: &Value,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE idempotency_keys SET status = $3, response = $4 WHERE user_id = $1 AND key = $2",
        user.0,
        key,
        status,
        response
    )
    .execute(db)
    .await?;
    Ok(())
}
