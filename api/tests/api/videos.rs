//! Listing, editing, deleting, restoring.

use serde_json::{Value, json};

use crate::support::{App, said};

fn titles(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|v| v["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_have_every_video_once() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    for n in 0..7 {
        said(&app, &ann, &format!("Film {n}"), &[(0, 1000, "hello")]).await;
    }
    for sort in ["newest", "oldest", "title"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ann.get(&format!("/videos?limit=3&sort={sort}{cursor}")).await.assert_status(200).body.clone();
            seen.extend(titles(&page).into_iter().map(ToOwned::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            // Somebody adds one meanwhile: pages neither repeat nor skip because of it.
            if sort == "newest" && seen.len() == 3 {
                said(&app, &ann, "Late", &[(0, 1000, "x")]).await;
            }
        }
        let mut expected: Vec<String> = (0..7).map(|n| format!("Film {n}")).collect();
        match sort {
            "newest" => expected.reverse(),
            _ => expected.push("Late".into()),
        }
        assert_eq!(seen, expected, "{sort}");
    }
    let first = ann.get("/videos?limit=3&sort=title").await.body["next_cursor"].as_str().unwrap().to_owned();
    ann.get(&format!("/videos?limit=3&sort=oldest&cursor={first}")).await.assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_list_can_be_narrowed() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    said(&app, &ann, "100% rain_drops", &[(0, 1000, "x")]).await;
    said(&app, &ann, "Sunshine", &[(0, 1000, "x")]).await;
    ann.announce(5).await;
    assert_eq!(titles(&ann.get("/videos?q=drops").await.body), ["100% rain_drops"]);
    assert_eq!(titles(&ann.get("/videos?q=n_d").await.body), ["100% rain_drops"]);
    assert_eq!(titles(&ann.get("/videos?q=%25%25").await.body), Vec::<&str>::new());
    assert_eq!(titles(&ann.get("/videos?state=uploading").await.body), ["rain"]);
    assert_eq!(titles(&ann.get("/videos?state=indexed&q=sun").await.body), ["Sunshine"]);
    for q in ["%22unbalanced", "a%20%26%20%7C%20!", "%3A*", "%5C"] {
        ann.get(&format!("/videos?q={q}")).await.assert_status(200);
    }
}

#[tokio::test]
async fn title_description_and_tags_can_be_edited() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 1000, "x")]).await;
    let path = format!("/videos/{video}");
    let edited = ann.patch(&path, json!({ "title": " Long rain ", "tags": ["weather", "weather", "민지"] })).await;
    edited.assert_status(200);
    assert_eq!(
        (&edited.body["title"], &edited.body["tags"], &edited.body["description"]),
        (&json!("Long rain"), &json!(["weather", "민지"]), &json!(""))
    );
    let reply = ann.patch(&path, json!({ "title": " " })).await;
    reply.assert_problem(400, "invalid_request");
    assert_eq!(reply.body["errors"][0]["field"], "title");
    ann.patch(&path, json!({ "title": "a\u{0}b" })).await.assert_problem(400, "invalid_request");
    ann.patch(&path, json!({ "state": "indexed" })).await.assert_problem(400, "invalid_json");
}

#[tokio::test]
async fn a_deleted_video_is_gone_and_can_come_back_for_a_day() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    ann.delete(&format!("/videos/{video}")).await.assert_status(204);
    for path in ["", "/jobs", "/scenes", "/transcript", "/playback", "/events"] {
        ann.get(&format!("/videos/{video}{path}")).await.assert_problem(404, "not_found");
    }
    assert_eq!(ann.post("/search", json!({ "query": "raining" })).await.body["items"], json!([]));
    let purge = async || -> Vec<(String, bool)> {
        sqlx::query_as("SELECT state::text, run_at > now() + interval '23 hours' FROM tasks WHERE kind = 'purge_video' ORDER BY created_at")
            .fetch_all(app.db.pool()).await.unwrap()
    };
    assert_eq!(purge().await, [("pending".to_owned(), true)]);
    let back = ann.post(&format!("/videos/{video}/restore"), json!({})).await;
    back.assert_status(200);
    assert_eq!(back.body["state"], "indexed");
    assert_eq!(purge().await, [("cancelled".to_owned(), true)]);
    assert_eq!(ann.post("/search", json!({ "query": "raining" })).await.body["items"].as_array().unwrap().len(), 1);
    ann.post(&format!("/videos/{video}/restore"), json!({})).await.assert_problem(404, "not_found");
    // After the day nothing brings it back.
    ann.delete(&format!("/videos/{video}")).await.assert_status(204);
    sqlx::query("UPDATE videos SET purge_after = now() - interval '1 second'").execute(app.db.pool()).await.unwrap();
    ann.post(&format!("/videos/{video}/restore"), json!({})).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_video_is_indexed_again_by_one_run_at_a_time() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    let path = format!("/videos/{video}/reprocess");
    ann.post(&path, json!({ "stages": ["magic"] })).await.assert_problem(400, "invalid_request");
    ann.post(&path, json!({ "models": ["magic"] })).await.assert_problem(400, "invalid_request");
    let started = ann.post(&path, json!({})).await;
    assert_eq!(started.assert_status(202).body["stages"].as_array().unwrap().len(), 12);
    ann.post(&path, json!({})).await.assert_problem(409, "run_active");
    let now = ann.get(&format!("/videos/{video}")).await.body;
    assert_eq!((&now["state"], &now["progress"]["stages_total"]), (&json!("indexed"), &json!(12)));
}

#[tokio::test]
async fn only_some_stages_are_done_again_and_the_others_are_inherited() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    let path = format!("/videos/{video}/reprocess");
    let redone = ["embed_text", "sidecar_build", "commit"];
    let started = ann.post(&path, json!({ "models": ["text"] })).await;
    assert_eq!(started.assert_status(202).body["stages"], json!(redone));
    let jobs = ann.get(&format!("/videos/{video}/jobs")).await.body;
    for job in jobs["items"].as_array().unwrap() {
        let again = redone.contains(&job["stage"].as_str().unwrap());
        let expected = if again { json!(["pending", null]) } else { json!(["completed", "inherited"]) };
        assert_eq!(json!([job["state"], job["note"]]), expected, "{job}");
    }
    // What is visible is still the first run, and the search finds it.
    assert_eq!(ann.post("/search", json!({ "query": "raining" })).await.body["items"].as_array().unwrap().len(), 1);

    // A video that never was indexed completely has nothing to build on.
    let unfinished = said(&app, &ann, "Sun", &[(0, 4000, "it was sunny")]).await;
    sqlx::query("UPDATE runs SET state = 'failed' WHERE video_id = $1")
        .bind(unfinished)
        .execute(app.db.pool())
        .await
        .unwrap();
    let path = format!("/videos/{unfinished}/reprocess");
    ann.post(&path, json!({ "stages": ["embed_text"] })).await.assert_problem(409, "nothing_to_inherit");
    ann.post(&path, json!({ "stages": ["upload_validate"] })).await.assert_status(202);
}

/// Makes a video of [`said`] one that browsers cannot play.
async fn unplayable(app: &App, video: heimdex_db::VideoId) {
    sqlx::query("UPDATE video_metadata SET video_codec = 'hevc' WHERE video_id = $1")
        .bind(video)
        .execute(app.db.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_browsers_play_is_played_from_the_source() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    let playback = ann.get(&format!("/videos/{video}/playback")).await;
    playback.assert_status(200);
    assert_eq!((&playback.body["kind"], &playback.body["mime_type"]), (&json!("source"), &json!("video/mp4")));
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(tasks, 0);
}

#[tokio::test]
async fn what_they_do_not_play_is_made_once_however_many_ask_and_its_owner_is_told() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    unplayable(&app, video).await;
    let path = format!("/videos/{video}/playback");
    let mut events = ann.request("GET", "/events").send().await.unwrap();
    let answers = futures::future::join_all((0..10).map(|_| ann.get(&path))).await;
    for answer in &answers {
        answer.assert_status(202);
        assert_eq!(answer.body, json!({ "state": "pending", "progress": 0 }));
        assert_eq!(answer.header("retry-after"), "10");
    }
    let tasks: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, state::text FROM tasks").fetch_all(app.db.pool()).await.unwrap();
    assert_eq!(tasks, [("make_proxy".to_owned(), "pending".to_owned())]);
    let bob = app.user("bob").await;
    bob.get(&path).await.assert_problem(404, "not_found");

    // What a worker does, as the owner hears and sees it.
    let task =
        async |sql: &str| sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(app.db.pool()).await.unwrap();
    task("UPDATE tasks SET state = 'running', progress = 40").await;
    let mut heard = String::new();
    while !heard.contains("\"progress\":40") {
        heard.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().expect("the stream goes on")));
    }
    assert!(heard.contains("event: task") && heard.contains("\"kind\":\"make_proxy\""), "{heard}");
    assert_eq!(ann.get(&path).await.body, json!({ "state": "running", "progress": 40 }));
    task("UPDATE tasks SET state = 'completed', finished_at = now(); UPDATE videos SET proxy_key = 'v/x/proxy.mp4'")
        .await;
    let ready = ann.get(&path).await;
    ready.assert_status(200);
    assert_eq!((&ready.body["kind"], &ready.body["mime_type"]), (&json!("proxy"), &json!("video/mp4")));
    assert!(ready.body["url"].as_str().unwrap().contains("/v/x/proxy.mp4"));
}

#[tokio::test]
async fn a_version_that_cannot_be_made_says_why_and_is_tried_again_an_hour_later() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    unplayable(&app, video).await;
    let path = format!("/videos/{video}/playback");
    ann.get(&path).await.assert_status(202);
    sqlx::query("UPDATE tasks SET state = 'failed', finished_at = now(), error_code = 'decoder_crashed', error_message = 'It could not be decoded.'")
        .execute(app.db.pool())
        .await
        .unwrap();
    let failed = ann.get(&path).await;
    failed.assert_problem(409, "proxy_failed");
    assert_eq!(failed.body["reason"], "decoder_crashed");
    assert!(failed.body["detail"].as_str().unwrap().ends_with("It could not be decoded."));
    sqlx::query("UPDATE tasks SET finished_at = now() - interval '61 minutes'").execute(app.db.pool()).await.unwrap();
    ann.get(&path).await.assert_status(202);
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(tasks, 2);
}
