//! The address a request came from. `X-Forwarded-For` counts only as far as trusted proxies wrote it.

use std::net::{IpAddr, SocketAddr};

use axum::{extract::ConnectInfo, http::request::Parts};
use ipnet::IpNet;

/// Walks from the peer backwards through `X-Forwarded-For` as long as each hop is a trusted proxy.
pub fn of(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let forwarded: Vec<&str> = parts
        .headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    Some(walk(peer, &forwarded, trusted))
}

fn walk(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer;
    for hop in forwarded.iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        let Ok(ip) = hop.parse::<IpAddr>() else { break };
        client = ip.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_header_is_not_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(walk(ip("203.0.113.9"), &["1.1.1.1"], &trusted), ip("203.0.113.9"));
        assert_eq!(walk(ip("10.0.0.1"), &["6.6.6.6", "198.51.100.7"], &trusted), ip("198.51.100.7"));
        assert_eq!(walk(ip("10.0.0.1"), &["198.51.100.7", "10.2.3.4"], &trusted), ip("198.51.100.7"));
        assert_eq!(walk(ip("10.0.0.1"), &["nonsense"], &trusted), ip("10.0.0.1"));
    }
}
