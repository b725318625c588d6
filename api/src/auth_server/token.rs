//! `POST /auth/v1/token`: signing in by password, and renewing a session.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
};
use heimdex_db::auth_credentials;
use serde_json::Value;

use super::{
    AuthServer, Server,
    body::{Body, query_value},
    error::AuthError,
    limits::{self, Client},
    password, sessions,
    signup::user_agent,
};

/// Guesses at one account in five minutes.
const GUESSES: i32 = 30;

pub async fn token(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, client, "token", 150).await?;
    match query_value(query.as_deref(), "grant_type").as_deref().unwrap_or("") {
        "password" => by_password(&server, &body, user_agent(&headers)).await.map(Json),
        "refresh_token" => sessions::renew(&server, body.required("refresh_token")?).await.map(Json),
        "pkce" | "id_token" | "web3" => Err(AuthError::not_implemented("this way of signing in")),
        _ => Err(AuthError::new(StatusCode::BAD_REQUEST, "validation_failed", "unsupported_grant_type")),
    }
}

/// An unknown address, a wrong password and an over-long one take the same time and get the same answer.
async fn by_password(server: &AuthServer, body: &Body, user_agent: Option<&str>) -> Result<Value, AuthError> {
    let (address, secret) = (body.required("email")?.trim().to_lowercase(), body.required("password")?);
    if address.contains('\0') || secret.len() > 4 * password::MAX_BYTES {
        return Err(AuthError::invalid_credentials());
    }
    limits::by_account(server, &address, GUESSES).await?;
    let account = auth_credentials::find_by_email(&server.pool, &address).await?;
    let stored = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = server.hasher.verify(secret, stored).await?;
    let Some(account) = account.filter(|_| right) else { return Err(AuthError::invalid_credentials()) };
    if account.is_banned() {
        return Err(AuthError::new(StatusCode::BAD_REQUEST, "user_banned", "User is banned"));
    }
    if account.email_confirmed_at.is_none() {
        return Err(AuthError::new(StatusCode::BAD_REQUEST, "email_not_confirmed", "Email not confirmed"));
    }
    let mut tx = server.pool.begin().await?;
    let session = sessions::open(&mut tx, server, &account, user_agent).await?;
    tx.commit().await?;
    Ok(session)
}
