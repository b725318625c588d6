//! Sessions of the embedded auth server and the generations of their refresh tokens.
//!
//! A session counts generations. Using the newest token makes the next generation. Using the one before (two tabs that
//! refreshed at once) gives another token of the newest generation. Anything older is theft, unless the session was
//! refreshed a moment ago, and ends the session.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::error::DbError;

/// How long after a refresh a token of any earlier generation is still taken for a late tab rather than a thief.
const REUSE_INTERVAL: TimeDelta = TimeDelta::seconds(10);

/// A signed-in browser.
#[derive(Clone, Debug)]
pub struct Session {
    pub session_id: Uuid,
    pub credential_id: Uuid,
    pub aal: String,
    /// `[{method, timestamp}]`, newest first.
    pub amr: Value,
}

/// Opens a session with its first refresh token (given as its SHA-256).
pub async fn create(
    db: &mut PgConnection,
    credential: Uuid,
    amr: &Value,
    user_agent: Option<&str>,
    token_hash: &[u8],
) -> Result<Session, DbError> {
    let session = sqlx::query_as!(
        Session,
        "INSERT INTO auth_sessions (credential_id, amr, user_agent) VALUES ($1, $2, $3) RETURNING session_id, credential_id, aal, amr",
        credential,
        amr,
        user_agent
    )
    .fetch_one(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO refresh_tokens (token_hash, session_id, counter) VALUES ($1, $2, 0)",
        token_hash,
        session.session_id
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("UPDATE auth_credentials SET last_sign_in_at = now() WHERE id = $1", credential)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "UPDATE users SET last_login_at = now() WHERE supabase_user_id = $1 AND deleted_at IS NULL",
        credential
    )
    .execute(db)
    .await?;
    Ok(session)
}

/// What became of a refresh token.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The given new token is now stored.
    Issued(Session),
    /// Nobody was ever given this token, or its session is over.
    NotFound,
    /// The session had an end, and it has come.
    Expired,
    /// An old generation came back: the session has been ended. Commit, so that it stays so.
    Reused,
}

/// Trades a token for a new one (both as SHA-256). The session's row is locked, so two requests follow one another.
pub async fn refresh(db: &mut PgConnection, token_hash: &[u8], new_hash: &[u8]) -> Result<Refreshed, DbError> {
    let Some(row) = sqlx::query!(
        "SELECT s.session_id, s.credential_id, s.aal, s.amr, s.refresh_counter, s.refreshed_at, s.not_after, t.counter
         FROM refresh_tokens t JOIN auth_sessions s USING (session_id) WHERE t.token_hash = $1 FOR UPDATE OF s",
        token_hash
    )
    .fetch_optional(&mut *db)
    .await?
    else {
        return Ok(Refreshed::NotFound);
    };
    let now = Utc::now();
    if row.not_after.is_some_and(|end| end < now) {
        return Ok(Refreshed::Expired);
    }
    let counter = match generation(row.refresh_counter - row.counter, row.refreshed_at, now) {
        Generation::Newest => {
            sqlx::query!("UPDATE auth_sessions SET refresh_counter = refresh_counter + 1, refreshed_at = now() WHERE session_id = $1", row.session_id)
                .execute(&mut *db)
                .await?;
            row.refresh_counter + 1
        }
        Generation::Late => row.refresh_counter,
        Generation::Stolen => {
            sqlx::query!("DELETE FROM auth_sessions WHERE session_id = $1", row.session_id).execute(db).await?;
            return Ok(Refreshed::Reused);
        }
    };
    sqlx::query!(
        "INSERT INTO refresh_tokens (token_hash, session_id, counter) VALUES ($1, $2, $3)",
        new_hash,
        row.session_id,
        counter
    )
    .execute(db)
    .await?;
    Ok(Refreshed::Issued(Session {
        session_id: row.session_id,
        credential_id: row.credential_id,
        aal: row.aal,
        amr: row.amr,
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Generation {
    Newest,
    Late,
    Stolen,
}

fn generation(behind: i64, refreshed_at: DateTime<Utc>, now: DateTime<Utc>) -> Generation {
    match behind {
        ..=0 => Generation::Newest,
        1 => Generation::Late,
        _ if now - refreshed_at < REUSE_INTERVAL => Generation::Late,
        _ => Generation::Stolen,
    }
}

/// Which sessions a sign-out ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Global,
    Local,
    Others,
}

pub async fn end(db: impl PgExecutor<'_>, credential: Uuid, session: Uuid, scope: Scope) -> Result<(), DbError> {
    sqlx::query!(
        "DELETE FROM auth_sessions WHERE credential_id = $1
           AND CASE $3 WHEN 'global' THEN true WHEN 'local' THEN session_id = $2 ELSE session_id <> $2 END",
        credential,
        session,
        match scope {
            Scope::Global => "global",
            Scope::Local => "local",
            Scope::Others => "others",
        }
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the session has not been ended.
pub async fn lives(db: impl PgExecutor<'_>, credential: Uuid, session: Uuid) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM auth_sessions WHERE session_id = $2 AND credential_id = $1) AS "lives!""#,
        credential,
        session
    )
    .fetch_one(db)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_generation_is_theft_unless_a_tab_is_late() {
        let now = Utc::now();
        let long_ago = now - TimeDelta::minutes(10);
        assert_eq!(generation(0, long_ago, now), Generation::Newest);
        assert_eq!(generation(1, long_ago, now), Generation::Late);
        assert_eq!(generation(2, now - TimeDelta::seconds(3), now), Generation::Late);
        assert_eq!(generation(2, long_ago, now), Generation::Stolen);
    }
}
