//! Many programs at once, programs that say hello and are never heard of again, and programs that go away in the middle.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{App, Person, Reply, said};

const PATIENCE: Duration = Duration::from_secs(60);

/// A client of its own, whose connections end with it.
fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(PATIENCE).build().unwrap()
}

fn ask(client: &reqwest::Client, app: &App, person: &Person, method: &str, params: &Value) -> reqwest::RequestBuilder {
    client
        .post(format!("{}/mcp", app.base))
        .header("accept", "application/json, text/event-stream")
        .bearer_auth(&person.token)
        .json(&json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }))
}

fn hello() -> Value {
    json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } })
}

fn list_videos() -> Value {
    json!({ "name": "list_videos", "arguments": {} })
}

/// Tasks of this process, the server's among them.
fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Looks until it is so.
async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !look().await {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn sessions_that_are_never_closed_leave_nothing_behind() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    said(&app, &ann, "Rain", &[(0, 1000, "rain")]).await;
    Reply::read(ask(&app.http, &app, &ann, "initialize", &hello()).send().await.unwrap()).await.assert_status(200);
    let before = tasks();
    let one = client();
    let hellos =
        futures::future::join_all((0..150).map(|_| ask(&one, &app, &ann, "initialize", &hello()).send())).await;
    for hello in hellos {
        let hello = Reply::read(hello.unwrap()).await;
        assert_eq!(hello.assert_status(200).header("mcp-session-id"), "", "nothing is kept of a client");
    }
    // Work goes on meanwhile, for all of them.
    let calls =
        futures::future::join_all((0..40).map(|_| ask(&one, &app, &ann, "tools/call", &list_videos()).send())).await;
    for called in calls {
        let called = Reply::read(called.unwrap()).await;
        assert_eq!(called.assert_status(200).body["result"]["isError"], false, "{}", called.text);
    }
    drop(one);
    // A connection or two to the database may have been made.
    until("nothing is left of them", async || tasks() <= before + 20).await;
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_of_a_call_holds_nothing_up() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    said(&app, &ann, "Rain", &[(0, 1000, "rain")]).await;
    ask(&app.http, &app, &ann, "tools/call", &list_videos()).send().await.unwrap();
    let before = tasks();
    // Nobody reads videos until this is over.
    let mut held = app.db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE videos IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let waiting = async || -> i64 {
        sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .fetch_one(app.db.pool())
        .await
        .unwrap()
    };
    let leaving: Vec<_> = (0..40)
        .map(|_| {
            // Each has a connection of its own.
            let request = ask(&client(), &app, &ann, "tools/call", &list_videos());
            tokio::spawn(async move { request.send().await.map(|_| ()) })
        })
        .collect();
    until("calls wait for the table", async || waiting().await >= 4).await;
    for call in leaving {
        call.abort();
        let _ = call.await;
    }
    until("their calls have ended", async || tasks() <= before + 20).await;
    held.rollback().await.unwrap();
    until("nobody waits any more", async || waiting().await == 0).await;
    let called = Reply::read(ask(&app.http, &app, &ann, "tools/call", &list_videos()).send().await.unwrap()).await;
    assert_eq!(called.assert_status(200).body["result"]["isError"], false, "{}", called.text);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_in_words_that_a_model_can_read() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    said(&app, &ann, "Rain", &[(0, 1000, "rain")]).await;
    let mut held = app.db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE videos IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    // As long as the server has patience, which is less than it has for a request.
    let called = Reply::read(ask(&client(), &app, &ann, "tools/call", &list_videos()).send().await.unwrap()).await;
    let result = &called.assert_status(200).body["result"];
    assert_eq!(result["isError"], true, "{result}");
    assert!(result["content"][0]["text"].as_str().unwrap().contains("code: timeout"), "{result}");
    held.rollback().await.unwrap();
}
