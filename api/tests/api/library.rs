//! The library: orders, filters, tags, and one change of many videos.

use heimdex_db::VideoId;
use serde_json::{Value, json};

use crate::support::{App, Person, said};

async fn change(app: &App, video: VideoId, set: &str) {
    let statement = format!("UPDATE videos SET {set} WHERE video_id = $1");
    sqlx::query(sqlx::AssertSqlSafe(statement)).bind(video).execute(app.db.pool()).await.unwrap();
}

async fn titles(person: &Person, query: &str) -> Vec<String> {
    let page = person.get(&format!("/videos?{query}")).await;
    page.assert_status(200);
    page.body["items"].as_array().unwrap().iter().map(|v| v["title"].as_str().unwrap().to_owned()).collect()
}

/// The code of each result, null where it was done.
fn codes(reply: &Value) -> Vec<Value> {
    reply["items"].as_array().unwrap().iter().map(|item| item["error"]["code"].clone()).collect()
}

#[tokio::test]
async fn a_library_is_ordered_and_narrowed_as_its_owner_likes() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let rain = said(&app, &ann, "rain", &[(0, 3000, "x")]).await;
    let sun = said(&app, &ann, "Sun", &[(0, 9000, "x")]).await;
    let sea = said(&app, &ann, "Sea", &[(0, 5000, "x")]).await;
    change(&app, rain, "indexed_at = now() + interval '1 hour', tags = '{weather,wet}', size_bytes = 77").await;
    change(&app, sun, "indexed_at = NULL, tags = '{weather}', created_at = '2020-05-01 12:00Z'").await;
    assert_eq!(titles(&ann, "sort=duration").await, ["Sun", "Sea", "rain"]);
    assert_eq!(titles(&ann, "sort=indexed").await, ["rain", "Sea", "Sun"]);
    assert_eq!(titles(&ann, "sort=title").await, ["rain", "Sea", "Sun"]);
    assert_eq!(titles(&ann, "tag=weather&sort=title").await, ["rain", "Sun"]);
    assert_eq!(titles(&ann, "tag=wet&q=rain&state=indexed").await, ["rain"]);
    assert_eq!(titles(&ann, "tag=we").await, Vec::<String>::new());
    assert_eq!(titles(&ann, "created_before=2020-05-02T00:00:00Z").await, ["Sun"]);
    assert_eq!(titles(&ann, "created_after=2020-05-02T00:00:00Z&sort=title").await, ["rain", "Sea"]);
    assert_eq!(titles(&ann, "size_bytes=77").await, ["rain"]);
    for wrong in ["sort=best", "created_after=yesterday", "size_bytes=much", "tag=%00"] {
        ann.get(&format!("/videos?{wrong}")).await.assert_problem(400, "invalid_request");
    }
    // Every id of a list, in its order, for choosing all of it.
    let ids = ann.get("/videos/ids?tag=weather&sort=title").await;
    assert_eq!(ids.body, json!({ "items": [rain, sun], "next_cursor": null }));
    let first = ann.get("/videos/ids?sort=duration&limit=2").await.body;
    assert_eq!(first["items"], json!([sun, sea]));
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        ann.get(&format!("/videos/ids?sort=duration&limit=2&cursor={cursor}")).await.body["items"],
        json!([rain])
    );
    ann.get(&format!("/videos/ids?sort=indexed&cursor={cursor}")).await.assert_problem(400, "invalid_cursor");
    ann.get(&format!("/videos?tag=wet&sort=duration&cursor={cursor}")).await.assert_problem(400, "invalid_cursor");
    // Suggestions are of one's own tags.
    let tags = ann.get("/videos/tags").await.body;
    assert_eq!(tags, json!({ "items": [{ "tag": "weather", "videos": 2 }, { "tag": "wet", "videos": 1 }] }));
    assert_eq!(ann.get("/videos/tags?q=ET").await.body["items"], json!([{ "tag": "wet", "videos": 1 }]));
    let ben = app.user("ben").await;
    assert_eq!(ben.get("/videos/tags").await.body["items"], json!([]));
    assert_eq!(ben.get("/videos/ids").await.body["items"], json!([]));
}

#[tokio::test]
async fn many_videos_are_changed_at_once_and_each_says_how_it_went() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let rain = said(&app, &ann, "Rain", &[(0, 3000, "it was raining")]).await;
    let sun = said(&app, &ann, "Sun", &[(0, 3000, "it was sunny")]).await;
    let bens = said(&app, &ben, "Ben's", &[(0, 3000, "x")]).await;
    let bulk = async |body: Value| ann.post("/videos/bulk", body).await;

    let tagged =
        bulk(json!({ "ids": [rain, bens, sun, rain], "action": "add_tags", "tags": [" weather ", "2026"] })).await;
    tagged.assert_status(200);
    assert_eq!(codes(&tagged.body), [json!(null), json!("not_found"), json!(null)]);
    assert_eq!(tagged.body["items"][1]["video_id"], json!(bens));
    assert!(tagged.body["items"][1]["error"]["detail"].as_str().unwrap().ends_with('.'));
    bulk(json!({ "ids": [sun], "action": "remove_tags", "tags": ["2026", "never"] })).await.assert_status(200);
    assert_eq!(ann.get(&format!("/videos/{rain}")).await.body["tags"], json!(["weather", "2026"]));
    assert_eq!(ann.get(&format!("/videos/{sun}")).await.body["tags"], json!(["weather"]));
    assert_eq!(ben.get(&format!("/videos/{bens}")).await.body["tags"], json!([]));

    let gone = bulk(json!({ "ids": [rain, sun, bens], "action": "delete" })).await;
    assert_eq!(codes(&gone.body), [json!(null), json!(null), json!("not_found")]);
    assert_eq!(titles(&ann, "").await, Vec::<String>::new());
    assert_eq!(app.noted("video_deleted").await, 2);
    let back = bulk(json!({ "ids": [sun, rain, bens], "action": "restore" })).await;
    assert_eq!(codes(&back.body), [json!(null), json!(null), json!("not_found")]);
    assert_eq!(titles(&ann, "sort=title").await, ["Rain", "Sun"]);
    assert_eq!(app.noted("video_restored").await, 2);

    let again = bulk(json!({ "ids": [rain], "action": "reprocess" })).await;
    assert_eq!(codes(&again.body), [json!(null)]);
    let again = bulk(json!({ "ids": [rain, sun], "action": "reprocess" })).await;
    assert_eq!(codes(&again.body), [json!("run_active"), json!(null)]);
}

#[tokio::test]
async fn a_bulk_change_is_bounded_and_says_what_it_needs() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let rain = said(&app, &ann, "Rain", &[(0, 3000, "x")]).await;
    let ids: Vec<VideoId> = (0..101).map(|_| VideoId::new()).collect();
    for wrong in [
        json!({ "ids": [], "action": "delete" }),
        json!({ "ids": ids, "action": "delete" }),
        json!({ "ids": [rain], "action": "add_tags" }),
        json!({ "ids": [rain], "action": "add_tags", "tags": [" "] }),
        json!({ "ids": [rain], "action": "delete", "tags": ["x"] }),
    ] {
        ann.post("/videos/bulk", wrong).await.assert_problem(400, "invalid_request");
    }
    ann.post("/videos/bulk", json!({ "ids": [rain], "action": "burn" })).await.assert_problem(400, "invalid_json");
    let missing = ann.post("/videos/bulk", json!({ "ids": &ids[..100], "action": "delete" })).await;
    assert!(codes(&missing.body).iter().all(|code| code == "not_found"));
    // More tags than a video may have: refused for that one, and it keeps those that it has.
    let tags = |from: usize| (from..from + 30).map(|n| format!("t{n}")).collect::<Vec<_>>();
    let body = |from: usize| json!({ "ids": [rain], "action": "add_tags", "tags": tags(from) });
    assert_eq!(codes(&ann.post("/videos/bulk", body(0)).await.body), [json!(null)]);
    assert_eq!(codes(&ann.post("/videos/bulk", body(30)).await.body), [json!("invalid_request")]);
    assert_eq!(ann.get(&format!("/videos/{rain}")).await.body["tags"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn an_unfinished_upload_is_given_up_by_a_bulk_delete_as_by_its_own() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = ann.announce(5).await;
    let gone = ann.post("/videos/bulk", json!({ "ids": [video], "action": "delete" })).await;
    assert_eq!(codes(&gone.body), [json!(null)]);
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 0);
}

#[tokio::test]
async fn small_pictures_are_there_once_they_are_drawn_and_nothing_is_made_for_them() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let rain = said(&app, &ann, "Rain", &[(0, 3000, "x")]).await;
    let path = format!("/videos/{rain}/sprite");
    ann.get(&path).await.assert_problem(409, "not_playable_yet");
    sqlx::query("UPDATE runs SET artifacts = '{\"sprite\": \"v/x/sprite.webp\", \"sprite_vtt\": \"v/x/sprite.vtt\"}'")
        .execute(app.db.pool())
        .await
        .unwrap();
    // A file that browsers cannot play would get a version of its own by /playback.
    sqlx::query("UPDATE video_metadata SET video_codec = 'hevc'").execute(app.db.pool()).await.unwrap();
    let sprite = ann.get(&path).await;
    sprite.assert_status(200);
    assert!(sprite.body["url"].as_str().unwrap().contains("/v/x/sprite.webp"));
    assert!(sprite.body["vtt_url"].as_str().unwrap().contains("/v/x/sprite.vtt"));
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(tasks, 0);
}

#[tokio::test]
async fn a_file_that_is_there_already_is_named_before_a_byte_is_sent() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let rain = said(&app, &ann, "Rain", &[(0, 3000, "x")]).await;
    change(&app, rain, "sha256 = '\\x0102030405060708091011121314151617181920212223242526272829303132'").await;
    let sha256 = "0102030405060708091011121314151617181920212223242526272829303132";
    let announce = async |person: &Person, more: Value| {
        let mut body = json!({ "filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": 5 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        person.post("/videos/uploads", body).await
    };
    let refused = announce(&ann, json!({ "sha256": sha256 })).await;
    refused.assert_problem(409, "duplicate");
    assert_eq!((&refused.body["video_id"], &refused.body["title"]), (&json!(rain), &json!("Rain")));
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 0);
    for wrong in ["", "01", &sha256.replace('0', "g"), &format!("{sha256}00")] {
        announce(&ann, json!({ "sha256": wrong })).await.assert_problem(400, "invalid_request");
    }
    announce(&ann, json!({ "sha256": sha256.replace("01", "02") })).await.assert_status(201);
    announce(&ann, json!({ "sha256": sha256, "allow_duplicate": true })).await.assert_status(201);
    // Somebody else's copy is nobody's business.
    announce(&ben, json!({ "sha256": sha256.to_uppercase() })).await.assert_status(201);
    // One that failed or was deleted is no reason not to send it again.
    change(&app, rain, "state = 'failed'").await;
    announce(&ann, json!({ "sha256": sha256 })).await.assert_status(201);
}
