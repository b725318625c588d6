//! Guessing does not pay.

use std::net::IpAddr;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{App, Reply};

/// A request that a trusted proxy passes on for an address.
async fn from(app: &App, ip: &str, path: &str, body: &Value) -> Reply {
    let _: IpAddr = ip.parse().unwrap();
    let request = app.http.post(format!("{}/auth/v1{path}", app.base)).header("x-forwarded-for", ip);
    Reply::read(request.header("x-supabase-api-version", "2024-01-01").json(body).send().await.unwrap()).await
}

async fn behind_a_proxy() -> App {
    App::start_with(|name| (name == "HEIMDEX_TRUSTED_PROXIES").then(|| "127.0.0.1".to_owned())).await
}

/// In the window of now and the next, so that no border between two spoils the story.
async fn used(app: &App, bucket: &str, times: i32) {
    sqlx::query(
        "INSERT INTO auth_rate_limits (bucket, window_start, used)
         SELECT $1, date_bin('300 s', now(), 'epoch') + n * interval '300 s', $2 FROM generate_series(0, 1) n",
    )
    .bind(bucket)
    .bind(times)
    .execute(app.db.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn an_address_has_so_many_tries_and_another_has_its_own() {
    let app = behind_a_proxy().await;
    for (what, path, limit) in [
        ("signup", "/signup", 30),
        ("token", "/token?grant_type=password", 150),
        ("verify", "/verify", 30),
        ("recover", "/recover", 30),
        ("otp", "/otp", 30),
        ("resend", "/resend", 30),
    ] {
        used(&app, &format!("{what}:ip:203.0.113.9"), limit).await;
        let body = json!({ "email": format!("{what}@example.org") });
        from(&app, "203.0.113.9", path, &body).await.assert_auth_error(429, "over_request_rate_limit");
        assert_ne!(from(&app, "203.0.113.10", path, &body).await.status, 429, "{what}");
    }
    // A household of IPv6 counts as one.
    let network = format!("{:x?}", [0x2001_u16, 0xdb8, 1, 2]);
    used(&app, &format!("verify:ip:{network}"), 30).await;
    from(&app, "2001:db8:1:2:aaaa::1", "/verify", &json!({})).await.assert_auth_error(429, "over_request_rate_limit");
    assert_ne!(from(&app, "2001:db8:1:3::1", "/verify", &json!({})).await.status, 429);
}

#[tokio::test]
async fn six_digits_are_spent_after_five_wrong_guesses() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let post = async |path: &str, body: Value| app.anonymous("POST", path, Some(&body)).await;
    post("/auth/v1/recover", json!({ "email": ann.email })).await.assert_status(200);
    let letter = app.mail_to(&ann.email).await;
    let guess = |code: &str| json!({ "type": "recovery", "email": ann.email, "token": code });
    let wrong: Vec<String> = (0..6).map(|n| format!("{n:06}")).filter(|code| *code != letter.code).take(5).collect();
    for code in &wrong {
        post("/auth/v1/verify", guess(code)).await.assert_auth_error(403, "otp_expired");
    }
    post("/auth/v1/verify", guess(&letter.code)).await.assert_auth_error(403, "otp_expired");
    let link = json!({ "type": "recovery", "token_hash": letter.token_hash() });
    post("/auth/v1/verify", link).await.assert_auth_error(403, "otp_expired");
    // Nor can one go on with ever new mails, from ever new addresses.
    let other = "bob@example.org";
    used(&app, &format!("verify:account:{}", hex::encode(Sha256::digest(other))), 30).await;
    post("/auth/v1/verify", json!({ "type": "email", "email": other, "token": "123456" }))
        .await
        .assert_auth_error(429, "over_request_rate_limit");
}

#[tokio::test]
async fn two_who_come_with_the_same_digits_at_once_get_one_session() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    app.anonymous("POST", "/auth/v1/recover", Some(&json!({ "email": ann.email }))).await.assert_status(200);
    let letter = app.mail_to(&ann.email).await;
    let digits = json!({ "type": "recovery", "email": ann.email, "token": letter.code });
    let link = json!({ "type": "recovery", "token_hash": letter.token_hash() });
    let verify = |body: &Value| {
        let (app, body) = (&app, body.clone());
        async move { app.anonymous("POST", "/auth/v1/verify", Some(&body)).await.status }
    };
    let (a, b, c, d) = tokio::join!(verify(&digits), verify(&digits), verify(&link), verify(&link));
    let mut statuses = [a, b, c, d];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403, 403, 403]);
}

#[tokio::test]
async fn links_that_nobody_was_sent_are_refused_for_everybody_when_too_many_come() {
    let app = App::start().await;
    used(&app, "verify:unknown", 99).await;
    let guess = json!({ "type": "recovery", "token_hash": "0".repeat(56) });
    app.anonymous("POST", "/auth/v1/verify", Some(&guess)).await.assert_auth_error(403, "otp_expired");
    app.anonymous("POST", "/auth/v1/verify", Some(&guess)).await.assert_auth_error(429, "over_request_rate_limit");
    let place = app.follow(&format!("{}/auth/v1/verify?type=recovery&token={}", app.base, "1".repeat(56))).await;
    assert!(place.fragment().unwrap().contains("over_request_rate_limit"), "{place}");
}

#[tokio::test]
async fn mail_is_bounded_by_the_hour() {
    let app = App::start_with(|name| {
        Some(
            match name {
                "HEIMDEX_AUTH_MAILS_PER_HOUR" => "2",
                "HEIMDEX_AUTH_AUTOCONFIRM" => "false",
                _ => return None,
            }
            .to_owned(),
        )
    })
    .await;
    let mut answers = Vec::new();
    for n in 0..4 {
        let body = json!({ "email": format!("p{n}@example.org"), "password": "a good password" });
        answers.push(app.sign_up(&body).await.status);
    }
    // Two windows at most, should the hour end in between.
    assert!(answers.contains(&429), "{answers:?}");
    let limited = app.sign_up(&json!({ "email": "last@example.org", "password": "a good password" })).await;
    assert!(limited.status == 429 || answers[..3] != [200, 200, 429], "{}", limited.text);
}

#[tokio::test]
async fn a_digit_code_ends_with_its_time() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    app.anonymous("POST", "/auth/v1/recover", Some(&json!({ "email": ann.email }))).await.assert_status(200);
    sqlx::query("UPDATE email_verification_tokens SET expires_at = now() - interval '1 second'")
        .execute(app.db.pool())
        .await
        .unwrap();
    let letter = app.mail_to(&ann.email).await;
    for body in [
        json!({ "type": "recovery", "email": ann.email, "token": letter.code }),
        json!({ "type": "recovery", "token_hash": letter.token_hash() }),
    ] {
        app.anonymous("POST", "/auth/v1/verify", Some(&body)).await.assert_auth_error(403, "otp_expired");
    }
}

#[tokio::test]
async fn a_server_closed_to_strangers_makes_no_accounts() {
    let app = App::start_with(|name| (name == "HEIMDEX_AUTH_SIGNUP").then(|| "false".to_owned())).await;
    let body = json!({ "email": "a@example.org", "password": "a good password" });
    app.sign_up(&body).await.assert_auth_error(422, "signup_disabled");
    app.anonymous("POST", "/auth/v1/otp", Some(&body)).await.assert_auth_error(422, "signup_disabled");
    assert_eq!(app.anonymous("GET", "/auth/v1/settings", None).await.body["disable_signup"], true);
    app.admin("POST", "/admin/users", Some(&body)).await.assert_status(200);
}
