//! What every command begins with: which server, who asks, how to print.

use crate::{
    api::{Api, Http},
    args::Global,
    auth::{
        Auth,
        store::{Kept, Store},
    },
    failure::{Failure, Result},
    output::Out,
    server::{LOCAL, Server},
};

pub const TOKEN_VARIABLE: &str = "HEIMDEX_TOKEN";

pub struct Context<'a> {
    pub out: &'a Out,
    pub api: Api,
}

impl<'a> Context<'a> {
    pub fn open(global: &Global, out: &'a Out) -> Result<Self> {
        let store = Store::of_this_person()?;
        let kept = store.read()?;
        let (server, insecure_http) = server(global.server.as_deref(), global.insecure_http, &kept)?;
        let auth = match token_of_environment()? {
            Some(token) => Auth::Token(token),
            None => {
                let credential = kept.servers.get(server.as_str()).map(|entry| entry.credential.clone());
                Auth::of(credential, store, server.as_str())
            }
        };
        Ok(Self { out, api: Api::new(server, insecure_http, Http::new()?, auth) })
    }
}

/// The one asked for, else the one signed in to last, else this machine's. Whether it may be reached without encryption is
/// remembered from signing in.
pub fn server(asked: Option<&str>, insecure_http: bool, kept: &Kept) -> Result<(Server, bool)> {
    let address = asked.filter(|text| !text.trim().is_empty()).or(kept.current.as_deref()).unwrap_or(LOCAL);
    let known = Server::parse(address, true)?;
    let allowed = insecure_http || kept.servers.get(known.as_str()).is_some_and(|entry| entry.insecure_http);
    Ok((Server::parse(address, allowed)?, allowed))
}

/// An API token that goes before everything that is kept.
pub fn token_of_environment() -> Result<Option<String>> {
    match std::env::var(TOKEN_VARIABLE) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => checked_token(&text).map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::Usage(format!("{TOKEN_VARIABLE} is no text"))),
    }
}

/// A token as it can stand in a header.
pub fn checked_token(text: &str) -> Result<String> {
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage("That is no API token: one begins with hx_ and has no blanks.".into()));
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::auth::store::{Credential, Entry};

    #[test]
    fn the_server_asked_for_goes_before_the_one_signed_in_to_last() {
        let entry = |insecure_http| Entry { insecure_http, credential: Credential::Token { token: "hx_1".into() } };
        let servers = BTreeMap::from([("http://10.0.0.5:8480".to_owned(), entry(true))]);
        let kept = Kept { current: Some("http://10.0.0.5:8480".into()), servers };
        let chosen = |asked, kept: &Kept| server(asked, false, kept).map(|(server, _)| server.as_str().to_owned());
        assert_eq!(chosen(Some("https://a.example"), &kept).unwrap(), "https://a.example");
        assert_eq!(chosen(None, &kept).unwrap(), "http://10.0.0.5:8480");
        assert_eq!(chosen(Some(""), &Kept::default()).unwrap(), LOCAL);
        assert!(chosen(Some("http://10.0.0.6"), &kept).is_err());
    }

    #[test]
    fn a_token_has_no_blanks_and_loses_its_line_end() {
        assert_eq!(checked_token("hx_abc\n").unwrap(), "hx_abc");
        assert!(checked_token("hx_a b").is_err() && checked_token(" \n").is_err());
    }
}
