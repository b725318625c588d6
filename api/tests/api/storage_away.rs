//! The object storage is away, or has too much to do: whoever asks is told to come back, and nothing is half done.

use heimdex_testing::{TestS3, Wire};
use serde_json::{Value, json};

use crate::support::{App, Person, Reply};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 nobody looks at it here";

/// An API whose object storage is reached by a wire. Browsers have a way of their own.
async fn wired() -> (App, TestS3, Wire) {
    let s3 = TestS3::start().await.unwrap();
    let wire = Wire::to(s3.endpoint().trim_start_matches("http://").to_owned()).await;
    let (endpoint, public) = (format!("http://127.0.0.1:{}", wire.port()), s3.endpoint());
    let app = App::start_with(|name| match name {
        "S3_ENDPOINT" => Some(endpoint.clone()),
        "S3_PUBLIC_ENDPOINT" => Some(public.clone()),
        "FEATURE_FACES" => Some("true".into()),
        _ => None,
    })
    .await;
    (app, s3, wire)
}

async fn photo(ann: &Person, person: &str, key: &str) -> Reply {
    let request = ann.request("POST", &format!("/people/{person}/photos")).header("content-type", "image/jpeg");
    Reply::read(request.header("idempotency-key", key).body(JPEG.to_vec()).send().await.unwrap()).await
}

/// A refusal that tells a program when to come back, and nothing of what is inside.
#[track_caller]
fn assert_away(reply: &Reply, what: &str) {
    reply.assert_problem(503, "unavailable");
    assert_eq!(reply.header("retry-after"), "5", "{what}");
    assert!(!reply.text.contains("127.0.0.1") && !reply.text.contains("status 503"), "{what}: {}", reply.text);
}

async fn count(app: &App, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(app.db.pool()).await.unwrap()
}

#[tokio::test]
async fn a_photo_that_could_not_be_kept_is_sent_again_with_the_same_key() {
    let (app, _s3, wire) = wired().await;
    let ann = app.user("ann").await;
    let body = json!({ "display_name": "Minji", "consent": true, "consent_note": "signed" });
    let made = ann.post("/people", body).await;
    let minji = made.assert_status(201).body["person_id"].as_str().unwrap().to_owned();
    wire.busy();
    assert_away(&photo(&ann, &minji, "one").await, "busy");
    wire.cut();
    assert_away(&photo(&ann, &minji, "one").await, "cut");
    assert_eq!(count(&app, "SELECT count(*) FROM face_photos").await, 0);
    assert_eq!(count(&app, "SELECT count(*) FROM tasks WHERE kind = 'check_photo'").await, 0);
    // Looking at what is there needs no storage.
    assert_eq!(ann.get(&format!("/people/{minji}/photos")).await.assert_status(200).body["items"], json!([]));
    wire.mend();
    let first = photo(&ann, &minji, "one").await.assert_status(202).body.clone();
    assert_eq!(first["state"], "checking");
    assert_eq!(photo(&ann, &minji, "one").await.assert_status(202).body["photo_id"], first["photo_id"]);
    assert_eq!(count(&app, "SELECT count(*) FROM face_photos").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM tasks WHERE kind = 'check_photo'").await, 1);
}

#[tokio::test]
async fn an_upload_waits_for_its_storage_and_is_neither_lost_nor_counted_twice() {
    let (app, _s3, wire) = wired().await;
    let ann = app.user("ann").await;
    wire.busy();
    // To announce it takes no storage, to send it does.
    let video = ann.announce(1000).await;
    let parts = format!("/videos/{video}/uploads/parts");
    assert_away(&ann.post(&parts, json!({ "part_numbers": [1] })).await, "parts");
    wire.mend();
    ann.send_part(&video, 1, vec![7; 1000]).await;
    wire.busy();
    assert_away(&ann.get(&parts).await, "stored parts");
    let complete = format!("/videos/{video}/uploads/complete");
    assert_away(&ann.post(&complete, json!({})).await, "completed");
    assert_eq!(count(&app, "SELECT count(*) FROM runs").await, 0);
    assert_eq!(ann.get(&format!("/videos/{video}")).await.assert_status(200).body["state"], "uploading");
    wire.mend();
    let done = ann.post(&complete, json!({})).await;
    assert_eq!(done.assert_status(202).body["state"], "validating");
    assert_eq!(count(&app, "SELECT count(*) FROM runs").await, 1);
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 1);
}

#[tokio::test]
async fn a_library_is_looked_at_while_its_storage_is_away() {
    let (app, _s3, wire) = wired().await;
    let ann = app.user("ann").await;
    let video = crate::support::said(&app, &ann, "Rain", &[(0, 60_000, "it was raining")]).await;
    wire.cut();
    for path in ["/videos".to_owned(), format!("/videos/{video}"), format!("/videos/{video}/transcript")] {
        ann.get(&path).await.assert_status(200);
    }
    let found = ann.post("/search", json!({ "query": "raining" })).await.assert_status(200).body.clone();
    assert_eq!(found["items"][0]["video_id"], json!(video));
    // What a worker does later is written down now.
    let clip = ann.post(&format!("/videos/{video}/clips"), json!({ "start_ms": 0, "end_ms": 1000 })).await;
    assert_eq!((&clip.assert_status(202).body["state"], &clip.body["url"]), (&json!("preparing"), &Value::Null));
    ann.delete(&format!("/videos/{video}")).await.assert_status(204);
}
