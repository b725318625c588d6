//! The embedded auth server: `/auth/v1`, as the unmodified supabase-js knows it. On only without `SUPABASE_URL`.
//!
//! ```text
//! signup token verify recover otp resend reauthenticate user   the calls, one file each
//! admin/                                                       calls of the secret key
//! sessions refresh_token                                       sessions and their generations
//! one_time flow mails links                                    what mails carry, and where they lead
//! accounts password limits                                     who, proved how, how often
//! ```

pub mod accounts;
pub mod admin;
pub mod body;
pub mod error;
pub mod flow;
pub mod limits;
pub mod links;
pub mod mails;
pub mod one_time;
pub mod otp;
pub mod password;
pub mod public;
pub mod reauthenticate;
pub mod recover;
pub mod refresh_token;
pub mod resend;
pub mod sessions;
pub mod settings;
pub mod shapes;
pub mod signup;
pub mod token;
pub mod upkeep;
pub mod user;
pub mod verify;

use std::{ops::Deref, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    http::StatusCode,
    middleware,
    routing::{any, get, post},
};
use heimdex_db::PgPool;

use self::{error::AuthError, links::Links, settings::Settings};
use crate::{auth::own_keys::OwnKeys, state::AppState};

const MAX_BODY_BYTES: usize = 1 << 20;

/// What the auth server works with.
pub struct AuthServer {
    pub pool: PgPool,
    pub keys: Arc<OwnKeys>,
    pub hasher: password::Hasher,
    /// `iss` of the tokens.
    pub issuer: String,
    pub settings: Settings,
    pub links: Links,
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
    Router::new()
        .route("/signup", post(signup::signup))
        .route("/token", post(token::token))
        .route("/user", get(user::get).put(user::put))
        .route("/logout", post(user::logout))
        .route("/recover", post(recover::recover))
        .route("/otp", post(otp::otp))
        .route("/magiclink", post(otp::otp))
        .route("/resend", post(resend::resend))
        .route("/verify", get(verify::get).head(verify::head).post(verify::post))
        .route("/reauthenticate", get(reauthenticate::reauthenticate))
        .route("/.well-known/jwks.json", get(public::jwks))
        .route("/settings", get(public::settings))
        .route("/health", get(public::health))
        .route("/authorize", any(public::authorize))
        .merge(admin::router())
        .fallback(async || AuthError::new(StatusCode::NOT_FOUND, "not_found", "There is no such call"))
        .method_not_allowed_fallback(async || {
            AuthError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed here")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(error::render))
}
