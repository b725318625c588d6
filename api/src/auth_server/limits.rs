//! How often something may be tried: per address, per account, and how often mail goes out.

use std::{net::IpAddr, time::Duration};

use axum::{extract::FromRequestParts, http::request::Parts};
use heimdex_db::{
    PgConnection,
    audit::{self, Action, Actor, By, Event},
    auth_rate_limits::{self, Taken},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{AuthServer, error::AuthError};
use crate::{origin::Origin, state::AppState};

const WINDOW: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);
/// Guesses at links that were never given out, over everybody, in [`WINDOW`]. A link is worth no more than the six digits in
/// it, and nobody's account can be counted on for a link that is nobody's.
const WRONG_LINKS: i32 = 100;
const WRONG_LINKS_BUCKET: &str = "verify:unknown";
const MAILS_BUCKET: &str = "mail:all";

/// Who sent a request.
#[derive(Clone, Debug)]
pub struct Client {
    origin: Origin,
    user_agent: Option<String>,
}

impl FromRequestParts<AppState> for Client {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AuthError> {
        let Ok(origin) = Origin::from_request_parts(parts, state).await;
        let user_agent = parts.headers.get("user-agent").and_then(|value| value.to_str().ok());
        Ok(Self { origin, user_agent: user_agent.map(|text| text.chars().take(256).collect()) })
    }
}

impl Client {
    pub fn ip(&self) -> Option<IpAddr> {
        self.origin.ip
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// For the history of accounts.
    pub fn by(&self, actor: Actor) -> By {
        self.origin.clone().by(actor)
    }
}

/// Counts a request of an address. This machine's own is not limited: behind a proxy that is not configured, everybody has it.
pub async fn by_address(server: &AuthServer, client: &Client, what: &str, limit: i32) -> Result<(), AuthError> {
    let Some(ip) = client.ip().filter(|ip| !ip.is_loopback()) else { return Ok(()) };
    // One household of IPv6 is a /64.
    let network = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{:x?}", &ip.segments()[..4]),
    };
    match auth_rate_limits::take(&server.pool, &format!("{what}:ip:{network}"), WINDOW, limit).await? {
        Taken::Within => Ok(()),
        Taken::FirstOver | Taken::Over => Err(AuthError::rate_limited()),
    }
}

/// Counts a guess at an account, whether or not there is one. The first that is too many is written down.
pub async fn by_account(
    server: &AuthServer,
    client: &Client,
    what: &str,
    email: &str,
    limit: i32,
) -> Result<(), AuthError> {
    let bucket = format!("{what}:account:{}", hidden(email));
    match auth_rate_limits::take(&server.pool, &bucket, WINDOW, limit).await? {
        Taken::Within => Ok(()),
        Taken::Over => Err(AuthError::rate_limited()),
        Taken::FirstOver => {
            let event = Event {
                action: Action::GuessingStopped,
                subject: super::accounts::by_email(&server.pool, email).await?,
                target: None,
                before: json!(null),
                after: json!({ "at": what, "limit": limit }),
            };
            audit::record(&server.pool, &client.by(Actor::Nobody), event).await?;
            Err(AuthError::rate_limited())
        }
    }
}

/// Addresses are not kept in buckets.
fn hidden(email: &str) -> String {
    hex::encode(Sha256::digest(email.as_bytes()))
}

/// Refuses every link while too many that were never given out have come.
pub async fn links_open(server: &AuthServer) -> Result<(), AuthError> {
    if auth_rate_limits::is_used_up(&server.pool, WRONG_LINKS_BUCKET, WINDOW, WRONG_LINKS).await? {
        return Err(AuthError::rate_limited());
    }
    Ok(())
}

/// Counts a link that was never given out.
pub async fn wrong_link(server: &AuthServer) -> Result<(), AuthError> {
    auth_rate_limits::take(&server.pool, WRONG_LINKS_BUCKET, WINDOW, WRONG_LINKS).await?;
    Ok(())
}

/// Whether a mail of a purpose may go to a mailbox now; the same for one that has no account.
pub async fn may_mail(server: &AuthServer, purpose: &str, mailbox: &str) -> Result<(), AuthError> {
    let settings = &server.settings;
    let mut connection = server.pool.acquire().await?;
    if auth_rate_limits::is_used_up(&mut *connection, MAILS_BUCKET, HOUR, settings.mails_per_hour).await? {
        return Err(AuthError::mail_rate_limited("email rate limit exceeded"));
    }
    let bucket = format!("{purpose}:{}", hidden(mailbox));
    auth_rate_limits::space_mails(&mut connection, &bucket, settings.mail_interval).await?.map_err(|left| {
        AuthError::mail_rate_limited(format!("For security purposes, you can only request this after {left} seconds."))
    })
}

/// Counts a mail that goes out.
pub async fn count_mail(db: &mut PgConnection, server: &AuthServer) -> Result<(), AuthError> {
    match auth_rate_limits::take(db, MAILS_BUCKET, HOUR, server.settings.mails_per_hour).await? {
        Taken::Within => Ok(()),
        Taken::FirstOver | Taken::Over => Err(AuthError::mail_rate_limited("email rate limit exceeded")),
    }
}

/// Nothing that depends on whether there is an account may be seen in how long the answer takes: it comes no sooner than this.
pub async fn unhurried(work: impl Future<Output = Result<(), AuthError>>) -> Result<(), AuthError> {
    let (result, ()) = tokio::join!(work, tokio::time::sleep(Duration::from_millis(150)));
    result
}
