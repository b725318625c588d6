//! PKCE (RFC 7636): who asks for a mail keeps a verifier, and only with it is the code of the link worth a session.

use std::time::Duration;

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use heimdex_db::{PgConnection, auth_credentials, auth_flows};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{AuthServer, body::Body, error::AuthError, limits::Client, sessions};

/// GoTrue's GOTRUE_EXTERNAL_FLOW_STATE_EXPIRY_DURATION.
const CODE_TTL: Duration = Duration::from_secs(300);

/// What a verifier must hash to.
#[derive(Clone, Debug)]
pub struct Challenge {
    challenge: String,
    /// `s256` or `plain`.
    method: String,
}

impl Challenge {
    /// Of a request; `None` is the implicit flow.
    pub fn of(body: &Body) -> Result<Option<Self>, AuthError> {
        let (challenge, method) = match (body.filled("code_challenge")?, body.filled("code_challenge_method")?) {
            (None, None) => return Ok(None),
            (Some(challenge), Some(method)) => (challenge, method.to_lowercase()),
            _ => return Err(AuthError::invalid("PKCE flow requires code_challenge_method and code_challenge")),
        };
        if !(43..=128).contains(&challenge.len()) {
            return Err(AuthError::invalid("code challenge has to be between 43 and 128 characters"));
        }
        if !challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
            let message =
                "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes";
            return Err(AuthError::invalid(message));
        }
        if !matches!(method.as_str(), "s256" | "plain") {
            return Err(AuthError::invalid("code_challenge_method must be s256 or plain"));
        }
        Ok(Some(Self { challenge: challenge.to_owned(), method }))
    }

    pub fn parts(&self) -> (&str, &str) {
        (&self.challenge, &self.method)
    }
}

/// A code for a person who has proved themselves.
pub async fn code(
    db: &mut PgConnection,
    account: Uuid,
    challenge: (&str, &str),
    authentication_method: &str,
) -> Result<String, AuthError> {
    let code = Uuid::new_v4().to_string();
    auth_flows::create(db, &code, account, challenge, authentication_method, CODE_TTL).await?;
    Ok(code)
}

/// `POST /token?grant_type=pkce`: a code and its verifier for a session.
pub async fn exchange(server: &AuthServer, client: &Client, body: &Body) -> Result<Value, AuthError> {
    let (Some(code), Some(verifier)) = (body.filled("auth_code")?, body.filled("code_verifier")?) else {
        return Err(AuthError::invalid("invalid request: both auth code and code verifier should be non-empty"));
    };
    let unknown = || {
        let message = "invalid flow state, no valid flow state found";
        AuthError::new(StatusCode::NOT_FOUND, "flow_state_not_found", message)
    };
    // Codes are UUIDs; what is none is not looked up.
    let code = code.parse::<Uuid>().map_err(|_| unknown())?.to_string();
    let mut tx = server.pool.begin().await?;
    let flow = auth_flows::find(&mut *tx, &code).await?.ok_or_else(unknown)?;
    if flow.expires_at < Utc::now() {
        return Err(AuthError::forbidden("flow_state_expired", "invalid flow state, flow state has expired"));
    }
    let derived = match flow.method.as_str() {
        "s256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
        _ => verifier.to_owned(),
    };
    if aws_lc_rs::constant_time::verify_slices_are_equal(derived.as_bytes(), flow.code_challenge.as_bytes()).is_err() {
        let message = "code challenge does not match previously saved code verifier";
        return Err(AuthError::bad_request("bad_code_verifier", message));
    }
    auth_flows::spend(&mut *tx, &code).await?;
    let account = auth_credentials::find(&mut *tx, flow.credential_id).await?.ok_or_else(unknown)?;
    if account.is_banned() {
        return Err(AuthError::banned());
    }
    let session = sessions::open(&mut tx, server, &account, &flow.authentication_method, client).await?;
    tx.commit().await?;
    Ok(session)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(challenge: &str, method: &str) -> Result<Option<Challenge>, AuthError> {
        let body = json!({ "code_challenge": challenge, "code_challenge_method": method });
        Challenge::of(&Body(body.as_object().unwrap().clone()))
    }

    #[test]
    fn a_challenge_has_a_form() {
        let good = "a".repeat(43);
        assert!(of("", "").unwrap().is_none());
        assert!(of(&good, "S256").unwrap().is_some());
        for (challenge, method) in
            [(good.as_str(), ""), ("", "s256"), ("short", "s256"), (good.as_str(), "md5"), (&"ü".repeat(30), "plain")]
        {
            assert_eq!(of(challenge, method).unwrap_err().code, "validation_failed", "{challenge} {method}");
        }
    }
}
