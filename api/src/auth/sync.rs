//! The person behind a token: read on every request, written only when the token brings news.

use heimdex_db::{
    auth_sessions,
    users::{self, User},
};
use uuid::Uuid;

use super::Verified;
use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// The row of a verified token. The first request of all makes it; tombstones and ended sessions are refused.
pub(super) async fn person(state: &AppState, verified: &Verified) -> Result<User, ApiError> {
    let claims = &verified.profile;
    let session = own_session(state, verified);
    match state.callers.find((claims.subject, session)).await? {
        Some((user, _)) if user.deleted_at.is_some() => Err(ApiError::new(Code::AccountDeleted)),
        Some((_, false)) => Err(ApiError::new(Code::SessionEnded)),
        Some((user, true)) if !brings_news(&user, verified) => Ok(user),
        known => {
            if let (None, Some(session)) = (&known, session)
                && !auth_sessions::lives(&state.pool, claims.subject, session).await?
            {
                return Err(ApiError::new(Code::SessionEnded));
            }
            let mut connection = state.pool.acquire().await?;
            let user = users::upsert_from_claims(&mut connection, claims).await?;
            if user.deleted_at.is_some() { Err(ApiError::new(Code::AccountDeleted)) } else { Ok(user) }
        }
    }
}

/// The session of a token. Sessions are ours only where the auth server is.
pub(super) fn own_session(state: &AppState, verified: &Verified) -> Option<Uuid> {
    verified.session_id.filter(|_| state.verifier.has_own_sessions())
}

/// Newer claims that differ from the row. A request that only reads does not write.
fn brings_news(user: &User, verified: &Verified) -> bool {
    let claims = &verified.profile;
    if user.claims_issued_at.is_some_and(|at| at > claims.issued_at) {
        return false;
    }
    let edited_here = user.profile_edited_at.is_some();
    user.email != claims.email
        || user.email_verified != claims.email_verified
        || (!edited_here && claims.display_name.is_some() && user.display_name != claims.display_name)
        || (!edited_here && claims.avatar_url.is_some() && user.avatar_url != claims.avatar_url)
}
