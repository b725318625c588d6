//! Behind a Supabase project: people come by their tokens, by the webhook and by the admin API, and go the same ways.

use std::time::Duration;

use heimdex_api::supabase::{admin_api::AdminApi, sync};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, PROJECT_KEY, Project, WEBHOOK_SECRET};

async fn tell(app: &App, secret: &str, body: &Value) -> u16 {
    let request = app.http.post(format!("{}/webhooks/supabase", app.base)).header("x-webhook-secret", secret);
    request.json(body).send().await.unwrap().status().as_u16()
}

fn change(kind: &str, record: &Value, old_record: &Value) -> Value {
    json!({ "type": kind, "table": "users", "schema": "auth", "record": record, "old_record": old_record })
}

async fn me(app: &App, token: &str) -> Value {
    app.call("GET", "/users/me", Some(token), None).await.assert_status(200).body.clone()
}

async fn row(app: &App, sub: Uuid) -> (Option<String>, Option<String>, bool, bool) {
    sqlx::query_as(
        "SELECT email, display_name, email_verified, deleted_at IS NOT NULL FROM users WHERE supabase_user_id = $1",
    )
    .bind(sub)
    .fetch_one(app.db.pool())
    .await
    .unwrap()
}

async fn people(app: &App) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM users WHERE deleted_at IS NULL").fetch_one(app.db.pool()).await.unwrap()
}

#[tokio::test]
async fn the_webhook_tells_of_people_before_they_come() {
    let project = Project::start().await;
    let app = project.app().await;
    let ann = project.user("ann");
    assert_eq!(tell(&app, WEBHOOK_SECRET, &change("INSERT", &project.record(ann), &Value::Null)).await, 204);
    assert_eq!(row(&app, ann).await, (Some("ann@example.org".into()), Some("ann".into()), true, false));
    let profile = me(&app, &project.token(ann)).await;
    assert_eq!((&profile["role"], &profile["role_chosen"]), (&json!("archivist"), &json!(true)));

    // News in the wrong order: the newer stays.
    project.edit(ann, |user| {
        user["email"] = json!("ann@new.example");
        user["updated_at"] = json!("2099-01-01T00:00:00Z");
    });
    let newer = project.record(ann);
    project.edit(ann, |user| {
        user["email"] = json!("ann@old.example");
        user["updated_at"] = json!("2098-01-01T00:00:00Z");
    });
    let older = project.record(ann);
    for record in [newer, older] {
        assert_eq!(tell(&app, WEBHOOK_SECRET, &change("UPDATE", &record, &Value::Null)).await, 204);
    }
    assert_eq!(row(&app, ann).await.0.as_deref(), Some("ann@new.example"));

    // Two accounts with one address are two people.
    let twin = project.user("twin");
    project.edit(twin, |user| user["email"] = json!("ann@new.example"));
    assert_eq!(tell(&app, WEBHOOK_SECRET, &change("INSERT", &project.record(twin), &Value::Null)).await, 204);
    assert_eq!(people(&app).await, 2);
    // Anonymous ones are none.
    let nobody = project.user("nobody");
    project.edit(nobody, |user| user["is_anonymous"] = json!(true));
    assert_eq!(tell(&app, WEBHOOK_SECRET, &change("INSERT", &project.record(nobody), &Value::Null)).await, 204);
    assert_eq!(people(&app).await, 2);
}

#[tokio::test]
async fn who_is_deleted_there_does_not_come_back_here() {
    let project = Project::start().await;
    let app = project.app().await;
    let (ann, ben) = (project.user("ann"), project.user("ben"));
    let token = project.token(ann);
    me(&app, &token).await;
    let late = project.record(ann);
    // Ann was here; Ben never was, but his token lives.
    for user in [ann, ben, ann] {
        assert_eq!(tell(&app, WEBHOOK_SECRET, &change("DELETE", &Value::Null, &project.record(user))).await, 204);
    }
    for token in [token, project.token(ben)] {
        app.call("GET", "/users/me", Some(&token), None).await.assert_problem(401, "account_deleted");
    }
    // News that were sent before and arrive after.
    assert_eq!(tell(&app, WEBHOOK_SECRET, &change("UPDATE", &late, &Value::Null)).await, 204);
    assert_eq!(row(&app, ann).await, (None, None, false, true));
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks WHERE kind = 'purge_account'")
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(tasks, 1, "only Ann had anything to purge");
    // Soft deletion keeps the row there, with a hash for an address.
    let cleo = project.user("cleo");
    me(&app, &project.token(cleo)).await;
    project.edit(cleo, |user| user["deleted_at"] = json!("2026-02-02T00:00:00Z"));
    assert_eq!(tell(&app, WEBHOOK_SECRET, &change("UPDATE", &project.record(cleo), &Value::Null)).await, 204);
    assert_eq!(row(&app, cleo).await, (None, None, false, true));
}

#[tokio::test]
async fn the_webhook_believes_nobody_without_the_secret() {
    let project = Project::start().await;
    let app = project.app().await;
    let ann = project.user("ann");
    let body = change("INSERT", &project.record(ann), &Value::Null);
    for wrong in ["", "x", "a webhook secret nobody guesse", "a webhook secret nobody guesses "] {
        // reqwest trims nothing; the last differs by a blank that HTTP does not carry.
        let expected = if wrong.trim_end() == WEBHOOK_SECRET { 204 } else { 401 };
        assert_eq!(tell(&app, wrong, &body).await, expected, "{wrong:?}");
    }
    app.anonymous("POST", "/webhooks/supabase", Some(&body)).await.assert_problem(401, "unauthenticated");
    for malformed in [
        json!(null),
        json!([]),
        json!({ "type": "INSERT" }),
        json!({ "type": "TRUNCATE", "schema": "auth", "table": "users" }),
        change("INSERT", &json!({ "id": "not a uuid", "encrypted_password": "$2a$secret" }), &Value::Null),
        change("DELETE", &Value::Null, &Value::Null),
        json!({ "type": "INSERT", "schema": "public", "table": "users", "record": project.record(ann) }),
        json!({ "type": "DELETE", "schema": "auth", "table": "sessions", "old_record": { "id": ann } }),
    ] {
        let request =
            app.http.post(format!("{}/webhooks/supabase", app.base)).header("x-webhook-secret", WEBHOOK_SECRET);
        let reply = request.json(&malformed).send().await.unwrap();
        assert_eq!(reply.status(), 400, "{malformed}");
        let text = reply.text().await.unwrap();
        assert!(!text.contains("secret") && !text.contains("not a uuid"), "{text}");
    }
    // Where no secret is configured there is no webhook.
    let embedded = App::start().await;
    assert_eq!(tell(&embedded, WEBHOOK_SECRET, &body).await, 404);
}

#[tokio::test]
async fn sync_users_finds_what_was_missed() {
    let project = Project::start().await;
    let app = project.app().await;
    // More than two pages, one of them soft-deleted, one anonymous; the project is busy at first.
    let all: Vec<Uuid> = (0..450).map(|n| project.user(&format!("user-{n}"))).collect();
    project.edit(all[7], |user| user["deleted_at"] = json!("2026-02-02T00:00:00Z"));
    project.edit(all[8], |user| user["is_anonymous"] = json!(true));
    let gone = project.user("gone");
    me(&app, &project.token(gone)).await;
    project.remove(gone);
    project.trouble(503, 3);
    let api = |key: &str| {
        let users = format!("{}/auth/v1/admin/users", project.url).parse().unwrap();
        AdminApi::new(users, key.into(), Duration::ZERO).unwrap()
    };
    let report = sync::run(app.db.pool(), &api(PROJECT_KEY), false).await.unwrap();
    assert_eq!((report.seen, report.kept, report.ignored, report.buried), (450, 448, 1, 2));
    assert_eq!(people(&app).await, 448);
    app.call("GET", "/users/me", Some(&project.token(gone)), None).await.assert_problem(401, "account_deleted");
    assert_eq!(project.asked().iter().filter(|asked| *asked == "page 1").count(), 4, "{:?}", project.asked());
    // Again: nothing new.
    let again = sync::run(app.db.pool(), &api(PROJECT_KEY), false).await.unwrap();
    assert_eq!((again.kept, again.buried), (448, 1));
    assert_eq!(people(&app).await, 448);

    // The wrong key, and a project that stays away: nobody is removed.
    let refused = sync::run(app.db.pool(), &api("sb_secret_of_another"), false).await.unwrap_err();
    assert!(format!("{refused:?}").contains("Refused"), "{refused:?}");
    project.trouble(500, 1000);
    sync::run(app.db.pool(), &api(PROJECT_KEY), false).await.unwrap_err();
    project.trouble(503, 1);
    // Another project altogether.
    for id in &all[..100] {
        project.remove(*id);
    }
    let many = sync::run(app.db.pool(), &api(PROJECT_KEY), false).await.unwrap_err();
    assert!(many.to_string().contains("--remove-many"), "{many}");
    assert_eq!(people(&app).await, 448);
    sync::run(app.db.pool(), &api(PROJECT_KEY), true).await.unwrap();
    assert_eq!(people(&app).await, 350);
}

#[tokio::test]
async fn what_cannot_be_taken_back_asks_whether_the_session_lives() {
    let project = Project::start().await;
    let app = project.app().await;
    let ann = project.user("ann");
    let token = project.token(ann);
    me(&app, &token).await;
    let sensitive = [
        ("DELETE", "/users/me"),
        ("GET", "/users/me/export"),
        ("POST", "/users/me/tokens"),
        ("GET", "/admin/users"),
        ("GET", "/admin/audit"),
    ];
    let body = json!({ "name": "script", "scopes": ["read"] });
    // The project is away: nobody can say, so nobody passes.
    for status in [500, 503, 429] {
        for (method, path) in sensitive {
            project.trouble(status, 1);
            app.call(method, path, Some(&token), Some(&body)).await.assert_problem(503, "unavailable");
        }
    }
    app.call("POST", "/users/me/tokens", Some(&token), Some(&body)).await.assert_status(201);
    // Signed out everywhere: reading goes on until the token ends, these do not.
    project.end_sessions(ann);
    me(&app, &token).await;
    for (method, path) in sensitive {
        app.call(method, path, Some(&token), Some(&body)).await.assert_problem(401, "session_ended");
    }
    // The account there is not ours to delete; here it stays dead.
    let ben = project.user("ben");
    app.call("DELETE", "/users/me", Some(&project.token(ben)), None).await.assert_status(202);
    app.call("GET", "/users/me", Some(&project.token(ben)), None).await.assert_problem(401, "account_deleted");
}
