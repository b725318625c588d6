//! A Supabase project as far as Heimdex asks it: keys, `GET /user`, and the admin API. It issues tokens as the real one does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::App;

pub const PROJECT_KEY: &str = "sb_secret_of_the_test_project";
pub const WEBHOOK_SECRET: &str = "a webhook secret nobody guesses";
const KID: &str = "project-key";

/// What it holds.
#[derive(Default)]
struct Inside {
    users: BTreeMap<Uuid, Value>,
    ended_sessions: Vec<Uuid>,
    /// Answers with this status instead, so many times.
    trouble: Option<(StatusCode, usize)>,
    asked: Vec<String>,
}

pub struct Project {
    pub url: String,
    key: EncodingKey,
    inside: Arc<Mutex<Inside>>,
}

impl Project {
    pub async fn start() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": KID, "alg": "ES256", "use": "sig", "key_ops": ["verify"],
            "x": URL_SAFE_NO_PAD.encode(&point[..32]), "y": URL_SAFE_NO_PAD.encode(&point[32..]) });
        let inside = Arc::new(Mutex::new(Inside::default()));
        let keys = json!({ "keys": [jwk] });
        let router = Router::new()
            .route("/auth/v1/.well-known/jwks.json", get(async move || Json(keys)))
            .route("/auth/v1/user", get(user))
            .route("/auth/v1/admin/users", get(admin_users))
            .route("/auth/v1/admin/users/{id}", get(admin_user))
            .with_state(Arc::clone(&inside));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, key: EncodingKey::from_ec_der(pkcs8.as_ref()), inside }
    }

    /// An API behind this project.
    pub async fn app(&self) -> App {
        self.app_with(|_| None).await
    }

    pub async fn app_with(&self, overrides: impl Fn(&str) -> Option<String>) -> App {
        let url = self.url.clone();
        App::start_with(move |name| {
            overrides(name).or_else(|| {
                Some(match name {
                    "SUPABASE_URL" => url.clone(),
                    "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x".to_owned(),
                    "SUPABASE_SECRET_KEY" => PROJECT_KEY.to_owned(),
                    "SUPABASE_WEBHOOK_SECRET" => WEBHOOK_SECRET.to_owned(),
                    _ => return None,
                })
            })
        })
        .await
    }

    /// A user of the project, as its database has them.
    pub fn user(&self, name: &str) -> Uuid {
        let id = Uuid::new_v4();
        let user = json!({
            "id": id, "aud": "authenticated", "role": "authenticated", "email": format!("{name}@example.org"),
            "email_confirmed_at": "2026-01-01T00:00:00Z", "phone": "", "app_metadata": { "provider": "email" },
            "user_metadata": { "name": name, "role": "archivist" }, "is_anonymous": false,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00.123456Z",
        });
        self.inside.lock().unwrap().users.insert(id, user);
        id
    }

    pub fn edit(&self, id: Uuid, change: impl FnOnce(&mut Value)) {
        change(self.inside.lock().unwrap().users.get_mut(&id).unwrap());
    }

    pub fn remove(&self, id: Uuid) {
        self.inside.lock().unwrap().users.remove(&id);
    }

    /// A row of `auth.users` as the database webhook sends it.
    pub fn record(&self, id: Uuid) -> Value {
        let mut record = self.inside.lock().unwrap().users[&id].clone();
        record["raw_user_meta_data"] = record["user_metadata"].take();
        record.as_object_mut().unwrap().remove("user_metadata");
        record["encrypted_password"] = json!("$2a$10$verysecretverysecretverysecret");
        record["confirmation_token"] = json!("");
        record
    }

    /// The claims of a fresh access token.
    pub fn claims(&self, id: Uuid) -> Value {
        let user = self.inside.lock().unwrap().users.get(&id).cloned().unwrap_or(json!({}));
        let now = chrono::Utc::now().timestamp();
        json!({
            "iss": format!("{}/auth/v1", self.url), "aud": "authenticated", "sub": id, "iat": now, "exp": now + 3600,
            "email": user["email"].as_str().unwrap_or(""), "phone": "", "role": "authenticated", "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": now }], "session_id": Uuid::new_v4(), "is_anonymous": false,
            "app_metadata": user["app_metadata"], "user_metadata": user["user_metadata"],
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(KID.to_owned());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    pub fn token(&self, id: Uuid) -> String {
        self.sign(&self.claims(id))
    }

    /// Signs somebody out everywhere: `GET /user` says so, their tokens do not.
    pub fn end_sessions(&self, id: Uuid) {
        self.inside.lock().unwrap().ended_sessions.push(id);
    }

    /// The next calls of `/user` and the admin API fail with this.
    pub fn trouble(&self, status: u16, times: usize) {
        self.inside.lock().unwrap().trouble = Some((StatusCode::from_u16(status).unwrap(), times));
    }

    /// Paths and queries of the admin API that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.inside.lock().unwrap().asked.clone()
    }
}

fn trouble(inside: &mut Inside) -> Option<Response> {
    let (status, times) = inside.trouble?;
    inside.trouble = (times > 1).then_some((status, times - 1));
    Some((status, [("retry-after", "0")]).into_response())
}

async fn user(State(inside): State<Arc<Mutex<Inside>>>, headers: HeaderMap) -> Response {
    let mut inside = inside.lock().unwrap();
    if let Some(response) = trouble(&mut inside) {
        return response;
    }
    assert_eq!(headers["apikey"], "sb_publishable_x");
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let id: Uuid = claims["sub"].as_str().unwrap().parse().unwrap();
    match inside.users.get(&id) {
        Some(user) if !inside.ended_sessions.contains(&id) => Json(user.clone()).into_response(),
        _ => (StatusCode::FORBIDDEN, Json(json!({ "code": "session_not_found", "message": "gone" }))).into_response(),
    }
}

fn is_admin(headers: &HeaderMap) -> bool {
    headers.get("apikey").is_some_and(|key| key == PROJECT_KEY)
        && headers["authorization"] == format!("Bearer {PROJECT_KEY}")
}

async fn admin_users(
    State(inside): State<Arc<Mutex<Inside>>>,
    Query(query): Query<BTreeMap<String, usize>>,
    headers: HeaderMap,
) -> Response {
    let mut inside = inside.lock().unwrap();
    inside.asked.push(format!("page {}", query["page"]));
    if let Some(response) = trouble(&mut inside) {
        return response;
    }
    if !is_admin(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (page, per_page) = (query["page"], query["per_page"]);
    let users: Vec<_> = inside.users.values().skip((page - 1) * per_page).take(per_page).cloned().collect();
    Json(json!({ "users": users, "aud": "authenticated" })).into_response()
}

async fn admin_user(State(inside): State<Arc<Mutex<Inside>>>, Path(id): Path<Uuid>, headers: HeaderMap) -> Response {
    let mut inside = inside.lock().unwrap();
    inside.asked.push(id.to_string());
    if let Some(response) = trouble(&mut inside) {
        return response;
    }
    if !is_admin(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match inside.users.get(&id) {
        Some(user) => Json(user.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "code": "user_not_found" }))).into_response(),
    }
}
