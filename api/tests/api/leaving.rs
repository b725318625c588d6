//! Taking everything along, and going.

use serde_json::{Value, json};

use crate::support::{App, said};

#[tokio::test]
async fn an_export_has_everything_but_secrets() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    // More than one page of segments.
    let long: Vec<(i64, i64, &str)> = (0..505).map(|n| (n * 1000, n * 1000 + 900, "rain \"and\" wind\n")).collect();
    let video = said(&app, &ann, "Łódź \\ \"rain\"", &long).await;
    said(&app, &ann, "Short", &[(0, 900, "sun")]).await;
    said(&app, &ben, "Ben's", &[(0, 900, "not hers")]).await;
    ann.announce(10).await;
    ann.post("/search", json!({ "query": "wind" })).await.assert_status(200);
    let saved = json!({ "name": "Windy", "request": { "query": "wind" } });
    ann.post("/searches/saved", saved).await.assert_status(201);
    let made = ann.post("/users/me/tokens", json!({ "name": "script", "scopes": ["read"] })).await;
    let reply = ann.get("/users/me/export").await;
    assert_eq!(reply.assert_status(200).header("content-type"), "application/json");
    assert!(reply.header("content-disposition").starts_with("attachment; filename=\"heimdex-export-"));
    let export: Value = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(
        (&export["format"], &export["account"]["email"]),
        (&json!("heimdex-export/1"), &json!("ann@example.org"))
    );
    assert_eq!(export["account"]["role_profiles"], json!(["member"]));
    let videos = export["videos"].as_array().unwrap();
    assert_eq!(videos.len(), 3);
    let rain = videos.iter().find(|v| v["video_id"] == video.to_string()).unwrap();
    let transcript = rain["transcript"].as_array().unwrap();
    assert_eq!((transcript.len(), &transcript[504]["start_ms"]), (505, &json!(504_000)));
    assert_eq!((&transcript[0]["text"], &rain["language"]), (&json!("rain \"and\" wind\n"), &json!("en")));
    assert_eq!(rain["scenes"].as_array().unwrap().len(), 505);
    assert_eq!(export["searches"][0]["query"], "wind");
    assert_eq!(export["saved_searches"][0]["request"], json!({ "query": "wind" }));
    assert_eq!(export["api_tokens"][0]["name"], "script");
    assert!(export["history"].as_array().unwrap().iter().any(|line| line["action"] == "account_exported"));
    for list in ["people", "edits", "shares", "webhooks"] {
        assert_eq!(export[list], json!([]), "{list}");
    }
    for secret in [made.body["token"].as_str().unwrap(), "token_hash", "not hers", "upload_id", "password_hash"] {
        assert!(!reply.text.contains(secret), "{secret}");
    }
    // Ten an hour.
    let more = futures::future::join_all((0..12).map(|_| ann.get("/users/me/export"))).await;
    assert!(more.iter().all(|reply| matches!(reply.status, 200 | 429 | 503)));
    assert!(more.iter().filter(|reply| reply.status == 200).count() <= 9);
}

#[tokio::test]
async fn who_goes_takes_sessions_credentials_and_scripts_along() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let made = ann.post("/users/me/tokens", json!({ "name": "script", "scopes": ["read"] })).await;
    let script = made.assert_status(201).body["token"].as_str().unwrap().to_owned();
    let video = said(&app, &ann, "Rain", &[(0, 900, "rain")]).await;
    let open = ann.announce(10).await;
    ann.delete("/users/me").await.assert_status(202);
    ann.get("/users/me").await.assert_problem(401, "account_deleted");
    app.call("GET", "/users/me", Some(&script), None).await.assert_problem(401, "invalid_token");
    app.refresh(&ann.refresh_token).await.assert_status(400);
    app.sign_in(&ann.email, "correct horse battery").await.assert_auth_error(400, "invalid_credentials");
    let left: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM auth_credentials), (SELECT count(*) FROM auth_sessions), (SELECT count(*) FROM refresh_tokens),
                (SELECT count(*) FROM users WHERE email IS NOT NULL OR display_name IS NOT NULL OR deleted_at IS NULL)",
    )
    .fetch_one(app.db.pool())
    .await
    .unwrap();
    assert_eq!(left, (0, 0, 0, 0));
    let states: Vec<String> = sqlx::query_scalar("SELECT state::text FROM videos WHERE video_id = ANY($1)")
        .bind([video.0, open.parse().unwrap()])
        .fetch_all(app.db.pool())
        .await
        .unwrap();
    assert_eq!(states, ["deleted", "deleted"]);
    let task: (String, Value) = sqlx::query_as("SELECT kind, payload FROM tasks WHERE state = 'pending'")
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(task.0, "purge_account");
}
