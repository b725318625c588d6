//! Authorization codes of the PKCE flow (RFC 7636): good once, for a few minutes, for who holds the verifier.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::error::DbError;

/// A code that was given out.
#[derive(Clone, Debug)]
pub struct Flow {
    pub credential_id: Uuid,
    pub code_challenge: String,
    /// `s256` or `plain`.
    pub method: String,
    /// How the person proved themselves; goes into `amr`.
    pub authentication_method: String,
    pub expires_at: DateTime<Utc>,
}

pub async fn create(
    db: impl PgExecutor<'_>,
    auth_code: &str,
    credential: Uuid,
    challenge: (&str, &str),
    authentication_method: &str,
    ttl: Duration,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO auth_flows (auth_code, credential_id, code_challenge, method, authentication_method, expires_at)
         VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))",
        auth_code,
        credential,
        challenge.0,
        challenge.1,
        authentication_method,
        ttl.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The flow of a code, locked until the transaction ends.
pub async fn find(db: impl PgExecutor<'_>, auth_code: &str) -> Result<Option<Flow>, DbError> {
    Ok(sqlx::query_as!(
        Flow,
        "SELECT credential_id, code_challenge, method, authentication_method, expires_at FROM auth_flows WHERE auth_code = $1 FOR UPDATE",
        auth_code
    )
    .fetch_optional(db)
    .await?)
}

pub async fn spend(db: impl PgExecutor<'_>, auth_code: &str) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM auth_flows WHERE auth_code = $1", auth_code).execute(db).await?;
    Ok(())
}
