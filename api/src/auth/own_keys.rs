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
use heimdex_db::{DbError, PgPool, auth_keys};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::keyset::{KeySet, VerifyingKey};

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
}

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
            auth_keys::insert_in_use(&mut *tx, &make()?).await?;
        }
        tx.commit().await.map_err(DbError::from)?;
        let loaded = read(&pool).await?;
        Ok(Self { pool, loaded: RwLock::new(Arc::new(loaded)) })
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
        let fresh = Arc::new(read(&self.pool).await?);
        *self.loaded.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh.verifying.get(kid).cloned())
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

async fn read(pool: &PgPool) -> Result<Loaded, KeyError> {
    let keys = auth_keys::all(pool).await?;
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
fn make() -> Result<auth_keys::SigningKey, KeyError> {
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
    Ok(auth_keys::SigningKey {
        public_jwk: json!({
            "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            "kid": kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
        }),
        kid,
        alg: "ES256".into(),
        private_pem: format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")),
        state: "in_use".into(),
    })
}
