//! Keys that verify, by their id; each is good for one algorithm only. RFC 7517.

use std::{collections::HashMap, sync::Arc};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// More keys than this are no project's.
const MAX_KEYS: usize = 64;

/// A public key and the one algorithm it is used with: a token cannot choose.
#[derive(Clone)]
pub(super) struct VerifyingKey {
    pub algorithm: Algorithm,
    pub key: DecodingKey,
    pub mark: KeyMark,
}

/// A key by its id and a fingerprint of what it is made of: another key under the same id is another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMark {
    kid: Arc<str>,
    fingerprint: [u8; 32],
}

/// Keys by `kid`.
#[derive(Clone, Default)]
pub struct KeySet(HashMap<String, VerifyingKey>);

impl KeySet {
    /// Reads a JWKS document, leaving out what is not a signing key of an allowed kind. A shared secret in a public
    /// document is never taken for a key.
    pub fn from_jwks(document: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(document)?;
        Ok(Self(document.keys.into_iter().take(MAX_KEYS).filter_map(read).collect()))
    }

    pub(super) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.get(kid)
    }

    /// Whether this very key is among them.
    pub(super) fn holds(&self, mark: &KeyMark) -> bool {
        self.0.get(&*mark.kid).is_some_and(|key| key.mark == *mark)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn read(value: Value) -> Option<(String, VerifyingKey)> {
    // One unknown key must not spoil the others.
    let fingerprint = Sha256::digest(value.to_string()).into();
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let kid = jwk.common.key_id.clone()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    if jwk.common.key_operations.as_ref().is_some_and(|ops| !ops.contains(&KeyOperations::Verify)) {
        return None;
    }
    let (algorithm, name, key) = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256, DecodingKey::from_ec_components(&ec.x, &ec.y).ok()?)
        }
        AlgorithmParameters::RSA(rsa) => {
            (Algorithm::RS256, KeyAlgorithm::RS256, DecodingKey::from_rsa_components(&rsa.n, &rsa.e).ok()?)
        }
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA, DecodingKey::from_ed_components(&okp.x).ok()?)
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|given| given != name) {
        return None;
    }
    let mark = KeyMark { kid: kid.as_str().into(), fingerprint };
    Some((kid, VerifyingKey { algorithm, key, mark }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signing_keys_of_allowed_kinds_are_read() {
        let document = r#"{"keys":[
            {"kty":"oct","kid":"shared","k":"c2VjcmV0","alg":"HS256"},
            {"kty":"EC","crv":"P-384","kid":"p384","x":"AA","y":"AA"},
            {"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig"},
            {"kty":"OKP","crv":"Ed25519","kid":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"},
            {"kty":"who","kid":"unknown"}, 7]}"#;
        let keys = KeySet::from_jwks(document.as_bytes()).unwrap();
        assert_eq!(keys.ids().collect::<Vec<_>>(), ["ed"]);
    }
}
