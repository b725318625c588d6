//! API tokens: what scripts may do, and how they are stopped.

use serde_json::{Value, json};

use crate::support::{App, Person, Reply, said};

async fn token(person: &Person, scopes: Value) -> (String, String) {
    let reply = person.post("/users/me/tokens", json!({ "name": "Nightly", "scopes": scopes })).await;
    let body = &reply.assert_status(201).body;
    (body["token"].as_str().unwrap().to_owned(), body["token_id"].as_str().unwrap().to_owned())
}

async fn last_used(app: &App) -> Option<chrono::DateTime<chrono::Utc>> {
    sqlx::query_scalar("SELECT last_used_at FROM api_tokens").fetch_one(app.db.pool()).await.unwrap()
}

#[tokio::test]
async fn a_script_does_what_its_scope_says_and_nothing_else() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    let search = json!({ "query": "raining" });
    let upload = json!({ "filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": 10 });
    let of_scope: [(&str, &str, String, &Value, u16); 6] = [
        ("read", "GET", "/users/me".into(), &Value::Null, 200),
        ("read", "GET", "/videos".into(), &Value::Null, 200),
        ("read", "GET", format!("/videos/{video}/transcript"), &Value::Null, 200),
        ("upload", "POST", "/videos/uploads".into(), &upload, 201),
        ("search", "POST", "/search".into(), &search, 200),
        ("search", "GET", "/search/suggest?q=ra".into(), &Value::Null, 200),
    ];
    for scope in ["read", "upload", "search"] {
        let (script, _) = token(&ann, json!([scope])).await;
        for (needed, method, path, body, status) in &of_scope {
            let reply = app.call(method, path, Some(&script), Some(body)).await;
            if scope == *needed {
                reply.assert_status(*status);
            } else {
                reply.assert_problem(403, "insufficient_scope");
            }
        }
    }
    // Not even with every scope: the account, its tokens, changes of the library, the administration.
    let (script, id) = token(&ann, json!(["read", "upload", "search"])).await;
    sqlx::query("INSERT INTO user_role_profiles (user_id, role_type) SELECT user_id, 'admin' FROM users")
        .execute(app.db.pool())
        .await
        .unwrap();
    for (method, path, body) in [
        ("PATCH", "/users/me".to_owned(), json!({ "display_name": "Mallory" })),
        ("DELETE", "/users/me".to_owned(), Value::Null),
        ("GET", "/users/me/export".to_owned(), Value::Null),
        ("GET", "/users/me/tokens".to_owned(), Value::Null),
        ("POST", "/users/me/tokens".to_owned(), json!({ "name": "more", "scopes": ["read"] })),
        ("DELETE", format!("/users/me/tokens/{id}"), Value::Null),
        ("PATCH", format!("/videos/{video}"), json!({ "title": "Sun" })),
        ("DELETE", format!("/videos/{video}"), Value::Null),
        ("POST", format!("/videos/{video}/reprocess"), json!({})),
        ("GET", "/admin/users".to_owned(), Value::Null),
        ("GET", "/admin/audit".to_owned(), Value::Null),
    ] {
        app.call(method, &path, Some(&script), Some(&body)).await.assert_problem(403, "insufficient_scope");
    }
    let refused = app.call("GET", "/auth/v1/user", Some(&script), None).await;
    assert!(matches!(refused.status, 401 | 403), "{}", refused.text);
    // And only its own person's things.
    let ben = app.user("ben").await;
    let (bens, _) = token(&ben, json!(["read"])).await;
    app.call("GET", &format!("/videos/{video}"), Some(&bens), None).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn every_route_that_is_not_opened_refuses_scripts() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let (script, _) = token(&ann, json!(["read", "upload", "search"])).await;
    let document: Value = serde_json::to_value(heimdex_api::openapi::document()).unwrap();
    let nil = uuid::Uuid::new_v4().to_string();
    let mut open = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation.is_object()) {
            let needs_nobody = operation["security"].as_array().is_some_and(|any| any.iter().any(|s| s == &json!({})));
            if needs_nobody || path.ends_with("/events") {
                continue;
            }
            let filled = path
                .split('/')
                .map(|part| if part.starts_with('{') { &nil } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let reply = app.call(&method.to_uppercase(), &filled, Some(&script), Some(&json!({}))).await;
            if reply.body["code"] != "insufficient_scope" {
                open.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    open.sort_unstable();
    assert_eq!(
        open,
        [
            "DELETE /videos/{video_id}/uploads",
            "GET /people",
            "GET /people/{person_id}",
            "GET /people/{person_id}/photos",
            "GET /people/{person_id}/scenes",
            "GET /scenes/{scene_id}",
            "GET /scenes/{scene_id}/similar",
            "GET /search/suggest",
            "GET /searches/history",
            "GET /searches/saved",
            "GET /users/me",
            "GET /users/me/usage",
            "GET /videos",
            "GET /videos/ids",
            "GET /videos/tags",
            "GET /videos/{video_id}",
            "GET /videos/{video_id}/jobs",
            "GET /videos/{video_id}/markers",
            "GET /videos/{video_id}/playback",
            "GET /videos/{video_id}/scenes",
            "GET /videos/{video_id}/sprite",
            "GET /videos/{video_id}/transcript",
            "GET /videos/{video_id}/uploads/parts",
            "POST /search",
            "POST /search/image",
            "POST /videos/uploads",
            "POST /videos/{video_id}/uploads/complete",
            "POST /videos/{video_id}/uploads/parts",
        ]
    );
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_hash_and_ends_when_it_is_told() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let (script, id) = token(&ann, json!(["read"])).await;
    assert!(script.starts_with("hx_") && script.len() == 46, "{script}");
    let list = ann.get("/users/me/tokens").await;
    let item = &list.assert_status(200).body["items"][0];
    assert_eq!(
        (&item["name"], &item["scopes"], &item["last_used_at"]),
        (&json!("Nightly"), &json!(["read"]), &Value::Null)
    );
    assert_eq!(item["hint"], script[..7]);
    assert!(!list.text.contains(&script));
    let kept: Vec<u8> = sqlx::query_scalar("SELECT token_hash FROM api_tokens").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(kept, <sha2::Sha256 as sha2::Digest>::digest(script.as_bytes()).to_vec());

    // Used: written down, but not with every request.
    let get = async |token: &str| -> Reply { app.call("GET", "/users/me", Some(token), None).await };
    get(&script).await.assert_status(200);
    let first = last_used(&app).await.unwrap();
    get(&script).await.assert_status(200);
    assert_eq!(last_used(&app).await, Some(first));
    sqlx::query("UPDATE api_tokens SET last_used_at = now() - interval '2 minutes'")
        .execute(app.db.pool())
        .await
        .unwrap();
    get(&script).await.assert_status(200);
    assert!(last_used(&app).await.unwrap() >= first);

    // Somebody else's token is not there; one's own ends at once.
    let ben = app.user("ben").await;
    ben.delete(&format!("/users/me/tokens/{id}")).await.assert_problem(404, "not_found");
    ann.delete(&format!("/users/me/tokens/{id}")).await.assert_status(204);
    get(&script).await.assert_problem(401, "invalid_token");
    ann.delete(&format!("/users/me/tokens/{id}")).await.assert_problem(404, "not_found");
    assert_eq!(ann.get("/users/me/tokens").await.body["items"], json!([]));
    // Expired.
    let (script, _) = token(&ann, json!(["read"])).await;
    sqlx::query("UPDATE api_tokens SET expires_at = now()").execute(app.db.pool()).await.unwrap();
    get(&script).await.assert_problem(401, "invalid_token");
    // Guessed, cut short, stretched.
    for wrong in [
        "hx_",
        "hx_x",
        &script[..45],
        &format!("{script}x"),
        &format!("hx_{}", "A".repeat(43)),
        &format!("hx_{}", "é".repeat(43)),
    ] {
        let reply = app
            .http
            .get(format!("{}/users/me", app.base))
            .header("authorization", format!("Bearer {wrong}").into_bytes())
            .send()
            .await;
        assert_eq!(reply.unwrap().status(), 401, "{wrong}");
    }
    // The account goes, and its scripts with it.
    let (script, _) = token(&ann, json!(["read"])).await;
    ann.delete("/users/me").await.assert_status(202);
    get(&script).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn what_a_token_may_not_be() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let now = chrono::Utc::now();
    for (field, body) in [
        ("name", json!({ "name": " ", "scopes": ["read"] })),
        ("name", json!({ "name": "x".repeat(81), "scopes": ["read"] })),
        ("scopes", json!({ "name": "x", "scopes": [] })),
        ("scopes", json!({ "name": "x", "scopes": ["admin"] })),
        ("scopes", json!({ "name": "x", "scopes": ["read", "read", "read", "read"] })),
        ("expires_at", json!({ "name": "x", "scopes": ["read"], "expires_at": now - chrono::TimeDelta::days(1) })),
        ("expires_at", json!({ "name": "x", "scopes": ["read"], "expires_at": now + chrono::TimeDelta::days(400) })),
    ] {
        let reply = ann.post("/users/me/tokens", body.clone()).await;
        reply.assert_problem(400, "invalid_request");
        assert_eq!(reply.body["errors"][0]["field"], field, "{body}");
    }
    // Fifty at most, however many ask at once.
    let all = futures::future::join_all(
        (0..60).map(|n| ann.post("/users/me/tokens", json!({ "name": n.to_string(), "scopes": ["read"] }))),
    )
    .await;
    assert_eq!(all.iter().filter(|reply| reply.status == 201).count(), 50);
    for reply in all.iter().filter(|reply| reply.status != 201) {
        assert_eq!(reply.assert_problem(409, "conflict").body["conflict"], "too_many_tokens");
    }
}

#[tokio::test]
async fn limits_are_the_persons_whoever_asks() {
    let app = App::start_with(|name| (name == "HEIMDEX_FREE_SEARCHES_PER_MINUTE").then(|| "2".to_owned())).await;
    let ann = app.user("ann").await;
    let limits = app.anonymous("GET", "/config", None).await.body["limits"]["tiers"].clone();
    assert_eq!((&limits["free"]["searches_per_minute"], &limits["free"]["uploads_per_day"]), (&json!(2), &json!(3)));
    assert_eq!(limits["enterprise"]["searches_per_minute"], Value::Null);
    let (script, _) = token(&ann, json!(["search"])).await;
    let question = json!({ "query": "rain" });
    let statuses = [
        ann.post("/search", question.clone()).await.status,
        app.call("POST", "/search", Some(&script), Some(&question)).await.status,
        app.call("POST", "/search", Some(&script), Some(&question)).await.status,
    ];
    // A minute may end between two of them.
    assert!(statuses == [200, 200, 429] || statuses[..2] == [200, 200], "{statuses:?}");
    assert_eq!(ann.get("/users/me/usage").await.body["searches_per_minute"], 2);
}
