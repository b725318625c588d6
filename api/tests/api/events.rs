//! Live progress without polling.

use std::time::Duration;

use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::support::{App, PASSWORD, Person, said};

/// One event at a time from a stream that is never asked twice.
pub struct Events(std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>, String);

impl Events {
    pub async fn open(person: &Person, path: &str) -> Self {
        let response = person.request("GET", path).timeout(Duration::from_secs(60)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        Self(Box::pin(response.bytes_stream()), String::new())
    }

    /// The next event's name and data; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.1 = rest;
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let chunk =
                tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("an event in time")?;
            self.1.push_str(std::str::from_utf8(&chunk.ok()?).unwrap());
        }
    }

    pub async fn named(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.next().await.expect("the stream goes on");
            if event == name {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_stream_begins_with_a_snapshot_and_tells_what_changes() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = said(&app, &ann, "Rain", &[(0, 1000, "rain")]).await;
    let other = said(&app, &ann, "Sun", &[(0, 1000, "sun")]).await;
    let mut all = Events::open(&ann, "/events").await;
    let mut one = Events::open(&ann, &format!("/videos/{video}/events")).await;
    let mut bens = Events::open(&ben, "/events").await;
    let snapshot = all.named("snapshot").await;
    assert_eq!(snapshot["videos"].as_array().unwrap().len(), 2);
    let snapshot = one.named("snapshot").await;
    assert_eq!((&snapshot["video"]["video_id"], &snapshot["jobs"]["items"]), (&json!(video), &json!([])));
    assert_eq!(bens.named("snapshot").await["videos"], json!([]));

    // A run begins and a stage makes progress: rows change, nobody asks.
    for id in [other, video] {
        ann.post(&format!("/videos/{id}/reprocess"), json!({})).await.assert_status(202);
        sqlx::query(
            "UPDATE jobs SET state = 'running', progress = 40 WHERE video_id = $1 AND stage = 'upload_validate'",
        )
        .bind(id)
        .execute(app.db.pool())
        .await
        .unwrap();
    }
    let told = all.named("job").await;
    assert_eq!(told["video_id"], json!(other));
    let told = one.named("job").await;
    assert_eq!(
        (&told["video_id"], &told["stage"], &told["state"], &told["progress"]),
        (&json!(video), &json!("upload_validate"), &json!("running"), &json!(40))
    );
    ann.patch(&format!("/videos/{video}"), json!({ "title": "Long rain" })).await.assert_status(200);
    assert_eq!(one.named("video").await["state"], "indexed");

    // Ben's stream was silent: the first thing he hears is his own.
    said(&app, &ben, "Mine", &[(0, 1000, "mine")]).await;
    let (name, data) = bens.next().await.unwrap();
    assert_eq!((name.as_str(), &data["state"]), ("video", &json!("indexed")));
}

#[tokio::test]
async fn a_lost_listener_is_made_again_with_a_snapshot() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 1000, "rain")]).await;
    let mut stream = Events::open(&ann, "/events").await;
    stream.named("snapshot").await;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname = current_database()")
        .execute(app.db.pool()).await.unwrap();
    stream.named("snapshot").await;
    ann.patch(&format!("/videos/{video}"), json!({ "title": "Long rain" })).await.assert_status(200);
    assert_eq!(stream.named("video").await["video_id"], json!(video));
}

#[tokio::test]
async fn streams_end_when_the_process_stops() {
    let mut app = App::start().await;
    let ann = app.user("ann").await;
    let mut stream = Events::open(&ann, "/events").await;
    stream.named("snapshot").await;
    app.stop().await;
    while stream.next().await.is_some() {}
}

#[tokio::test]
async fn a_person_has_room_for_many_streams_and_not_for_all_there_are() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(Events::open(&ann, "/events").await);
    }
    ann.get("/events").await.assert_problem(429, "rate_limited");
    ben.get("/users/me").await.assert_status(200);
    Events::open(&ben, "/events").await.named("snapshot").await;
    // Whoever goes makes room.
    drop(open);
    while ann.request("GET", "/events").send().await.unwrap().status() == 429 {}
}

/// All streams end, long before their tokens do.
async fn all_end(streams: &mut [Events]) {
    for stream in streams {
        let end = async { while stream.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(15), end).await.expect("the stream ends");
    }
}

#[tokio::test]
async fn streams_end_with_what_they_were_opened_by_and_others_go_on() {
    let app = App::start().await;
    let phone = app.user("ann").await;
    let laptop = Person::new(&app, &app.sign_in(&phone.email, PASSWORD).await.body);
    let made = phone.post("/users/me/tokens", json!({ "name": "script", "scopes": ["read"] })).await;
    let (id, token) = (&made.assert_status(201).body["token_id"], &made.body["token"]);
    let script = json!({ "user": { "email": phone.email }, "access_token": token, "refresh_token": "" });
    let script = Person::new(&app, &script);
    let video = said(&app, &phone, "Rain", &[(0, 1000, "rain")]).await;
    let mut ended = [
        Events::open(&phone, "/events").await,
        Events::open(&phone, &format!("/videos/{video}/events")).await,
        Events::open(&script, "/events").await,
    ];
    let mut laptops = Events::open(&laptop, "/events").await;

    phone.delete(&format!("/users/me/tokens/{}", id.as_str().unwrap())).await.assert_status(204);
    phone.post("/auth/v1/logout?scope=local", json!({})).await.assert_status(204);
    all_end(&mut ended).await;
    laptop.patch(&format!("/videos/{video}"), json!({ "title": "Long rain" })).await.assert_status(200);
    assert_eq!(laptops.named("video").await["video_id"], json!(video));
}

#[tokio::test]
async fn the_console_goes_dark_when_its_operator_signs_out() {
    let app = App::start().await;
    let olga = app.operator("olga").await;
    let mut console = [Events::open(&olga, "/admin/events").await];
    olga.post("/auth/v1/logout?scope=local", json!({})).await.assert_status(204);
    all_end(&mut console).await;
}
