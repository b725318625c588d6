//! Photos of people on their way in.

use heimdex_db::{
    people::{self, Verdict},
    store::Store,
};
use serde_json::{Value, json};

use super::{JPEG, id, send};
use crate::support::App;

/// Keys of all photos in the object storage.
async fn objects(app: &App) -> Vec<String> {
    Store::new(&app.s3.config()).list("p/").await.unwrap()
}

#[tokio::test]
async fn photos_that_cannot_be_are_refused_at_the_door() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let made = ann.post("/people", json!({ "display_name": "Minji" })).await;
    let shy = id(&made.assert_status(201).body);
    send(&ann, &shy, "image/jpeg", JPEG.to_vec(), None).await.assert_problem(422, "consent_required");
    ann.patch(&format!("/people/{shy}"), json!({ "consent": true, "consent_note": "signed" })).await.assert_status(200);
    send(&ann, &shy, "image/gif", JPEG.to_vec(), None).await.assert_problem(415, "unsupported_media_type");
    send(&ann, &shy, "application/json", b"{}".to_vec(), None).await.assert_problem(415, "unsupported_media_type");
    send(&ann, &shy, "image/jpeg", Vec::new(), None).await.assert_problem(400, "invalid_request");
    send(&ann, &shy, "image/jpeg", vec![0; 10 << 20], None).await.assert_status(202);
    send(&ann, &shy, "image/jpeg", vec![0; (10 << 20) + 1], None).await.assert_problem(413, "body_too_large");
    for _ in 0..9 {
        send(&ann, &shy, "image/jpeg", JPEG.to_vec(), None).await.assert_status(202);
    }
    send(&ann, &shy, "image/jpeg", JPEG.to_vec(), None).await.assert_problem(409, "too_many_photos");
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM face_photos").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(kept, 10);
    ann.post("/people", json!({ "display_name": " " })).await.assert_problem(400, "invalid_request");
    ann.post("/people", json!({ "display_name": "x", "consent": true })).await.assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_photo_sent_twice_with_one_key_is_one_photo() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let body = json!({ "display_name": "Minji", "consent": true, "consent_note": "signed" });
    let minji = id(&ann.post("/people", body).await.assert_status(201).body);
    let first = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), Some("one")).await;
    let second = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), Some("one")).await;
    assert_eq!(first.assert_status(202).body, second.assert_status(202).body);
    send(&ann, &minji, "image/jpeg", b"another".to_vec(), Some("one"))
        .await
        .assert_problem(422, "idempotency_key_reused");
    let list = ann.get(&format!("/people/{minji}/photos")).await.assert_status(200).body.clone();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let keys = objects(&app).await;
    assert_eq!(keys.len(), 1, "what was sent again was not kept: {keys:?}");
}

#[tokio::test]
async fn a_rejected_photo_says_why_on_the_stream_and_can_be_deleted() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let body = json!({ "display_name": "Minji", "consent": true, "consent_note": "signed" });
    let minji = id(&ann.post("/people", body).await.assert_status(201).body);
    let mut stream = ann.request("GET", "/events").send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: snapshot") {
        heard.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    let photo = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), None).await.assert_status(202).body["photo_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut tx = app.db.pool().begin().await.unwrap();
    let waiting = people::to_check(&mut *tx, photo.parse().unwrap()).await.unwrap().unwrap();
    let verdict = Verdict::Rejected { code: "no_face".into(), message: "No face was found in this photo.".into() };
    people::set_verdict(&mut tx, &waiting, None, &verdict).await.unwrap();
    tx.commit().await.unwrap();
    while !heard.contains("event: photo") {
        heard.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(heard.contains(&photo) && heard.contains("no_face"), "{heard}");
    let listed = ann.get(&format!("/people/{minji}/photos")).await.body["items"][0].clone();
    assert_eq!(
        (&listed["state"], &listed["code"], &listed["url"]),
        (&json!("rejected"), &json!("no_face"), &Value::Null)
    );
    assert!(listed["message"].as_str().unwrap().ends_with('.'));
    ann.delete(&format!("/people/{minji}/photos/{photo}")).await.assert_status(204);
    ann.delete(&format!("/people/{minji}/photos/{photo}")).await.assert_problem(404, "not_found");
}
