//! `POST /signup`: an account, and either a first session or a mail that proves the address.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use heimdex_db::{
    audit::{Actor, By},
    auth_credentials::{self, Credential},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    AuthServer, Server,
    accounts::{self, NewAccount},
    body::{Body, email, query_value},
    error::AuthError,
    flow::Challenge,
    limits::{self, Client},
    mails::{self, Letter},
    password, sessions, shapes,
};

/// Who wants an account, checked.
pub struct Wanted {
    pub address: String,
    pub data: Map<String, Value>,
    pub challenge: Option<Challenge>,
    pub redirect_to: String,
}

pub async fn signup(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "signup", 30).await?;
    if !server.settings.signup {
        return Err(signup_disabled());
    }
    if body.filled("phone")?.is_some() {
        return Err(phone_disabled("Phone signups are disabled"));
    }
    if body.filled("email")?.is_none() && body.filled("password")?.is_none() {
        let message = "Anonymous sign-ins are disabled";
        return Err(AuthError::unprocessable("anonymous_provider_disabled", message));
    }
    let wanted = Wanted {
        address: body.email()?,
        data: body.data()?,
        challenge: Challenge::of(&body)?,
        redirect_to: server.links.redirect(query_value(query.as_deref(), "redirect_to").as_deref()),
    };
    let secret = body.filled("password")?.ok_or_else(|| AuthError::invalid("Signup requires a valid password"))?;
    password::check_strength(secret)?;
    accounts::check_role(&wanted.data)?;
    // Before looking, so that a taken address takes as long as a free one.
    let hash = server.hasher.hash(secret).await?;
    if server.settings.autoconfirm {
        let mut tx = server.pool.begin().await?;
        let account = Uuid::new_v4();
        let new = NewAccount {
            id: account,
            address: &wanted.address,
            password_hash: Some(&hash),
            data: wanted.data,
            confirmed: true,
        };
        let by = client.by(Actor::Nobody);
        let account = accounts::create(&mut tx, new, &by).await?;
        let session = sessions::open(&mut tx, &server, &account, "password", &client).await?;
        tx.commit().await?;
        return Ok(Json(session));
    }
    limits::may_mail(&server, "confirmation", &wanted.address).await?;
    match unconfirmed(&server, &client, &wanted, Some(&hash)).await? {
        Some(account) => Ok(Json(shapes::user(&account, &[]))),
        None => Ok(Json(shapes::nobody(&wanted.address, &wanted.data))),
    }
}

/// An account that its mailbox has to confirm; the mail goes out again where it has not yet. `None`: it is confirmed, and
/// nothing is done. What is there is never changed: whoever asks may be anybody.
pub async fn unconfirmed(
    server: &AuthServer,
    client: &Client,
    wanted: &Wanted,
    password_hash: Option<&str>,
) -> Result<Option<Credential>, AuthError> {
    let mut tx = server.pool.begin().await?;
    let known = auth_credentials::find_by_email(&mut *tx, &wanted.address).await?;
    let account = match known {
        Some(account) if account.is_confirmed() => return Ok(None),
        Some(account) => account,
        None => {
            let data = wanted.data.clone();
            let new =
                NewAccount { id: Uuid::new_v4(), address: &wanted.address, password_hash, data, confirmed: false };
            let by = client.by(Actor::Nobody);
            match accounts::create(&mut tx, new, &by).await {
                // Somebody else was quicker by a moment.
                Err(error) if error.code == "user_already_exists" => return Ok(None),
                made => made?,
            }
        }
    };
    let letter = Letter::Confirmation { challenge: wanted.challenge.as_ref(), redirect_to: &wanted.redirect_to };
    mails::send(&mut tx, server, &account, letter).await?;
    let account = auth_credentials::find(&mut *tx, account.id).await?;
    tx.commit().await?;
    Ok(account)
}

pub fn signup_disabled() -> AuthError {
    AuthError::unprocessable("signup_disabled", "Signups not allowed for this instance")
}

pub fn phone_disabled(message: &str) -> AuthError {
    AuthError::new(StatusCode::BAD_REQUEST, "phone_provider_disabled", message)
}

/// Makes an account unless the address has one; for `heimdex-api demo-account`.
pub async fn ensure(server: &AuthServer, address: &str, secret: &str, name: &str) -> Result<bool, AuthError> {
    let address = email(address)?;
    if auth_credentials::find_by_email(&server.pool, &address).await?.is_some() {
        return Ok(false);
    }
    password::check_strength(secret)?;
    let hash = server.hasher.hash(secret).await?;
    let data = json!({ "name": name, "role": "creator" }).as_object().cloned().unwrap_or_default();
    let mut tx = server.pool.begin().await?;
    let new = NewAccount { id: Uuid::new_v4(), address: &address, password_hash: Some(&hash), data, confirmed: true };
    accounts::create(&mut tx, new, &By::command()).await?;
    tx.commit().await?;
    Ok(true)
}
