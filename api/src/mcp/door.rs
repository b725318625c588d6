//! Who gets to `/mcp` at all: pages of foreign sites do not, and everybody else needs a token.
//!
//! The protocol asks servers to look at `Origin`, so that no page can use a visitor's network to get at a server behind it by a
//! name that suddenly means another address (DNS rebinding). The name itself is in `Host`. Tokens are never sent by browsers on
//! their own, so this is the second lock of two.

use std::net::IpAddr;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};
use url::Url;

use crate::{
    auth::Caller,
    config::{Config, is_loopback_url},
    error::{ApiError, Code},
    state::AppState,
};

/// Lets a request through, or says why not: 403, or 401 with the challenge that a client needs to ask for a token.
pub async fn open(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    check(&state.config, &parts.uri, &parts.headers)?;
    Caller::from_request_parts(&mut parts, &state).await?;
    Ok(next.run(Request::from_parts(parts, body)).await)
}

fn check(config: &Config, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |sentence: &str| Err(ApiError::new(Code::Forbidden).detail(sentence));
    // HTTP/2 has it in the address.
    let host = match headers.get(header::HOST) {
        Some(value) => value.to_str().ok().and_then(|text| text.parse::<Authority>().ok()),
        None => uri.authority().cloned(),
    };
    let Some(host) = host.filter(|host| is_ours(config, host.host())) else {
        return refuse("This server is not known by that name; HEIMDEX_PUBLIC_URL says what it is reached by.");
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok()).filter(|_| origins.next().is_none());
    match origin {
        Some(origin) if is_welcome(config, &host, &origin) => Ok(()),
        _ => refuse("Pages of this origin may not use the server."),
    }
}

/// Whether the host is one that people reach this server by, as far as the configuration knows.
fn is_ours(config: &Config, host: &str) -> bool {
    match config.public_url.as_ref().and_then(Url::host_str) {
        _ if !is_of_dns(host) => true,
        Some(public) => host.eq_ignore_ascii_case(public),
        // Listening for others without having been told a name.
        None => !config.bind.ip().is_loopback(),
    }
}

/// This machine, the public address, or the very server that was asked, if its name cannot be a trick.
fn is_welcome(config: &Config, host: &Authority, origin: &Url) -> bool {
    let is_public = config.public_url.as_ref().is_some_and(|public| public.origin() == origin.origin());
    let of_host = || Url::parse(&format!("{}://{host}", origin.scheme())).ok();
    is_public
        || is_loopback_url(origin)
        || (!is_of_dns(host.host()) && of_host().is_some_and(|asked| asked.origin() == origin.origin()))
}

/// Whether others could make the name mean another address: neither addresses nor names without a dot can be had on the internet,
/// and browsers keep `localhost` to themselves.
fn is_of_dns(host: &str) -> bool {
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    !is_address && host.contains('.') && !host.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(public_url: Option<&str>, bind: &str) -> Config {
        Config::read(&|name| {
            Some(match name {
                "DATABASE_URL" => "postgres://u@localhost/x".to_owned(),
                "S3_ENDPOINT" => "http://127.0.0.1:8490".to_owned(),
                "S3_ACCESS_KEY_ID" | "S3_SECRET_ACCESS_KEY" => "key".to_owned(),
                "HEIMDEX_API_BIND" => bind.to_owned(),
                "HEIMDEX_PUBLIC_URL" => return public_url.map(ToOwned::to_owned),
                _ => return None,
            })
        })
        .unwrap()
    }

    fn passes(config: &Config, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(config, &Uri::from_static("/mcp"), &headers).is_ok()
    }

    #[test]
    fn a_server_for_others_is_known_by_its_public_name() {
        let public = config(Some("https://video.example.org"), "0.0.0.0:8480");
        for host in ["video.example.org", "VIDEO.example.org:443", "127.0.0.1:8480", "[::1]:8480", "api:8480"] {
            assert!(passes(&public, host, None), "{host}");
        }
        for host in ["evil.example.org", "video.example.org.evil.example"] {
            assert!(!passes(&public, host, None), "{host}");
        }
        for origin in ["https://video.example.org", "http://localhost:6274", "http://127.0.0.1:3000"] {
            assert!(passes(&public, "video.example.org", Some(origin)), "{origin}");
        }
        for origin in
            ["http://video.example.org", "https://evil.example", "https://video.example.org:8443", "null", "x"]
        {
            assert!(!passes(&public, "video.example.org", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_server_without_a_public_name_believes_addresses() {
        let lan = config(None, "0.0.0.0:8480");
        assert!(passes(&lan, "nas.home.arpa:8480", None));
        assert!(passes(&lan, "192.168.1.7:8480", Some("http://192.168.1.7:8480")));
        assert!(passes(&lan, "nas:8480", Some("http://nas:8480")));
        assert!(!passes(&lan, "192.168.1.7:8480", Some("http://192.168.1.7:9000")));
        // By rebinding, a page of a foreign site is of the same origin as the server it asks.
        assert!(!passes(&lan, "evil.example:8480", Some("http://evil.example:8480")));
        let own = config(None, "127.0.0.1:8480");
        assert!(passes(&own, "localhost:8480", Some("http://localhost:8480")));
        assert!(passes(&own, "heimdex.localhost:8480", None));
        assert!(!passes(&own, "evil.example:8480", None));
    }
}
