//! Where a request came from, for the history of accounts.

use std::{convert::Infallible, net::IpAddr};

use axum::{extract::FromRequestParts, http::request::Parts};
use heimdex_db::{
    UserId,
    audit::{Actor, By, Whom},
};

use crate::{client_ip, request_id::RequestId, state::AppState};

/// The address and the id of a request.
#[derive(Clone, Debug)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    pub request_id: Option<String>,
}

impl Origin {
    /// What a signed-in person does.
    pub fn person(self, user: UserId) -> By {
        self.by(Actor::Person(Whom::User(user)))
    }

    pub fn by(self, actor: Actor) -> By {
        By { actor, ip: self.ip, request_id: self.request_id }
    }
}

impl FromRequestParts<AppState> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self {
            ip: client_ip::of(parts, &state.config.trusted_proxies),
            request_id: parts.extensions.get::<RequestId>().map(ToString::to_string),
        })
    }
}
