//! `GET` and `PUT /user`, and `POST /logout`: what a signed-in person does with their account.

use axum::{
    Json,
    extract::{FromRequestParts, RawQuery, State},
    http::{StatusCode, request::Parts},
};
use chrono::{TimeDelta, Utc};
use heimdex_db::{
    PgConnection,
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials::{self, Credential},
    auth_sessions::{self, Scope, Session},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    AuthServer, Server, accounts,
    body::{Body, email, query_value},
    error::AuthError,
    flow::Challenge,
    limits::{self, Client},
    mails::{self, Letter},
    password, reauthenticate,
    sessions::role_profiles,
    shapes,
};
use crate::{auth, state::AppState};

/// How long after signing in a password may be changed without a nonce, where one is asked for.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// The account behind a token of a living session.
pub struct Signed {
    pub account: Credential,
    pub session: Session,
}

impl FromRequestParts<AppState> for Signed {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AuthError> {
        let token = auth::bearer(&parts.headers).ok_or_else(AuthError::no_authorization)?;
        let verified = auth::verify(state, token).await?;
        let subject = verified.profile.subject;
        let account = auth_credentials::find(&state.pool, subject)
            .await?
            .ok_or_else(|| AuthError::forbidden("user_not_found", "User from sub claim in JWT does not exist"))?;
        if account.is_banned() {
            return Err(AuthError::banned());
        }
        let session_id = verified.session_id.ok_or_else(AuthError::session_not_found)?;
        let session = auth_sessions::find(&state.pool, session_id)
            .await?
            .filter(|session| session.credential_id == subject)
            .ok_or_else(AuthError::session_not_found)?;
        Ok(Self { account, session })
    }
}

impl Signed {
    fn whom(&self) -> Whom {
        Whom::Account(self.account.id)
    }

    /// Whether a mail opened the session: who has lost the password cannot be asked for it.
    fn by_mail(&self) -> bool {
        let methods = self.session.amr.as_array().into_iter().flatten();
        let mut methods = methods.filter_map(|entry| entry["method"].as_str());
        methods.any(|method| matches!(method, "otp" | "magiclink" | "recovery"))
    }
}

pub async fn get(State(server): State<Server>, signed: Signed) -> Result<Json<Value>, AuthError> {
    let mut connection = server.pool.acquire().await?;
    present(&mut connection, signed.account.id).await
}

pub(super) async fn present(db: &mut PgConnection, id: Uuid) -> Result<Json<Value>, AuthError> {
    let account = auth_credentials::find(&mut *db, id).await?.ok_or_else(AuthError::session_not_found)?;
    let profiles = role_profiles(db, &account).await?;
    Ok(Json(shapes::user(&account, &profiles)))
}

pub async fn put(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    signed: Signed,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "user", 30).await?;
    let data = body.data()?;
    let challenge = Challenge::of(&body)?;
    let address = body.filled("email")?.map(email).transpose()?.filter(|wanted| *wanted != signed.account.email);
    if body.filled("phone")?.is_some() {
        return Err(super::signup::phone_disabled("Phone logins are disabled"));
    }
    if body.0.get("app_metadata").is_some_and(|value| !value.is_null()) {
        let message = "Updating app_metadata requires admin privileges";
        return Err(AuthError::forbidden("not_admin", message));
    }
    let secret = body.filled("password")?;
    if let Some(secret) = secret {
        password::check_strength(secret)?;
    }
    if let Some(address) = &address {
        if auth_credentials::find_by_email(&server.pool, address).await?.is_some() {
            return Err(AuthError::email_exists());
        }
        limits::may_mail(&server, "email_change", &signed.account.email).await?;
    }
    let new_hash = match secret {
        Some(secret) => Some(new_password(&server, &client, &signed, secret, &body).await?),
        None => None,
    };
    let by = client.by(Actor::Person(signed.whom()));
    let id = signed.account.id;
    let mut tx = server.pool.begin().await?;
    if let Some(hash) = new_hash {
        auth_credentials::set_password(&mut tx, id, &hash, Some(signed.session.session_id)).await?;
        audit::record(&mut *tx, &by, Event::new(Action::PasswordChanged, signed.whom())).await?;
    }
    if !data.is_empty() {
        let names: Vec<String> = data.keys().cloned().collect();
        accounts::merge_own_data(&mut tx, id, data, &by).await?;
        let event = Event::new(Action::MetadataChanged, signed.whom());
        audit::record(&mut *tx, &by, event.changed(json!(null), json!({ "names": names }))).await?;
    }
    if let Some(address) = &address {
        let redirect_to = server.links.redirect(query_value(query.as_deref(), "redirect_to").as_deref());
        auth_credentials::want_email(&mut *tx, id, address).await?;
        let account = Credential { new_email: Some(address.clone()), ..signed.account.clone() };
        let letter = Letter::EmailChange { challenge: challenge.as_ref(), redirect_to: &redirect_to };
        mails::send(&mut tx, &server, &account, letter).await?;
        let event = Event::new(Action::EmailChangeRequested, signed.whom());
        let change = event.changed(json!({ "email": account.email }), json!({ "email": address }));
        audit::record(&mut *tx, &by, change).await?;
    }
    let answer = present(&mut tx, id).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The hash of a new password, once the person has shown what is asked for.
async fn new_password(
    server: &AuthServer,
    client: &Client,
    signed: &Signed,
    secret: &str,
    body: &Body,
) -> Result<String, AuthError> {
    let stored = signed.account.password_hash.as_deref();
    if server.settings.reauthenticate && Utc::now() - signed.session.created_at > RECENT {
        let Some(nonce) = body.filled("nonce")? else {
            let message = "Password update requires reauthentication";
            return Err(AuthError::bad_request("reauthentication_needed", message));
        };
        reauthenticate::check(server, client, &signed.account, nonce).await?;
    }
    let message = "Current password required when setting new password.";
    match body.filled("current_password")? {
        Some(current) if stored.is_some() => {
            limits::by_account(server, client, "password", &signed.account.email, 30).await?;
            if !server.hasher.verify(current, stored).await? {
                return Err(AuthError::bad_request("current_password_invalid", message));
            }
        }
        None if server.settings.require_current_password && stored.is_some() && !signed.by_mail() => {
            return Err(AuthError::bad_request("current_password_required", message));
        }
        _ => {}
    }
    if stored.is_some() && server.hasher.verify(secret, stored).await? {
        let message = "New password should be different from the old password.";
        return Err(AuthError::unprocessable("same_password", message));
    }
    server.hasher.hash(secret).await
}

pub async fn logout(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
    signed: Signed,
) -> Result<StatusCode, AuthError> {
    let scope = match query_value(query.as_deref(), "scope").as_deref() {
        None | Some("global" | "") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        Some(other) => return Err(AuthError::invalid(format!("Unsupported logout scope {other:?}"))),
    };
    let mut tx = server.pool.begin().await?;
    let ended = auth_sessions::end(&mut *tx, signed.account.id, signed.session.session_id, scope).await?;
    let event = Event::new(Action::SignedOut, signed.whom());
    let event = event.changed(json!(null), json!({ "scope": scope.as_str(), "sessions": ended }));
    audit::record(&mut *tx, &client.by(Actor::Person(signed.whom())), event).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
