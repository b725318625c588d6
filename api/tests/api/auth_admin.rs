//! The holder of the secret key looks after everybody's accounts.

use heimdex_db::role_profiles::{self, RoleType};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, PASSWORD, Person, SECRET_KEY};

#[tokio::test]
async fn only_the_secret_key_opens_the_admin_calls() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let mut connection = app.db.pool().acquire().await.unwrap();
    let user = role_profiles::only_by_email(&mut *connection, &ann.email).await.unwrap();
    role_profiles::grant(&mut connection, user, RoleType::Admin, None, &heimdex_db::audit::By::command())
        .await
        .unwrap();
    let admin = Person::new(&app, &app.sign_in(&ann.email, PASSWORD).await.body);
    let path = "/auth/v1/admin/users";
    app.call("GET", path, None, None).await.assert_auth_error(401, "no_authorization");
    app.call("GET", path, Some("sb_publishable_heimdex"), None).await.assert_auth_error(403, "not_admin");
    app.call("GET", path, Some(&admin.token), None).await.assert_auth_error(403, "not_admin");
    app.call("GET", path, Some(&SECRET_KEY[..SECRET_KEY.len() - 1]), None).await.assert_auth_error(403, "bad_jwt");
    app.call("GET", path, Some(SECRET_KEY), None).await.assert_status(200);
    let browser =
        app.http.get(format!("{}{path}", app.base)).bearer_auth(SECRET_KEY).header("user-agent", "Mozilla/5.0 (X11)");
    assert_eq!(browser.send().await.unwrap().status(), 401);
    // It is nobody's, so it opens nothing that is a person's.
    app.call("GET", "/auth/v1/user", Some(SECRET_KEY), None).await.assert_auth_error(403, "bad_jwt");
    app.call("GET", "/users/me", Some(SECRET_KEY), None).await.assert_problem(401, "invalid_token");

    let keyless = App::start_with(|name| (name == "SUPABASE_SECRET_KEY").then(String::new)).await;
    keyless.call("GET", path, Some(SECRET_KEY), None).await.assert_auth_error(403, "bad_jwt");
    keyless.call("GET", path, Some(""), None).await.assert_auth_error(401, "no_authorization");
}

#[tokio::test]
async fn an_account_is_made_read_changed_and_deleted() {
    let app = App::start().await;
    let id = Uuid::new_v4();
    let wanted = json!({ "id": id, "email": "Ann@Example.org", "password": PASSWORD, "email_confirm": true,
        "user_metadata": { "name": "Ann", "role": "nonsense" }, "app_metadata": { "plan": "gold", "role_profiles": ["admin"] } });
    let made = app.admin("POST", "/admin/users", Some(&wanted)).await;
    made.assert_status(200);
    assert_eq!((&made.body["id"], made.body["email"].as_str()), (&json!(id), Some("ann@example.org")));
    assert_eq!(made.body["app_metadata"]["plan"], "gold");
    assert_eq!(
        made.body["app_metadata"]["role_profiles"],
        json!(["member"]),
        "what one may do is in a table, not in metadata"
    );
    app.admin("POST", "/admin/users", Some(&wanted)).await.assert_auth_error(422, "email_exists");
    app.admin("POST", "/admin/users", Some(&json!({}))).await.assert_auth_error(400, "validation_failed");

    let ann = Person::new(&app, &app.sign_in("ann@example.org", PASSWORD).await.body);
    let me = ann.get("/users/me").await;
    assert_eq!((me.body["role"].as_str(), me.body["display_name"].as_str()), (Some("creator"), Some("Ann")));
    let path = format!("/admin/users/{id}");
    let change = json!({ "email": "anna@example.org", "password": "another password", "user_metadata": { "name": null, "colour": "blue" } });
    let changed = app.admin("PUT", &path, Some(&change)).await;
    changed.assert_status(200);
    assert_eq!(
        (changed.body["email"].as_str(), changed.body["user_metadata"]["colour"].as_str()),
        (Some("anna@example.org"), Some("blue"))
    );
    assert_eq!(changed.body["user_metadata"].get("name"), None);
    ann.get("/users/me").await.assert_problem(401, "session_ended");
    let ann = Person::new(&app, &app.sign_in("anna@example.org", "another password").await.body);
    assert_eq!(app.admin("GET", &path, None).await.assert_status(200).body["id"], json!(id));
    for missing in [format!("/admin/users/{}", Uuid::new_v4()), "/admin/users/7".to_owned()] {
        assert_eq!(app.admin("GET", &missing, None).await.status, 404);
        assert_eq!(app.admin("DELETE", &missing, None).await.status, 404);
    }
    assert_eq!(app.admin("DELETE", &path, None).await.assert_status(200).body, json!({}));
    ann.get("/users/me").await.assert_problem(401, "account_deleted");
    app.admin("GET", &path, None).await.assert_auth_error(404, "user_not_found");
    // A tombstone's id is nobody else's.
    app.admin("POST", "/admin/users", Some(&wanted)).await.assert_auth_error(422, "user_already_exists");
    for (action, times) in [
        ("account_created", 1),
        ("email_changed", 1),
        ("password_changed", 1),
        ("metadata_changed", 1),
        ("account_deleted", 1),
    ] {
        assert_eq!(app.noted(action).await, times, "{action}");
    }
}

#[tokio::test]
async fn a_soft_deletion_keeps_the_id_and_frees_the_address() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let id = ann.get("/auth/v1/user").await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{id}");
    app.admin("DELETE", &path, Some(&json!({ "should_soft_delete": true }))).await.assert_status(200);
    let kept = app.admin("GET", &path, None).await;
    assert!(kept.assert_status(200).body["deleted_at"].is_string());
    assert_eq!(kept.body["email"].as_str().unwrap().len(), 43);
    assert_eq!((kept.body["user_metadata"].clone(), kept.body["identities"].clone()), (json!({}), json!([])));
    ann.get("/users/me").await.assert_problem(401, "session_ended");
    app.sign_in(&ann.email, PASSWORD).await.assert_auth_error(400, "invalid_credentials");
    app.user("ann").await;
}

#[tokio::test]
async fn everybody_is_listed_in_pages() {
    let app = App::start().await;
    for n in 0..5 {
        let body = json!({ "email": format!("p{n}@example.org"), "email_confirm": n % 2 == 0 });
        app.admin("POST", "/admin/users", Some(&body)).await.assert_status(200);
    }
    let mut seen = Vec::new();
    for page in 1..=3 {
        let reply = app.admin("GET", &format!("/admin/users?page={page}&per_page=2"), None).await;
        assert_eq!((reply.header("x-total-count"), reply.body["aud"].as_str()), ("5", Some("authenticated")));
        assert_eq!(reply.header("link").contains("rel=\"next\""), page < 3, "{}", reply.header("link"));
        assert!(reply.header("link").contains("page=3&per_page=2>; rel=\"last\""));
        seen.extend(
            reply.body["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(seen, ["p4", "p3", "p2", "p1", "p0"].map(|name| format!("{name}@example.org")));
    // supabase-js asks with empty values.
    assert_eq!(app.admin("GET", "/admin/users?page=&per_page=", None).await.body["users"].as_array().unwrap().len(), 5);
    for wrong in ["page=x", "per_page=0", "page=-1", "page=99999999999999999999"] {
        app.admin("GET", &format!("/admin/users?{wrong}"), None).await.assert_auth_error(400, "validation_failed");
    }
}

#[tokio::test]
async fn somebody_is_invited() {
    let app = App::start().await;
    let invited = app
        .admin(
            "POST",
            "/invite?redirect_to=https%3A%2F%2Fevil.example",
            Some(&json!({ "email": "bob@example.org", "data": { "name": "Bob" } })),
        )
        .await;
    assert!(invited.assert_status(200).body["invited_at"].is_string());
    let letter = app.mail_to("bob@example.org").await;
    assert!(letter.subject.contains("invited") && !letter.link.contains("evil"), "{} {}", letter.subject, letter.link);
    // The mail leads to the dashboard, which spends the token when Bob presses a button there.
    let (page, token_hash) = letter.link.split_once("?token_hash=").unwrap();
    assert_eq!(page, format!("{}/app/auth/confirm", app.base));
    let token_hash = token_hash.strip_suffix("&type=invite").unwrap();
    let pressed = json!({ "type": "invite", "token_hash": token_hash });
    let session = app.anonymous("POST", "/auth/v1/verify", Some(&pressed)).await;
    let token = session.assert_status(200).body["access_token"].as_str().unwrap();
    let bob = app.call("PUT", "/auth/v1/user", Some(token), Some(&json!({ "password": PASSWORD }))).await;
    bob.assert_status(200);
    app.sign_in("bob@example.org", PASSWORD).await.assert_status(200);
    let me = app.call("GET", "/users/me", Some(token), None).await;
    assert_eq!((me.body["display_name"].as_str(), me.body["role_chosen"].as_bool()), (Some("Bob"), Some(false)));
    app.admin("POST", "/invite", Some(&json!({ "email": "bob@example.org" })))
        .await
        .assert_auth_error(422, "email_exists");
    assert_eq!(app.noted("invited").await, 1);
}

#[tokio::test]
async fn a_link_of_every_kind_is_made_without_a_mail() {
    let app = App::start().await;
    let link = async |body: Value| app.admin("POST", "/admin/generate_link", Some(&body)).await;
    let verify = async |kind: &str, hash: &Value| {
        app.anonymous("POST", "/auth/v1/verify", Some(&json!({ "type": kind, "token_hash": hash }))).await
    };
    let signup =
        link(json!({ "type": "signup", "email": "ann@example.org", "password": PASSWORD, "data": { "name": "Ann" } }))
            .await;
    signup.assert_status(200);
    assert_eq!(signup.body["email_otp"].as_str().unwrap().len(), 6);
    assert_eq!(signup.body["verification_type"], "signup");
    assert!(signup.body["action_link"].as_str().unwrap().contains(signup.body["hashed_token"].as_str().unwrap()));
    assert!(signup.body["redirect_to"].as_str().unwrap().ends_with("/app"), "{}", signup.text);
    verify("signup", &signup.body["hashed_token"]).await.assert_status(200);
    app.sign_in("ann@example.org", PASSWORD).await.assert_status(200);
    link(json!({ "type": "signup", "email": "ann@example.org", "password": PASSWORD }))
        .await
        .assert_auth_error(422, "email_exists");

    for kind in ["magiclink", "recovery"] {
        let made = link(json!({ "type": kind, "email": "ann@example.org" })).await;
        assert_eq!(made.assert_status(200).body["verification_type"], kind);
        verify(kind, &made.body["hashed_token"]).await.assert_status(200);
    }
    let stranger = link(json!({ "type": "magiclink", "email": "new@example.org" })).await;
    assert_eq!(stranger.body["verification_type"], "signup");
    verify("email", &stranger.body["hashed_token"]).await.assert_status(200);
    let invited = link(json!({ "type": "invite", "email": "bob@example.org" })).await;
    verify("invite", &invited.body["hashed_token"]).await.assert_status(200);

    let halves = async |kind: &str| {
        link(json!({ "type": kind, "email": "ann@example.org", "new_email": "anna@example.org" })).await
    };
    let (new, current) = (halves("email_change_new").await, halves("email_change_current").await);
    verify("email_change", &current.assert_status(200).body["hashed_token"]).await.assert_status(200);
    let whole = verify("email_change", &new.body["hashed_token"]).await;
    assert_eq!(whole.assert_status(200).body["user"]["email"], "anna@example.org");

    for (kind, code) in
        [("recovery", "user_not_found"), ("email_change_new", "user_not_found"), ("sms", "validation_failed")]
    {
        let reply = link(json!({ "type": kind, "email": "ghost@example.org" })).await;
        assert_eq!(reply.body["code"], code, "{kind}");
    }
    let mails: i64 = sqlx::query_scalar("SELECT count(*) FROM mail_outbox").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(mails, 0);
}
