//! `GET /outbox`: the mails that were not sent because nothing sends them, for the dashboard on this machine.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, FromRequestParts, State},
    http::{HeaderMap, header, request::Parts},
};
use chrono::{DateTime, Utc};
use heimdex_db::mail;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::{
    config::is_loopback_url,
    error::{ApiError, Code},
    state::AppState,
};

const NEWEST: i64 = 50;

/// A mail as it would have been sent.
#[derive(Serialize, ToSchema)]
pub struct OutboxMail {
    id: i64,
    recipient: String,
    subject: String,
    /// Plain text, with a link or code in it.
    body: String,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct Outbox {
    /// Newest first.
    items: Vec<OutboxMail>,
}

/// Somebody at this very machine, by a page of this very dashboard. Whoever reads the outbox can open every account in it, so
/// all of it must hold: it was switched on (and the configuration checked), the request comes from a loopback address,
/// straight and not through a proxy, was made to a loopback name (no rebound one), and is not another site's.
pub struct ThisMachine;

impl FromRequestParts<AppState> for ThisMachine {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let here = state.auth_server.is_some()
            && state.config.auth.embedded.local_outbox
            && peer.is_some_and(|ip| ip.is_loopback())
            && is_own(&parts.headers);
        if here { Ok(Self) } else { Err(ApiError::new(Code::NotFound)) }
    }
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    if forwarded.iter().any(|name| headers.contains_key(*name)) || headers.get_all(header::HOST).iter().count() != 1 {
        return false;
    }
    let host = text("host").unwrap_or("?");
    let own = Url::parse(&format!("http://{host}/")).ok().filter(is_loopback_url);
    let Some(own) = own else { return false };
    let origin_is_own =
        text("origin").is_none_or(|origin| Url::parse(origin).is_ok_and(|origin| origin.origin() == own.origin()));
    origin_is_own && matches!(text("sec-fetch-site"), None | Some("same-origin" | "none"))
}

/// The newest mails. 404 unless the API was told to show them (`HEIMDEX_LOCAL_OUTBOX`) and the request comes from this machine.
#[utoipa::path(get, path = "/outbox", tag = "system", responses((status = OK, body = Outbox)), security(()))]
pub async fn list(State(state): State<AppState>, _here: ThisMachine) -> Result<Json<Outbox>, ApiError> {
    let mails = mail::newest(&state.pool, NEWEST).await?;
    let items = mails.into_iter().map(|mail| OutboxMail {
        id: mail.mail_id,
        recipient: mail.recipient,
        subject: mail.subject,
        body: mail.body,
        created_at: mail.created_at,
    });
    Ok(Json(Outbox { items: items.collect() }))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_pages_of_this_machine_count_as_its_own() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_static(value));
            }
            is_own(&headers)
        };
        let here = ("host", "127.0.0.1:8480");
        assert!(with(&[here]));
        assert!(with(&[("host", "localhost:8480"), ("sec-fetch-site", "same-origin")]));
        assert!(with(&[("host", "[::1]:8480"), ("origin", "http://[::1]:8480")]));
        for strange in [
            vec![],
            vec![("host", "heimdex.example")],
            vec![("host", "rebound.example:8480")],
            vec![("host", "localhost.evil.example")],
            vec![here, here],
            vec![here, ("origin", "https://evil.example")],
            vec![here, ("origin", "http://127.0.0.1:3000")],
            vec![here, ("origin", "null")],
            vec![here, ("sec-fetch-site", "cross-site")],
            vec![here, ("sec-fetch-site", "same-site")],
            vec![here, ("x-forwarded-for", "203.0.113.9")],
            vec![here, ("via", "1.1 proxy")],
        ] {
            assert!(!with(&strange), "{strange:?}");
        }
    }
}
