//! `POST /admin/generate_link`: what a mail would say, for who sends it by other means.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use heimdex_db::{
    PgConnection,
    audit::{self, Action, Actor, By, Event, Whom},
    auth_credentials::{self, Credential, Metadata, Sent},
    auth_one_time::Kind,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{
        AuthServer, Server,
        accounts::{self, NewAccount},
        body::{Body, email, query_value},
        error::AuthError,
        limits::Client,
        one_time, password,
    },
    Admin, user,
};

pub async fn generate_link(
    State(server): State<Server>,
    _admin: Admin,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let address = body.email()?;
    // supabase-js puts it into the query.
    let asked = query_value(query.as_deref(), "redirect_to");
    let redirect_to = server.links.redirect(body.filled("redirect_to")?.or(asked.as_deref()));
    let kind = body.filled("type")?.unwrap_or("").to_owned();
    let data = body.data()?;
    let hash = match body.filled("password")? {
        Some(secret) if kind == "signup" => {
            password::check_strength(secret)?;
            Some(server.hasher.hash(secret).await?)
        }
        _ => None,
    };
    let by = client.by(Actor::Project);
    let mut tx = server.pool.begin().await?;
    let known = auth_credentials::find_by_email(&mut *tx, &address).await?;
    let wanted = Wanted { address: &address, data, hash: hash.as_deref() };
    // Somebody new who is to sign in by a link signs up by it.
    let kind = if kind == "magiclink" && known.is_none() { "signup".to_owned() } else { kind };
    let (account, sent, token_kind, mailbox) = match kind.as_str() {
        "signup" | "invite" => {
            if kind == "signup" && body.filled("type")? == Some("signup") && known.is_none() && hash.is_none() {
                return Err(AuthError::invalid("Signup requires a valid password"));
            }
            let account = unconfirmed(&mut tx, known, wanted, &by).await?;
            let sent = if kind == "signup" { Sent::Confirmation } else { Sent::Invitation };
            (account, sent, Kind::Confirmation, address.clone())
        }
        "magiclink" | "recovery" => (known.ok_or_else(unknown)?, Sent::Recovery, Kind::Recovery, address.clone()),
        "email_change_current" | "email_change_new" => {
            let account = known.ok_or_else(unknown)?;
            change_of_address(&mut tx, &server, account, &kind, &body).await?
        }
        other => {
            return Err(AuthError::invalid(format!("Invalid email action link type requested: {other}")));
        }
    };
    let issued = one_time::issue(&mut tx, &server, &account, token_kind, &mailbox, None).await?;
    auth_credentials::mark_sent(&mut *tx, account.id, sent).await?;
    let event = Event::new(Action::LinkGenerated, Whom::Account(account.id));
    audit::record(&mut *tx, &by, event.changed(json!(null), json!({ "type": kind }))).await?;
    let Json(mut answer) = user::present(&mut tx, account.id).await?;
    tx.commit().await?;
    let action = if kind.starts_with("email_change") { "email_change" } else { kind.as_str() };
    answer["action_link"] = json!(server.links.action(&issued.token_hash, action, &redirect_to));
    answer["email_otp"] = json!(issued.otp);
    answer["hashed_token"] = json!(issued.token_hash);
    answer["verification_type"] = json!(kind);
    answer["redirect_to"] = json!(redirect_to);
    Ok(Json(answer))
}

struct Wanted<'a> {
    address: &'a str,
    data: Map<String, Value>,
    hash: Option<&'a str>,
}

/// An account that is not confirmed yet: the one there is, or a new one.
async fn unconfirmed(
    db: &mut PgConnection,
    known: Option<Credential>,
    wanted: Wanted<'_>,
    by: &By,
) -> Result<Credential, AuthError> {
    match known {
        Some(account) if account.is_confirmed() => Err(AuthError::email_exists()),
        Some(account) => {
            if !wanted.data.is_empty() {
                let data = Value::Object(wanted.data);
                auth_credentials::merge_metadata(&mut *db, account.id, Metadata::User, &data).await?;
            }
            Ok(account)
        }
        None => {
            let new = NewAccount {
                id: Uuid::new_v4(),
                address: wanted.address,
                password_hash: wanted.hash,
                data: wanted.data,
                confirmed: false,
            };
            accounts::create(db, new, by).await
        }
    }
}

async fn change_of_address(
    db: &mut PgConnection,
    server: &AuthServer,
    account: Credential,
    kind: &str,
    body: &Body,
) -> Result<(Credential, Sent, Kind, String), AuthError> {
    if kind == "email_change_current" && !server.settings.secure_email_change {
        let message = "Enable secure email change to generate link for current email";
        return Err(AuthError::invalid(message));
    }
    let new = email(body.filled("new_email")?.ok_or_else(|| AuthError::invalid("An email address is required"))?)?;
    if auth_credentials::find_by_email(&mut *db, &new).await?.is_some() {
        return Err(AuthError::email_exists());
    }
    // The other half may have been made a moment ago, for the same address.
    if account.new_email.as_deref() != Some(&new) {
        auth_credentials::want_email(&mut *db, account.id, &new).await?;
    }
    Ok(match kind {
        "email_change_current" => {
            let mailbox = account.email.clone();
            (account, Sent::EmailChange, Kind::EmailChangeCurrent, mailbox)
        }
        _ => (account, Sent::EmailChange, Kind::EmailChangeNew, new),
    })
}

fn unknown() -> AuthError {
    AuthError::new(StatusCode::NOT_FOUND, "user_not_found", "User with this email not found")
}
