//! Clips and shares: what leaves a library, for how long, and for whom.

use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{ClipId, VideoId, clips, keys};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, said, scene_of};

/// What the worker does when it has cut every part that is waiting.
async fn cut_all(app: &App) {
    let waiting: Vec<(Uuid, Uuid)> = sqlx::query_as("SELECT clip_id, video_id FROM clips WHERE object_key IS NULL")
        .fetch_all(app.db.pool())
        .await
        .unwrap();
    for (clip, video) in waiting {
        let (clip, key) = (ClipId(clip), keys::clip(VideoId(video), ClipId(clip)));
        let mut connection = app.db.pool().acquire().await.unwrap();
        assert!(clips::set(&mut connection, clip, &key, 1234).await.unwrap());
    }
}

async fn count(app: &App, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(app.db.pool()).await.unwrap()
}

#[tokio::test]
async fn ann_shares_a_moment_and_ben_sees_that_and_nothing_else() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = said(&app, &ann, "Rain", &[(0, 60_000, "rain"), (60_000, 120_000, "wind")]).await;
    let shares = format!("/videos/{video}/shares");
    let made = ann.post(&shares, json!({ "start_ms": 60_000, "end_ms": 75_000 })).await;
    let made = &made.assert_status(201).body;
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["path"], format!("/app/s/{token}"));
    // The database could not tell anybody the link.
    assert_eq!(count(&app, "SELECT count(*) FROM shares WHERE octet_length(token_hash) = 32").await, 1);

    let link = format!("/shares/{token}");
    app.anonymous("GET", &link, None).await.assert_problem(401, "unauthenticated");
    let moment = ben.get(&link).await.assert_status(200).body.clone();
    assert_eq!((&moment["state"], &moment["url"]), (&json!("preparing"), &Value::Null));
    cut_all(&app).await;
    let moment = ben.get(&link).await.assert_status(200).body.clone();
    assert_eq!(
        (&moment["title"], &moment["shared_by"], &moment["start_ms"], &moment["end_ms"]),
        (&json!("Rain"), &json!("ann"), &json!(60_000), &json!(75_000))
    );
    let url = moment["url"].as_str().unwrap();
    assert!(url.contains("/clips/") && url.contains("X-Amz-Expires=600"), "a clip, for ten minutes: {url}");
    assert!(!moment.to_string().contains("/source"), "never the source");
    // The link opens that moment, not the video, its words, or the list of shares.
    for path in ["", "/scenes", "/transcript", "/playback", "/shares"] {
        ben.get(&format!("/videos/{video}{path}")).await.assert_problem(404, "not_found");
    }
    // Nor can the share's clip be had as a download.
    assert_eq!(app.noted("moment_shared").await, 1);

    let list = ann.get(&shares).await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains(token), "a link is shown once");
    let share = list["items"][0]["share_id"].as_str().unwrap();
    ben.delete(&format!("{shares}/{share}")).await.assert_problem(404, "not_found");
    ann.delete(&format!("{shares}/{share}")).await.assert_status(204);
    ann.delete(&format!("{shares}/{share}")).await.assert_problem(404, "not_found");
    ben.get(&link).await.assert_problem(404, "not_found");
    assert_eq!(ann.get(&shares).await.body["items"], json!([]));
    assert_eq!(count(&app, "SELECT count(*) FROM clips").await, 0, "the clip goes with the share");
    assert_eq!(count(&app, "SELECT count(*) FROM tasks WHERE kind = 'delete_objects'").await, 1);
    assert_eq!(app.noted("share_revoked").await, 1);
}

#[tokio::test]
async fn a_share_ends_by_itself_and_with_its_video() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = said(&app, &ann, "Rain", &[(0, 1_200_000, "rain")]).await;
    let shares = format!("/videos/{video}/shares");
    let part = |start: i64, end: i64, days: i64| json!({ "start_ms": start, "end_ms": end, "expires_at": Utc::now() + TimeDelta::days(days) });
    for wrong in [part(0, 1000, 31), part(0, 1000, -1), part(-1, 1000, 1), part(2000, 1000, 1), part(0, 700_000, 1)] {
        ann.post(&shares, wrong).await.assert_problem(400, "invalid_request");
    }
    // Thirty days by a clock that is five minutes fast are thirty days.
    let fast = json!({ "start_ms": 5000, "end_ms": 6000, "expires_at": Utc::now() + TimeDelta::days(30) + TimeDelta::minutes(5) });
    let made = ann.post(&shares, fast).await.assert_status(201).body.clone();
    let ends: DateTime<Utc> = made["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(ends <= Utc::now() + TimeDelta::days(30));
    let token = async |body: Value| {
        let made = ann.post(&shares, body).await;
        made.assert_status(201).body["token"].as_str().unwrap().to_owned()
    };
    let (short, long) = (token(part(0, 1000, 1)).await, token(part(1000, 2000, 30)).await);
    sqlx::query("UPDATE shares SET expires_at = now() - interval '1 second' WHERE start_ms = 0")
        .execute(app.db.pool())
        .await
        .unwrap();
    ben.get(&format!("/shares/{short}")).await.assert_problem(404, "not_found");
    ben.get(&format!("/shares/{long}")).await.assert_status(200);
    for nonsense in ["x", &long[1..], &format!("{long}A")] {
        ben.get(&format!("/shares/{nonsense}")).await.assert_problem(404, "not_found");
    }
    ann.delete(&format!("/videos/{video}")).await.assert_status(204);
    ben.get(&format!("/shares/{long}")).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_clip_is_made_once_handed_out_signed_and_gone_after_a_day() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain: a film", &[(0, 60_000, "rain")]).await;
    let ask = async |body: Value| ann.post(&format!("/videos/{video}/clips"), body).await;
    let clip = ask(json!({ "start_ms": 5000, "end_ms": 9000 })).await.assert_status(202).body.clone();
    assert_eq!((&clip["state"], &clip["url"], &clip["exact"]), (&json!("preparing"), &Value::Null, &json!(false)));
    let again = ask(json!({ "start_ms": 5000, "end_ms": 9000 })).await.body;
    assert_eq!(again["clip_id"], clip["clip_id"], "the same part is one clip");
    let exact = ask(json!({ "start_ms": 5000, "end_ms": 9000, "exact": true })).await.body;
    assert_ne!(exact["clip_id"], clip["clip_id"]);
    assert_eq!(count(&app, "SELECT count(*) FROM tasks WHERE kind = 'cut_clip'").await, 2);
    cut_all(&app).await;
    let path = format!("/videos/{video}/clips/{}", clip["clip_id"].as_str().unwrap());
    let ready = ann.get(&path).await.assert_status(200).body.clone();
    assert_eq!((&ready["state"], &ready["size_bytes"]), (&json!("ready"), &json!(1234)));
    let url = ready["url"].as_str().unwrap();
    assert!(url.contains("X-Amz-Expires=600") && url.contains("attachment"), "{url}");

    // A task that failed for good says so, and another try is another clip.
    let third = ask(json!({ "start_ms": 0, "end_ms": 1000 })).await.body;
    sqlx::query(
        "UPDATE tasks SET state = 'failed', error_message = 'The file is damaged.' WHERE payload ->> 'clip_id' = $1",
    )
    .bind(third["clip_id"].as_str().unwrap())
    .execute(app.db.pool())
    .await
    .unwrap();
    let failed = ann.get(&format!("/videos/{video}/clips/{}", third["clip_id"].as_str().unwrap())).await.body;
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("The file is damaged.")));
    assert_ne!(ask(json!({ "start_ms": 0, "end_ms": 1000 })).await.body["clip_id"], third["clip_id"]);

    sqlx::query("UPDATE clips SET expires_at = now() - interval '1 second'").execute(app.db.pool()).await.unwrap();
    ann.get(&path).await.assert_problem(404, "not_found");
    assert_eq!(clips::expire(app.db.pool()).await.unwrap(), 4);
    let keys: Value = sqlx::query_scalar("SELECT payload FROM tasks WHERE kind = 'delete_objects'")
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 4, "their objects go");
}

#[tokio::test]
async fn one_persons_clips_do_not_keep_everybody_waiting() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let (anns, bens) =
        (said(&app, &ann, "Rain", &[(0, 60_000, "rain")]).await, said(&app, &ben, "Sun", &[(0, 60_000, "sun")]).await);
    let ask = async |start: i64| {
        ann.post(&format!("/videos/{anns}/clips"), json!({ "start_ms": start, "end_ms": start + 1000 })).await
    };
    for second in 0..20 {
        ask(second * 1000).await.assert_status(202);
    }
    let more = ask(30_000).await;
    assert_eq!(more.assert_problem(409, "conflict").body["conflict"], "clips_waiting");
    ask(0).await.assert_status(202);
    let share = json!({ "start_ms": 0, "end_ms": 5000 });
    ann.post(&format!("/videos/{anns}/shares"), share.clone()).await.assert_problem(409, "conflict");
    ben.post(&format!("/videos/{bens}/shares"), share).await.assert_status(201);
    cut_all(&app).await;
    ask(30_000).await.assert_status(202);
}

#[tokio::test]
async fn scenes_go_to_an_editing_program_with_timecode() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(
        &app,
        &ann,
        "Rain",
        &[(0, 60_060, "it was, \"so\""), (60_060, 120_120, "wind"), (120_120, 130_130, "sun")],
    )
    .await;
    sqlx::query("UPDATE video_metadata SET fps = 29.97").execute(app.db.pool()).await.unwrap();
    let get = async |query: String| ann.get(&format!("/videos/{video}/markers?{query}")).await;
    let edl = get("format=edl".into()).await;
    assert_eq!(edl.assert_status(200).header("content-type"), "text/plain; charset=utf-8");
    // A minute and 60 ms: 1800 frames, of which two numbers are dropped.
    assert!(edl.text.contains("FCM: DROP FRAME") && edl.text.contains("00:00:00;00 00:01:00;02"), "{}", edl.text);
    let second = scene_of(video, 60_060, 120_120);
    let xml = get(format!("format=fcpxml&scenes={second}")).await;
    assert_eq!(xml.assert_status(200).text.matches("<asset-clip").count(), 1);
    assert!(xml.text.contains(r#"value="Scene 2" note="wind""#), "{}", xml.text);
    let csv = get("format=csv".into()).await;
    assert_eq!(csv.assert_status(200).text.lines().count(), 4);
    assert!(csv.text.contains("\"it was, \"\"so\"\"\""), "{}", csv.text);
    for wrong in ["", "format=doc", "format=edl&scenes=x"] {
        get(wrong.into()).await.assert_problem(400, "invalid_request");
    }
}
