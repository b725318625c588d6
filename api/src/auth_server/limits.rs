//! Attempts per address and account.

use std::{net::IpAddr, time::Duration};

use axum::{extract::FromRequestParts, http::request::Parts};
use heimdex_db::auth_rate_limits;
use sha2::{Digest, Sha256};

use super::{AuthServer, error::AuthError};
use crate::{client_ip, state::AppState};

const WINDOW: Duration = Duration::from_secs(300);

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Client(Option<IpAddr>);

impl FromRequestParts<AppState> for Client {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AuthError> {
        Ok(Self(client_ip::of(parts, &state.config.trusted_proxies)))
    }
}

/// Counts a request of an address. This machine's own is not limited: behind a proxy that is not configured, everybody has it.
pub async fn by_address(server: &AuthServer, client: Client, what: &str, limit: i32) -> Result<(), AuthError> {
    let Some(ip) = client.0.filter(|ip| !ip.is_loopback()) else { return Ok(()) };
    // One household of IPv6 is a /64.
    let network = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{:x?}", &ip.segments()[..4]),
    };
    take(server, &format!("{what}:ip:{network}"), limit).await
}

/// Counts a guess at an account, whether or not there is one.
pub async fn by_account(server: &AuthServer, email: &str, limit: i32) -> Result<(), AuthError> {
    take(server, &format!("password:account:{}", hex::encode(Sha256::digest(email.as_bytes()))), limit).await
}

async fn take(server: &AuthServer, bucket: &str, limit: i32) -> Result<(), AuthError> {
    if auth_rate_limits::take(&server.pool, bucket, WINDOW, limit).await? {
        Ok(())
    } else {
        Err(AuthError::rate_limited())
    }
}
