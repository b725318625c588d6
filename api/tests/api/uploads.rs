//! From a file to a run.

use serde_json::{Value, json};

use crate::support::{App, Person};

const MIB: usize = 1 << 20;

/// Three parts: 8, 8 and 1 MiB.
const SIZE: usize = 17 * MIB;

fn part(number: i32) -> Vec<u8> {
    vec![u8::try_from(number).unwrap(); if number < 3 { 8 * MIB } else { MIB }]
}

async fn runs(app: &App, video: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM runs WHERE video_id = $1::uuid")
        .bind(video)
        .fetch_one(app.db.pool())
        .await
        .unwrap()
}

async fn complete(ann: &Person, video: &str) -> crate::support::Reply {
    ann.post(&format!("/videos/{video}/uploads/complete"), json!({})).await
}

#[tokio::test]
async fn parts_come_in_any_order_and_twice_and_another_process_goes_on() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = ann.announce(SIZE).await;
    ann.send_part(&video, 3, part(3)).await;
    ann.send_part(&video, 1, vec![9; 8 * MIB]).await;
    ann.send_part(&video, 1, part(1)).await;

    let missing = complete(&ann, &video).await;
    missing.assert_problem(409, "upload_parts_missing");
    assert_eq!(missing.body["missing"], json!([2]));

    // The tab was closed; another one asks what is there.
    let stored = ann.get(&format!("/videos/{video}/uploads/parts")).await.body;
    assert_eq!(
        (&stored["part_size_bytes"], &stored["part_count"], &stored["size_bytes"]),
        (&json!(8 * MIB), &json!(3), &json!(SIZE))
    );
    assert_eq!(
        stored["parts"].as_array().unwrap().iter().map(|p| p["part_number"].as_i64().unwrap()).collect::<Vec<_>>(),
        [1, 3]
    );
    let etag = ann.send_part(&video, 2, part(2)).await;

    let other = json!({ "parts": [{ "part_number": 2, "etag": "\"0123\"" }] });
    ann.post(&format!("/videos/{video}/uploads/complete"), other).await.assert_problem(409, "upload_etag_mismatch");
    let done = ann
        .post(&format!("/videos/{video}/uploads/complete"), json!({ "parts": [{ "part_number": 2, "etag": etag }] }))
        .await;
    done.assert_status(202);
    assert_eq!((&done.body["state"], &done.body["size_bytes"]), (&json!("validating"), &json!(SIZE)));

    let again = complete(&ann, &video).await;
    again.assert_status(202);
    assert_eq!(again.body["video_id"], done.body["video_id"]);
    assert_eq!(runs(&app, &video).await, 1);
    let jobs = ann.get(&format!("/videos/{video}/jobs")).await.body;
    assert_eq!(jobs["items"].as_array().unwrap().len(), 12);
    assert_eq!(
        (&jobs["items"][0]["stage"], &jobs["items"][11]["stage"]),
        (&json!("upload_validate"), &json!("commit"))
    );
    let pushed: i64 = sqlx::query_scalar("SELECT count(*) FROM apalis.jobs WHERE job_type = 'stage.upload_validate'")
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(pushed, 1);
    ann.post(&format!("/videos/{video}/uploads/parts"), json!({ "part_numbers": [1] }))
        .await
        .assert_problem(409, "upload_not_open");
}

#[tokio::test]
async fn completing_at_once_makes_one_run() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = ann.announce(MIB).await;
    ann.send_part(&video, 1, vec![1; MIB]).await;
    for reply in futures::future::join_all((0..6).map(|_| complete(&ann, &video))).await {
        reply.assert_status(202);
    }
    assert_eq!(runs(&app, &video).await, 1);
}

#[tokio::test]
async fn a_completion_that_died_half_way_is_taken_up() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = ann.announce(MIB).await;
    ann.send_part(&video, 1, vec![1; MIB]).await;
    complete(&ann, &video).await.assert_status(202);
    // As if the API had been killed between S3's answer and its own transaction: the object is whole, the row is not.
    let upload: String = "gone".into();
    sqlx::query("DELETE FROM runs WHERE video_id = $1::uuid").bind(&video).execute(app.db.pool()).await.unwrap();
    sqlx::query("UPDATE videos SET state = 'uploading', upload_id = $2 WHERE video_id = $1::uuid")
        .bind(&video)
        .bind(&upload)
        .execute(app.db.pool())
        .await
        .unwrap();
    complete(&ann, &video).await.assert_status(202);
    assert_eq!(runs(&app, &video).await, 1);
}

#[tokio::test]
async fn a_wrong_size_can_be_mended() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = ann.announce(MIB).await;
    // The URL is for exactly the announced bytes; whoever gets around that meets the check at the end.
    let urls = ann.post(&format!("/videos/{video}/uploads/parts"), json!({ "part_numbers": [1] })).await.body;
    let sent = app.http.put(urls["parts"][0]["url"].as_str().unwrap()).body(vec![1; MIB / 2]).send().await.unwrap();
    if sent.status().is_success() {
        let reply = complete(&ann, &video).await;
        reply.assert_problem(409, "upload_size_mismatch");
        assert_eq!((&reply.body["announced_bytes"], &reply.body["stored_bytes"]), (&json!(MIB), &json!(MIB / 2)));
    }
    ann.send_part(&video, 1, vec![1; MIB]).await;
    complete(&ann, &video).await.assert_status(202);
}

#[tokio::test]
async fn an_aborted_upload_is_given_back() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = ann.announce(MIB).await;
    ann.send_part(&video, 1, vec![1; MIB]).await;
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 1);
    ann.delete(&format!("/videos/{video}/uploads")).await.assert_status(204);
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 0);
    ann.get(&format!("/videos/{video}")).await.assert_problem(404, "not_found");
    ann.delete(&format!("/videos/{video}/uploads")).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_daily_limit_holds_when_requests_come_at_once() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let body = json!({ "filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": 5 });
    let replies = futures::future::join_all((0..10).map(|_| ann.post("/videos/uploads", body.clone()))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 3);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        reply.assert_problem(429, "daily_uploads_used_up");
        assert_eq!((&reply.body["limit"], &reply.body["remaining"]), (&json!(3), &json!(0)));
        assert!(reply.body["resets_at"].as_str().unwrap().ends_with("T00:00:00Z"));
        assert!(!reply.header("retry-after").is_empty());
    }
    // Another tier has no such limit.
    let ben = app.enterprise("ben").await;
    for _ in 0..5 {
        ben.post("/videos/uploads", body.clone()).await.assert_status(201);
    }
}

#[tokio::test]
async fn what_is_too_large_or_nameless_is_refused_before_a_byte_is_sent() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let ask = async |filename: &str, size: Value| {
        ann.post("/videos/uploads", json!({ "filename": filename, "mime_type": "video/mp4", "size_bytes": size })).await
    };
    let reply = ask("a.mp4", json!((1_u64 << 30) + 1)).await;
    reply.assert_problem(413, "file_too_large");
    assert_eq!(reply.body["limit_bytes"], json!(1_u64 << 30));
    ask("a.mp4", json!(0)).await.assert_problem(400, "invalid_request");
    ask("a.mp4", json!(-1)).await.assert_problem(400, "invalid_request");
    ask("a.mp4", json!("many")).await.assert_problem(400, "invalid_json");
    ask("a.mp4", json!(1.5)).await.assert_problem(400, "invalid_json");
    ask("", json!(5)).await.assert_problem(400, "invalid_request");
    ask("a\u{0}.mp4", json!(5)).await.assert_problem(400, "invalid_request");
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 0);
    let ok = ask("../../민지 \"울음\" 🎬.mp4", json!(5)).await;
    let video = ann.get(&format!("/videos/{}", ok.assert_status(201).body["video_id"].as_str().unwrap())).await.body;
    assert_eq!(
        (&video["original_filename"], &video["title"]),
        (&json!("민지 \"울음\" 🎬.mp4"), &json!("민지 \"울음\" 🎬"))
    );
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let send = async |key: &str, size: i64| {
        let request = ann.request("POST", "/videos/uploads").header("idempotency-key", key);
        let body = json!({ "filename": "a.mp4", "mime_type": "video/mp4", "size_bytes": size });
        crate::support::Reply::read(request.json(&body).send().await.unwrap()).await
    };
    let replies = futures::future::join_all((0..5).map(|_| send("k1", 5))).await;
    for reply in &replies {
        assert_eq!(reply.assert_status(201).body, replies[0].body);
    }
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 1);
    send("k1", 6).await.assert_problem(422, "idempotency_key_reused");
}
