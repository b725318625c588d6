//! Opening and renewing sessions.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use heimdex_db::{
    DbError, PgConnection,
    auth_credentials::{self, Credential},
    auth_sessions::{self, Refreshed},
    users,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{AuthServer, error::AuthError, shapes};

/// 256 random bits in base64url; the database keeps the SHA-256.
struct RefreshToken {
    text: String,
    hash: [u8; 32],
}

impl RefreshToken {
    fn new() -> Self {
        let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let hash = Sha256::digest(text.as_bytes()).into();
        Self { text, hash }
    }
}

/// Signs a person in: a new session in the Supabase shape.
pub async fn open(
    db: &mut PgConnection,
    server: &AuthServer,
    account: &Credential,
    user_agent: Option<&str>,
) -> Result<Value, AuthError> {
    let token = RefreshToken::new();
    let amr = json!([{ "method": "password", "timestamp": Utc::now().timestamp() }]);
    let user_agent = user_agent.map(|text| text.chars().take(256).collect::<String>());
    let session = auth_sessions::create(&mut *db, account.id, &amr, user_agent.as_deref(), &token.hash).await?;
    let account = auth_credentials::find(&mut *db, account.id).await?.ok_or(DbError::NotFound)?;
    let profiles = role_profiles(db, &account).await?;
    Ok(shapes::session(server, &account, &session, &token.text, &profiles)?)
}

/// What the person may do, for the token.
pub async fn role_profiles(db: &mut PgConnection, account: &Credential) -> Result<Vec<String>, AuthError> {
    Ok(users::find_by_subject(db, account.id, None).await?.map(|(user, _)| user.role_profiles).unwrap_or_default())
}

/// Trades a refresh token for a new session object. A stolen one ends the session, and that is committed.
pub async fn renew(server: &AuthServer, given: &str) -> Result<Value, AuthError> {
    if given.len() != 43 || URL_SAFE_NO_PAD.decode(given).is_err() {
        return Err(AuthError::invalid("Refresh token is not valid"));
    }
    let new = RefreshToken::new();
    let mut tx = server.pool.begin().await?;
    let refreshed = auth_sessions::refresh(&mut tx, &Sha256::digest(given.as_bytes()), &new.hash).await?;
    let refuse = |code, message: &str| Err(AuthError::new(StatusCode::BAD_REQUEST, code, message));
    let session = match refreshed {
        Refreshed::Issued(session) => session,
        Refreshed::NotFound => {
            return refuse("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
        }
        Refreshed::Expired => return refuse("session_expired", "Invalid Refresh Token: Session Expired"),
        Refreshed::Reused => {
            tx.commit().await?;
            tracing::warn!("an old refresh token came back; its session has been ended");
            return refuse("refresh_token_already_used", "Invalid Refresh Token: Already Used");
        }
    };
    let account = auth_credentials::find(&mut *tx, session.credential_id).await?.ok_or(DbError::NotFound)?;
    if account.is_banned() {
        return refuse("user_banned", "User is banned");
    }
    let profiles = role_profiles(&mut tx, &account).await?;
    let answer = shapes::session(server, &account, &session, &new.text, &profiles)?;
    tx.commit().await?;
    Ok(answer)
}
