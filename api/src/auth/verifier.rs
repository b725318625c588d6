//! Whether a token is a person's. Every rule is here; where the keys come from is `jwks` and `own_keys`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use heimdex_db::users::ClaimedProfile;
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    cache::Verified,
    claims::profile_of,
    jwks::{Jwks, Unavailable},
    keyset::{KeyMark, VerifyingKey},
    own_keys::OwnKeys,
    token::{Rejected, Unverified, parse},
};
use crate::error::{ApiError, Code};

/// Clocks may differ by this much.
const LEEWAY_S: f64 = 30.0;

/// Where the keys come from.
pub enum KeySource {
    Own(Arc<OwnKeys>),
    Project(Arc<Jwks>),
}

/// What a token must say.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Exact; `None` accepts any, for stacks that issue none.
    pub issuer: Option<String>,
    pub audience: String,
}

/// Checks tokens.
pub struct Verifier {
    source: KeySource,
    rules: Rules,
    /// HS256 is on only with this.
    legacy: Option<DecodingKey>,
}

impl Verifier {
    /// The legacy secret is a project's; the embedded auth server has none.
    pub fn new(source: KeySource, rules: Rules, legacy_secret: Option<&SecretString>) -> Self {
        let legacy_secret = legacy_secret.filter(|_| matches!(source, KeySource::Project(_)));
        let legacy = legacy_secret.map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()));
        Self { source, rules, legacy }
    }

    /// Checks a token. 401 with the reason's kind; 503 when the keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Verified, ApiError> {
        let parsed = parse(token).map_err(refused)?;
        let (key, mark) = self.key_for(&parsed).await?.ok_or_else(|| refused(Rejected::UnknownKey))?;
        let genuine = jsonwebtoken::crypto::verify(parsed.signature, parsed.message.as_bytes(), &key, parsed.algorithm)
            .unwrap_or(false);
        if !genuine {
            return Err(refused(Rejected::Signature));
        }
        let verified = self.rules.check(&parsed.claims, Utc::now()).map_err(refused)?;
        // Ours always name a session; without one there would be nothing to end.
        if self.has_own_sessions() && verified.session_id.is_none() {
            return Err(refused(Rejected::NotAPerson));
        }
        Ok(Verified { key: mark, ..verified })
    }

    /// Whether what verified a token before would verify it again.
    pub fn still_trusts(&self, verified: &Verified) -> bool {
        match (&verified.key, &self.source) {
            (None, _) => true,
            (Some(mark), KeySource::Own(keys)) => keys.still_has(mark),
            (Some(mark), KeySource::Project(jwks)) => jwks.still_has(mark),
        }
    }

    /// Whether sessions are rows of this database.
    pub fn has_own_sessions(&self) -> bool {
        matches!(self.source, KeySource::Own(_))
    }

    /// The key is found by id and must be of the token's algorithm; the shared secret has no id.
    async fn key_for(&self, token: &Unverified<'_>) -> Result<Option<(DecodingKey, Option<KeyMark>)>, ApiError> {
        if token.algorithm == Algorithm::HS256 {
            return Ok(self.legacy.clone().map(|key| (key, None)));
        }
        let Some(kid) = token.kid.as_deref() else { return Ok(None) };
        let found = match &self.source {
            KeySource::Own(keys) => keys.find(kid).await.map_err(|e| ApiError::internal(&e))?,
            KeySource::Project(jwks) => match jwks.find(kid).await {
                Ok(found) => found,
                // A project that signs with its shared secret only: no other token can be its own.
                Err(Unavailable::NoPublicKeys) if self.legacy.is_some() => None,
                Err(_) => return Err(ApiError::new(Code::Unavailable).retry_after(30)),
            },
        };
        match found {
            Some(VerifyingKey { algorithm, key, mark }) if algorithm == token.algorithm => Ok(Some((key, Some(mark)))),
            Some(_) => Err(refused(Rejected::Algorithm)),
            None => Ok(None),
        }
    }
}

fn refused(reason: Rejected) -> ApiError {
    tracing::debug!(%reason, "token refused");
    let detail = match reason {
        Rejected::Expired => "The access token has expired.",
        _ => "The access token is not valid.",
    };
    ApiError::new(Code::InvalidToken).detail(detail)
}

impl Rules {
    fn check(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<Verified, Rejected> {
        let now_s = now.timestamp() as f64;
        let number = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_f64().filter(|n| (0.0..1e11).contains(n)).map(Some).ok_or(Rejected::Times),
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let expires = number("exp")?.ok_or(Rejected::Times)?;
        if expires + LEEWAY_S <= now_s {
            return Err(Rejected::Expired);
        }
        let issued = number("iat")?.ok_or(Rejected::Times)?;
        if issued > now_s + LEEWAY_S || number("nbf")?.is_some_and(|nbf| nbf > now_s + LEEWAY_S) {
            return Err(Rejected::Times);
        }
        if self.issuer.as_deref().is_some_and(|issuer| text("iss") != Some(issuer)) {
            return Err(Rejected::Issuer);
        }
        let for_us = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(all)) => all.iter().any(|a| a.as_str() == Some(&self.audience)),
            _ => false,
        };
        if !for_us {
            return Err(Rejected::Audience);
        }
        if text("role") != Some("authenticated")
            || !matches!(claims.get("is_anonymous"), None | Some(Value::Bool(false)))
        {
            return Err(Rejected::NotAPerson);
        }
        let subject: Uuid =
            text("sub").filter(|sub| sub.len() == 36).and_then(|sub| sub.parse().ok()).ok_or(Rejected::NotAPerson)?;
        if subject.is_nil() {
            return Err(Rejected::NotAPerson);
        }
        let at = |seconds: f64| DateTime::from_timestamp(seconds as i64, 0).ok_or(Rejected::Times);
        let profile: ClaimedProfile = profile_of(claims, subject, at(issued)?);
        Ok(Verified {
            profile: Arc::new(profile),
            session_id: text("session_id").and_then(|id| id.parse().ok()),
            expires_at: at(expires)?,
            key: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(change: impl FnOnce(&mut Value)) -> Result<Verified, Rejected> {
        let now = Utc::now();
        let mut claims = json!({
            "iss": "http://here/auth/v1", "aud": "authenticated", "role": "authenticated", "iat": now.timestamp() - 10,
            "exp": now.timestamp() + 3600, "sub": Uuid::new_v4(), "email": "", "is_anonymous": false,
        });
        change(&mut claims);
        let rules = Rules { issuer: Some("http://here/auth/v1".into()), audience: "authenticated".into() };
        rules.check(claims.as_object().unwrap(), now)
    }

    #[test]
    fn an_empty_email_is_none_and_the_audience_may_be_a_list() {
        let verified = check(|c| c["aud"] = json!(["other", "authenticated"])).unwrap();
        assert_eq!(verified.profile.email, None);
    }

    #[test]
    fn whatever_is_not_a_persons_is_refused() {
        let now = Utc::now().timestamp();
        let table: [(&str, Value, Rejected); 17] = [
            ("exp", json!(now - 31), Rejected::Expired),
            ("exp", Value::Null, Rejected::Times),
            ("exp", json!("9999999999"), Rejected::Times),
            ("exp", json!(1e300), Rejected::Times),
            ("iat", json!(now + 60), Rejected::Times),
            ("iat", Value::Null, Rejected::Times),
            ("nbf", json!(now + 60), Rejected::Times),
            ("iss", json!("http://there/auth/v1"), Rejected::Issuer),
            ("iss", Value::Null, Rejected::Issuer),
            ("aud", json!("anon"), Rejected::Audience),
            ("aud", json!(["a", "b"]), Rejected::Audience),
            ("aud", Value::Null, Rejected::Audience),
            ("role", json!("service_role"), Rejected::NotAPerson),
            ("role", json!("anon"), Rejected::NotAPerson),
            ("sub", json!("1 OR 1=1"), Rejected::NotAPerson),
            ("is_anonymous", json!(true), Rejected::NotAPerson),
            ("is_anonymous", json!("false"), Rejected::NotAPerson),
        ];
        for (name, value, reason) in table {
            let result = check(|c| c[name] = value.clone());
            assert_eq!(result.err(), Some(reason), "{name} = {value}");
        }
    }
}
