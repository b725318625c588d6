//! `POST /auth/v1/signup`: an account, its person, and a first session in one transaction.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use chrono::{DateTime, Utc};
use heimdex_db::{
    PgConnection,
    auth_credentials::{self, Credential},
    enums::UserRole,
    users::{self, ClaimedProfile},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    AuthServer, Server,
    body::{Body, email},
    error::AuthError,
    limits::{self, Client},
    password, sessions,
};
use crate::auth::claims::{MAX_NAME_CHARS, plain, web_url};

pub async fn signup(
    State(server): State<Server>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, client, "signup", 30).await?;
    let address = email(body.required("email")?)?;
    let secret = body.required("password")?;
    password::check_strength(secret)?;
    let data = body.data()?;
    let hash = server.hasher.hash(secret).await?;
    let mut tx = server.pool.begin().await?;
    let account = create(&mut tx, &address, &hash, data).await?;
    let session = sessions::open(&mut tx, &server, &account, user_agent(&headers)).await?;
    tx.commit().await?;
    Ok(Json(session))
}

pub fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get("user-agent").and_then(|value| value.to_str().ok())
}

/// An account and its person. `role` in the metadata is a preference from a fixed list.
pub async fn create(
    db: &mut PgConnection,
    address: &str,
    hash: &str,
    data: Map<String, Value>,
) -> Result<Credential, AuthError> {
    let role = chosen_role(&data)?;
    let id = Uuid::new_v4();
    let name = ["display_name", "name", "full_name"]
        .iter()
        .find_map(|field| plain(data.get(*field)?.as_str()?, MAX_NAME_CHARS));
    let mut metadata = data;
    if let Some(name) = &name {
        metadata.insert("display_name".into(), json!(name));
    }
    // As GoTrue adds them to a sign-up by e-mail.
    metadata.extend([
        ("sub".to_owned(), json!(id)),
        ("email".to_owned(), json!(address)),
        ("email_verified".to_owned(), json!(true)),
        ("phone_verified".to_owned(), json!(false)),
    ]);
    let avatar_url = metadata.get("avatar_url").and_then(Value::as_str).and_then(web_url);
    let account = auth_credentials::create(&mut *db, id, address, hash, &Value::Object(metadata), true).await?;
    let profile = ClaimedProfile {
        subject: id,
        email: Some(address.to_owned()),
        email_verified: true,
        display_name: name,
        avatar_url,
        role,
        issued_at: whole_second(Utc::now()),
    };
    users::upsert_from_claims(db, &profile).await?;
    Ok(account)
}

/// `iat` has seconds only; the row must not look newer than the token that follows.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

/// The role of the sign-up form, if one was given.
fn chosen_role(data: &Map<String, Value>) -> Result<Option<UserRole>, AuthError> {
    let allowed: Vec<&str> = UserRole::ALL.iter().map(|role| role.as_str()).collect();
    match data.get("role") {
        None | Some(Value::Null) => Ok(None),
        Some(given) => given.as_str().and_then(|role| role.parse().ok()).map(Some).ok_or_else(|| {
            let message = format!("role must be one of: {}", allowed.join(", "));
            AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", message)
                .with("allowed", json!(allowed))
        }),
    }
}

/// Makes an account unless the address has one; for `heimdex-api demo-account`.
pub async fn ensure(server: &AuthServer, address: &str, secret: &str, name: &str) -> Result<bool, AuthError> {
    let address = email(address)?;
    if auth_credentials::find_by_email(&server.pool, &address).await?.is_some() {
        return Ok(false);
    }
    password::check_strength(secret)?;
    let hash = server.hasher.hash(secret).await?;
    let data = json!({ "name": name, "role": "creator" });
    let mut tx = server.pool.begin().await?;
    create(&mut tx, &address, &hash, data.as_object().cloned().unwrap_or_default()).await?;
    tx.commit().await?;
    Ok(true)
}
