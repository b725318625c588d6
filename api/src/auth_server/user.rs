//! `GET` and `PUT /auth/v1/user`, and `POST /auth/v1/logout`: what a signed-in person does with their account.

use axum::{
    Json,
    extract::{FromRequestParts, RawQuery, State},
    http::{StatusCode, request::Parts},
};
use heimdex_db::{
    PgConnection,
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials::{self, Credential},
    auth_sessions::{self, Scope},
    users,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    AuthServer, Server,
    body::{Body, query_value},
    error::AuthError,
    password,
    sessions::role_profiles,
    shapes,
};
use crate::{
    auth::{
        self,
        claims::{MAX_NAME_CHARS, plain},
    },
    origin::Origin,
    state::AppState,
};

/// The account behind a token of a living session.
pub struct Signed {
    account: Credential,
    session_id: Uuid,
}

impl FromRequestParts<AppState> for Signed {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AuthError> {
        let token = auth::bearer(&parts.headers).ok_or_else(AuthError::no_authorization)?;
        let verified = auth::verify(state, token).await?;
        let subject = verified.profile.subject;
        let account = auth_credentials::find(&state.pool, subject).await?.ok_or_else(|| {
            AuthError::new(StatusCode::FORBIDDEN, "user_not_found", "User from sub claim in JWT does not exist")
        })?;
        if account.is_banned() {
            return Err(AuthError::new(StatusCode::FORBIDDEN, "user_banned", "User is banned"));
        }
        let session_id = verified.session_id.ok_or_else(AuthError::session_not_found)?;
        if !auth_sessions::lives(&state.pool, subject, session_id).await? {
            return Err(AuthError::session_not_found());
        }
        Ok(Self { account, session_id })
    }
}

pub async fn get(State(server): State<Server>, signed: Signed) -> Result<Json<Value>, AuthError> {
    let mut connection = server.pool.acquire().await?;
    present(&mut connection, signed.account.id).await
}

async fn present(db: &mut PgConnection, id: Uuid) -> Result<Json<Value>, AuthError> {
    let account = auth_credentials::find(&mut *db, id).await?.ok_or_else(AuthError::session_not_found)?;
    let profiles = role_profiles(db, &account).await?;
    Ok(Json(shapes::user(&account, &profiles)))
}

pub async fn put(
    State(server): State<Server>,
    signed: Signed,
    origin: Origin,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let data = body.data()?;
    if let Some(address) = body.text("email")?
        && !address.trim().eq_ignore_ascii_case(&signed.account.email)
    {
        return Err(AuthError::not_implemented("changing the e-mail address"));
    }
    let new_hash = match body.text("password")?.filter(|secret| !secret.is_empty()) {
        Some(secret) => Some(new_password(&server, &signed.account, secret, body.text("current_password")?).await?),
        None => None,
    };
    let mut tx = server.pool.begin().await?;
    if let Some(hash) = new_hash {
        auth_credentials::set_password(&mut tx, signed.account.id, &hash, Some(signed.session_id)).await?;
        let account = Whom::Account(signed.account.id);
        let by = origin.by(Actor::Person(account));
        audit::record(&mut *tx, &by, Event::new(Action::PasswordChanged, account)).await?;
    }
    if !data.is_empty() {
        // A role is chosen through the profile, and what GoTrue owns is not the person's to write.
        let mut data = data;
        for reserved in ["role", "sub", "email", "email_verified", "phone_verified"] {
            data.remove(reserved);
        }
        if let Some(name) = data.get("display_name").or(data.get("name")).and_then(Value::as_str)
            && let Some(name) = plain(name, MAX_NAME_CHARS)
        {
            rename(&mut tx, signed.account.id, &name).await?;
            data.insert("display_name".into(), json!(name));
        }
        auth_credentials::merge_metadata(&mut *tx, signed.account.id, &Value::Object(data)).await?;
    }
    let answer = present(&mut tx, signed.account.id).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn new_password(
    server: &AuthServer,
    account: &Credential,
    secret: &str,
    current: Option<&str>,
) -> Result<String, AuthError> {
    password::check_strength(secret)?;
    if let Some(current) = current
        && !server.hasher.verify(current, account.password_hash.as_deref()).await?
    {
        return Err(AuthError::invalid_credentials());
    }
    if server.hasher.verify(secret, account.password_hash.as_deref()).await? {
        let message = "New password should be different from the old password.";
        return Err(AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "same_password", message));
    }
    server.hasher.hash(secret).await
}

async fn rename(db: &mut PgConnection, subject: Uuid, name: &str) -> Result<(), AuthError> {
    if let Some((user, _)) = users::find_by_subject(&mut *db, subject, None).await? {
        let patch = users::ProfilePatch { display_name: Some(Some(name.to_owned())), ..Default::default() };
        users::update_profile(&mut *db, user.user_id, &patch).await?;
    }
    Ok(())
}

pub async fn logout(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    signed: Signed,
) -> Result<StatusCode, AuthError> {
    let scope = match query_value(query.as_deref(), "scope").as_deref() {
        None | Some("global" | "") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        Some(_) => return Err(AuthError::invalid("Unsupported logout scope")),
    };
    auth_sessions::end(&server.pool, signed.account.id, signed.session_id, scope).await?;
    Ok(StatusCode::NO_CONTENT)
}
