//! What anybody may ask: keys, settings, health.

use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde_json::{Map, Value, json};

use super::{Server, error::AuthError};

/// Providers that GoTrue knows and this server does not have.
const PROVIDERS: [&str; 24] = [
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "workos",
    "x",
    "zoom",
];

/// `GET /.well-known/jwks.json`: standby, in use and previous keys.
pub async fn jwks(State(server): State<Server>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=600")], Json(server.keys.jwks()))
}

/// `GET /settings`
pub async fn settings(State(server): State<Server>) -> Json<Value> {
    let mut external: Map<String, Value> = PROVIDERS.iter().map(|name| ((*name).to_owned(), json!(false))).collect();
    external.extend([
        ("anonymous_users".to_owned(), json!(false)),
        ("email".to_owned(), json!(true)),
        ("phone".to_owned(), json!(false)),
    ]);
    Json(json!({
        "external": external, "disable_signup": !server.settings.signup, "mailer_autoconfirm": server.settings.autoconfirm,
        "phone_autoconfirm": false, "sms_provider": "", "saml_enabled": false, "passkeys_enabled": false,
    }))
}

/// `GET /health`
pub async fn health() -> Json<Value> {
    Json(
        json!({ "version": env!("CARGO_PKG_VERSION"), "name": "Heimdex", "description": "Supabase-compatible auth server" }),
    )
}

/// `/authorize`: signing in by another site, of which there is none.
pub async fn authorize() -> AuthError {
    AuthError::invalid("Unsupported provider: provider is not enabled")
}
