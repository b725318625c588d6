//! What supabase-js expects: users and sessions.

use chrono::{DateTime, Utc};
use heimdex_db::{auth_credentials::Credential, auth_sessions::Session};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::AuthServer;
use crate::auth::own_keys::KeyError;

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
    // A softly deleted account has lost its identity.
    let identities = if account.deleted_at.is_some() { json!([]) } else { json!([identity]) };
    let mut user = json!({
        "id": account.id, "aud": "authenticated", "role": "authenticated", "email": account.email, "phone": "",
        "app_metadata": app_metadata(account, role_profiles), "user_metadata": account.user_metadata,
        "identities": identities, "created_at": time(account.created_at), "updated_at": time(account.updated_at),
        "is_anonymous": false,
    });
    for (name, at) in [
        ("email_confirmed_at", account.email_confirmed_at),
        ("confirmed_at", account.email_confirmed_at),
        ("confirmation_sent_at", account.confirmation_sent_at),
        ("recovery_sent_at", account.recovery_sent_at),
        ("reauthentication_sent_at", account.reauthentication_sent_at),
        ("email_change_sent_at", account.email_change_sent_at),
        ("invited_at", account.invited_at),
        ("last_sign_in_at", account.last_sign_in_at),
        ("banned_until", account.banned_until),
        ("deleted_at", account.deleted_at),
    ] {
        if let Some(at) = at {
            user[name] = time(at).into();
        }
    }
    if let Some(email) = &account.new_email {
        user["new_email"] = json!(email);
    }
    user
}

/// What a sign-up with a taken address is answered where addresses are confirmed by mail: nobody, in a user's shape.
pub fn nobody(address: &str, data: &Map<String, Value>) -> Value {
    let now = time(Utc::now());
    json!({
        "id": Uuid::new_v4(), "aud": "authenticated", "role": "", "email": address, "phone": "", "confirmation_sent_at": now,
        "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": data, "identities": [],
        "created_at": now, "updated_at": now, "is_anonymous": false,
    })
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
    let (now, ttl) = (Utc::now().timestamp(), server.settings.access_token_s);
    let access_token = server.keys.sign(&json!({
        "iss": server.issuer, "sub": account.id, "aud": "authenticated", "exp": now + ttl, "iat": now,
        "email": account.email, "phone": "", "app_metadata": app_metadata(account, role_profiles),
        "user_metadata": account.user_metadata, "role": "authenticated", "aal": session.aal, "amr": session.amr,
        "session_id": session.session_id, "is_anonymous": false,
    }))?;
    Ok(json!({
        "access_token": access_token, "token_type": "bearer", "expires_in": ttl, "expires_at": now + ttl,
        "refresh_token": refresh_token, "user": user(account, role_profiles),
    }))
}
