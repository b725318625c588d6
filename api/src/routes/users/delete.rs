//! `DELETE /users/me`: the account becomes a tombstone, its videos are purged.

use axum::{extract::State, http::StatusCode};
use heimdex_db::users;

use crate::{auth::Caller, error::ApiError, origin::Origin, state::AppState};

/// Deletes the account. The answer comes at once; what was derived from its videos goes in the background.
#[utoipa::path(delete, path = "/users/me", tag = "users", responses((status = ACCEPTED, description = "The account is gone; its videos are being removed")))]
pub async fn delete(State(state): State<AppState>, caller: Caller, origin: Origin) -> Result<StatusCode, ApiError> {
    let mut tx = state.pool.begin().await?;
    users::bury(&mut tx, caller.user_id(), &origin.person(caller.user_id())).await?;
    tx.commit().await?;
    Ok(StatusCode::ACCEPTED)
}
