//! Searches that are kept by name, and the history of those that are not.

use serde_json::{Value, json};

use crate::support::{App, Person, said};

async fn save(person: &Person, name: &str, query: &str) -> Value {
    let new = json!({ "name": name, "request": { "query": query } });
    person.post("/searches/saved", new).await.assert_status(201).body.clone()
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn queries(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["query"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_search_is_kept_renamed_carried_out_and_deleted() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    let request =
        json!({ "query": "raining", "channels": ["words"], "filters": { "languages": ["en"] }, "per_video": 5 });
    let kept = ann.post("/searches/saved", json!({ "name": " Wet days ", "request": request })).await;
    let kept = kept.assert_status(201).body.clone();
    assert_eq!((&kept["name"], &kept["request"]["query"]), (&json!("Wet days"), &json!("raining")));
    // It can be sent as it is.
    let answer = ann.post("/search", kept["request"].clone()).await.assert_status(200).body.clone();
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);

    let path = format!("/searches/saved/{}", kept["saved_id"].as_str().unwrap());
    save(&ann, "Dry days", "sun").await;
    let taken = ann.patch(&path, json!({ "name": "Dry days" })).await;
    assert_eq!(taken.assert_problem(409, "conflict").body["conflict"], "name_taken");
    let again = json!({ "name": "Wet days", "request": { "query": "x" } });
    assert_eq!(ann.post("/searches/saved", again).await.assert_problem(409, "conflict").body["conflict"], "name_taken");
    let renamed = ann.patch(&path, json!({ "name": "Rainy days" })).await.assert_status(200).body.clone();
    assert_eq!((&renamed["name"], &renamed["request"]), (&json!("Rainy days"), &kept["request"]));
    let changed = ann.patch(&path, json!({ "request": { "query": "storm" } })).await.assert_status(200).body.clone();
    assert_eq!((&changed["name"], &changed["request"]), (&json!("Rainy days"), &json!({ "query": "storm" })));
    // The name is another person's to have.
    let ben = app.user("ben").await;
    save(&ben, "Rainy days", "rain").await;

    ann.delete(&path).await.assert_status(204);
    ann.delete(&path).await.assert_problem(404, "not_found");
    ann.patch(&path, json!({ "name": "Gone" })).await.assert_problem(404, "not_found");
    assert_eq!(names(&ann.get("/searches/saved").await.body), ["Dry days"]);
}

#[tokio::test]
async fn what_could_not_be_carried_out_is_not_kept() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let kept = save(&ann, "Fine", "rain\u{0} \u{7} \"and wind\"").await;
    assert_eq!(kept["request"], json!({ "query": "rain \"and wind\"" }));
    let path = format!("/searches/saved/{}", kept["saved_id"].as_str().unwrap());
    let long = "a".repeat(101);
    let tags: Vec<String> = (0..100).map(|n| format!("{n}{}", "x".repeat(50))).collect();
    let videos: Vec<uuid::Uuid> = (0..1000).map(|_| uuid::Uuid::new_v4()).collect();
    for (name, request) in [
        ("", json!({ "query": "rain" })),
        (long.as_str(), json!({ "query": "rain" })),
        ("x", json!({ "query": "" })),
        ("x", json!({ "query": "after:soon" })),
        ("x", json!({ "query": "rain", "channels": ["smell"] })),
        ("x", json!({ "query": "rain", "weights": { "words": -1 } })),
        ("x", json!({ "query": "rain", "filters": { "min_duration_s": -1 } })),
        ("x", json!({ "query": "rain", "filters": { "tags": tags, "video_ids": videos } })),
    ] {
        let new = json!({ "name": name, "request": request });
        ann.post("/searches/saved", new).await.assert_problem(400, "invalid_request");
        if name == "x" {
            ann.patch(&path, json!({ "request": request })).await.assert_problem(400, "invalid_request");
        }
    }
    let wrong = ann.patch(&path, json!({ "request": { "query": "rain after:soon" } })).await;
    assert_eq!((&wrong.body["column"], &wrong.body["column_end"]), (&json!(12), &json!(16)));
    let page = json!({ "name": "x", "request": { "query": "rain", "cursor": "x" } });
    ann.post("/searches/saved", page).await.assert_problem(400, "invalid_json");
    assert_eq!(ann.get("/searches/saved").await.body["items"][0]["request"], kept["request"]);
}

#[tokio::test]
async fn there_are_two_hundred_at_most_however_many_ask_at_once_and_they_come_in_pages() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    sqlx::query(
        "INSERT INTO saved_searches (user_id, name, request, created_at)
         SELECT user_id, 'kept ' || n, '{\"query\": \"rain\"}'::jsonb, now() - n * interval '1 minute' FROM users, generate_series(1, 197) n",
    )
    .execute(app.db.pool())
    .await
    .unwrap();
    let more = futures::future::join_all((0..6).map(|n| {
        let new = json!({ "name": format!("new {n}"), "request": { "query": "rain" } });
        ann.post("/searches/saved", new)
    }))
    .await;
    assert_eq!(more.iter().filter(|reply| reply.status == 201).count(), 3);
    for refused in more.iter().filter(|reply| reply.status != 201) {
        assert_eq!(refused.assert_problem(409, "conflict").body["conflict"], "too_many_saved_searches");
    }
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ann.get(&format!("/searches/saved?limit=70{cursor}")).await.assert_status(200).body.clone();
        all.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert!(all[..3].iter().all(|name| name.starts_with("new")), "the newest first: {:?}", &all[..3]);
    assert_eq!((all.len(), all[3].as_str(), all[199].as_str()), (200, "kept 1", "kept 197"));
    ann.get("/searches/saved?cursor=nonsense").await.assert_problem(400, "invalid_cursor");
    let foreign = cursor.replace("&cursor=", "?cursor=");
    ann.get(&format!("/searches/history{foreign}")).await.assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn the_history_has_each_query_once_and_can_be_forgotten() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    said(&app, &ann, "Rain", &[(0, 4000, "it was raining")]).await;
    for query in ["raining", "tag:car", "  RAINING\tcats ", "raining"] {
        ann.post("/search", json!({ "query": query })).await.assert_status(200);
    }
    ben.post("/search", json!({ "query": "raining" })).await.assert_status(200);
    let page = ann.get("/searches/history").await.assert_status(200).body.clone();
    assert_eq!(queries(&page), ["raining", "RAINING cats", "tag:car"]);
    assert_eq!((&page["items"][0]["times"], &page["items"][0]["hits"]), (&json!(2), &json!(1)));
    assert_eq!(page["next_cursor"], Value::Null);

    let first = ann.get("/searches/history?limit=1").await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    // What is asked meanwhile moves up and out of the way: no query comes twice.
    ann.post("/search", json!({ "query": "tag:car" })).await.assert_status(200);
    let second = ann.get(&format!("/searches/history?limit=5&cursor={cursor}")).await.body;
    assert_eq!((queries(&first), queries(&second)), (vec!["raining"], vec!["RAINING cats"]));

    ann.delete("/searches/history?query=tag:car").await.assert_status(204);
    assert_eq!(queries(&ann.get("/searches/history").await.body), ["raining", "RAINING cats"]);
    ann.delete("/searches/history?query=%20").await.assert_problem(400, "invalid_request");
    ann.delete("/searches/history").await.assert_status(204);
    assert_eq!(ann.get("/searches/history").await.body["items"], json!([]));
    assert_eq!(queries(&ben.get("/searches/history").await.body), ["raining"], "another person's stays");
}

#[tokio::test]
async fn what_was_kept_and_what_was_asked_comes_up_while_typing() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    said(&app, &ann, "Rainbow", &[(0, 4000, "it was raining")]).await;
    ann.post("/search", json!({ "query": "raining" })).await.assert_status(200);
    save(&ann, "Wet 100% days", "tag:storm").await;
    let typed = ann.get("/search/suggest?q=rain").await.body;
    let kinds: Vec<_> = typed["items"].as_array().unwrap().iter().map(|item| (&item["text"], &item["kind"])).collect();
    assert_eq!(kinds, [(&json!("raining"), &json!("recent")), (&json!("Rainbow"), &json!("title"))]);
    for typed in ["wet", "100%25", "tag:st"] {
        let found = ann.get(&format!("/search/suggest?q={typed}")).await.body;
        let kept = json!({ "text": "tag:storm", "kind": "saved", "name": "Wet 100% days" });
        assert_eq!(found["items"][0], kept, "{typed}");
    }
    assert_eq!(ann.get("/search/suggest?q=100_").await.body["items"], json!([]));
}

#[tokio::test]
async fn a_full_page_says_how_much_more_a_video_has() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let scenes: Vec<(i64, i64, &str)> = (0..6).map(|n| (n * 1000, n * 1000 + 1000, "rain again")).collect();
    let much = said(&app, &ann, "Much", &scenes).await;
    said(&app, &ann, "Little", &[(0, 1000, "rain again")]).await;
    let page = ann.post("/search", json!({ "query": "rain again", "limit": 4 })).await.assert_status(200).body.clone();
    for hit in page["items"].as_array().unwrap() {
        assert_eq!(hit["more_in_video"], if hit["video_title"] == "Much" { 3 } else { 0 }, "{hit}");
    }
    let rest = json!({ "query": "rain again", "filters": { "video_ids": [much] }, "per_video": 1000 });
    assert_eq!(ann.post("/search", rest).await.body["items"].as_array().unwrap().len(), 6);
}
