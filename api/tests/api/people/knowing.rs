//! What the owner knows: who somebody is, who they are not, and that they should be forgotten.

use heimdex_db::{PersonId, people};
use serde_json::json;

use super::{JPEG, enrolled, id, me, seen, send, worker_matches};
use crate::support::{App, scene_of};

#[tokio::test]
async fn an_unknown_face_gets_a_name_with_consent() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    seen(&app, &ann, "One", [0.0, 100.0]).await;
    let unknown = ann.get("/people?kind=unknown").await.body["items"].clone();
    assert_eq!(unknown.as_array().unwrap().len(), 2);
    // Either: they are listed by how often they are seen, and both are seen once.
    let cluster = id(&unknown[0]);
    ann.patch(&format!("/people/{cluster}"), json!({ "display_name": "Ben" }))
        .await
        .assert_problem(422, "consent_required");
    ann.patch(&format!("/people/{cluster}"), json!({ "display_name": "Ben", "consent": true }))
        .await
        .assert_problem(400, "invalid_request");
    send(&ann, &cluster, "image/jpeg", JPEG.to_vec(), None).await.assert_problem(422, "consent_required");
    let named = ann
        .patch(
            &format!("/people/{cluster}"),
            json!({ "display_name": "Ben", "consent": true, "consent_note": "he asked me to" }),
        )
        .await
        .assert_status(200)
        .body
        .clone();
    assert_eq!(
        (&named["state"], &named["is_matched"], &named["photos_missing"]),
        (&json!("enrolled"), &json!(true), &json!(0))
    );
    // Whichever he is, he is known by that face in the next video.
    seen(&app, &ann, "Two", [10.0, 110.0]).await;
    let scenes = ann.get(&format!("/people/{cluster}/scenes")).await.body;
    assert_eq!(scenes["items"].as_array().unwrap().len(), 2, "{scenes}");
    ann.patch(&format!("/people/{cluster}"), json!({ "consent": false })).await.assert_problem(400, "invalid_request");
    let renamed = ann.patch(&format!("/people/{cluster}"), json!({ "display_name": "Benjamin" })).await;
    assert_eq!(renamed.assert_status(200).body["display_name"], "Benjamin");
    assert_eq!(app.noted("person_named").await, 1);
}

#[tokio::test]
async fn what_the_owner_knows_better_counts() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let video = seen(&app, &ann, "One", [0.0, 4.0]).await;
    let minji = enrolled(&app, &ann, "Minji", 2.0).await;
    let scenes =
        async |person: &str| ann.get(&format!("/people/{person}/scenes")).await.body["items"].as_array().unwrap().len();
    assert_eq!(scenes(&minji).await, 2);
    let second = json!({ "scene_id": scene_of(video, 10_000, 20_000) });
    ann.post(&format!("/people/{minji}/reject"), second.clone()).await.assert_status(204);
    assert_eq!(scenes(&minji).await, 1);
    ann.post(&format!("/people/{minji}/reject"), second.clone()).await.assert_problem(404, "not_found");
    worker_matches(&app, &ann).await;
    assert_eq!(scenes(&minji).await, 1);
    let unknown = id(&ann.get("/people?kind=unknown").await.body["items"][0]);
    let merged = ann.post(&format!("/people/{minji}/merge"), json!({ "from": [unknown] })).await;
    assert_eq!(merged.assert_status(200).body["scenes"], 2);
    ann.get(&format!("/people/{unknown}")).await.assert_problem(404, "not_found");
    let split = ann.post(&format!("/people/{minji}/split"), json!({ "faces": [second] })).await;
    assert_eq!((&split.assert_status(201).body["state"], &split.body["scenes"]), (&json!("unknown"), &json!(1)));
    worker_matches(&app, &ann).await;
    assert_eq!(scenes(&minji).await, 1);
    ann.post(&format!("/people/{minji}/merge"), json!({ "from": [minji] }))
        .await
        .assert_problem(400, "invalid_request");
    ann.post(&format!("/people/{minji}/merge"), json!({ "from": [] })).await.assert_problem(400, "invalid_request");
    ann.post(&format!("/people/{minji}/split"), json!({ "faces": [] })).await.assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn merging_is_no_way_round_the_consent() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    seen(&app, &ann, "One", [0.0, 100.0]).await;
    let shy = id(&ann.post("/people", json!({ "display_name": "Shy" })).await.assert_status(201).body);
    let unknown = id(&ann.get("/people?kind=unknown").await.body["items"][0]);
    for (into, from) in [(&shy, &unknown), (&unknown, &shy)] {
        ann.post(&format!("/people/{into}/merge"), json!({ "from": [from] }))
            .await
            .assert_problem(422, "consent_required");
    }
    assert_eq!(ann.get("/people").await.body["items"].as_array().unwrap().len(), 3, "nothing was done");
}

#[tokio::test]
async fn whoever_meets_an_indexing_is_told_to_come_back() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let minji = id(&ann.post("/people", json!({ "display_name": "Minji" })).await.assert_status(201).body);
    let mut indexing = app.db.pool().begin().await.unwrap();
    people::lock(&mut indexing, me(&ann).await).await.unwrap();
    let renamed = ann.patch(&format!("/people/{minji}"), json!({ "display_name": "Min-ji" })).await;
    renamed.assert_problem(503, "unavailable");
    assert_eq!(renamed.header("retry-after"), "3");
    // Looking needs no turn.
    ann.get(&format!("/people/{minji}")).await.assert_status(200);
    indexing.rollback().await.unwrap();
    ann.patch(&format!("/people/{minji}"), json!({ "display_name": "Min-ji" })).await.assert_status(200);
}

#[tokio::test]
async fn deleting_a_person_is_for_good_and_for_them_alone() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let video = seen(&app, &ann, "One", [0.0, 120.0]).await;
    let (minji, ben) = (enrolled(&app, &ann, "Minji", 2.0).await, enrolled(&app, &ann, "Ben", 121.0).await);
    ann.delete(&format!("/people/{minji}")).await.assert_status(204);
    ann.get(&format!("/people/{minji}")).await.assert_problem(404, "not_found");
    ann.delete(&format!("/people/{minji}")).await.assert_problem(404, "not_found");
    let scenes = ann.get(&format!("/videos/{video}/scenes")).await.body["items"].clone();
    assert_eq!((&scenes[0]["people"], &scenes[1]["people"][0]["person_id"]), (&json!([]), &json!(ben)));
    let vectors: i64 = sqlx::query_scalar("SELECT count(*) FROM face_photos WHERE person_id = $1")
        .bind(PersonId(minji.parse().unwrap()))
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!((vectors, app.noted("person_deleted").await), (0, 1));
    let named: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE to_jsonb(audit_events)::text LIKE '%Minji%'")
            .fetch_one(app.db.pool())
            .await
            .unwrap();
    assert_eq!(named, 0, "the history outlives her name");
}
