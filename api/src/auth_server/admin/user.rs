//! `/admin/users`: making, reading, changing and deleting anybody's account.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{
    PgConnection,
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials::{self, Credential, Metadata},
    users,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    super::{
        AuthServer, Server,
        accounts::{self, NewAccount},
        body::{Body, MaybeBody, email},
        error::AuthError,
        limits::Client,
        password,
        sessions::role_profiles,
        shapes,
        signup::phone_disabled,
    },
    Admin,
};
use crate::state::AppState;

/// What may be said of an account.
struct Wanted {
    address: Option<String>,
    password_hash: Option<String>,
    confirm: bool,
    user_metadata: Map<String, Value>,
    app_metadata: Map<String, Value>,
    /// `Some(None)` lets the person in again.
    banned_until: Option<Option<DateTime<Utc>>>,
}

impl Wanted {
    async fn of(server: &AuthServer, body: &Body) -> Result<Self, AuthError> {
        if body.filled("phone")?.is_some() {
            return Err(phone_disabled("Phone accounts are disabled"));
        }
        let mut app_metadata = body.metadata("app_metadata")?;
        // It is read from the table of permissions, never from here.
        app_metadata.remove("role_profiles");
        let address = body.filled("email")?.map(email).transpose()?;
        let user_metadata = body.metadata("user_metadata")?;
        let banned_until = body.filled("ban_duration")?.map(banned_until).transpose()?;
        let confirm = body.flag("email_confirm")?.unwrap_or(false);
        let password_hash = match body.filled("password")? {
            Some(secret) => {
                password::check_strength(secret)?;
                Some(server.hasher.hash(secret).await?)
            }
            None => None,
        };
        Ok(Self { address, password_hash, confirm, user_metadata, app_metadata, banned_until })
    }
}

pub async fn create(
    State(server): State<Server>,
    _admin: Admin,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let wanted = Wanted::of(&server, &body).await?;
    let Some(address) = wanted.address else {
        return Err(AuthError::invalid("Cannot create a user without either an email or phone"));
    };
    let id = match body.filled("id")? {
        Some(id) => id.parse().map_err(|_| AuthError::invalid("ID must conform to the uuid v4 format"))?,
        None => Uuid::new_v4(),
    };
    let by = client.by(Actor::Project);
    let mut tx = server.pool.begin().await?;
    if auth_credentials::find_by_email(&mut *tx, &address).await?.is_some() {
        return Err(AuthError::email_exists());
    }
    if auth_credentials::find_any(&mut *tx, id).await?.is_some() || is_person(&mut tx, id).await? {
        return Err(AuthError::unprocessable("user_already_exists", "A user with this ID has already been registered"));
    }
    let new = NewAccount {
        id,
        address: &address,
        password_hash: wanted.password_hash.as_deref(),
        data: wanted.user_metadata,
        confirmed: wanted.confirm,
    };
    let account = accounts::create(&mut tx, new, &by).await?;
    if !wanted.app_metadata.is_empty() {
        let data = Value::Object(wanted.app_metadata);
        auth_credentials::merge_metadata(&mut *tx, account.id, Metadata::App, &data).await?;
    }
    if let Some(until) = wanted.banned_until {
        auth_credentials::ban(&mut *tx, account.id, until).await?;
    }
    let answer = present(&mut tx, account.id).await?;
    tx.commit().await?;
    Ok(answer)
}

pub async fn get(
    State(server): State<Server>,
    _admin: Admin,
    AccountId(id): AccountId,
) -> Result<Json<Value>, AuthError> {
    let mut connection = server.pool.acquire().await?;
    let id = load(&mut connection, id).await?.id;
    present(&mut connection, id).await
}

pub async fn update(
    State(server): State<Server>,
    _admin: Admin,
    AccountId(id): AccountId,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let wanted = Wanted::of(&server, &body).await?;
    let by = client.by(Actor::Project);
    let mut tx = server.pool.begin().await?;
    let account = load(&mut tx, id).await?;
    let (id, whom) = (account.id, Whom::Account(account.id));
    if let Some(address) = wanted.address.filter(|address| *address != account.email) {
        auth_credentials::set_email(&mut *tx, id, &address, wanted.confirm).await?;
        let event = Event::new(Action::EmailChanged, whom);
        let event = event.changed(json!({ "email": account.email }), json!({ "email": address }));
        audit::record(&mut *tx, &by, event).await?;
    }
    if wanted.confirm && !account.is_confirmed() {
        auth_credentials::confirm(&mut *tx, id).await?;
        audit::record(&mut *tx, &by, Event::new(Action::EmailConfirmed, whom)).await?;
    }
    if let Some(hash) = wanted.password_hash {
        auth_credentials::set_password(&mut tx, id, &hash, None).await?;
        audit::record(&mut *tx, &by, Event::new(Action::PasswordChanged, whom)).await?;
    }
    for (which, data) in [(Metadata::User, wanted.user_metadata), (Metadata::App, wanted.app_metadata)] {
        if !data.is_empty() {
            let names: Vec<String> = data.keys().cloned().collect();
            auth_credentials::merge_metadata(&mut *tx, id, which, &Value::Object(data)).await?;
            let event = Event::new(Action::MetadataChanged, whom);
            audit::record(&mut *tx, &by, event.changed(json!(null), json!({ "names": names }))).await?;
        }
    }
    if let Some(until) = wanted.banned_until {
        auth_credentials::ban(&mut *tx, id, until).await?;
        let event = Event::new(Action::AccountBanned, whom);
        let change = event.changed(json!({ "until": account.banned_until }), json!({ "until": until }));
        audit::record(&mut *tx, &by, change).await?;
    }
    let answer = present(&mut tx, id).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Deletes an account and all that is the person's. Softly: the id stays and can never sign in, and the address is free.
pub async fn delete(
    State(server): State<Server>,
    _admin: Admin,
    AccountId(id): AccountId,
    client: Client,
    MaybeBody(body): MaybeBody,
) -> Result<Json<Value>, AuthError> {
    let softly = body.flag("should_soft_delete")?.unwrap_or(false);
    let by = client.by(Actor::Project);
    let mut tx = server.pool.begin().await?;
    let account = load(&mut tx, id).await?;
    if softly {
        // 43 characters of base64url, as GoTrue puts in place of an address.
        let digest = Sha256::digest(format!("{}{}", account.id, account.email).as_bytes());
        let obscured = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest);
        auth_credentials::delete_softly(&mut tx, account.id, &obscured).await?;
        audit::record(&mut *tx, &by, Event::new(Action::AccountDeleted, Whom::Account(account.id))).await?;
    } else if let Some((user, _)) = users::find_by_subject(&mut *tx, account.id, None).await?
        && user.deleted_at.is_none()
    {
        users::bury(&mut tx, user.user_id, &by).await?;
    } else {
        audit::record(&mut *tx, &by, Event::new(Action::AccountDeleted, Whom::Account(account.id))).await?;
    }
    if !softly {
        auth_credentials::delete(&mut *tx, account.id).await?;
    }
    tx.commit().await?;
    Ok(Json(json!({})))
}

/// The account a path names.
pub struct AccountId(Uuid);

impl FromRequestParts<AppState> for AccountId {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AuthError> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        path.and_then(|Path(id)| id.parse().ok())
            .map(Self)
            .ok_or_else(|| AuthError::new(StatusCode::NOT_FOUND, "validation_failed", "user_id must be an UUID"))
    }
}

async fn load(db: &mut PgConnection, id: Uuid) -> Result<Credential, AuthError> {
    auth_credentials::find_any(db, id)
        .await?
        .ok_or_else(|| AuthError::new(StatusCode::NOT_FOUND, "user_not_found", "User not found"))
}

async fn is_person(db: &mut PgConnection, id: Uuid) -> Result<bool, AuthError> {
    Ok(users::find_by_subject(db, id, None).await?.is_some())
}

pub(super) async fn present(db: &mut PgConnection, id: Uuid) -> Result<Json<Value>, AuthError> {
    let account = auth_credentials::find_any(&mut *db, id).await?.ok_or(heimdex_db::DbError::NotFound)?;
    let profiles = role_profiles(db, &account).await?;
    Ok(Json(shapes::user(&account, &profiles)))
}

/// `none`, or a duration as Go writes it (`24h`, `1h30m`, `2h45m10s`).
fn banned_until(text: &str) -> Result<Option<DateTime<Utc>>, AuthError> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = || AuthError::invalid(format!("invalid format for ban duration: time: invalid duration {text:?}"));
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, more) = rest.split_at(digits);
        let unit = more.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(more.len());
        let (unit, more) = more.split_at(unit);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(wrong()),
        };
        seconds += number.parse::<f64>().map_err(|_| wrong())? * scale;
        rest = more;
    }
    // A thousand years are for ever.
    let milliseconds = (seconds.clamp(0.0, 3.2e10) * 1000.0) as i64;
    if text.is_empty() || milliseconds == 0 {
        return if text.is_empty() { Err(wrong()) } else { Ok(None) };
    }
    Ok(Some(Utc::now() + TimeDelta::milliseconds(milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_lasts_as_long_as_go_says() {
        let hours = |text| (banned_until(text).unwrap().unwrap() - Utc::now()).num_minutes() as f64 / 60.0;
        assert!((hours("24h") - 24.0).abs() < 0.1);
        assert!((hours("1h30m") - 1.5).abs() < 0.1);
        assert!(hours("876000h") > 800_000.0 && hours("999999999999999h") > 8_000_000.0);
        assert_eq!(banned_until("none").unwrap(), None);
        for wrong in ["", "h", "24", "1d", "-1h", "1h 2m", "..h", "einh"] {
            assert!(banned_until(wrong).is_err(), "{wrong}");
        }
    }
}
