//! Signing up, signing in, staying signed in, signing out.

use serde_json::json;

use crate::support::{App, Person};

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn after_sign_up_the_whole_profile_is_there() {
    let app = App::start().await;
    let reply = app
        .sign_up(&json!({ "email": " Ann@Example.org ", "password": PASSWORD, "data": { "name": "Ann Łukasik", "role": "archivist" }, "gotrue_meta_security": {}, "code_challenge": null }))
        .await;
    reply.assert_status(200);
    assert_eq!(reply.body["token_type"], "bearer");
    assert_eq!(reply.body["user"]["user_metadata"]["display_name"], "Ann Łukasik");
    assert_eq!(reply.body["user"]["app_metadata"]["role_profiles"], json!(["member"]));
    let ann = Person::new(&app, &reply.body);
    let me = ann.get("/users/me").await;
    me.assert_status(200);
    assert_eq!(me.body["email"], "ann@example.org");
    assert_eq!(me.body["email_verified"], true);
    assert_eq!(me.body["display_name"], "Ann Łukasik");
    assert_eq!((&me.body["role"], &me.body["role_chosen"]), (&json!("archivist"), &json!(true)));
    assert_eq!((&me.body["tier"], &me.body["role_profiles"]), (&json!("free"), &json!(["member"])));
}

#[tokio::test]
async fn an_unknown_role_is_refused_with_those_that_are_allowed() {
    let app = App::start().await;
    for role in [json!("admin"), json!(""), json!(7), json!(["creator"])] {
        let reply =
            app.sign_up(&json!({ "email": "a@example.org", "password": PASSWORD, "data": { "role": role } })).await;
        reply.assert_auth_error(422, "validation_failed");
        assert_eq!(reply.body["allowed"], json!(["creator", "journalist", "researcher", "archivist"]));
    }
    // Without a role the person gets the default and is asked.
    let reply = app.sign_up(&json!({ "email": "a@example.org", "password": PASSWORD })).await;
    let ann = Person::new(&app, &reply.assert_status(200).body);
    let me = ann.get("/users/me").await.body;
    assert_eq!((&me["role"], &me["role_chosen"]), (&json!("creator"), &json!(false)));
    let edited = ann.patch("/users/me", json!({ "role": "journalist", "display_name": "Ann" })).await;
    assert_eq!((&edited.body["role"], &edited.body["role_chosen"]), (&json!("journalist"), &json!(true)));
    ann.patch("/users/me", json!({ "role": "king" })).await.assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn an_address_has_one_account() {
    let app = App::start().await;
    let body = json!({ "email": "twin@example.org", "password": PASSWORD });
    let both = futures::future::join_all((0..4).map(|_| app.sign_up(&body))).await;
    assert_eq!(both.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in both.iter().filter(|reply| reply.status != 200) {
        reply.assert_auth_error(422, "user_already_exists");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike() {
    let app = App::start().await;
    app.user("ann").await;
    let wrong = app.sign_in("ann@example.org", "something else").await;
    let unknown = app.sign_in("nobody@example.org", "something else").await;
    wrong.assert_auth_error(400, "invalid_credentials");
    assert_eq!(wrong.text, unknown.text);
    app.sign_in("ANN@example.org", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn signing_out_ends_what_it_says() {
    let app = App::start().await;
    let phone = app.user("ann").await;
    let laptop = Person::new(&app, &app.sign_in(&phone.email, PASSWORD).await.body);
    laptop.post("/auth/v1/logout?scope=others", json!({})).await.assert_status(204);
    phone.get("/users/me").await.assert_problem(401, "session_ended");
    laptop.get("/users/me").await.assert_status(200);
    laptop.post("/auth/v1/logout", json!({})).await.assert_status(204);
    laptop.get("/users/me").await.assert_problem(401, "session_ended");
}

#[tokio::test]
async fn a_person_changes_name_and_password() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let other = Person::new(&app, &app.sign_in(&ann.email, PASSWORD).await.body);
    let changed = ann
        .put(
            "/auth/v1/user",
            json!({ "password": "a quite new password", "data": { "name": "Ann B", "colour": "blue" } }),
        )
        .await;
    changed.assert_status(200);
    assert_eq!(changed.body["user_metadata"]["colour"], "blue");
    assert_eq!(ann.get("/users/me").await.body["display_name"], "Ann B");
    other.get("/users/me").await.assert_problem(401, "session_ended");
    app.sign_in(&ann.email, PASSWORD).await.assert_auth_error(400, "invalid_credentials");
    app.sign_in(&ann.email, "a quite new password").await.assert_status(200);
    let removed = ann.put("/auth/v1/user", json!({ "data": { "colour": null } })).await;
    assert_eq!(removed.body["user_metadata"].get("colour"), None);
    ann.put("/auth/v1/user", json!({ "password": "short" })).await.assert_auth_error(422, "weak_password");
    ann.put("/auth/v1/user", json!({ "password": "a quite new password" }))
        .await
        .assert_auth_error(422, "same_password");
    let wrong = json!({ "password": "yet another password", "current_password": "not that one" });
    ann.put("/auth/v1/user", wrong).await.assert_auth_error(400, "current_password_invalid");
    ann.put("/auth/v1/user", json!({ "app_metadata": { "role_profiles": ["admin"] } }))
        .await
        .assert_auth_error(403, "not_admin");
    assert_eq!((app.noted("password_changed").await, app.noted("metadata_changed").await), (1, 2));
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let app = App::start().await;
    app.user("ann").await;
    // As if thirty guesses had been made in this window already.
    sqlx::query(
        "INSERT INTO auth_rate_limits (bucket, window_start, used)
         SELECT 'password:account:' || encode(sha256('ann@example.org'), 'hex'), date_bin('300 s', now(), 'epoch') + n * interval '300 s', 30 FROM generate_series(0, 1) n",
    )
    .execute(app.db.pool())
    .await
    .unwrap();
    app.sign_in("ann@example.org", PASSWORD).await.assert_auth_error(429, "over_request_rate_limit");
    app.sign_in("ann@example.org", PASSWORD).await.assert_auth_error(429, "over_request_rate_limit");
    assert_eq!(app.noted("guessing_stopped").await, 1, "once, however long it goes on");
}

#[tokio::test]
async fn a_browser_of_another_origin_may_read_the_error_codes() {
    let app = App::start().await;
    let preflight = app
        .http
        .request("OPTIONS".parse().unwrap(), format!("{}/auth/v1/token", app.base))
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "apikey,authorization,x-client-info,x-supabase-api-version,content-type",
        )
        .send()
        .await
        .unwrap();
    assert!(preflight.status().is_success());
    assert!(preflight.headers()["access-control-allow-headers"].to_str().unwrap().contains("x-supabase-api-version"));
    let reply = app
        .http
        .get(format!("{}/auth/v1/settings", app.base))
        .header("origin", "https://elsewhere.example")
        .send()
        .await
        .unwrap();
    assert!(reply.headers()["access-control-expose-headers"].to_str().unwrap().contains("x-supabase-api-version"));
}

#[tokio::test]
async fn a_deleted_account_stays_dead() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    ann.delete("/users/me").await.assert_status(202);
    ann.get("/users/me").await.assert_problem(401, "account_deleted");
    app.refresh(&ann.refresh_token).await.assert_auth_error(400, "refresh_token_not_found");
    // The address is free again, and it is another person.
    let again = app.user("ann").await;
    assert_eq!(again.get("/videos").await.body["items"], json!([]));
    ann.get("/users/me").await.assert_problem(401, "account_deleted");
}
