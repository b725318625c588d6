//! Staying signed in: tabs, thieves, crowds and limits.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::support::{App, PASSWORD, Person};

/// As if the last refresh had been a minute ago.
async fn a_minute_passes(app: &App) {
    sqlx::query("UPDATE auth_sessions SET refreshed_at = refreshed_at - interval '1 minute'")
        .execute(app.db.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_stay_signed_in() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let (one, two) = tokio::join!(app.refresh(&ann.refresh_token), app.refresh(&ann.refresh_token));
    let one = Person::new(&app, &one.assert_status(200).body);
    let two = Person::new(&app, &two.assert_status(200).body);
    assert_eq!(one.refresh_token, two.refresh_token, "both tabs are given the newest");
    for tab in [&one, &two] {
        tab.get("/users/me").await.assert_status(200);
        let again = app.refresh(&tab.refresh_token).await;
        Person::new(&app, &again.assert_status(200).body).get("/users/me").await.assert_status(200);
    }
}

#[tokio::test]
async fn an_answer_that_got_lost_is_given_again_however_late() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let lost = app.refresh(&ann.refresh_token).await.body["refresh_token"].clone();
    a_minute_passes(&app).await;
    let again = app.refresh(&ann.refresh_token).await;
    assert_eq!(again.assert_status(200).body["refresh_token"], lost);
}

#[tokio::test]
async fn a_stolen_old_token_ends_the_session() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let second = app.refresh(&ann.refresh_token).await.body["refresh_token"].as_str().unwrap().to_owned();
    let third = Person::new(&app, &app.refresh(&second).await.body);
    let elsewhere = Person::new(&app, &app.sign_in(&ann.email, PASSWORD).await.body);
    a_minute_passes(&app).await;
    app.refresh(&ann.refresh_token).await.assert_auth_error(400, "refresh_token_already_used");
    // The whole family is gone, on every side.
    app.refresh(&third.refresh_token).await.assert_auth_error(400, "refresh_token_not_found");
    third.get("/users/me").await.assert_problem(401, "session_ended");
    third.get("/auth/v1/user").await.assert_auth_error(403, "session_not_found");
    assert_eq!(app.noted("refresh_token_reused").await, 1);
    // Another sign-in of hers is another family.
    elsewhere.get("/users/me").await.assert_status(200);
}

#[tokio::test]
async fn a_crowd_at_one_session_is_served_or_told_to_come_again_and_nobody_is_signed_out() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let replies = join_all((0..40).map(|_| app.refresh(&ann.refresh_token))).await;
    for reply in &replies {
        assert!(matches!(reply.status, 200 | 503), "{} {}", reply.status, reply.text);
    }
    assert!(replies.iter().any(|reply| reply.status == 200));
    app.refresh(&ann.refresh_token).await.assert_status(200);
}

#[tokio::test]
async fn while_the_session_is_held_by_somebody_the_answer_is_503() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let mut held = app.db.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM auth_sessions FOR UPDATE").execute(&mut *held).await.unwrap();
    let busy = app.refresh(&ann.refresh_token).await;
    busy.assert_auth_error(503, "overloaded");
    held.rollback().await.unwrap();
    app.refresh(&ann.refresh_token).await.assert_status(200);
}

#[tokio::test]
async fn what_was_never_issued_renews_nothing() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    for malformed in
        ["x", "a-b_c", &ann.refresh_token[1..], &format!("{}A", ann.refresh_token), &"A".repeat(5000), "\u{0}"]
    {
        app.refresh(malformed).await.assert_auth_error(400, "validation_failed");
    }
    let missing = app.anonymous("POST", "/auth/v1/token?grant_type=refresh_token", Some(&json!({}))).await;
    assert_eq!(missing.assert_status(400).body["error"], "invalid_request");
    let (session, key): (Uuid, Vec<u8>) = sqlx::query_as(
        "SELECT session_id, refresh_key FROM auth_sessions s JOIN auth_credentials c ON c.id = s.credential_id WHERE c.email = $1",
    )
    .bind(&ann.email)
    .fetch_one(app.db.pool())
    .await
    .unwrap();
    let forge = heimdex_api::auth_server::refresh_token::RefreshToken::text;
    app.refresh(&forge(&[1; 32], session, 0)).await.assert_auth_error(400, "refresh_token_not_found");
    app.refresh(&forge(&key, Uuid::new_v4(), 0)).await.assert_auth_error(400, "refresh_token_not_found");
    app.refresh(&forge(&key, session, 7)).await.assert_auth_error(400, "validation_failed");
    // A token that was signed but not recorded, as after a restored backup.
    sqlx::query("DELETE FROM refresh_tokens WHERE session_id = $1").bind(session).execute(app.db.pool()).await.unwrap();
    app.refresh(&ann.refresh_token).await.assert_auth_error(400, "refresh_token_not_found");
    app.refresh(&bob.refresh_token).await.assert_status(200);
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_with_idleness() {
    let app = App::start_with(|name| {
        Some(
            match name {
                "HEIMDEX_AUTH_SESSION_MAX_S" => "7200",
                "HEIMDEX_AUTH_SESSION_IDLE_S" => "600",
                _ => return None,
            }
            .to_owned(),
        )
    })
    .await;
    let ann = app.user("ann").await;
    let next =
        app.refresh(&ann.refresh_token).await.assert_status(200).body["refresh_token"].as_str().unwrap().to_owned();
    for change in [
        "refreshed_at = now() - interval '11 minutes'",
        "refreshed_at = now(), created_at = now() - interval '3 hours'",
        "created_at = now(), not_after = now() - interval '1 second'",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE auth_sessions SET {change}")))
            .execute(app.db.pool())
            .await
            .unwrap();
        app.refresh(&next).await.assert_auth_error(400, "session_expired");
    }
    sqlx::query("UPDATE auth_sessions SET not_after = NULL").execute(app.db.pool()).await.unwrap();
    app.refresh(&next).await.assert_status(200);
}

#[tokio::test]
async fn a_banned_person_is_out_at_once() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let id = ann.get("/auth/v1/user").await.body["id"].as_str().unwrap().to_owned();
    let ban = |duration: &str| json!({ "ban_duration": duration });
    let banned = app.admin("PUT", &format!("/admin/users/{id}"), Some(&ban("24h"))).await;
    assert!(banned.assert_status(200).body["banned_until"].is_string());
    app.refresh(&ann.refresh_token).await.assert_auth_error(400, "user_banned");
    app.sign_in(&ann.email, PASSWORD).await.assert_auth_error(400, "user_banned");
    app.sign_in(&ann.email, "not the password").await.assert_auth_error(400, "invalid_credentials");
    ann.get("/auth/v1/user").await.assert_auth_error(403, "user_banned");
    ann.get("/users/me").await.assert_problem(401, "session_ended");
    app.admin("PUT", &format!("/admin/users/{id}"), Some(&ban("none"))).await.assert_status(200);
    app.refresh(&ann.refresh_token).await.assert_status(200);
    assert_eq!(app.noted("account_banned").await, 2);
}
