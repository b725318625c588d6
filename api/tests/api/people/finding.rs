//! Where people are seen: in scenes, searches and lists.

use heimdex_db::SceneId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{JPEG, enrolled, id, seen, send, worker_accepts};
use crate::support::{App, scene_of};

#[tokio::test]
async fn a_friend_is_enrolled_with_three_photos_and_found_in_what_was_indexed_before() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let video = seen(&app, &ann, "Holiday", [0.0, 120.0]).await;
    let person = ann
        .post("/people", json!({ "display_name": " Minji ", "consent": true, "consent_note": "asked her on 3 May" }))
        .await
        .assert_status(201)
        .body
        .clone();
    assert_eq!(
        (&person["display_name"], &person["state"], &person["photos_missing"]),
        (&json!("Minji"), &json!("enrolling"), &json!(3))
    );
    assert_eq!((&person["is_matched"], &person["consent"]["note"]), (&json!(false), &json!("asked her on 3 May")));
    let minji = id(&person);
    let sent = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), None).await;
    sent.assert_status(202);
    assert_eq!((&sent.body["state"], &sent.body["url"]), (&json!("checking"), &Value::Null));
    for kind in ["image/png", "image/webp"] {
        send(&ann, &minji, kind, JPEG.to_vec(), None).await.assert_status(202);
    }
    worker_accepts(&app, &ann, 3.0).await;
    let person = ann.get(&format!("/people/{minji}")).await.assert_status(200).body.clone();
    assert_eq!(
        (&person["state"], &person["photos_accepted"], &person["scenes"]),
        (&json!("enrolled"), &json!(3), &json!(1))
    );
    assert!(person["photos"][0]["url"].as_str().unwrap().contains("X-Amz-Expires=600"));
    assert!(person["cover_url"].as_str().unwrap().contains("/v/x/cover.jpg"));
    let scenes = ann.get(&format!("/people/{minji}/scenes")).await.assert_status(200).body.clone();
    assert_eq!(scenes["items"][0]["scene_id"], json!(scene_of(video, 0, 10_000)));
    assert_eq!((scenes["items"].as_array().unwrap().len(), &scenes["next_cursor"]), (1, &Value::Null));

    // Scenes say who is in them; the other one has somebody without a name.
    let all = ann.get(&format!("/videos/{video}/scenes")).await.body;
    assert_eq!(all["items"][0]["people"], json!([{ "person_id": minji, "display_name": "Minji", "share": 0.5 }]));
    assert_eq!(all["items"][1]["people"][0]["display_name"], Value::Null);
    let one = ann.get(&format!("/scenes/{}", scene_of(video, 0, 10_000))).await.body;
    assert_eq!(one["people"], all["items"][0]["people"]);
    // The person's list names people first.
    let list = ann.get("/people").await.assert_status(200).body.clone();
    let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|p| p["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["enrolled", "unknown"]);
    assert_eq!(ann.get("/people?kind=unknown").await.body["items"].as_array().unwrap().len(), 1);
    ann.get("/people?kind=friends").await.assert_problem(400, "invalid_request");
    assert_eq!(
        (app.noted("person_made").await, app.noted("consent_recorded").await, app.noted("person_photo_added").await),
        (1, 1, 3)
    );
}

#[tokio::test]
async fn of_two_of_one_family_the_one_who_is_named_is_shown() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    let video = seen(&app, &ann, "Holiday", [0.0, 120.0]).await;
    enrolled(&app, &ann, "Zoë Müller", 3.0).await;
    enrolled(&app, &ann, "Max Müller", 121.0).await;
    // Max comes into Zoë's scene, and is seen better.
    let mut tx = app.db.pool().begin().await.unwrap();
    for statement in [
        "UPDATE face_tracks SET scene_id = $1 WHERE scene_id = $2",
        "UPDATE face_detections SET scene_id = $1, quality = 0.99 WHERE scene_id = $2",
    ] {
        sqlx::query(statement)
            .bind(scene_of(video, 0, 10_000))
            .bind(scene_of(video, 10_000, 20_000))
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    for (query, shown) in [("zoe muller", "Zoë Müller"), ("max", "Max Müller"), ("maxim and zoe", "Zoë Müller")] {
        let answer =
            ann.post("/search", json!({ "query": query, "channels": ["who"] })).await.assert_status(200).body.clone();
        assert_eq!(answer["items"][0]["matches"][0]["quote"], shown, "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_search_for_a_name_finds_the_person() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    let video = seen(&app, &ann, "Holiday", [0.0, 120.0]).await;
    let zoe = enrolled(&app, &ann, "Zoë Müller", 3.0).await;
    let ben = enrolled(&app, &ann, "민지", 121.0).await;
    let found = async |query: &str| {
        let answer =
            ann.post("/search", json!({ "query": query, "channels": ["who"] })).await.assert_status(200).body.clone();
        answer["items"].as_array().unwrap().iter().map(|hit| hit["scene_id"].clone()).collect::<Vec<_>>()
    };
    let (first, second) = (json!(scene_of(video, 0, 10_000)), json!(scene_of(video, 10_000, 20_000)));
    for query in ["zoe muller", "ZOË MÜLLER crying", "is zoe there?", "zoë's dog"] {
        assert_eq!(found(query).await, std::slice::from_ref(&first), "{query}");
    }
    assert_eq!(found("민지가 우는 장면").await, std::slice::from_ref(&second));
    // Whose face it is, and where.
    let answer = ann.post("/search", json!({ "query": "zoe muller", "channels": ["who"] })).await.body;
    let matched = &answer["items"][0]["matches"][0];
    assert_eq!(matched["quote"], "Zoë Müller", "{answer}");
    assert!(
        matched["at_ms"].is_i64() && matched["box"].as_array().is_some_and(|corners| corners.len() == 4),
        "{answer}"
    );
    for query in ["zo", "zoetrope", "nobody"] {
        assert_eq!(found(query).await, Vec::<Value>::new(), "{query}");
    }
    // Whoever misspells a name, or speaks of the whole family, means that person.
    for query in ["mullers", "zoe mulller"] {
        assert_eq!(found(query).await, std::slice::from_ref(&first), "{query}");
    }
    // With the words that are said: the scene that has both comes first.
    let both = ann.post("/search", json!({ "query": "zoe raining" })).await.body;
    assert_eq!(both["items"][0]["scene_id"], first);
    assert!(both["items"][0]["matches"].as_array().unwrap().iter().any(|m| m["channel"] == "who"));
    let filtered = async |people: Value| {
        ann.post("/search", json!({ "query": "raining sun", "filters": { "people": people } }))
            .await
            .assert_status(200)
            .body["items"]
            .clone()
    };
    assert_eq!(filtered(json!([ben])).await[0]["scene_id"], second);
    assert_eq!(filtered(json!([zoe])).await.as_array().unwrap().len(), 1);
    assert_eq!(filtered(json!([Uuid::new_v4()])).await, json!([]));
    // Another person's name finds nothing of hers.
    let eve = app.user("eve").await;
    assert_eq!(eve.post("/search", json!({ "query": "zoe" })).await.body["items"], json!([]));
    assert_eq!(
        eve.post("/search", json!({ "query": "raining", "filters": { "people": [zoe] } })).await.body["items"],
        json!([])
    );
}

#[tokio::test]
async fn pages_of_people_and_of_their_scenes_neither_repeat_nor_skip() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    for n in 0..4_u8 {
        seen(&app, &ann, "One", [f32::from(n), 80.0 + 45.0 * f32::from(n)]).await;
    }
    for name in ["b", "C", "a"] {
        ann.post("/people", json!({ "display_name": name })).await.assert_status(201);
    }
    let walk = async |path: &str| {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ann.get(&format!("{path}?limit=2{cursor}")).await.assert_status(200).body.clone();
            all.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    };
    let people = walk("/people").await;
    let names: Vec<_> = people.iter().filter_map(|p| p["display_name"].as_str()).collect();
    assert_eq!(names, ["a", "b", "C"]);
    let unknown: Vec<_> = people[3..].iter().map(|p| p["scenes"].as_i64().unwrap()).collect();
    assert_eq!(unknown[0], 4);
    assert_eq!(unknown.iter().sum::<i64>(), 8);
    let scenes = walk(&format!("/people/{}/scenes", id(&people[3]))).await;
    let mut ids: Vec<SceneId> = scenes.iter().map(|s| s["scene_id"].as_str().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((scenes.len(), ids.len()), (4, 4));
}

#[tokio::test]
async fn switched_off_there_are_no_people() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    assert_eq!(ann.get("/config").await.body["features"]["faces"], false);
    let video = seen(&app, &ann, "One", [0.0, 120.0]).await;
    let someone = Uuid::new_v4();
    for (method, path) in [
        ("GET", "/people".to_owned()),
        ("POST", "/people".to_owned()),
        ("GET", format!("/people/{someone}")),
        ("DELETE", format!("/people/{someone}")),
        ("GET", format!("/people/{someone}/scenes")),
        ("POST", format!("/people/{someone}/photos")),
    ] {
        ann.call(method, &path, Some(json!({ "display_name": "x" }))).await.assert_problem(404, "feature_off");
    }
    assert_eq!(ann.get(&format!("/videos/{video}/scenes")).await.body["items"][0]["people"], json!([]));
    let answer =
        ann.post("/search", json!({ "query": "minji", "channels": ["who"] })).await.assert_status(200).body.clone();
    assert_eq!((&answer["channels"][0]["status"], &answer["items"]), (&json!("skipped"), &json!([])));
}
