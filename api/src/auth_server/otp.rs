//! `POST /otp` and its older name `/magiclink`: a mail that signs in.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use heimdex_db::{
    audit::Actor,
    auth_credentials::{self, Credential},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    AuthServer, Server,
    accounts::{self, NewAccount},
    body::{Body, query_value},
    error::AuthError,
    flow::Challenge,
    limits::{self, Client},
    mails::{self, Letter},
    signup::{self, Wanted, phone_disabled},
};

/// With `create_user` (the default) an unknown address gets an account. Without, it gets the same answer as a known one and
/// no mail: GoTrue's `otp_disabled` would tell anybody who has an account.
pub async fn otp(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "otp", 30).await?;
    if body.filled("phone")?.is_some() {
        return Err(if body.filled("email")?.is_some() {
            AuthError::invalid("Only an email address or phone number should be provided")
        } else {
            phone_disabled("Unsupported phone provider")
        });
    }
    if body.filled("email")?.is_none() {
        return Err(AuthError::invalid("One of email or phone must be set"));
    }
    let wanted = Wanted {
        address: body.email()?,
        data: body.data()?,
        challenge: Challenge::of(&body)?,
        redirect_to: server.links.redirect(query_value(query.as_deref(), "redirect_to").as_deref()),
    };
    accounts::check_role(&wanted.data)?;
    let create = body.flag("create_user")?.unwrap_or(true);
    if create && !server.settings.signup {
        return Err(signup::signup_disabled());
    }
    limits::may_mail(&server, "recovery", &wanted.address).await?;
    limits::unhurried(write(&server, &client, &wanted, create)).await?;
    Ok(Json(json!({})))
}

async fn write(server: &AuthServer, client: &Client, wanted: &Wanted, create: bool) -> Result<(), AuthError> {
    let known = auth_credentials::find_by_email(&server.pool, &wanted.address).await?;
    let account = match known {
        Some(account) if account.is_confirmed() => Some(account),
        None if !create => return Ok(()),
        // Somebody whose address is not confirmed: the mail that confirms it signs in as well.
        _ if !server.settings.autoconfirm => {
            signup::unconfirmed(server, client, wanted, None).await?;
            return Ok(());
        }
        known => known,
    };
    let mut tx = server.pool.begin().await?;
    let account: Credential = match account {
        Some(account) => account,
        None => {
            let data = wanted.data.clone();
            let new = NewAccount {
                id: Uuid::new_v4(),
                address: &wanted.address,
                password_hash: None,
                data,
                confirmed: false,
            };
            accounts::create(&mut tx, new, &client.by(Actor::Nobody)).await?
        }
    };
    let letter = Letter::MagicLink { challenge: wanted.challenge.as_ref(), redirect_to: &wanted.redirect_to };
    mails::send(&mut tx, server, &account, letter).await?;
    tx.commit().await?;
    Ok(())
}
