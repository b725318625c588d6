//! `GET /reauthenticate`: six digits that prove once more that it is the person; and their use.

use axum::{Json, extract::State};
use heimdex_db::{
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials::Credential,
    auth_one_time::Kind,
};
use serde_json::{Value, json};

use super::{
    AuthServer, Server,
    error::AuthError,
    limits::{self, Client},
    mails::{self, Letter},
    one_time,
    user::Signed,
};

pub async fn reauthenticate(
    State(server): State<Server>,
    client: Client,
    signed: Signed,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "reauthenticate", 30).await?;
    let account = &signed.account;
    if !account.is_confirmed() {
        return Err(AuthError::unprocessable("email_not_confirmed", "Please verify your email first."));
    }
    limits::may_mail(&server, "reauthentication", &account.email).await?;
    let mut tx = server.pool.begin().await?;
    mails::send(&mut tx, &server, account, Letter::Reauthentication).await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}

/// Spends the digits of a person.
pub async fn check(server: &AuthServer, client: &Client, account: &Credential, nonce: &str) -> Result<(), AuthError> {
    limits::by_account(server, client, "verify", &account.email, 30).await?;
    let mut tx = server.pool.begin().await?;
    let found = one_time::take_by_digits(&mut tx, &account.email, nonce, &[Kind::Reauthentication]).await?;
    if found.is_some() {
        let whom = Whom::Account(account.id);
        audit::record(&mut *tx, &client.by(Actor::Person(whom)), Event::new(Action::Reauthenticated, whom)).await?;
    }
    tx.commit().await?;
    match found {
        Some(_) => Ok(()),
        None => Err(AuthError::unprocessable("reauthentication_not_valid", "Nonce has expired or is invalid")),
    }
}
