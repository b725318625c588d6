//! Opening and renewing sessions.

use std::time::{Duration, Instant};

use chrono::Utc;
use heimdex_db::{
    DbError, PgConnection,
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials::{self, Credential},
    auth_sessions::{self, Generation, NewSession, Session},
    users,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    AuthServer, accounts,
    error::AuthError,
    limits::Client,
    refresh_token::{RefreshToken, fingerprint},
    shapes,
};

/// How long a refresh waits for its turn at a session.
const PATIENCE: Duration = Duration::from_secs(5);

/// Signs a person in: a new session in the Supabase shape. `method` goes into `amr`.
pub async fn open(
    db: &mut PgConnection,
    server: &AuthServer,
    account: &Credential,
    method: &str,
    client: &Client,
) -> Result<Value, AuthError> {
    let (session_id, key) = (Uuid::new_v4(), rand::random::<[u8; 32]>());
    let token = RefreshToken::text(&key, session_id, 0);
    let amr = json!([{ "method": method, "timestamp": Utc::now().timestamp() }]);
    let new = NewSession {
        session_id,
        credential: account.id,
        amr: &amr,
        user_agent: client.user_agent(),
        ip: client.ip(),
        refresh_key: &key,
        token_hash: &fingerprint(&token),
    };
    let session = auth_sessions::create(&mut *db, &new).await?;
    let account = auth_credentials::find(&mut *db, account.id).await?.ok_or(DbError::NotFound)?;
    accounts::sync_person(&mut *db, &account).await?;
    let profiles = role_profiles(db, &account).await?;
    Ok(shapes::session(server, &account, &session, &token, &profiles)?)
}

/// What the person may do, for the token.
pub async fn role_profiles(db: &mut PgConnection, account: &Credential) -> Result<Vec<String>, AuthError> {
    Ok(users::find_by_subject(db, account.id, None).await?.map(|(user, _)| user.role_profiles).unwrap_or_default())
}

fn refused(code: &'static str, what: &str) -> AuthError {
    AuthError::bad_request(code, format!("Invalid Refresh Token: {what}"))
}

fn not_found() -> AuthError {
    refused("refresh_token_not_found", "Refresh Token Not Found")
}

/// Trades a refresh token for a new session object. One request at a time works at a session; the others wait outside of
/// the database, and when it takes too long they are told to come again, never that the session is over.
pub async fn renew(server: &AuthServer, client: &Client, text: &str) -> Result<Value, AuthError> {
    let given =
        RefreshToken::parse(text).ok_or_else(|| AuthError::invalid("Invalid Refresh Token: it is not one of ours"))?;
    let began = Instant::now();
    loop {
        let session = auth_sessions::find(&server.pool, given.session_id).await?.ok_or_else(not_found)?;
        if !given.is_genuine(&session.refresh_key) {
            return Err(not_found());
        }
        let account = auth_credentials::find(&server.pool, session.credential_id).await?.ok_or_else(not_found)?;
        if account.is_banned() {
            return Err(refused("user_banned", "User Banned"));
        }
        if session.is_over(server.settings.sessions, Utc::now()) {
            return Err(refused("session_expired", "Session Expired"));
        }
        let mut tx = server.pool.begin().await?;
        if let Some(session) = auth_sessions::find_locked(&mut *tx, given.session_id).await? {
            let token = next(&mut tx, &session, &given, text, client).await?;
            let Some(token) = token else {
                tx.commit().await?;
                return Err(refused("refresh_token_already_used", "Already Used"));
            };
            let session = Session { refresh_counter: token.1, ..session };
            let profiles = role_profiles(&mut tx, &account).await?;
            let answer = shapes::session(server, &account, &session, &token.0, &profiles)?;
            tx.commit().await?;
            return Ok(answer);
        }
        drop(tx);
        if began.elapsed() > PATIENCE {
            return Err(AuthError::overloaded());
        }
        tokio::time::sleep(Duration::from_millis(rand::random_range(10..30))).await;
    }
}

/// The token to give out, and its generation. `None`: the given one was stolen and the session is ended; commit that.
async fn next(
    db: &mut PgConnection,
    session: &Session,
    given: &RefreshToken,
    text: &str,
    client: &Client,
) -> Result<Option<(String, i64)>, AuthError> {
    let generation = Generation::of(session, given.counter, Utc::now());
    if generation != Generation::Foreign
        && !auth_sessions::was_issued(&mut *db, session, given.counter, &fingerprint(text)).await?
    {
        return Err(not_found());
    }
    match generation {
        Generation::Foreign => Err(AuthError::invalid("Invalid Refresh Token: Not Issued By This Server")),
        Generation::Newest => {
            let counter = session.refresh_counter + 1;
            let token = RefreshToken::text(&session.refresh_key, session.session_id, counter);
            auth_sessions::advance(db, session, &fingerprint(&token), client.user_agent(), client.ip()).await?;
            Ok(Some((token, counter)))
        }
        Generation::Late => {
            let counter = session.refresh_counter;
            Ok(Some((RefreshToken::text(&session.refresh_key, session.session_id, counter), counter)))
        }
        Generation::Stolen => {
            let behind = session.refresh_counter - given.counter;
            tracing::warn!(session_id = %session.session_id, behind, "an old refresh token came back; its session is ended");
            auth_sessions::end(&mut *db, session.credential_id, session.session_id, auth_sessions::Scope::Local)
                .await?;
            let event = Event::new(Action::RefreshTokenReused, Whom::Account(session.credential_id));
            let event = event.target(session.session_id).changed(json!(null), json!({ "behind": behind }));
            audit::record(db, &client.by(Actor::Nobody), event).await?;
            Ok(None)
        }
    }
}
