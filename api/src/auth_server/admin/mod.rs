//! The admin calls: open to the holder of the secret key, and to nobody else.

pub mod generate_link;
pub mod invite;
pub mod list;
pub mod user;

use axum::{
    Router,
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, header, request::Parts},
    routing::{get, post},
};

use super::{Server, error::AuthError, settings::is_secret_key};
use crate::{auth, state::AppState};

/// Routes below `/auth/v1`.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/admin/users", get(list::list).post(user::create))
        .route("/admin/users/{id}", get(user::get).put(user::update).delete(user::delete))
        .route("/admin/generate_link", post(generate_link::generate_link))
        .route("/invite", post(invite::invite))
}

/// Who holds the secret key.
pub struct Admin;

impl FromRequestParts<AppState> for Admin {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AuthError> {
        let bearer = auth::bearer(&parts.headers).ok_or_else(AuthError::no_authorization)?;
        let server = Server::from_ref(state);
        if is_secret_key(&server.settings, bearer) {
            let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
            // A secret key in a web page is everybody's.
            if agent.starts_with("Mozilla/") {
                let message = "Forbidden use of secret API key in browser";
                return Err(AuthError::new(StatusCode::UNAUTHORIZED, "no_authorization", message));
            }
            return Ok(Self);
        }
        // The publishable key, and people, whatever they may do in the dashboard.
        if bearer == state.config.auth.publishable_key {
            return Err(AuthError::not_admin());
        }
        auth::verify(state, bearer).await?;
        Err(AuthError::not_admin())
    }
}
