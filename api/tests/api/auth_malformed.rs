//! Whatever is sent to whichever call: an answer in the auth server's own form, and never a server error.

use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{App, PASSWORD, Reply, SECRET_KEY};

const ROUTES: [(&str, &str); 28] = [
    ("POST", "/signup"),
    ("POST", "/signup?redirect_to=%00&redirect_to=https://x"),
    ("POST", "/token?grant_type=password"),
    ("POST", "/token?grant_type=refresh_token"),
    ("POST", "/token?grant_type=pkce"),
    ("POST", "/token?grant_type=id_token"),
    ("POST", "/token?grant_type=%00&grant_type=password"),
    ("POST", "/token"),
    ("PUT", "/user"),
    ("GET", "/user"),
    ("POST", "/logout?scope=everywhere"),
    ("POST", "/recover"),
    ("POST", "/otp"),
    ("POST", "/magiclink"),
    ("POST", "/resend"),
    ("POST", "/verify"),
    ("GET", "/verify"),
    ("GET", "/verify?type=signup&token=%F0%9F%92%A9&redirect_to=javascript:1"),
    ("GET", "/verify?type=%00&token=pkce_%00&redirect_to=%0d%0aX:y"),
    ("GET", "/authorize?provider=nobody"),
    ("POST", "/invite"),
    ("GET", "/admin/users?page=x&per_page=%00"),
    ("POST", "/admin/users"),
    ("PUT", "/admin/users/00000000-0000-0000-0000-000000000000"),
    ("DELETE", "/admin/users/%00"),
    ("GET", "/admin/users/%ff"),
    ("POST", "/admin/generate_link"),
    ("PATCH", "/nothing/%ff"),
];

const NAMES: [&str; 22] = [
    "email",
    "password",
    "data",
    "type",
    "token",
    "token_hash",
    "code_challenge",
    "code_challenge_method",
    "refresh_token",
    "auth_code",
    "code_verifier",
    "nonce",
    "current_password",
    "phone",
    "create_user",
    "user_metadata",
    "app_metadata",
    "ban_duration",
    "new_email",
    "redirect_to",
    "should_soft_delete",
    "id",
];

/// Values of every type, among them such as look right and such as databases stumble over.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "\u{0}",
            "a\u{0}@b.cd",
            "a@b.cd",
            "A@B.CD ",
            "signup",
            "recovery",
            "email",
            "email_change",
            "magiclink",
            "invite",
            "s256",
            "plain",
            "000000",
            "none",
            "9999999h",
            "1e999h",
            "pkce_",
            "a good password",
            "\u{202e}x@y.zz",
            "a@b..c",
            "00000000-0000-0000-0000-000000000000",
            "\u{feff}",
            "'; DROP TABLE users; --",
            "ﷺ@example.org",
            "x@ü.example",
        ])
        .prop_map(Value::from),
        Just(json!("a".repeat(60))),
        Just(json!("😀".repeat(40))),
        Just(json!({ "name": "\u{0}" })),
        Just(json!({ "role": "king", "sub": 7 })),
        Just(json!({ "a": { "b": [null, 1, { "c": "\u{0}" }] } })),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let object = prop::collection::btree_map(prop::sample::select(NAMES.to_vec()), value(), 0..7)
        .prop_map(|map| serde_json::to_vec(&map).unwrap_or_default());
    let text = prop::sample::select(vec![
        "",
        " ",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{}",
        "{\"email\":}",
        "{\"email\":\"a@b.cd\",\"email\":\"c@d.ef\"}",
        "[[[[[[[[[[",
        "{\"email\":\"\\ud800\"}",
        "email=a%40b.cd&password=x",
        "\u{feff}{}",
    ]);
    prop_oneof![
        6 => object,
        1 => text.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// Whether the answer is one of the auth server's own.
fn check(what: &str, reply: &Reply) {
    assert!(reply.status < 500, "{what}: {} {}", reply.status, reply.text);
    if reply.status >= 400 {
        let known = reply.body["code"].is_string() && reply.body["message"].is_string();
        let oauth = reply.body["error"].is_string() && reply.body["error_description"].is_string();
        assert!(known || oauth, "{what}: {} {}", reply.status, reply.text);
        assert_eq!(reply.header("x-supabase-api-version"), "2024-01-01", "{what}");
    }
}

#[tokio::test]
async fn no_body_on_no_call_is_a_server_error() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    // The same bodies each time: a failure can be looked into.
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for (method, path) in ROUTES {
        for round in 0..24 {
            let body = body().new_tree(&mut runner).unwrap().current();
            let bearer = match path {
                _ if path.starts_with("/admin") || path.starts_with("/invite") => SECRET_KEY,
                _ if round % 3 == 0 => "sb_publishable_heimdex",
                _ => &ann.token,
            };
            let request = app
                .http
                .request(method.parse().unwrap(), format!("{}/auth/v1{path}", app.base))
                .bearer_auth(bearer)
                .header("x-supabase-api-version", "2024-01-01")
                .header("content-type", "application/json;charset=UTF-8")
                .body(body.clone());
            let reply = Reply::read(request.send().await.unwrap()).await;
            check(&format!("{method} {path} {}", String::from_utf8_lossy(&body)), &reply);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_named_so_on_every_call() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let huge = vec![b' '; (1 << 20) + 1];
    for (method, path) in
        ROUTES.into_iter().filter(|(method, path)| matches!(*method, "POST" | "PUT") && !path.contains("logout"))
    {
        let bearer = if path.starts_with("/admin") || path.starts_with("/invite") { SECRET_KEY } else { &ann.token };
        for (body, status, code) in [
            (b"{".to_vec(), 400, "bad_json"),
            (Vec::new(), 400, "bad_json"),
            (huge.clone(), 413, "request_entity_too_large"),
        ] {
            let request = app
                .http
                .request(method.parse().unwrap(), format!("{}/auth/v1{path}", app.base))
                .bearer_auth(bearer)
                .header("x-supabase-api-version", "2024-01-01")
                .body(body);
            let reply = Reply::read(request.send().await.unwrap()).await;
            assert_eq!(
                (reply.status, reply.body["code"].as_str()),
                (status, Some(code)),
                "{method} {path}: {}",
                reply.text
            );
        }
    }
    app.anonymous("GET", "/auth/v1/nothing", None).await.assert_auth_error(404, "not_found");
    app.anonymous("DELETE", "/auth/v1/signup", None).await.assert_auth_error(405, "method_not_allowed");
}

#[tokio::test]
async fn the_format_of_an_error_is_the_one_that_was_asked_for() {
    let app = App::start().await;
    let ask = async |version: Option<&str>, body: Value| {
        let mut request = app.http.post(format!("{}/auth/v1/signup", app.base)).json(&body);
        if let Some(version) = version {
            request = request.header("x-supabase-api-version", version);
        }
        Reply::read(request.send().await.unwrap()).await
    };
    let weak = json!({ "email": "a@b.cd", "password": "short" });
    let new = ask(Some("2024-01-01"), weak.clone()).await;
    assert_eq!(
        (new.body["code"].as_str(), new.header("x-supabase-api-version")),
        (Some("weak_password"), "2024-01-01")
    );
    assert_eq!(new.body["weak_password"]["reasons"], json!(["length"]));
    let old = ask(None, weak).await;
    assert_eq!((old.body["code"].as_u64(), old.body["error_code"].as_str()), (Some(422), Some("weak_password")));
    assert!(old.body["msg"].is_string() && old.body.get("message").is_none(), "{}", old.text);
    assert_eq!((old.header("x-sb-error-code"), old.header("x-supabase-api-version")), ("weak_password", ""));
    let long = ask(Some("2024-01-01"), json!({ "email": "a@b.cd", "password": "x".repeat(73) })).await;
    long.assert_auth_error(400, "validation_failed");
    ask(Some("2024-01-01"), json!({ "password": PASSWORD, "phone": "+1" }))
        .await
        .assert_auth_error(400, "phone_provider_disabled");
    ask(Some("2024-01-01"), json!({})).await.assert_auth_error(422, "anonymous_provider_disabled");
    let king =
        ask(Some("2024-01-01"), json!({ "email": "a@b.cd", "password": PASSWORD, "data": { "role": "king" } })).await;
    king.assert_auth_error(422, "validation_failed");
    assert!(
        king.body["message"].as_str().unwrap().contains("creator, journalist, researcher, archivist"),
        "{}",
        king.text
    );
}
