//! What supabase-js expects: users and sessions.

use chrono::{DateTime, Utc};
use heimdex_db::{auth_credentials::Credential, auth_sessions::Session};
use serde_json::{Value, json};

use super::AuthServer;
use crate::auth::own_keys::KeyError;

/// Seconds an access token is good for.
pub const ACCESS_TOKEN_S: i64 = 3600;

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// `User` of Supabase Auth.
pub fn user(account: &Credential, role_profiles: &[String]) -> Value {
    let identity = json!({
        "identity_id": account.id, "id": account.id, "user_id": account.id, "provider": "email", "email": account.email,
        "identity_data": account.user_metadata, "last_sign_in_at": account.last_sign_in_at.map(time),
        "created_at": time(account.created_at), "updated_at": time(account.updated_at),
    });
    let mut user = json!({
        "id": account.id, "aud": "authenticated", "role": "authenticated", "email": account.email, "phone": "",
        "app_metadata": app_metadata(account, role_profiles), "user_metadata": account.user_metadata,
        "identities": [identity], "created_at": time(account.created_at), "updated_at": time(account.updated_at),
        "is_anonymous": false,
    });
    for (name, at) in [
        ("email_confirmed_at", account.email_confirmed_at),
        ("confirmed_at", account.email_confirmed_at),
        ("last_sign_in_at", account.last_sign_in_at),
        ("banned_until", account.banned_until),
    ] {
        if let Some(at) = at {
            user[name] = time(at).into();
        }
    }
    user
}

/// What the server says of a person, as opposed to what they say themselves.
fn app_metadata(account: &Credential, role_profiles: &[String]) -> Value {
    let mut metadata = account.app_metadata.clone();
    metadata["role_profiles"] = json!(role_profiles);
    metadata
}

/// `Session` of Supabase Auth, with a fresh access token.
pub fn session(
    server: &AuthServer,
    account: &Credential,
    session: &Session,
    refresh_token: &str,
    role_profiles: &[String],
) -> Result<Value, KeyError> {
    let now = Utc::now().timestamp();
    let access_token = server.keys.sign(&json!({
        "iss": server.issuer, "sub": account.id, "aud": "authenticated", "exp": now + ACCESS_TOKEN_S, "iat": now,
        "email": account.email, "phone": "", "app_metadata": app_metadata(account, role_profiles),
        "user_metadata": account.user_metadata, "role": "authenticated", "aal": session.aal, "amr": session.amr,
        "session_id": session.session_id, "is_anonymous": false,
    }))?;
    Ok(json!({
        "access_token": access_token, "token_type": "bearer", "expires_in": ACCESS_TOKEN_S, "expires_at": now + ACCESS_TOKEN_S,
        "refresh_token": refresh_token, "user": user(account, role_profiles),
    }))
}
