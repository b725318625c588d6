//! Sessions of the embedded auth server and the generations of their refresh tokens.
//!
//! A session counts generations. Using the newest token makes the next generation. Using the one before (two tabs that
//! refreshed at once, or an answer that got lost) gives the newest again. Anything older is theft, unless the session was
//! refreshed a moment ago, and ends the session. Source: supabase/auth, refresh token algorithm version 2.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::error::DbError;

/// How long after a refresh a token of any earlier generation is still taken for a late tab rather than a thief.
const REUSE_INTERVAL: TimeDelta = TimeDelta::seconds(10);
/// Generations whose hashes are kept. An older token is known to be ours by its signature alone.
const GENERATIONS_KEPT: i64 = 64;

/// A signed-in browser.
#[derive(Clone, Debug)]
pub struct Session {
    pub session_id: Uuid,
    pub credential_id: Uuid,
    pub aal: String,
    /// `[{method, timestamp}]`, newest first.
    pub amr: Value,
    /// HMAC key of the session's refresh tokens.
    pub refresh_key: Vec<u8>,
    /// Generation of the newest refresh token.
    pub refresh_counter: i64,
    pub created_at: DateTime<Utc>,
    pub refreshed_at: DateTime<Utc>,
    pub not_after: Option<DateTime<Utc>>,
}

/// How long sessions may last; `None` is for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lifetime {
    /// Since signing in.
    pub at_most: Option<Duration>,
    /// Since the last refresh.
    pub idle: Option<Duration>,
}

impl Session {
    /// Whether its time is over. Looked at when it is refreshed; access tokens live on until they expire.
    pub fn is_over(&self, lifetime: Lifetime, now: DateTime<Utc>) -> bool {
        let past = |since: DateTime<Utc>, limit: Option<Duration>| {
            limit.and_then(|limit| TimeDelta::from_std(limit).ok()).is_some_and(|limit| now - since > limit)
        };
        self.not_after.is_some_and(|end| end < now)
            || past(self.created_at, lifetime.at_most)
            || past(self.refreshed_at, lifetime.idle)
    }
}

/// Who opens a session, and with what.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    pub session_id: Uuid,
    pub credential: Uuid,
    pub amr: &'a Value,
    pub user_agent: Option<&'a str>,
    pub ip: Option<IpAddr>,
    pub refresh_key: &'a [u8],
    /// SHA-256 of the first refresh token.
    pub token_hash: &'a [u8],
}

/// Opens a session with its first refresh token.
pub async fn create(db: &mut PgConnection, new: &NewSession<'_>) -> Result<Session, DbError> {
    let session = sqlx::query_as!(
        Session,
        "INSERT INTO auth_sessions (session_id, credential_id, amr, user_agent, ip, refresh_key) VALUES ($1, $2, $3, $4, $5::text::inet, $6)
         RETURNING session_id, credential_id, aal, amr, refresh_key, refresh_counter, created_at, refreshed_at, not_after",
        new.session_id,
        new.credential,
        new.amr,
        new.user_agent,
        new.ip.map(|ip| ip.to_string()),
        new.refresh_key
    )
    .fetch_one(&mut *db)
    .await?;
    issued(&mut *db, session.session_id, 0, new.token_hash).await?;
    sqlx::query!("UPDATE auth_credentials SET last_sign_in_at = now() WHERE id = $1", new.credential)
        .execute(&mut *db)
        .await?;
    Ok(session)
}

pub async fn find(db: impl PgExecutor<'_>, session: Uuid) -> Result<Option<Session>, DbError> {
    Ok(sqlx::query_as!(
        Session,
        "SELECT session_id, credential_id, aal, amr, refresh_key, refresh_counter, created_at, refreshed_at, not_after
         FROM auth_sessions WHERE session_id = $1",
        session
    )
    .fetch_optional(db)
    .await?)
}

/// As [`find`], locked until the transaction ends; `None` also while another transaction holds it. Nobody waits inside of
/// the database for a session's turn, so a crowd at one session does not use up the connections.
pub async fn find_locked(db: impl PgExecutor<'_>, session: Uuid) -> Result<Option<Session>, DbError> {
    Ok(sqlx::query_as!(
        Session,
        "SELECT session_id, credential_id, aal, amr, refresh_key, refresh_counter, created_at, refreshed_at, not_after
         FROM auth_sessions WHERE session_id = $1 FOR UPDATE SKIP LOCKED",
        session
    )
    .fetch_optional(db)
    .await?)
}

/// Whether this token of a generation is the one that was issued. Generations long past are not kept, and pass.
pub async fn was_issued(
    db: impl PgExecutor<'_>,
    session: &Session,
    counter: i64,
    token_hash: &[u8],
) -> Result<bool, DbError> {
    if session.refresh_counter - counter >= GENERATIONS_KEPT {
        return Ok(true);
    }
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM refresh_tokens WHERE session_id = $1 AND counter = $2 AND token_hash = $3) AS "issued!""#,
        session.session_id,
        counter,
        token_hash
    )
    .fetch_one(db)
    .await?)
}

/// What a genuine token of a locked session is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// It is ahead of the session: not from here.
    Foreign,
    /// The newest: the next generation is due.
    Newest,
    /// An answer that got lost, or a tab that came second: the newest is given again.
    Late,
    /// An old one came back: the session ends.
    Stolen,
}

impl Generation {
    pub fn of(session: &Session, counter: i64, now: DateTime<Utc>) -> Self {
        match session.refresh_counter - counter {
            ..0 => Self::Foreign,
            0 => Self::Newest,
            1 => Self::Late,
            _ if now - session.refreshed_at < REUSE_INTERVAL => Self::Late,
            _ => Self::Stolen,
        }
    }
}

/// Begins the next generation of a locked session.
pub async fn advance(
    db: &mut PgConnection,
    session: &Session,
    token_hash: &[u8],
    user_agent: Option<&str>,
    ip: Option<IpAddr>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE auth_sessions SET refresh_counter = $2, refreshed_at = now(), user_agent = COALESCE($3, user_agent), ip = COALESCE($4::text::inet, ip)
         WHERE session_id = $1",
        session.session_id,
        session.refresh_counter + 1,
        user_agent,
        ip.map(|ip| ip.to_string())
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "DELETE FROM refresh_tokens WHERE session_id = $1 AND counter <= $2",
        session.session_id,
        session.refresh_counter + 1 - GENERATIONS_KEPT
    )
    .execute(&mut *db)
    .await?;
    issued(db, session.session_id, session.refresh_counter + 1, token_hash).await
}

async fn issued(db: impl PgExecutor<'_>, session: Uuid, counter: i64, token_hash: &[u8]) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO refresh_tokens (token_hash, session_id, counter) VALUES ($1, $2, $3)",
        token_hash,
        session,
        counter
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Which sessions a sign-out ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Global,
    Local,
    Others,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Local => "local",
            Self::Others => "others",
        }
    }
}

/// Ends sessions and says how many.
pub async fn end(db: impl PgExecutor<'_>, credential: Uuid, session: Uuid, scope: Scope) -> Result<u64, DbError> {
    let ended = sqlx::query!(
        "DELETE FROM auth_sessions WHERE credential_id = $1
           AND CASE $3 WHEN 'global' THEN true WHEN 'local' THEN session_id = $2 ELSE session_id <> $2 END",
        credential,
        session,
        scope.as_str()
    )
    .execute(db)
    .await?;
    Ok(ended.rows_affected())
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

/// Clears away what is over: at most so many sessions at a time.
pub async fn sweep(db: impl PgExecutor<'_>, lifetime: Lifetime, limit: i64) -> Result<u64, DbError> {
    let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs_f64());
    let swept = sqlx::query!(
        "DELETE FROM auth_sessions WHERE session_id IN (
             SELECT session_id FROM auth_sessions WHERE not_after < now() OR created_at < now() - make_interval(secs => $1)
                 OR refreshed_at < now() - make_interval(secs => $2) LIMIT $3)",
        seconds(lifetime.at_most),
        seconds(lifetime.idle),
        limit
    )
    .execute(db)
    .await?;
    Ok(swept.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(refreshed_at: DateTime<Utc>) -> Session {
        Session {
            session_id: Uuid::nil(),
            credential_id: Uuid::nil(),
            aal: "aal1".into(),
            amr: Value::Null,
            refresh_key: Vec::new(),
            refresh_counter: 5,
            created_at: refreshed_at - TimeDelta::days(1),
            refreshed_at,
            not_after: None,
        }
    }

    #[test]
    fn an_old_generation_is_theft_unless_a_tab_is_late() {
        let now = Utc::now();
        let old = session(now - TimeDelta::minutes(10));
        assert_eq!(Generation::of(&old, 6, now), Generation::Foreign);
        assert_eq!(Generation::of(&old, 5, now), Generation::Newest);
        assert_eq!(Generation::of(&old, 4, now), Generation::Late);
        assert_eq!(Generation::of(&session(now - TimeDelta::seconds(3)), 3, now), Generation::Late);
        assert_eq!(Generation::of(&old, 3, now), Generation::Stolen);
    }

    #[test]
    fn a_session_ends_when_one_of_its_limits_has_passed() {
        let now = Utc::now();
        let session = session(now - TimeDelta::hours(1));
        let limits = |at_most, idle| Lifetime { at_most, idle };
        assert!(!session.is_over(limits(None, None), now));
        assert!(!session.is_over(limits(Some(Duration::from_secs(30 * 3600)), Some(Duration::from_secs(7200))), now));
        assert!(session.is_over(limits(Some(Duration::from_secs(24 * 3600)), None), now));
        assert!(session.is_over(limits(None, Some(Duration::from_secs(1800))), now));
    }
}
