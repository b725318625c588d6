//! A server's address, and which addresses a secret may be sent to.

use url::{Host, Url};

use crate::failure::{Failure, Result};

/// Where `scripts/up` puts it.
pub const LOCAL: &str = "http://127.0.0.1:8480";

/// The base of a Heimdex server, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(String);

impl Server {
    /// Reads an address as people type it. Without a scheme it is https, and http on this machine.
    pub fn parse(text: &str, insecure_http: bool) -> Result<Self> {
        let text = text.trim();
        let guess;
        let full = if text.contains("://") {
            text
        } else {
            let local = Url::parse(&format!("http://{text}")).is_ok_and(|url| is_this_machine(&url));
            guess = format!("{}://{text}", if local { "http" } else { "https" });
            &guess
        };
        let wrong = |why: &str| Failure::Usage(format!("“{text}” is no address of a server: {why}"));
        let url = Url::parse(full).map_err(|error| wrong(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not have a name or a password in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must end before ? and #"));
        }
        check(&url, insecure_http)?;
        // Who copies it from a browser copies the dashboard's page.
        let base = url.as_str().trim_end_matches('/');
        Ok(Self(base.strip_suffix("/app").unwrap_or(base).to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An address of the API; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// Refuses addresses by which a secret or a video would go readable through a network.
pub fn check(url: &Url, insecure_http: bool) -> Result<()> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if insecure_http || is_this_machine(url) => Ok(()),
        "http" => Err(Failure::Usage(format!(
            "{} would go through the network unencrypted. Use https, or allow it with --insecure-http.",
            url.host_str().unwrap_or("this address")
        ))),
        other => Err(Failure::Usage(format!("{other}:// cannot be used; only https:// and http:// can"))),
    }
}

pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        Server::parse(text, false).unwrap().as_str().to_owned()
    }

    #[test]
    fn addresses_are_read_as_people_type_them() {
        assert_eq!(parsed("heimdex.example.org"), "https://heimdex.example.org");
        assert_eq!(parsed(" https://example.org/heimdex/ "), "https://example.org/heimdex");
        assert_eq!(parsed("http://127.0.0.1:8480/app"), "http://127.0.0.1:8480");
        assert_eq!(parsed("localhost:8480"), "http://localhost:8480");
        assert_eq!(parsed("[::1]:8480"), "http://[::1]:8480");
    }

    #[test]
    fn nothing_goes_readable_through_a_network_unless_allowed() {
        for text in ["http://192.168.1.5:8480", "http://example.org", "http://localhost.example.org"] {
            assert!(matches!(Server::parse(text, false), Err(Failure::Usage(_))), "{text}");
            assert!(Server::parse(text, true).is_ok(), "{text}");
        }
        assert!(Server::parse("ftp://example.org", true).is_err());
        assert!(Server::parse("https://ann:secret@example.org", true).is_err());
    }
}
