//! Tokens that are not a person's: all 401, none 5xx.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Person};

/// Signs what it is told with a real key of the auth server.
struct Forge {
    kid: String,
    pem: String,
    key: EncodingKey,
    jwk: Value,
    claims: Value,
}

impl Forge {
    async fn new(app: &App, person: &Person) -> Self {
        let (kid, pem, jwk): (String, String, Value) =
            sqlx::query_as("SELECT kid, private_pem, public_jwk FROM auth_signing_keys WHERE state = 'in_use'")
                .fetch_one(app.db.pool())
                .await
                .unwrap();
        let payload = person.token.split('.').nth(1).unwrap();
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        Self { kid, key: EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(), pem, jwk, claims }
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        header
    }

    fn with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        jsonwebtoken::encode(&self.header(), &claims, &self.key).unwrap()
    }

    /// Any header and payload as text, genuinely signed.
    fn raw(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }
}

/// A raw ECDSA signature as ASN.1 would have it, which JWS forbids (RFC 7518, 3.4).
fn der_of(raw: &str) -> String {
    let raw = URL_SAFE_NO_PAD.decode(raw).unwrap();
    let integer = |half: &[u8]| [&[2, 33, 0], half].concat();
    let (r, s) = (integer(&raw[..32]), integer(&raw[32..]));
    URL_SAFE_NO_PAD.encode([&[0x30, 70], r.as_slice(), &s].concat())
}

#[tokio::test]
async fn hostile_tokens_are_refused() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let forge = Forge::new(&app, &ann).await;
    // Another installation, with a person of the same name.
    let elsewhere = App::start().await;
    let other = Forge::new(&elsewhere, &elsewhere.user("ann").await).await;
    let now = chrono::Utc::now().timestamp();
    let payload = forge.claims.to_string();
    let encoded = URL_SAFE_NO_PAD.encode(&payload);
    let good = format!(r#"{{"alg":"ES256","typ":"JWT","kid":"{}"}}"#, forge.kid);
    let jwk = forge.jwk.to_string();
    let unsigned = |header: &str| format!("{}.{encoded}.", URL_SAFE_NO_PAD.encode(header));
    let hmac = |header: &str, secret: &str| {
        let message = format!("{}.{encoded}", URL_SAFE_NO_PAD.encode(header));
        let key = EncodingKey::from_secret(secret.as_bytes());
        format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap())
    };
    let parts: Vec<&str> = ann.token.split('.').collect();
    let mut tampered = parts[2].to_owned();
    tampered.replace_range(0..1, if tampered.starts_with('A') { "B" } else { "A" });

    // The forge itself works: an untouched copy is taken.
    let copy = forge.raw(&good, &payload);
    app.call("GET", "/users/me", Some(&copy), None).await.assert_status(200);

    let tokens: Vec<(&str, String)> = vec![
        ("alg none", unsigned(r#"{"alg":"none","typ":"JWT"}"#)),
        ("alg None", unsigned(r#"{"alg":"None"}"#)),
        (
            "alg none with a signature",
            format!("{}.{encoded}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), parts[2]),
        ),
        ("no alg", forge.raw(&format!(r#"{{"kid":"{}"}}"#, forge.kid), &payload)),
        ("alg is a number", forge.raw(r#"{"alg":1}"#, &payload)),
        ("HS256 with the public key", hmac(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, forge.kid), &jwk)),
        ("HS256 with x", hmac(r#"{"alg":"HS256"}"#, forge.jwk["x"].as_str().unwrap())),
        ("HS256 with an empty secret", hmac(r#"{"alg":"HS256"}"#, "")),
        ("RS256 said of an EC key", forge.raw(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, forge.kid), &payload)),
        ("EdDSA said of an EC key", forge.raw(&format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, forge.kid), &payload)),
        ("no kid", forge.raw(r#"{"alg":"ES256"}"#, &payload)),
        ("another kid", forge.raw(r#"{"alg":"ES256","kid":"other"}"#, &payload)),
        ("kid is a path", forge.raw(r#"{"alg":"ES256","kid":"../../../../dev/null"}"#, &payload)),
        ("kid is SQL", forge.raw(r#"{"alg":"ES256","kid":"x' UNION SELECT 'a"}"#, &payload)),
        ("kid is a number", forge.raw(r#"{"alg":"ES256","kid":7}"#, &payload)),
        ("kid is huge", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(5000)), &payload)),
        (
            "jku",
            forge
                .raw(&format!(r#"{{"alg":"ES256","kid":"{}","jku":"http://evil.example/jwks"}}"#, forge.kid), &payload),
        ),
        ("jwk", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","jwk":{jwk}}}"#, forge.kid), &payload)),
        (
            "x5u",
            forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","x5u":"http://evil.example"}}"#, forge.kid), &payload),
        ),
        ("crit", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","crit":["exp"]}}"#, forge.kid), &payload)),
        (
            "typ of another kind",
            forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","typ":"JWE"}}"#, forge.kid), &payload),
        ),
        ("alg twice", forge.raw(&format!(r#"{{"alg":"none","alg":"ES256","kid":"{}"}}"#, forge.kid), &payload)),
        ("sub twice", forge.raw(&good, &payload.replacen('{', &format!(r#"{{"sub":"{}","#, Uuid::new_v4()), 1))),
        ("role twice", forge.raw(&good, &payload.replacen('{', r#"{"role":"service_role","#, 1))),
        ("tampered signature", format!("{}.{}.{tampered}", parts[0], parts[1])),
        ("signature of zeros", format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([0; 64]))),
        ("signature cut short", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..40])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        (
            "tampered payload",
            format!(
                "{}.{}.{}",
                parts[0],
                URL_SAFE_NO_PAD.encode(payload.replace("authenticated", "service_role")),
                parts[2]
            ),
        ),
        ("four parts", format!("{}.x", ann.token)),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("one part", parts[0].to_owned()),
        ("not base64", format!("{}.%%%.{}", parts[0], parts[2])),
        ("padded base64", format!("{}=.{}.{}", parts[0], parts[1], parts[2])),
        ("payload is a list", forge.raw(&good, "[]")),
        ("payload is text", forge.raw(&good, "\"x\"")),
        ("payload is empty", forge.raw(&good, "")),
        ("payload is deep", forge.raw(&good, &"[".repeat(5000))),
        ("huge", forge.with(|c| c["user_metadata"]["x"] = "y".repeat(30_000).into())),
        ("expired", forge.with(|c| c["exp"] = json!(now - 60))),
        (
            "no exp",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("exp");
            }),
        ),
        ("exp is text", forge.with(|c| c["exp"] = json!((now + 600).to_string()))),
        ("exp is null", forge.with(|c| c["exp"] = Value::Null)),
        ("exp beyond all time", forge.with(|c| c["exp"] = json!(u64::MAX))),
        ("not yet", forge.with(|c| c["nbf"] = json!(now + 600))),
        ("from the future", forge.with(|c| c["iat"] = json!(now + 600))),
        ("another issuer", forge.with(|c| c["iss"] = json!("https://other.supabase.co/auth/v1"))),
        ("issuer with a slash more", forge.with(|c| c["iss"] = json!(format!("{}/", c["iss"].as_str().unwrap())))),
        (
            "no issuer",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("iss");
            }),
        ),
        ("another audience", forge.with(|c| c["aud"] = json!("anon"))),
        ("audiences without ours", forge.with(|c| c["aud"] = json!(["a", "b"]))),
        (
            "no audience",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("aud");
            }),
        ),
        ("service role", forge.with(|c| c["role"] = json!("service_role"))),
        (
            "anon key",
            forge.with(|c| *c = json!({ "iss": "supabase", "role": "anon", "iat": now - 10, "exp": now + 3600 })),
        ),
        ("anonymous person", forge.with(|c| c["is_anonymous"] = json!(true))),
        ("sub is no UUID", forge.with(|c| c["sub"] = json!("ann"))),
        ("sub is nil", forge.with(|c| c["sub"] = json!(Uuid::nil()))),
        ("sub in braces", forge.with(|c| c["sub"] = json!(format!("{{{}}}", c["sub"].as_str().unwrap())))),
        (
            "no sub",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("sub");
            }),
        ),
        ("a session that never was", forge.with(|c| c["session_id"] = json!(Uuid::new_v4()))),
        (
            "no session",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("session_id");
            }),
        ),
        ("session is no UUID", forge.with(|c| c["session_id"] = json!("x' OR true --"))),
        ("session is a number", forge.with(|c| c["session_id"] = json!(7))),
        ("somebody else's session", forge.with(|c| c["sub"] = json!(Uuid::new_v4()))),
        ("publishable key", "sb_publishable_heimdex".to_owned()),
        ("secret key", "sb_secret_heimdex".to_owned()),
        ("key of another project under our id", {
            let message = format!("{}.{encoded}", URL_SAFE_NO_PAD.encode(&good));
            format!(
                "{message}.{}",
                jsonwebtoken::crypto::sign(message.as_bytes(), &other.key, Algorithm::ES256).unwrap()
            )
        }),
        ("token of another project", jsonwebtoken::encode(&other.header(), &forge.claims, &other.key).unwrap()),
        (
            "the private key's own PEM as an HMAC secret",
            hmac(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, forge.kid), &forge.pem),
        ),
        ("HS384", hmac(r#"{"alg":"HS384"}"#, &jwk)),
        ("HS512", hmac(r#"{"alg":"HS512"}"#, &jwk)),
        ("ES384 said of a P-256 key", forge.raw(&format!(r#"{{"alg":"ES384","kid":"{}"}}"#, forge.kid), &payload)),
        ("PS256", forge.raw(&format!(r#"{{"alg":"PS256","kid":"{}"}}"#, forge.kid), &payload)),
        ("ES256K", forge.raw(&format!(r#"{{"alg":"ES256K","kid":"{}"}}"#, forge.kid), &payload)),
        ("es256 in small letters", forge.raw(&format!(r#"{{"alg":"es256","kid":"{}"}}"#, forge.kid), &payload)),
        ("alg is a list", forge.raw(&format!(r#"{{"alg":["ES256"],"kid":"{}"}}"#, forge.kid), &payload)),
        ("alg is null", forge.raw(&format!(r#"{{"alg":null,"kid":"{}"}}"#, forge.kid), &payload)),
        ("kid is empty", forge.raw(r#"{"alg":"ES256","kid":""}"#, &payload)),
        ("kid is null", forge.raw(r#"{"alg":"ES256","kid":null}"#, &payload)),
        ("kid with a blank", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{} "}}"#, forge.kid), &payload)),
        ("kid with a NUL", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}\u0000"}}"#, forge.kid), &payload)),
        ("kid is a URL", forge.raw(r#"{"alg":"ES256","kid":"http://evil.example/key"}"#, &payload)),
        ("kid twice", forge.raw(&format!(r#"{{"alg":"ES256","kid":"x","kid":"{}"}}"#, forge.kid), &payload)),
        ("x5c", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","x5c":["MIIB"]}}"#, forge.kid), &payload)),
        (
            "b64 is false",
            forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","b64":false,"crit":["b64"]}}"#, forge.kid), &payload),
        ),
        ("zipped", forge.raw(&format!(r#"{{"alg":"ES256","kid":"{}","zip":"DEF"}}"#, forge.kid), &payload)),
        ("header is a list", forge.raw("[]", &payload)),
        ("header is text", forge.raw("ES256", &payload)),
        ("header with a byte order mark", forge.raw(&format!("\u{feff}{good}"), &payload)),
        ("header with something after it", forge.raw(&format!("{good}{{}}"), &payload)),
        ("a JWE of five parts", format!("{}.{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[1], parts[2])),
        ("nothing but dots", "..".to_owned()),
        ("a dot before it", format!(".{}", ann.token)),
        ("standard base64", ann.token.replace('-', "+").replace('_', "/") + "="),
        ("the signature twice", format!("{}.{}{}", parts[..2].join("."), parts[2], parts[2])),
        ("the signature in DER", format!("{}.{}", parts[..2].join("."), der_of(parts[2]))),
        (
            "r and s are one",
            format!(
                "{}.{}",
                parts[..2].join("."),
                URL_SAFE_NO_PAD.encode([[0_u8; 31].as_slice(), &[1], &[0; 31], &[1]].concat())
            ),
        ),
        ("exp is a list", forge.with(|c| c["exp"] = json!([now + 600]))),
        ("exp is true", forge.with(|c| c["exp"] = json!(true))),
        ("exp is negative", forge.with(|c| c["exp"] = json!(-1))),
        ("exp in milliseconds", forge.with(|c| c["exp"] = json!((now + 600) * 1000))),
        ("exp twice", forge.raw(&good, &payload.replacen('{', &format!(r#"{{"exp":{},"#, now + 9000), 1))),
        (
            "no iat",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("iat");
            }),
        ),
        ("nbf is text", forge.with(|c| c["nbf"] = json!("now"))),
        ("iss is a list", forge.with(|c| c["iss"] = json!([c["iss"]]))),
        ("iss is null", forge.with(|c| c["iss"] = Value::Null)),
        ("iss of a service key", forge.with(|c| c["iss"] = json!("supabase"))),
        ("aud is an object", forge.with(|c| c["aud"] = json!({ "authenticated": true }))),
        ("aud is an empty list", forge.with(|c| c["aud"] = json!([]))),
        ("aud is a list in a list", forge.with(|c| c["aud"] = json!([["authenticated"]]))),
        ("aud in capitals", forge.with(|c| c["aud"] = json!("AUTHENTICATED"))),
        ("role is a list", forge.with(|c| c["role"] = json!(["authenticated"]))),
        ("role is admin", forge.with(|c| c["role"] = json!("supabase_admin"))),
        (
            "no role",
            forge.with(|c| {
                c.as_object_mut().unwrap().remove("role");
            }),
        ),
        ("anonymous by a number", forge.with(|c| c["is_anonymous"] = json!(1))),
        ("sub is a number", forge.with(|c| c["sub"] = json!(1))),
        ("sub with a line more", forge.with(|c| c["sub"] = json!(format!("{}\n", c["sub"].as_str().unwrap())))),
        ("sub without hyphens", forge.with(|c| c["sub"] = json!(c["sub"].as_str().unwrap().replace('-', "")))),
        ("sub as a URN", forge.with(|c| c["sub"] = json!(format!("urn:uuid:{}", c["sub"].as_str().unwrap())))),
        (
            "service-role key signed with our own key",
            forge.with(|c| *c = json!({ "iss": c["iss"], "role": "service_role", "iat": now - 10, "exp": now + 3600 })),
        ),
    ];
    assert!(tokens.len() >= 110, "{}", tokens.len());
    for (name, token) in &tokens {
        let reply = app.call("GET", "/users/me", Some(token), None).await;
        assert_eq!(reply.status, 401, "{name}: {}", reply.text);
        assert!(reply.header("www-authenticate").starts_with("Bearer"), "{name}");
        let reply = app.call("GET", "/auth/v1/user", Some(token), None).await;
        assert!(matches!(reply.status, 401 | 403), "{name}: {} {}", reply.status, reply.text);
    }
    for scheme in ["Basic abc", "Bearer", "Bearer ", "bearer\t", &ann.token] {
        let reply =
            app.http.get(format!("{}/users/me", app.base)).header("authorization", scheme).send().await.unwrap();
        assert_eq!(reply.status(), 401, "{scheme}");
    }
}

/// A project's key endpoint that counts who asks.
async fn project(jwks: Value) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new()
        .route(
            "/auth/v1/.well-known/jwks.json",
            get(async |State((asked, jwks)): State<(Arc<AtomicUsize>, Value)>| {
                asked.fetch_add(1, Ordering::SeqCst);
                Json(jwks)
            }),
        )
        .with_state((Arc::clone(&asked), jwks));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

#[tokio::test]
async fn behind_a_supabase_project_people_are_synced_at_their_first_request() {
    // The key comes from another installation: any P-256 key will do.
    let other = App::start().await;
    let ann = other.user("ann").await;
    let forge = Forge::new(&other, &ann).await;
    let (url, asked) = project(json!({ "keys": [forge.jwk] })).await;
    let issuer = format!("{url}/auth/v1");
    let app = App::start_with(|name| match name {
        "SUPABASE_URL" => Some(url.clone()),
        "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".into()),
        "SUPABASE_JWT_SECRET" => Some("a legacy secret of at least 32 bytes".into()),
        _ => None,
    })
    .await;
    assert_eq!(app.anonymous("GET", "/config", None).await.body["auth_url"], url);
    app.anonymous("POST", "/auth/v1/signup", Some(&json!({}))).await.assert_status(404);

    let sub = Uuid::new_v4();
    let now = chrono::Utc::now().timestamp();
    let claims = |iat: i64, name: &str| {
        let mut claims = forge.claims.clone();
        for (field, value) in [
            ("iss", json!(issuer)),
            ("sub", json!(sub)),
            ("iat", json!(iat)),
            ("email", json!("")),
            ("user_metadata", json!({ "full_name": name, "role": "admin" })),
        ] {
            claims[field] = value;
        }
        claims
    };
    let sign = |claims: &Value| jsonwebtoken::encode(&forge.header(), claims, &forge.key).unwrap();
    let token = sign(&claims(now - 100, "Zoë"));
    let first = futures::future::join_all((0..50).map(|_| app.call("GET", "/users/me", Some(&token), None))).await;
    for reply in &first {
        assert_eq!(reply.assert_status(200).body["user_id"], first[0].body["user_id"]);
    }
    let me = &first[0].body;
    assert_eq!(
        (&me["email"], &me["display_name"], &me["role"], &me["role_chosen"]),
        (&Value::Null, &json!("Zoë"), &json!("creator"), &json!(false))
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1, "fifty first requests fetch the keys once");

    // Reading again writes nothing; newer claims win, older ones do not.
    let updated = async || -> chrono::DateTime<chrono::Utc> {
        sqlx::query_scalar("SELECT updated_at FROM users").fetch_one(app.db.pool()).await.unwrap()
    };
    let before = updated().await;
    app.call("GET", "/users/me", Some(&sign(&claims(now - 50, "Zoë"))), None).await.assert_status(200);
    assert_eq!(updated().await, before);
    let name =
        async |token: String| app.call("GET", "/users/me", Some(&token), None).await.body["display_name"].clone();
    assert_eq!(name(sign(&claims(now - 10, "Zoë B"))).await, "Zoë B");
    assert_eq!(name(sign(&claims(now - 60, "Zoë"))).await, "Zoë B");

    // Random key ids do not make us ask the project again and again.
    for n in 0..20 {
        let mut header = forge.header();
        header.kid = Some(format!("random-{n}"));
        let token = jsonwebtoken::encode(&header, &claims(now, "x"), &forge.key).unwrap();
        app.call("GET", "/users/me", Some(&token), None).await.assert_problem(401, "invalid_token");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // With the legacy secret configured, HS256 is a person's too; the anon key signed with it is not.
    let secret = EncodingKey::from_secret(b"a legacy secret of at least 32 bytes");
    let legacy = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(now - 5, "Zoë C"), &secret).unwrap();
    assert_eq!(name(legacy).await, "Zoë C");
    let anon = json!({ "iss": "supabase", "role": "anon", "iat": now - 10, "exp": now + 3600 });
    let anon = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &anon, &secret).unwrap();
    app.call("GET", "/users/me", Some(&anon), None).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_project_without_keys_is_our_trouble_not_the_persons() {
    let other = App::start().await;
    let ann = other.user("ann").await;
    let (url, _) = project(json!({ "keys": [] })).await;
    let app = App::start_with(|name| match name {
        "SUPABASE_URL" => Some(url.clone()),
        "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".into()),
        _ => None,
    })
    .await;
    app.call("GET", "/users/me", Some(&ann.token), None).await.assert_problem(503, "unavailable");
}

#[tokio::test]
async fn a_project_that_signs_with_its_secret_alone_has_no_other_tokens() {
    let other = App::start().await;
    let ann = other.user("ann").await;
    let forge = Forge::new(&other, &ann).await;
    let (url, _) = project(json!({ "keys": [] })).await;
    let secret = "a legacy secret of at least 32 bytes";
    let app = App::start_with(|name| match name {
        "SUPABASE_URL" => Some(url.clone()),
        "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".into()),
        "SUPABASE_JWT_SECRET" => Some(secret.into()),
        _ => None,
    })
    .await;
    let mut claims = forge.claims.clone();
    claims["iss"] = json!(format!("{url}/auth/v1"));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let legacy = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
    app.call("GET", "/users/me", Some(&legacy), None).await.assert_status(200);
    let asymmetric = jsonwebtoken::encode(&forge.header(), &claims, &forge.key).unwrap();
    app.call("GET", "/users/me", Some(&asymmetric), None).await.assert_problem(401, "invalid_token");
    for role in ["anon", "service_role"] {
        let key_of_api =
            json!({ "iss": "supabase", "ref": "abc", "role": role, "iat": 1_600_000_000, "exp": 2_000_000_000 });
        let key_of_api = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &key_of_api, &key).unwrap();
        app.call("GET", "/users/me", Some(&key_of_api), None).await.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn without_a_project_no_shared_secret_counts() {
    let secret = "a legacy secret of at least 32 bytes";
    let app = App::start_with(|name| (name == "SUPABASE_JWT_SECRET").then(|| secret.to_owned())).await;
    let ann = app.user("ann").await;
    let forge = Forge::new(&app, &ann).await;
    let key = EncodingKey::from_secret(secret.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &forge.claims, &key).unwrap();
    app.call("GET", "/users/me", Some(&token), None).await.assert_problem(401, "invalid_token");
}
