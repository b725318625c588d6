//! `POST /resend`: the mail of a sign-up or of a change of address once more.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use heimdex_db::auth_credentials;
use serde_json::{Value, json};

use super::{
    Server,
    body::{Body, query_value},
    error::AuthError,
    flow::Challenge,
    limits::{self, Client},
    mails::{self, Letter},
    signup::phone_disabled,
};

pub async fn resend(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "resend", 30).await?;
    let kind = body.filled("type")?.unwrap_or("");
    match kind {
        "signup" | "email_change" => {}
        "sms" | "phone_change" => return Err(phone_disabled("Phone logins are disabled")),
        _ => return Err(AuthError::invalid("Missing one of these types: signup, email_change, sms, phone_change")),
    }
    if body.filled("email")?.is_none() {
        return Err(AuthError::invalid("Type provided requires an email address"));
    }
    let address = body.email()?;
    let challenge = Challenge::of(&body)?;
    let redirect_to = server.links.redirect(query_value(query.as_deref(), "redirect_to").as_deref());
    let signup = kind == "signup";
    limits::may_mail(&server, if signup { "confirmation" } else { "email_change" }, &address).await?;
    limits::unhurried(async {
        let Some(account) = auth_credentials::find_by_email(&server.pool, &address).await? else { return Ok(()) };
        let (challenge, redirect_to) = (challenge.as_ref(), redirect_to.as_str());
        let letter = if signup && !account.is_confirmed() {
            Letter::Confirmation { challenge, redirect_to }
        } else if !signup && account.new_email.is_some() {
            Letter::EmailChange { challenge, redirect_to }
        } else {
            return Ok(());
        };
        let mut tx = server.pool.begin().await?;
        if let (false, Some(new)) = (signup, &account.new_email) {
            // Both halves begin anew, as both mails do.
            auth_credentials::want_email(&mut *tx, account.id, new).await?;
        }
        mails::send(&mut tx, &server, &account, letter).await?;
        tx.commit().await?;
        Ok(())
    })
    .await?;
    Ok(Json(json!({})))
}
