//! The library as tools of language models.

mod protocol;
mod tools;
mod walls;

use heimdex_db::VideoId;
use serde_json::{Value, json};

use crate::support::{App, Person, Reply, said};

/// Every tool and the route it stands for.
const TOOLS: [(&str, &str, &str); 6] = [
    ("search_moments", "/search", "post"),
    ("get_transcript", "/videos/{video_id}/transcript", "get"),
    ("list_videos", "/videos", "get"),
    ("get_scene", "/scenes/{scene_id}", "get"),
    ("similar_scenes", "/scenes/{scene_id}/similar", "get"),
    ("find_person", "/people", "get"),
];

fn post(app: &App, token: Option<&str>) -> reqwest::RequestBuilder {
    let request = app.http.post(format!("{}/mcp", app.base)).header("accept", "application/json, text/event-stream");
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

async fn send(app: &App, token: &str, method: &str, params: &Value) -> Reply {
    Reply::read(post(app, Some(token)).json(&message(method, params)).send().await.unwrap()).await
}

/// The result of a tool.
async fn call(app: &App, token: &str, tool: &str, arguments: &Value) -> Value {
    let reply = send(app, token, "tools/call", &json!({ "name": tool, "arguments": arguments })).await;
    let body = &reply.assert_status(200).body;
    assert_eq!((&body["jsonrpc"], &body["id"]), (&json!("2.0"), &json!(7)), "{}", reply.text);
    assert!(body["result"].is_object(), "{}", reply.text);
    body["result"].clone()
}

#[track_caller]
fn text(result: &Value) -> &str {
    assert_eq!(result["content"][0]["type"], "text", "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

/// What the tool gave, for programs.
#[track_caller]
fn given(result: &Value) -> &Value {
    assert_eq!(result["isError"], false, "{result}");
    &result["structuredContent"]
}

/// The sentence and the code of a tool that could not do it.
#[track_caller]
fn assert_refused(result: &Value, code: &str) {
    assert_eq!(result["isError"], true, "{result}");
    // It would have to be what the schema promises.
    assert!(result.get("structuredContent").is_none(), "{result}");
    let lines: Vec<_> = text(result).lines().collect();
    assert!(lines.len() > 1 && !lines[0].is_empty(), "{result}");
    assert!(lines.contains(&format!("code: {code}").as_str()), "{result}");
}

async fn token(person: &Person, scopes: Value) -> String {
    let reply = person.post("/users/me/tokens", json!({ "name": "Assistant", "scopes": scopes })).await;
    reply.assert_status(201).body["token"].as_str().unwrap().to_owned()
}

/// One minute of talk, then the rain.
async fn rain(app: &App, owner: &Person) -> VideoId {
    let scenes = [(0, 64_000, "nothing but small talk"), (64_000, 70_000, "it was raining hard")];
    said(app, owner, "A wet day", &scenes).await
}
