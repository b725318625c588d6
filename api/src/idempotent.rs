//! Calls that create something and may be repeated: the same `Idempotency-Key` gets the same answer.

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
};
use heimdex_db::{
    PgConnection, UserId,
    idempotency::{self, Claim},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Code};

/// The key of a call, if it carries one, and what it is for.
pub struct Idempotent(Option<(String, Vec<u8>)>);

impl Idempotent {
    /// `request` is whatever makes two calls the same one.
    pub fn read(headers: &HeaderMap, request: &Value) -> Result<Self, ApiError> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
        let key = key.ok_or_else(|| {
            ApiError::field("Idempotency-Key", "invalid", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
        })?;
        Ok(Self(Some((key.to_owned(), Sha256::digest(request.to_string().as_bytes()).to_vec()))))
    }

    /// The answer of the first time, if this is another.
    pub async fn claim(
        &self,
        db: &mut PgConnection,
        user: UserId,
    ) -> Result<Option<(StatusCode, Json<Value>)>, ApiError> {
        let Some((key, hash)) = &self.0 else { return Ok(None) };
        match idempotency::claim(db, user, key, hash).await? {
            Claim::First => Ok(None),
            Claim::Again { status, response } => {
                let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
                Ok(Some((status.unwrap_or(StatusCode::CREATED), Json(response))))
            }
            Claim::Mismatch => Err(ApiError::new(Code::IdempotencyKeyReused)),
        }
    }

    /// Keeps the answer, on the transaction of the work.
    pub async fn remember(
        &self,
        db: &mut PgConnection,
        user: UserId,
        status: StatusCode,
        answer: Value,
    ) -> Result<(StatusCode, Json<Value>), ApiError> {
        if let Some((key, _)) = &self.0 {
            let code = i16::try_from(status.as_u16()).unwrap_or(201);
            idempotency::remember(db, user, key, code, &answer).await?;
        }
        Ok((status, Json(answer)))
    }
}
