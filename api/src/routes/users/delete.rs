//! `DELETE /users/me`: the account becomes a tombstone, and what hangs on it is purged.

use axum::{extract::State, http::StatusCode};
use heimdex_db::users;

use crate::{auth::Confirmed, error::ApiError, origin::Origin, state::AppState};

/// Deletes the account. The answer comes at once; videos, people and everything else of the account go in the background.
/// With a Supabase project the account there stays, and can no longer be used here. The last admin cannot go (409,
/// `conflict: last_admin`).
#[utoipa::path(delete, path = "/users/me", tag = "users", responses((status = ACCEPTED, description = "The account is gone; its videos are being removed")))]
pub async fn delete(
    State(state): State<AppState>,
    Confirmed(caller): Confirmed,
    origin: Origin,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.pool.begin().await?;
    users::bury(&mut tx, caller.user_id(), &origin.person(caller.user_id())).await?;
    tx.commit().await?;
    Ok(StatusCode::ACCEPTED)
}
