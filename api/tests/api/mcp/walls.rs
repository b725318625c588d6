//! What a client may not: see another person's things, do more than its token says, come from a foreign page, search without end.

use serde_json::json;
use uuid::Uuid;

use super::{assert_refused, call, given, message, post, rain, text, token};
use crate::support::{App, Reply, said, scene_of};

#[tokio::test]
async fn no_tool_shows_another_persons_things() {
    let app = App::with_faces().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = rain(&app, &ann).await;
    let scene = scene_of(video, 64_000, 70_000);
    let minji = json!({ "display_name": "Minji", "consent": true, "consent_note": "asked her" });
    ann.post("/people", minji).await.assert_status(201);
    let bens = token(&ben, json!(["read", "search"])).await;
    for token in [&ben.token, &bens] {
        // By its id: the same answer as for what nobody has.
        for (tool, argument, id) in [
            ("get_transcript", "video_id", video.to_string()),
            ("get_scene", "scene_id", scene.to_string()),
            ("similar_scenes", "scene_id", scene.to_string()),
        ] {
            let anns = call(&app, token, tool, &json!({ argument: id })).await;
            assert_refused(&anns, "not_found");
            for nobodys in [Uuid::new_v4().to_string(), "../users/me".to_owned(), String::new()] {
                assert_eq!(call(&app, token, tool, &json!({ argument: nobodys })).await, anns, "{tool}");
            }
            assert_eq!(
                call(&app, &ann.token, tool, &json!({ argument: id })).await["isError"],
                tool == "similar_scenes"
            );
        }
        // By its words, title or name: nothing.
        for (tool, arguments) in [
            ("search_moments", json!({ "query": "raining" })),
            ("search_moments", json!({ "query": "raining", "filters": { "video_ids": [video] } })),
            ("search_moments", json!({ "query": "title:wet" })),
            ("list_videos", json!({})),
            ("list_videos", json!({ "q": "wet" })),
            ("find_person", json!({ "q": "minji" })),
        ] {
            let result = call(&app, token, tool, &arguments).await;
            assert_eq!(given(&result)["items"], json!([]), "{tool} {arguments}");
            assert!(!text(&result).contains(&video.to_string()), "{result}");
        }
        // Not by Ann's cursor either.
        said(&app, &ann, "Another", &[(0, 1000, "")]).await;
        let first = call(&app, &ann.token, "list_videos", &json!({ "limit": 1 })).await;
        let cursor = given(&first)["next_cursor"].as_str().unwrap();
        let result = call(&app, token, "list_videos", &json!({ "limit": 1, "cursor": cursor })).await;
        assert_eq!(given(&result)["items"], json!([]));
    }
}

#[tokio::test]
async fn a_token_does_what_its_scope_says_and_without_one_there_is_nothing() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    let scene = scene_of(video, 0, 64_000);
    let ask = message("tools/list", &json!({}));
    let knock = async |token: Option<&str>| Reply::read(post(&app, token).json(&ask).send().await.unwrap()).await;
    knock(None).await.assert_problem(401, "unauthenticated");
    for wrong in ["nonsense", "hx_guessed", &format!("hx_{}", "A".repeat(43)), &format!("{}x", ann.token)] {
        knock(Some(wrong)).await.assert_problem(401, "invalid_token");
    }
    let uploads = token(&ann, json!(["upload"])).await;
    knock(Some(&uploads)).await.assert_problem(403, "insufficient_scope");

    let calls = [
        ("search", "search_moments", json!({ "query": "raining" })),
        ("search", "similar_scenes", json!({ "scene_id": scene })),
        ("read", "get_transcript", json!({ "video_id": video })),
        ("read", "list_videos", json!({})),
        ("read", "get_scene", json!({ "scene_id": scene })),
        ("read", "find_person", json!({})),
    ];
    for scope in ["read", "search"] {
        let script = token(&ann, json!([scope])).await;
        knock(Some(&script)).await.assert_status(200);
        for (needed, tool, arguments) in &calls {
            let result = call(&app, &script, tool, arguments).await;
            if scope != *needed {
                assert_refused(&result, "insufficient_scope");
                assert!(text(&result).contains(&format!("`{needed}`")), "{result}");
            } else if *tool == "similar_scenes" {
                assert_refused(&result, "no_vectors");
            } else {
                given(&result);
            }
        }
    }
    // Revoked and expired tokens end at the door.
    let script = token(&ann, json!(["read"])).await;
    knock(Some(&script)).await.assert_status(200);
    sqlx::query("UPDATE api_tokens SET expires_at = now()").execute(app.db.pool()).await.unwrap();
    knock(Some(&script)).await.assert_problem(401, "invalid_token");
    // So does a session.
    knock(Some(&ann.token)).await.assert_status(200);
    ann.post("/auth/v1/logout", json!({})).await.assert_status(204);
    knock(Some(&ann.token)).await.assert_status(401);
}

#[tokio::test]
async fn pages_of_foreign_sites_and_foreign_names_are_refused() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let ask = message("tools/list", &json!({}));
    let with = async |name: &str, value: &str| {
        Reply::read(post(&app, Some(&ann.token)).header(name, value).json(&ask).send().await.unwrap()).await
    };
    for origin in
        ["https://evil.example", "http://evil.example:8480", "null", "file://", "http://localhost.evil.example"]
    {
        with("origin", origin).await.assert_problem(403, "forbidden");
    }
    for host in ["evil.example", "evil.example:8480", "127.0.0.1.evil.example"] {
        with("host", host).await.assert_problem(403, "forbidden");
    }
    // A page of this machine, such as an inspector of tools, and the dashboard itself.
    with("origin", "http://localhost:6274").await.assert_status(200);
    with("origin", &app.base).await.assert_status(200);
    with("host", "localhost").await.assert_status(200);
    // There is no stream to listen to and no session to end.
    for method in ["GET", "DELETE"] {
        let reply = ann.call(method, "/mcp", None).await;
        reply.assert_problem(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), "POST");
    }
}

#[tokio::test]
async fn searches_count_as_searches() {
    let app = App::start_with(|name| (name == "HEIMDEX_FREE_SEARCHES_PER_MINUTE").then(|| "1".into())).await;
    let ann = app.user("ann").await;
    let me = ann.get("/users/me").await.body["user_id"].as_str().unwrap().to_owned();
    // This minute's, and the next one's in case it begins meanwhile.
    sqlx::query("INSERT INTO quota_usage (user_id, kind, window_start, used) SELECT $1::uuid, 'searches', date_trunc('minute', now()) + n * interval '1 minute', 1 FROM generate_series(0, 1) n")
        .bind(&me)
        .execute(app.db.pool())
        .await
        .unwrap();
    let result = call(&app, &ann.token, "search_moments", &json!({ "query": "rain" })).await;
    assert_refused(&result, "rate_limited");
    assert!(text(&result).contains("1 searches a minute") && text(&result).contains("retry_after_s: "), "{result}");
    ann.post("/search", json!({ "query": "rain" })).await.assert_problem(429, "rate_limited");
    given(&call(&app, &ann.token, "list_videos", &json!({})).await);
}
