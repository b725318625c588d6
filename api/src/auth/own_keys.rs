//! The embedded auth server's own keys, in memory. Made at the first start; all processes share them by the database.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{TimeDelta, Utc};
use heimdex_db::{
    DbError, PgConnection, PgPool,
    audit::{self, Action, By, Event},
    auth_keys::{self, NewKey, SigningKey},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::keyset::{KeyMark, KeySet, VerifyingKey};

/// Another process may have rotated: look again, but not for every random key id.
const BETWEEN_LOOKS: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("signing keys cannot be read or written")]
    Db(#[from] DbError),
    #[error("a key pair could not be made")]
    Make,
    #[error("the stored signing key is broken: {0}")]
    Broken(#[from] jsonwebtoken::errors::Error),
    #[error("the stored key set is broken")]
    Json(#[from] serde_json::Error),
    #[error("no signing key is in use")]
    NoneInUse,
    #[error("there is a standby key already: {0}")]
    StandbyExists(String),
    #[error("there is no standby key; make one first")]
    NoStandby,
    #[error("there is no key {0}")]
    Unknown(String),
    #[error("the key {0} is in use; rotate first")]
    InUse(String),
    #[error("{0}")]
    TooEarly(String),
}

/// A standby key is published this long before it may sign: the key set is cached for ten minutes on its way and for ten
/// more by clients.
const PUBLISHED_FOR: TimeDelta = TimeDelta::minutes(20);
/// Tokens of a retired key may be about for their lifetime; some more for clocks that differ.
const AFTER_LAST_TOKEN: TimeDelta = TimeDelta::minutes(15);

struct Loaded {
    kid: String,
    signing: EncodingKey,
    verifying: KeySet,
    jwks: Value,
    at: Instant,
}

/// Signs, verifies and publishes.
pub struct OwnKeys {
    pool: PgPool,
    loaded: RwLock<Arc<Loaded>>,
}

impl OwnKeys {
    /// Loads the keys; the first process of all makes one.
    pub async fn load_or_make(pool: PgPool) -> Result<Self, KeyError> {
        let mut tx = pool.begin().await.map_err(DbError::from)?;
        auth_keys::lock(&mut tx).await?;
        if auth_keys::all(&mut *tx).await?.iter().all(|key| key.state != "in_use") {
            auth_keys::insert(&mut *tx, &make()?, "in_use").await?;
        }
        tx.commit().await.map_err(DbError::from)?;
        let loaded = read(&pool).await?;
        Ok(Self { pool, loaded: RwLock::new(Arc::new(loaded)) })
    }

    /// Reads the keys again.
    pub async fn reload(&self) -> Result<(), KeyError> {
        let fresh = Arc::new(read(&self.pool).await?);
        *self.loaded.write().unwrap_or_else(std::sync::PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Makes a key that is published and does not sign yet; answers with its id.
    pub async fn make_standby(&self, by: &By) -> Result<String, KeyError> {
        let mut tx = self.pool.begin().await.map_err(DbError::from)?;
        auth_keys::lock(&mut tx).await?;
        if let Some(key) = auth_keys::all(&mut *tx).await?.into_iter().find(|key| key.state == "standby") {
            return Err(KeyError::StandbyExists(key.kid));
        }
        let key = make()?;
        auth_keys::insert(&mut *tx, &key, "standby").await?;
        note(&mut tx, by, &key.kid, json!(null), json!("standby")).await?;
        tx.commit().await.map_err(DbError::from)?;
        Ok(key.kid)
    }

    /// Puts the standby key to use; the one in use stays trusted as a previous one. With `now`, whether or not everybody can
    /// know the new one already, and also without a standby key.
    pub async fn rotate(&self, now: bool, by: &By) -> Result<String, KeyError> {
        let mut tx = self.pool.begin().await.map_err(DbError::from)?;
        auth_keys::lock(&mut tx).await?;
        let keys = auth_keys::all(&mut *tx).await?;
        let next = match keys.iter().find(|key| key.state == "standby") {
            Some(key) if !now && Utc::now() - key.changed_at < PUBLISHED_FOR => {
                return Err(KeyError::TooEarly(format!(
                    "the standby key {} was published less than {} minutes ago: some would not know it yet",
                    key.kid,
                    PUBLISHED_FOR.num_minutes()
                )));
            }
            Some(key) => key.kid.clone(),
            None if !now => return Err(KeyError::NoStandby),
            None => {
                let key = make()?;
                auth_keys::insert(&mut *tx, &key, "standby").await?;
                key.kid
            }
        };
        for key in keys.iter().filter(|key| key.state == "in_use") {
            auth_keys::set_state(&mut *tx, &key.kid, "previous").await?;
            note(&mut tx, by, &key.kid, json!("in_use"), json!("previous")).await?;
        }
        auth_keys::set_state(&mut *tx, &next, "in_use").await?;
        note(&mut tx, by, &next, json!("standby"), json!("in_use")).await?;
        tx.commit().await.map_err(DbError::from)?;
        Ok(next)
    }

    /// Trusts a standby or previous key no more. Without `now`, not before the last token of it has expired.
    pub async fn revoke(&self, kid: &str, token_ttl: TimeDelta, now: bool, by: &By) -> Result<(), KeyError> {
        let mut tx = self.pool.begin().await.map_err(DbError::from)?;
        auth_keys::lock(&mut tx).await?;
        let keys = auth_keys::all(&mut *tx).await?;
        let key = keys.iter().find(|key| key.kid == kid).ok_or_else(|| KeyError::Unknown(kid.to_owned()))?;
        let wait = token_ttl + AFTER_LAST_TOKEN;
        match key.state.as_str() {
            "in_use" => return Err(KeyError::InUse(kid.to_owned())),
            "previous" if !now && Utc::now() - key.changed_at < wait => {
                return Err(KeyError::TooEarly(format!(
                    "tokens of the key {kid} may be in use until {}",
                    key.changed_at + wait
                )));
            }
            "revoked" => return Ok(()),
            _ => {}
        }
        auth_keys::set_state(&mut *tx, kid, "revoked").await?;
        note(&mut tx, by, kid, json!(key.state), json!("revoked")).await?;
        tx.commit().await.map_err(DbError::from)?;
        Ok(())
    }

    /// Every key there was, the one in use first.
    pub async fn list(&self) -> Result<Vec<SigningKey>, KeyError> {
        Ok(auth_keys::all(&self.pool).await?)
    }

    fn current(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) async fn find(&self, kid: &str) -> Result<Option<VerifyingKey>, KeyError> {
        let current = self.current();
        if let Some(key) = current.verifying.get(kid) {
            return Ok(Some(key.clone()));
        }
        if current.at.elapsed() < BETWEEN_LOOKS {
            return Ok(None);
        }
        self.reload().await?;
        Ok(self.current().verifying.get(kid).cloned())
    }

    /// Whether a key that verified a token a while ago still counts.
    pub(super) fn still_has(&self, mark: &KeyMark) -> bool {
        self.current().verifying.holds(mark)
    }

    /// The document for `/.well-known/jwks.json`.
    pub fn jwks(&self) -> Value {
        self.current().jwks.clone()
    }

    /// Signs claims with the key in use.
    pub fn sign(&self, claims: &impl serde::Serialize) -> Result<String, KeyError> {
        let current = self.current();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(current.kid.clone());
        Ok(jsonwebtoken::encode(&header, claims, &current.signing)?)
    }
}

/// A line of the history.
async fn note(db: &mut PgConnection, by: &By, kid: &str, before: Value, after: Value) -> Result<(), KeyError> {
    let target = Some(kid.to_owned());
    let event = Event { action: Action::SigningKeysRotated, subject: None, target, before, after };
    Ok(audit::record(db, by, event).await?)
}

async fn read(pool: &PgPool) -> Result<Loaded, KeyError> {
    let mut keys = auth_keys::all(pool).await?;
    keys.retain(|key| key.state != "revoked");
    let in_use = keys.iter().find(|key| key.state == "in_use").ok_or(KeyError::NoneInUse)?;
    let jwks = json!({ "keys": keys.iter().map(|key| key.public_jwk.clone()).collect::<Vec<_>>() });
    Ok(Loaded {
        kid: in_use.kid.clone(),
        signing: EncodingKey::from_ec_pem(in_use.private_pem.as_bytes())?,
        verifying: KeySet::from_jwks(&serde_json::to_vec(&jwks)?)?,
        jwks,
        at: Instant::now(),
    })
}

/// A fresh P-256 pair; the private half as PKCS #8 in PEM, the public half as a JWK.
fn make() -> Result<NewKey, KeyError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| KeyError::Make)?;
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).map_err(|_| KeyError::Make)?;
    // Uncompressed point: 4, x (32 bytes), y (32 bytes). SEC 1, 2.3.3.
    let [4, point @ ..] = pair.public_key().as_ref() else { return Err(KeyError::Make) };
    let (x, y) = point.split_at_checked(32).ok_or(KeyError::Make)?;
    let kid = Uuid::new_v4().to_string();
    let body = STANDARD.encode(pkcs8.as_ref());
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Ok(NewKey {
        public_jwk: json!({
            "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            "kid": kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
        }),
        kid,
        private_pem: format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")),
    })
}
