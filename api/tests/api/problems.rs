//! Errors have one form; the document says what there is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{App, Reply, said, scene_of};

#[tokio::test]
async fn every_error_is_a_problem() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    app.anonymous("GET", "/users/me", None).await.assert_problem(401, "unauthenticated");
    app.anonymous("GET", "/nowhere", None).await.assert_problem(404, "not_found");
    ann.get("/nowhere").await.assert_problem(404, "not_found");
    ann.get("/videos/not-an-id").await.assert_problem(404, "not_found");
    let reply = ann.call("PUT", "/videos", None).await;
    reply.assert_problem(405, "method_not_allowed");
    assert!(reply.header("allow").contains("GET"), "{:?}", reply.headers);
    ann.get("/videos?limit=0").await.assert_problem(400, "invalid_request");
    ann.get("/videos?limit=x").await.assert_problem(400, "invalid_request");
    ann.get("/videos?cursor=zzz").await.assert_problem(400, "invalid_cursor");
    ann.get("/videos?state=lost").await.assert_problem(400, "invalid_request");
    let raw = async |content_type: &str, body: String| {
        Reply::read(
            ann.request("POST", "/search").header("content-type", content_type).body(body).send().await.unwrap(),
        )
        .await
    };
    raw("application/json", "{".into()).await.assert_problem(400, "invalid_json");
    raw("text/plain", "{}".into()).await.assert_problem(415, "unsupported_media_type");
    raw("application/json", format!("{{\"query\":\"{}\"}}", "x".repeat(300 << 10)))
        .await
        .assert_problem(413, "body_too_large");
    raw("application/json", "{\"query\":\"a\",\"surprise\":1}".into()).await.assert_problem(400, "invalid_json");
}

/// A cursor that says something else in a field of its position.
fn forged(cursor: &str, field: &str, value: &Value) -> String {
    let mut envelope: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    assert!(envelope["p"].get(field).is_some(), "no {field} in {envelope}");
    envelope["p"][field] = value.clone();
    URL_SAFE_NO_PAD.encode(envelope.to_string())
}

#[tokio::test]
async fn what_the_database_could_not_read_is_refused_before() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "One", &[(0, 4000, "rain")]).await;
    said(&app, &ann, "Two", &[(0, 4000, "rain")]).await;
    for name in ["a", "b"] {
        ann.post("/people", json!({ "display_name": name })).await.assert_status(201);
    }
    let scene = scene_of(video, 0, 4000);
    for path in [format!("/scenes/{scene}?language=%00"), format!("/videos/{video}/scenes?language=%00")] {
        ann.get(&path).await.assert_problem(400, "invalid_request");
    }
    ann.get(&format!("/scenes/{scene}?language=")).await.assert_status(200);

    let (late, early) = (json!("+10000-01-01T00:00:00Z"), json!("-0001-01-01T00:00:00Z"));
    for (path, field, value) in [
        ("/people?limit=1", "scenes", json!(i64::MIN)),
        ("/people?limit=1", "name", json!("\0")),
        ("/videos?limit=1", "at", late.clone()),
        ("/videos?limit=1", "at", json!("+262000-01-01T00:00:00Z")),
        ("/videos?limit=1", "at", early.clone()),
    ] {
        let page = ann.get(path).await.assert_status(200).body.clone();
        let cursor = forged(page["next_cursor"].as_str().unwrap(), field, &value);
        ann.get(&format!("{path}&cursor={cursor}")).await.assert_problem(400, "invalid_cursor");
    }
    for bound in ["created_after", "created_before"] {
        for time in [&late, &early] {
            ann.post("/search", json!({ "query": "rain", "filters": { bound: time } }))
                .await
                .assert_problem(400, "invalid_request");
        }
    }
    let page = ann.post("/search", json!({ "query": "rain", "limit": 1 })).await.assert_status(200).body.clone();
    let cursor = forged(page["next_cursor"].as_str().unwrap(), "as_of", &late);
    ann.post("/search", json!({ "query": "rain", "limit": 1, "cursor": cursor }))
        .await
        .assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_request_id_comes_back_if_it_is_harmless() {
    let app = App::start().await;
    let ask = async |id: &'static str| {
        app.http.get(format!("{}/nowhere", app.base)).header("x-request-id", id).send().await.unwrap()
    };
    assert_eq!(ask("abc-123").await.headers()["x-request-id"], "abc-123");
    assert_ne!(ask("a b<script>").await.headers()["x-request-id"], "a b<script>");
}

#[tokio::test]
async fn the_database_going_away_is_a_503_that_says_nothing() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    sqlx::query("ALTER TABLE videos RENAME TO videos_elsewhere").execute(app.db.pool()).await.unwrap();
    let reply = ann.get("/videos").await;
    reply.assert_problem(500, "internal");
    assert!(!reply.text.contains("videos_elsewhere") && !reply.text.contains("relation"), "{}", reply.text);
}

#[tokio::test]
async fn the_document_is_the_one_in_the_repository() {
    let app = App::start().await;
    let served: Value = app.anonymous("GET", "/openapi.json", None).await.assert_status(200).body.clone();
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    let path = format!("{}/../web/openapi.json", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(served == kept, "web/openapi.json is old; renew it with `heimdex-api openapi > web/openapi.json`");
    app.anonymous("GET", "/docs/", None).await.assert_status(200);
}

#[tokio::test]
async fn health_and_metrics_are_where_they_belong() {
    let app = App::start().await;
    let ready = app.anonymous("GET", "/health/ready", None).await;
    ready.assert_status(200);
    assert_eq!(
        ready.body["checks"],
        json!({ "database": "ok", "migrations": "ok", "object_storage": "ok", "text_model": "off", "image_model": "off", "dictionary": "off" })
    );
    app.anonymous("GET", "/metrics", None).await.assert_problem(404, "not_found");
    let metrics = app.http.get(format!("{}/metrics", app.metrics)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("heimdex_http_request_seconds"), "{metrics}");
}

#[tokio::test]
async fn the_public_configuration_leads_to_the_auth_server() {
    let app = App::start().await;
    let config = app.anonymous("GET", "/config", None).await.body;
    assert_eq!(config["auth_url"], app.base);
    assert_eq!((&config["embedded_auth"], &config["features"]["faces"]), (&json!(true), &json!(false)));
    assert_eq!(config["roles"], json!(["creator", "journalist", "researcher", "archivist"]));
    app.anonymous("GET", "/auth/v1/.well-known/jwks.json", None).await.assert_status(200);
}

#[tokio::test]
async fn the_web_app_is_served_with_its_own_pages() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("assets")).unwrap();
    std::fs::write(folder.path().join("index.html"), "<p>app</p>").unwrap();
    std::fs::write(folder.path().join("assets/a-1.js"), "1").unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let app = App::start_with(move |name| (name == "HEIMDEX_WEB_DIR").then(|| path.clone())).await;
    let home = app.anonymous("GET", "/", None).await;
    assert_eq!((home.status, home.header("location")), (307, "/app"));
    for page in ["/app", "/app/", "/app/videos/1", "/app/login"] {
        let reply = app.anonymous("GET", page, None).await;
        assert_eq!(
            (reply.status, reply.text.as_str(), reply.header("cache-control")),
            (200, "<p>app</p>", "no-cache"),
            "{page}"
        );
        assert!(reply.header("content-security-policy").contains(&app.s3.endpoint()));
    }
    let asset = app.anonymous("GET", "/app/assets/a-1.js", None).await;
    assert_eq!((asset.status, asset.header("cache-control")), (200, "public, max-age=31536000, immutable"));
    app.anonymous("GET", "/app/assets/gone.js", None).await.assert_problem(404, "not_found");
    app.anonymous("GET", "/app/../../etc/passwd", None).await;
    app.anonymous("GET", "/videos", None).await.assert_problem(401, "unauthenticated");
}
