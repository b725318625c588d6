//! Another person's id is 404, whatever is done with it; without a token everything is 401.

use serde_json::{Value, json};

use crate::support::{App, said, scene_of};

/// Every operation of the document that is for signed-in people, with ids put in.
fn operations(video: &str, scene: &str, person: &str, saved: &str) -> Vec<(String, String, bool)> {
    let document: Value = serde_json::to_value(heimdex_api::openapi::document()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation.is_object()) {
            let open = operation["security"]
                .as_array()
                .is_some_and(|any| any.iter().any(|s| s.as_object().is_some_and(serde_json::Map::is_empty)));
            if !open {
                let filled =
                    path.replace("{video_id}", video).replace("{scene_id}", scene).replace("{person_id}", person);
                let filled = ["{photo_id}", "{clip_id}", "{share_id}"]
                    .iter()
                    .fold(filled, |path, name| path.replace(name, person));
                let filled = filled.replace("{saved_id}", saved).replace("{segment_no}", "0");
                let filled = if path.ends_with("/markers") { format!("{filled}?format=csv") } else { filled };
                all.push((method.to_uppercase(), filled.clone(), filled != *path));
            }
        }
    }
    all
}

/// A body that would be fine.
fn body(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "parts" => json!({ "part_numbers": [1] }),
        "search" => json!({ "query": "rain" }),
        "people" => json!({ "display_name": "Minji" }),
        "merge" => json!({ "from": [uuid::Uuid::nil()] }),
        "split" => json!({ "faces": [{ "scene_id": uuid::Uuid::nil() }] }),
        "reject" => json!({ "scene_id": uuid::Uuid::nil() }),
        "clips" | "shares" => json!({ "start_ms": 0, "end_ms": 1000 }),
        "0" => json!({ "run_id": uuid::Uuid::nil(), "was": "rain", "text": "train" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn another_persons_things_do_not_exist() {
    let app = App::with_faces().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let minji = json!({ "display_name": "Minji", "consent": true, "consent_note": "asked her" });
    let person = ann.post("/people", minji).await.body["person_id"].as_str().unwrap().to_owned();
    let video = said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    let scene = scene_of(video, 0, 4000).to_string();
    let saved = json!({ "name": "Rain", "request": { "query": "raining" } });
    let saved = ann.post("/searches/saved", saved).await.body["saved_id"].as_str().unwrap().to_owned();
    ann.post("/search", json!({ "query": "raining" })).await.assert_status(200);
    let mut tried = 0;
    for (method, path, has_id) in operations(&video.to_string(), &scene, &person, &saved) {
        app.anonymous(&method, &path, Some(&body(&path))).await.assert_problem(401, "unauthenticated");
        if has_id {
            let reply = ben.call(&method, &path, Some(body(&path))).await;
            // What operators may do with everybody's is nobody else's business, whatever it is about.
            if path.starts_with("/admin/") {
                reply.assert_problem(403, "forbidden");
                continue;
            }
            assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text);
            reply.assert_problem(404, "not_found");
            tried += 1;
        }
    }
    assert!(tried >= 25, "only {tried} operations take an id");
    // Ben finds nothing of Ann's, and Ann still has it.
    let found = ben.post("/search", json!({ "query": "raining" })).await.body;
    assert_eq!(found["items"], json!([]));
    assert_eq!(ben.get("/search/suggest?q=rain").await.body["items"], json!([]));
    assert_eq!(ben.get("/videos").await.body["items"], json!([]));
    let filtered = ben.post("/search", json!({ "query": "raining", "filters": { "video_ids": [video] } })).await.body;
    assert_eq!(filtered["items"], json!([]));
    assert_eq!(ben.get("/people").await.body["items"], json!([]));
    assert_eq!(ben.get("/searches/saved").await.body["items"], json!([]));
    let asked = ben.get("/searches/history").await.body;
    assert!(asked["items"].as_array().unwrap().iter().all(|past| past["hits"] == 0), "{asked}");
    ann.get(&format!("/videos/{video}")).await.assert_status(200);
    ann.get(&format!("/people/{person}")).await.assert_status(200);
    assert_eq!(ann.get("/searches/saved").await.body["items"][0]["name"], "Rain");
    assert_eq!(ann.get("/searches/history").await.body["items"][0]["query"], "raining");
}
