//! A compact JWS taken apart, before anything in it is believed. RFC 7515, 7519.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::{
    Deserialize,
    de::{Deserializer, Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// Longer tokens are refused unread. Supabase's carry user metadata, but a person's metadata is small.
const MAX_LEN: usize = 16 << 10;

/// Why a token is not taken. The client learns only "invalid" or "expired"; the log gets the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("it is not a JWT")]
    Malformed,
    #[error("its header is not acceptable")]
    Header,
    #[error("its algorithm is not allowed for its key")]
    Algorithm,
    #[error("no key is known for it")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it has expired")]
    Expired,
    #[error("its times are wrong")]
    Times,
    #[error("its issuer is another")]
    Issuer,
    #[error("it is meant for somebody else")]
    Audience,
    #[error("it is not a person's")]
    NotAPerson,
}

/// A JSON object in which no name occurs twice: two readers must not be able to see two different tokens.
struct UniqueObject(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = UniqueObject;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<UniqueObject, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if map.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate name"));
                    }
                }
                Ok(UniqueObject(map))
            }
        }
        deserializer.deserialize_map(Unique)
    }
}

/// A token whose signature has not been checked yet.
pub(super) struct Unverified<'a> {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    /// What was signed.
    pub message: &'a str,
    pub signature: &'a str,
    pub claims: Map<String, Value>,
}

/// Takes a token apart. Headers that point to or carry keys (`jku`, `jwk`, `x5u`, `x5c`) and critical extensions are
/// refused outright: which key counts is never the token's decision.
pub(super) fn parse(token: &str) -> Result<Unverified<'_>, Rejected> {
    if token.len() > MAX_LEN {
        return Err(Rejected::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Rejected::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(Rejected::Malformed)?;
    if payload.contains('.') || signature.is_empty() {
        return Err(Rejected::Malformed);
    }
    let mut header = object(header)?;
    if ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
        return Err(Rejected::Header);
    }
    if !matches!(header.get("typ").map(Value::as_str), None | Some(Some("JWT" | "jwt" | "at+jwt"))) {
        return Err(Rejected::Header);
    }
    let algorithm = match header.get("alg").and_then(Value::as_str) {
        Some("ES256") => Algorithm::ES256,
        Some("RS256") => Algorithm::RS256,
        Some("EdDSA") => Algorithm::EdDSA,
        Some("HS256") => Algorithm::HS256,
        _ => return Err(Rejected::Algorithm),
    };
    let kid = match header.remove("kid") {
        None => None,
        Some(Value::String(kid)) if (1..=256).contains(&kid.len()) => Some(kid),
        Some(_) => return Err(Rejected::Header),
    };
    Ok(Unverified { algorithm, kid, message, signature, claims: object(payload)? })
}

fn object(part: &str) -> Result<Map<String, Value>, Rejected> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Rejected::Malformed)?;
    serde_json::from_slice::<UniqueObject>(&bytes).map(|o| o.0).map_err(|_| Rejected::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused() {
        assert!(parse(&encode(r#"{"alg":"ES256"}"#, r#"{"sub":"a"}"#)).is_ok());
        assert_eq!(parse(&encode(r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#)).err(), Some(Rejected::Malformed));
        assert_eq!(parse(&encode(r#"{"alg":"none","alg":"ES256"}"#, "{}")).err(), Some(Rejected::Malformed));
    }

    #[test]
    fn only_the_algorithms_of_the_list_are_read() {
        for alg in ["none", "None", "", "HS384", "HS512", "RS512", "PS256", "ES384", "es256"] {
            assert_eq!(
                parse(&encode(&format!(r#"{{"alg":"{alg}"}}"#), "{}")).err(),
                Some(Rejected::Algorithm),
                "{alg}"
            );
        }
    }
}
