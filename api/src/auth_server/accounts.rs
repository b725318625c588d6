//! Accounts and the people behind them.

use chrono::{DateTime, Utc};
use heimdex_db::{
    PgConnection, PgPool,
    audit::{self, Action, By, Event, Whom},
    auth_credentials::{self, Credential, NewCredential},
    enums::UserRole,
    users::{self, ClaimedProfile},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::AuthError;
use crate::auth::claims::{MAX_NAME_CHARS, plain, web_url};

/// Names in the metadata that a person's name is taken from, the first that there is.
const NAMES: [&str; 3] = ["display_name", "name", "full_name"];

/// What an account is made of.
pub struct NewAccount<'a> {
    pub id: Uuid,
    pub address: &'a str,
    /// Argon2id; an invited person has none yet.
    pub password_hash: Option<&'a str>,
    pub data: Map<String, Value>,
    pub confirmed: bool,
}

/// Makes an account; its person follows with the first session. Written into the history.
pub async fn create(db: &mut PgConnection, new: NewAccount<'_>, by: &By) -> Result<Credential, AuthError> {
    let mut metadata = new.data;
    if let Some(name) = name_in(&metadata) {
        metadata.insert("display_name".into(), json!(name));
    }
    // As GoTrue adds them to a sign-up by e-mail.
    metadata.extend([
        ("sub".to_owned(), json!(new.id)),
        ("email".to_owned(), json!(new.address)),
        ("email_verified".to_owned(), json!(new.confirmed)),
        ("phone_verified".to_owned(), json!(false)),
    ]);
    let credential = NewCredential {
        id: new.id,
        email: new.address,
        password_hash: new.password_hash,
        user_metadata: &Value::Object(metadata),
        confirmed: new.confirmed,
    };
    let account = auth_credentials::create(&mut *db, &credential).await?;
    if account.is_confirmed() {
        sync_person(&mut *db, &account).await?;
    }
    let event = Event::new(Action::AccountCreated, Whom::Account(account.id));
    audit::record(db, by, event.changed(json!(null), json!({ "email": account.email }))).await?;
    Ok(account)
}

/// The row in `users`, made or renewed from the account, as a token of it would do.
pub async fn sync_person(db: &mut PgConnection, account: &Credential) -> Result<(), AuthError> {
    let field = |name: &str| account.user_metadata.get(name).and_then(Value::as_str);
    let profile = ClaimedProfile {
        subject: account.id,
        email: Some(account.email.clone()),
        email_verified: account.is_confirmed(),
        display_name: account.user_metadata.as_object().and_then(name_in),
        avatar_url: ["avatar_url", "picture"].iter().find_map(|name| web_url(field(name)?)),
        role: field("role").and_then(|role| role.parse::<UserRole>().ok()),
        issued_at: whole_second(Utc::now()),
    };
    users::upsert_from_claims(db, &profile).await?;
    Ok(())
}

fn name_in(metadata: &Map<String, Value>) -> Option<String> {
    NAMES.iter().find_map(|field| plain(metadata.get(*field)?.as_str()?, MAX_NAME_CHARS))
}

/// `iat` has seconds only; the row must not look newer than the token that follows.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

/// Refuses a role that is none. It is a preference from a fixed list, never a permission.
pub fn check_role(data: &Map<String, Value>) -> Result<(), AuthError> {
    let known = |role: &Value| role.as_str().is_some_and(|role| role.parse::<UserRole>().is_ok());
    match data.get("role") {
        None | Some(Value::Null) => Ok(()),
        Some(role) if known(role) => Ok(()),
        Some(_) => {
            let allowed: Vec<&str> = UserRole::ALL.iter().map(|role| role.as_str()).collect();
            let message = format!("role must be one of: {}", allowed.join(", "));
            Err(AuthError::unprocessable("validation_failed", message).with("allowed", json!(allowed)))
        }
    }
}

/// Merges into the person's own metadata. A role is chosen through the profile, and what GoTrue owns is not theirs to write.
pub async fn merge_own_data(
    db: &mut PgConnection,
    id: Uuid,
    mut data: Map<String, Value>,
    by: &By,
) -> Result<(), AuthError> {
    for reserved in ["role", "sub", "email", "email_verified", "phone_verified"] {
        data.remove(reserved);
    }
    if let Some(name) = name_in(&data) {
        rename(&mut *db, id, &name, by).await?;
        data.insert("display_name".into(), json!(name));
    }
    auth_credentials::merge_metadata(db, id, auth_credentials::Metadata::User, &Value::Object(data)).await?;
    Ok(())
}

async fn rename(db: &mut PgConnection, subject: Uuid, name: &str, by: &By) -> Result<(), AuthError> {
    if let Some((user, _)) = users::find_by_subject(&mut *db, subject, None).await?
        && user.deleted_at.is_none()
    {
        let patch = users::ProfilePatch { display_name: Some(Some(name.to_owned())), ..Default::default() };
        users::update_profile(&mut *db, user.user_id, &patch, by).await?;
    }
    Ok(())
}

/// The account of an address, for the history.
pub async fn by_email(pool: &PgPool, email: &str) -> Result<Option<Whom>, AuthError> {
    Ok(auth_credentials::find_by_email(pool, email).await?.map(|account| Whom::Account(account.id)))
}
