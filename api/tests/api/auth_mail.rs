//! What goes by mail: proving an address, a lost password, signing in by a link, another address, a nonce.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha224, Sha256};

use crate::support::{App, PASSWORD, Person, fragment};

/// A server that has addresses proved.
async fn careful() -> App {
    App::start_with(|name| (name == "HEIMDEX_AUTH_AUTOCONFIRM").then(|| "false".to_owned())).await
}

async fn post(app: &App, path: &str, body: Value) -> crate::support::Reply {
    app.anonymous("POST", &format!("/auth/v1{path}"), Some(&body)).await
}

#[tokio::test]
async fn an_address_is_proved_before_it_counts() {
    let app = careful().await;
    let wanted =
        json!({ "email": "ann@example.org", "password": PASSWORD, "data": { "name": "Ann", "role": "archivist" } });
    let user = app.sign_up(&wanted).await;
    user.assert_status(200);
    assert!(user.body["access_token"].is_null() && user.body["confirmation_sent_at"].is_string(), "{}", user.text);
    assert_eq!(user.body["email_confirmed_at"], Value::Null);
    assert_eq!(user.body["identities"].as_array().unwrap().len(), 1);
    app.sign_in("ann@example.org", PASSWORD).await.assert_auth_error(400, "email_not_confirmed");
    app.sign_in("ann@example.org", "wrong password").await.assert_auth_error(400, "invalid_credentials");

    let letter = app.mail_to("ann@example.org").await;
    // The published scheme: the link is worth exactly the digits.
    assert_eq!(letter.token_hash(), hex::encode(Sha224::digest(format!("ann@example.org{}", letter.code))));
    // A program that looks whether the link is harmful spends nothing.
    let path = letter.link.split_once("/auth/v1").unwrap().1.to_owned();
    let looked = app.http.head(format!("{}/auth/v1{path}", app.base)).send().await.unwrap();
    assert_eq!(looked.status(), 200);
    let place = app.follow(&letter.link).await;
    let session = fragment(&place);
    assert_eq!((session["type"].as_str(), session["token_type"].as_str()), ("signup", "bearer"));
    assert!(session.contains_key("sb") && session.contains_key("refresh_token") && session.contains_key("expires_at"));
    let me = app.call("GET", "/users/me", Some(&session["access_token"]), None).await;
    assert_eq!((me.body["role"].as_str(), me.body["display_name"].as_str()), (Some("archivist"), Some("Ann")));
    app.sign_in("ann@example.org", PASSWORD).await.assert_status(200);

    let again = fragment(&app.follow(&letter.link).await);
    assert_eq!((again["error"].as_str(), again["error_code"].as_str()), ("access_denied", "otp_expired"));
    assert_eq!((app.noted("account_created").await, app.noted("email_confirmed").await), (1, 1));
}

#[tokio::test]
async fn a_taken_address_is_answered_like_a_free_one_and_nothing_of_it_changes() {
    let app = careful().await;
    let first = json!({ "email": "ann@example.org", "password": PASSWORD, "data": { "name": "Ann" } });
    app.sign_up(&first).await.assert_status(200);
    app.sign_up(&first).await.assert_auth_error(429, "over_email_send_rate_limit");
    app.a_minute_later().await;
    let other = json!({ "email": "ann@example.org", "password": "another password", "data": { "name": "Eve" } });
    let unconfirmed = app.sign_up(&other).await;
    assert_eq!(unconfirmed.assert_status(200).body["user_metadata"]["name"], "Ann");
    let letters = app.mails_to("ann@example.org").await;
    assert_eq!(letters.len(), 2);
    // The newer mail has spent the older one.
    assert_eq!(fragment(&app.follow(&letters[0].link).await)["error_code"], "otp_expired");
    assert!(fragment(&app.follow(&letters[1].link).await).contains_key("access_token"));

    app.a_minute_later().await;
    let confirmed = app.sign_up(&other).await;
    confirmed.assert_status(200);
    assert_eq!((confirmed.body["identities"].clone(), confirmed.body["role"].clone()), (json!([]), json!("")));
    assert_eq!(app.mails_to("ann@example.org").await.len(), 2, "a confirmed account is not written to");
    app.sign_in("ann@example.org", "another password").await.assert_auth_error(400, "invalid_credentials");
    // Where addresses count at once, the answer says what is so.
    let open = App::start().await;
    open.user("ann").await;
    open.sign_up(&other).await.assert_auth_error(422, "user_already_exists");
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_the_code_or_the_link() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let known = post(
        &app,
        "/recover?redirect_to=https%3A%2F%2Fevil.example%2F",
        json!({ "email": "Ann@Example.org", "code_challenge": null }),
    )
    .await;
    let unknown = post(&app, "/recover", json!({ "email": "nobody@example.org" })).await;
    assert_eq!((known.status, known.text.as_str()), (unknown.status, unknown.text.as_str()));
    assert_eq!(known.text, "{}");
    for email in ["ann@example.org", "nobody@example.org"] {
        post(&app, "/recover", json!({ "email": email })).await.assert_auth_error(429, "over_email_send_rate_limit");
    }
    let letter = app.mail_to("ann@example.org").await;
    assert!(!letter.link.contains("evil.example"), "{}", letter.link);
    let verified =
        post(&app, "/verify", json!({ "type": "recovery", "email": "ann@example.org", "token": letter.code })).await;
    let recovered = Person::new(&app, &verified.assert_status(200).body);
    assert_eq!(recovered.get("/auth/v1/user").await.body["id"], ann.get("/auth/v1/user").await.body["id"]);
    let changed = recovered.put("/auth/v1/user", json!({ "password": "a fresh password" })).await;
    changed.assert_status(200);
    // The thief, or the lost telephone, is out.
    ann.get("/users/me").await.assert_problem(401, "session_ended");
    app.sign_in("ann@example.org", "a fresh password").await.assert_status(200);
    post(&app, "/verify", json!({ "type": "recovery", "email": "ann@example.org", "token": letter.code }))
        .await
        .assert_auth_error(403, "otp_expired");
    assert_eq!(app.noted("recovery_requested").await, 1);
}

#[tokio::test]
async fn a_password_change_spends_the_mails_that_are_under_way() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    post(&app, "/recover", json!({ "email": ann.email })).await.assert_status(200);
    ann.put("/auth/v1/user", json!({ "password": "a fresh password" })).await.assert_status(200);
    let letter = app.mail_to(&ann.email).await;
    let late = post(&app, "/verify", json!({ "type": "recovery", "token_hash": letter.token_hash() })).await;
    late.assert_auth_error(403, "otp_expired");
}

#[tokio::test]
async fn somebody_signs_in_by_a_link_with_and_without_an_account() {
    let app = careful().await;
    let stranger =
        post(&app, "/otp", json!({ "email": "new@example.org", "data": { "name": "New" }, "create_user": true })).await;
    assert_eq!(stranger.assert_status(200).text, "{}");
    let letter = app.mail_to("new@example.org").await;
    let verified = post(&app, "/verify", json!({ "type": "email", "token_hash": letter.token_hash() })).await;
    verified.assert_status(200);
    assert_eq!(verified.body["user"]["user_metadata"]["display_name"], "New");
    app.a_minute_later().await;
    post(&app, "/otp", json!({ "email": "new@example.org", "create_user": false })).await.assert_status(200);
    let letter = app.mail_to("new@example.org").await;
    assert_eq!(letter.subject, "Your link to sign in");
    let place = app.follow(&letter.link).await;
    assert_eq!(fragment(&place)["type"], "magiclink");
    // Without an account and without the wish for one, nothing happens, and nobody learns that.
    post(&app, "/otp", json!({ "email": "ghost@example.org", "create_user": false })).await.assert_status(200);
    assert!(app.mails_to("ghost@example.org").await.is_empty());
    post(&app, "/otp", json!({ "email": "x@example.org", "data": { "role": "king" } }))
        .await
        .assert_auth_error(422, "validation_failed");
}

#[tokio::test]
async fn with_a_verifier_the_link_leads_to_a_code_and_only_its_holder_to_a_session() {
    let app = careful().await;
    let verifier = "v".repeat(60);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let wanted = json!({ "email": "ann@example.org", "password": PASSWORD, "code_challenge": challenge, "code_challenge_method": "s256" });
    app.sign_up(&wanted).await.assert_status(200);
    let letter = app.mail_to("ann@example.org").await;
    assert!(letter.token_hash().starts_with("pkce_"), "{}", letter.link);
    let place = app.follow(&letter.link).await;
    assert_eq!(place.fragment(), None, "no token goes through the address bar");
    let code = place.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let trade = |code: &str, verifier: &str| json!({ "auth_code": code, "code_verifier": verifier });
    let pkce = "/token?grant_type=pkce";
    post(&app, pkce, trade(&code, "another verifier")).await.assert_auth_error(400, "bad_code_verifier");
    post(&app, pkce, trade("", &verifier)).await.assert_auth_error(400, "validation_failed");
    post(&app, pkce, trade("nothing", &verifier)).await.assert_auth_error(404, "flow_state_not_found");
    let session = post(&app, pkce, trade(&code, &verifier)).await;
    Person::new(&app, &session.assert_status(200).body).get("/users/me").await.assert_status(200);
    post(&app, pkce, trade(&code, &verifier)).await.assert_auth_error(404, "flow_state_not_found");

    app.a_minute_later().await;
    post(
        &app,
        "/recover",
        json!({ "email": "ann@example.org", "code_challenge": "w".repeat(43), "code_challenge_method": "plain" }),
    )
    .await
    .assert_status(200);
    let place = app.follow(&app.mail_to("ann@example.org").await.link).await;
    let code = place.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    sqlx::query("UPDATE auth_flows SET expires_at = now() - interval '1 second'").execute(app.db.pool()).await.unwrap();
    post(&app, pkce, trade(&code, &"w".repeat(43))).await.assert_auth_error(403, "flow_state_expired");
    let spent = app.follow(&app.mail_to("ann@example.org").await.link).await;
    assert!(spent.query().unwrap().contains("error_code=otp_expired"), "{spent}");
}

#[tokio::test]
async fn an_address_changes_when_both_mailboxes_agree() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    ann.put("/auth/v1/user", json!({ "email": bob.email })).await.assert_auth_error(422, "email_exists");
    let asked = ann.put("/auth/v1/user", json!({ "email": "New@Example.org" })).await;
    assert_eq!(asked.assert_status(200).body["new_email"], "new@example.org");
    assert_eq!(
        (asked.body["email"].as_str(), asked.body["email_change_sent_at"].is_string()),
        (Some("ann@example.org"), true)
    );
    let (old, new) = (app.mail_to("ann@example.org").await, app.mail_to("new@example.org").await);
    let half =
        post(&app, "/verify", json!({ "type": "email_change", "email": "new@example.org", "token": new.code })).await;
    assert_eq!(half.assert_status(200).body["code"], "200");
    assert!(half.body["msg"].as_str().unwrap().contains("other email"), "{}", half.text);
    assert_eq!(ann.get("/auth/v1/user").await.body["email"], "ann@example.org");
    // The same half twice is no whole.
    post(&app, "/verify", json!({ "type": "email_change", "email": "new@example.org", "token": new.code }))
        .await
        .assert_auth_error(403, "otp_expired");
    let place = app.follow(&old.link).await;
    let session = fragment(&place);
    assert_eq!(session["type"], "email_change");
    let me = app.call("GET", "/users/me", Some(&session["access_token"]), None).await;
    assert_eq!(me.body["email"], "new@example.org");
    let user = ann.get("/auth/v1/user").await;
    assert_eq!((user.body["email"].as_str(), user.body.get("new_email")), (Some("new@example.org"), None));
    app.sign_in("new@example.org", PASSWORD).await.assert_status(200);
    app.sign_in("ann@example.org", PASSWORD).await.assert_auth_error(400, "invalid_credentials");
    assert_eq!((app.noted("email_change_requested").await, app.noted("email_changed").await), (1, 1));
}

#[tokio::test]
async fn where_one_mailbox_is_enough_it_is_the_new_one() {
    let app = App::start_with(|name| (name == "HEIMDEX_AUTH_SECURE_EMAIL_CHANGE").then(|| "false".to_owned())).await;
    let ann = app.user("ann").await;
    ann.put("/auth/v1/user", json!({ "email": "new@example.org" })).await.assert_status(200);
    assert!(app.mails_to("ann@example.org").await.is_empty());
    // Lost? Once more; but not at once.
    let resend = json!({ "type": "email_change", "email": "ann@example.org" });
    post(&app, "/resend", resend.clone()).await.assert_auth_error(429, "over_email_send_rate_limit");
    app.a_minute_later().await;
    post(&app, "/resend", resend).await.assert_status(200);
    let letters = app.mails_to("new@example.org").await;
    assert_eq!(letters.len(), 2);
    // Somebody else was quicker to take the address.
    app.sign_up(&json!({ "email": "new@example.org", "password": PASSWORD })).await.assert_status(200);
    let late = json!({ "type": "email_change", "token_hash": letters[1].token_hash() });
    post(&app, "/verify", late).await.assert_auth_error(422, "email_exists");
    assert_eq!(ann.get("/auth/v1/user").await.body["email"], "ann@example.org");
}

#[tokio::test]
async fn a_sign_up_is_sent_again_on_request() {
    let app = careful().await;
    app.sign_up(&json!({ "email": "ann@example.org", "password": PASSWORD })).await.assert_status(200);
    app.a_minute_later().await;
    for email in ["ann@example.org", "nobody@example.org"] {
        let reply = post(&app, "/resend", json!({ "type": "signup", "email": email })).await;
        assert_eq!(reply.assert_status(200).text, "{}");
    }
    assert_eq!(app.mails_to("ann@example.org").await.len(), 2);
    assert!(app.mails_to("nobody@example.org").await.is_empty());
    post(&app, "/resend", json!({ "type": "recovery", "email": "ann@example.org" }))
        .await
        .assert_auth_error(400, "validation_failed");
}

#[tokio::test]
async fn an_old_session_needs_a_nonce_for_a_new_password_where_that_is_asked() {
    let app = App::start_with(|name| {
        matches!(name, "HEIMDEX_AUTH_REAUTHENTICATE" | "HEIMDEX_AUTH_REQUIRE_CURRENT_PASSWORD")
            .then(|| "true".to_owned())
    })
    .await;
    let ann = app.user("ann").await;
    let change = |nonce: &str, current: &str| json!({ "password": "a fresh password", "nonce": nonce, "current_password": current });
    ann.put("/auth/v1/user", change("", "")).await.assert_auth_error(400, "current_password_required");
    sqlx::query("UPDATE auth_sessions SET created_at = now() - interval '25 hours'")
        .execute(app.db.pool())
        .await
        .unwrap();
    ann.put("/auth/v1/user", change("", PASSWORD)).await.assert_auth_error(400, "reauthentication_needed");
    assert_eq!(ann.get("/auth/v1/reauthenticate").await.assert_status(200).text, "{}");
    ann.get("/auth/v1/reauthenticate").await.assert_auth_error(429, "over_email_send_rate_limit");
    let letter = app.mail_to(&ann.email).await;
    assert_eq!(letter.link, "", "digits only: a link would do nothing");
    let wrong = if letter.code == "000000" { "000001" } else { "000000" };
    ann.put("/auth/v1/user", change(wrong, PASSWORD)).await.assert_auth_error(422, "reauthentication_not_valid");
    ann.put("/auth/v1/user", change(&letter.code, PASSWORD)).await.assert_status(200);
    assert_eq!(app.noted("reauthenticated").await, 1);
    // Who comes by a mail has lost the password and is not asked for it.
    post(&app, "/recover", json!({ "email": ann.email })).await.assert_status(200);
    let digits = json!({ "type": "recovery", "email": ann.email, "token": app.mail_to(&ann.email).await.code });
    let recovered = Person::new(&app, &post(&app, "/verify", digits).await.body);
    recovered.put("/auth/v1/user", json!({ "password": "one more password" })).await.assert_status(200);
}

#[tokio::test]
async fn the_outbox_is_shown_on_this_machine_and_only_when_switched_on() {
    let app = App::start_with(|name| (name == "HEIMDEX_LOCAL_OUTBOX").then(|| "true".to_owned())).await;
    let ann = app.user("ann").await;
    post(&app, "/recover", json!({ "email": ann.email })).await.assert_status(200);
    assert_eq!(app.anonymous("GET", "/config", None).await.body["features"]["local_outbox"], true);
    let shown = app.anonymous("GET", "/outbox", None).await;
    assert_eq!(shown.assert_status(200).body["items"][0]["recipient"], "ann@example.org");
    for (name, value) in
        [("origin", "https://evil.example"), ("x-forwarded-for", "203.0.113.9"), ("host", "rebound.example")]
    {
        let reply = app.http.get(format!("{}/outbox", app.base)).header(name, value).send().await.unwrap();
        assert_eq!(reply.status(), 404, "{name}: {value}");
    }
    let closed = App::start().await;
    closed.anonymous("GET", "/outbox", None).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn with_smtp_each_mail_is_a_task_for_a_worker() {
    let app = App::start_with(|name| {
        Some(
            match name {
                "HEIMDEX_SMTP_URL" => "smtp://127.0.0.1:9",
                "HEIMDEX_SMTP_FROM" => "Heimdex <heimdex@example.org>",
                _ => return None,
            }
            .to_owned(),
        )
    })
    .await;
    app.sign_up(&json!({ "email": "ann@example.org", "password": PASSWORD })).await.assert_status(200);
    let (kind, payload, mail): (String, Value, i64) = sqlx::query_as(
        "SELECT t.kind, t.payload, m.mail_id FROM tasks t, mail_outbox m WHERE m.recipient = 'ann@example.org'",
    )
    .fetch_one(app.db.pool())
    .await
    .unwrap();
    assert_eq!((kind.as_str(), payload), ("send_mail", json!({ "mail_id": mail })));
}
