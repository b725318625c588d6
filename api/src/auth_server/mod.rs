//! The embedded auth server: `/auth/v1`, as the unmodified supabase-js knows it. On only without `SUPABASE_URL`.
//!
//! Sign-up with a role, password, refresh, user, sign-out in three scopes, keys and settings are here. What needs mail
//! (verification, recovery, magic links), PKCE and the admin calls answer `not_implemented`.

pub mod body;
pub mod error;
pub mod limits;
pub mod password;
pub mod sessions;
pub mod shapes;
pub mod signup;
pub mod token;
pub mod user;

use std::{ops::Deref, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRef, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{any, get, post},
};
use heimdex_db::PgPool;
use serde_json::{Value, json};

use self::error::AuthError;
use crate::{auth::own_keys::OwnKeys, state::AppState};

const MAX_BODY_BYTES: usize = 1 << 20;

/// What the auth server works with.
pub struct AuthServer {
    pub pool: PgPool,
    pub keys: Arc<OwnKeys>,
    pub hasher: password::Hasher,
    /// `iss` of the tokens.
    pub issuer: String,
}

/// The server, where there is one. Its routes exist only then.
#[derive(Clone)]
pub struct Server(Arc<AuthServer>);

impl Deref for Server {
    type Target = AuthServer;

    fn deref(&self) -> &AuthServer {
        &self.0
    }
}

impl FromRef<AppState> for Server {
    fn from_ref(state: &AppState) -> Self {
        Self(Arc::clone(state.auth_server.as_ref().expect("the routes are mounted only with an auth server")))
    }
}

/// Routes below `/auth/v1`.
pub fn router() -> Router<AppState> {
    let later = || any(async || AuthError::not_implemented("this call"));
    Router::new()
        .route("/signup", post(signup::signup))
        .route("/token", post(token::token))
        .route("/user", get(user::get).put(user::put))
        .route("/logout", post(user::logout))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/settings", get(settings))
        .route("/health", get(health))
        .route("/recover", later())
        .route("/verify", later())
        .route("/resend", later())
        .route("/otp", later())
        .route("/magiclink", later())
        .route("/reauthenticate", later())
        .route("/invite", later())
        .route("/admin/{*rest}", later())
        .fallback(async || AuthError::new(StatusCode::NOT_FOUND, "not_found", "There is no such call"))
        .method_not_allowed_fallback(async || {
            AuthError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed here")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn jwks(State(server): State<Server>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=600")], Json(server.keys.jwks()))
}

async fn settings() -> Json<Value> {
    Json(json!({
        "external": { "anonymous_users": false, "email": true, "phone": false },
        "disable_signup": false, "mailer_autoconfirm": true, "phone_autoconfirm": false, "sms_provider": "", "saml_enabled": false,
    }))
}

async fn health() -> Json<Value> {
    Json(
        json!({ "version": env!("CARGO_PKG_VERSION"), "name": "Heimdex", "description": "Supabase-compatible auth server" }),
    )
}
