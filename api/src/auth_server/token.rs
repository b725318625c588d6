//! `POST /token`: signing in by password, renewing a session, trading a code.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use heimdex_db::auth_credentials;
use serde_json::Value;

use super::{
    AuthServer, Server,
    body::{Body, query_value},
    error::AuthError,
    flow,
    limits::{self, Client},
    password, sessions,
    signup::phone_disabled,
};

/// Guesses at one account in five minutes.
const GUESSES: i32 = 30;

pub async fn token(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "token", 150).await?;
    match query_value(query.as_deref(), "grant_type").as_deref().unwrap_or("") {
        "password" => by_password(&server, &client, &body).await.map(Json),
        "refresh_token" => match body.filled("refresh_token")? {
            Some(token) => sessions::renew(&server, &client, token).await.map(Json),
            None => Err(AuthError::oauth("invalid_request", "refresh_token required")),
        },
        "pkce" => flow::exchange(&server, &client, &body).await.map(Json),
        "id_token" => Err(AuthError::oauth("invalid request", "no provider of ID tokens is set up")),
        "web3" => Err(AuthError::unprocessable("web3_provider_disabled", "Web3 provider is disabled")),
        _ => Err(AuthError::oauth("unsupported_grant_type", "")),
    }
}

/// An unknown address, a wrong password and an over-long one take the same time and get the same answer. Only who knows the
/// password learns that the account is banned or unconfirmed.
async fn by_password(server: &AuthServer, client: &Client, body: &Body) -> Result<Value, AuthError> {
    if body.filled("phone")?.is_some() {
        return Err(phone_disabled("Phone logins are disabled"));
    }
    let (Some(address), Some(secret)) = (body.filled("email")?, body.filled("password")?) else {
        return Err(AuthError::invalid_credentials());
    };
    let address = address.trim().to_lowercase();
    if address.contains('\0') || address.len() > 254 || secret.len() > 4 * password::MAX_BYTES {
        return Err(AuthError::invalid_credentials());
    }
    limits::by_account(server, client, "password", &address, GUESSES).await?;
    let account = auth_credentials::find_by_email(&server.pool, &address).await?;
    let stored = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = server.hasher.verify(secret, stored).await?;
    let Some(account) = account.filter(|_| right) else { return Err(AuthError::invalid_credentials()) };
    if account.is_banned() {
        return Err(AuthError::bad_request("user_banned", "User is banned"));
    }
    if !account.is_confirmed() {
        return Err(AuthError::bad_request("email_not_confirmed", "Email not confirmed"));
    }
    let mut tx = server.pool.begin().await?;
    let session = sessions::open(&mut tx, server, &account, "password", client).await?;
    tx.commit().await?;
    Ok(session)
}
