//! `POST /recover`: a mail that opens a session in which a new password can be chosen.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use heimdex_db::{
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials,
};
use serde_json::{Value, json};

use super::{
    Server,
    body::{Body, query_value},
    error::AuthError,
    flow::Challenge,
    limits::{self, Client},
    mails::{self, Letter},
};

/// An unknown address gets the same answer, at the same time.
pub async fn recover(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "recover", 30).await?;
    let address = body.email()?;
    let challenge = Challenge::of(&body)?;
    let redirect_to = server.links.redirect(query_value(query.as_deref(), "redirect_to").as_deref());
    limits::may_mail(&server, "recovery", &address).await?;
    limits::unhurried(async {
        let Some(account) = auth_credentials::find_by_email(&server.pool, &address).await? else { return Ok(()) };
        let mut tx = server.pool.begin().await?;
        let letter = Letter::Recovery { challenge: challenge.as_ref(), redirect_to: &redirect_to };
        mails::send(&mut tx, &server, &account, letter).await?;
        let event = Event::new(Action::RecoveryRequested, Whom::Account(account.id));
        audit::record(&mut *tx, &client.by(Actor::Nobody), event).await?;
        tx.commit().await?;
        Ok(())
    })
    .await?;
    Ok(Json(json!({})))
}
