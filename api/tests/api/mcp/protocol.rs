//! What clients and the server agree on: who answers, which tools there are, and what is said of anything else.

use rmcp::{
    ClientLifecycleMode,
    model::{CallToolRequestParams, ProtocolVersion},
    serve_client_with_lifecycle,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};

use super::{TOOLS, assert_refused, call, message, post, rain, send, text, token};
use crate::support::{App, Reply};

#[tokio::test]
async fn a_client_learns_who_answers_and_which_tools_there_are() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let client =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let reply = send(&app, &ann.token, "initialize", &client).await;
    let hello = &reply.assert_status(200).body["result"];
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("mcp-session-id"), "", "nothing is kept of a client");
    assert_eq!((&hello["protocolVersion"], &hello["serverInfo"]["name"]), (&json!("2025-06-18"), &json!("heimdex")));
    assert!(hello["capabilities"]["tools"].is_object() && hello["instructions"].is_string(), "{hello}");
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    Reply::read(post(&app, Some(&ann.token)).json(&ready).send().await.unwrap()).await.assert_status(202);

    let tools =
        send(&app, &ann.token, "tools/list", &json!({})).await.assert_status(200).body["result"]["tools"].clone();
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS.map(|(name, ..)| name));
    for tool in tools.as_array().unwrap() {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{tool}");
    }
}

/// References to components, as a schema that stands by itself has them.
fn with_own_definitions(schema: &Value) -> Value {
    serde_json::from_str(&schema.to_string().replace("#/components/schemas/", "#/$defs/")).unwrap()
}

#[tokio::test]
async fn tools_take_and_give_what_the_routes_do() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let tools = send(&app, &ann.token, "tools/list", &json!({})).await.body["result"]["tools"].clone();
    let document: Value = serde_json::to_value(heimdex_api::openapi::document()).unwrap();
    let components = &document["components"]["schemas"];
    for (tool, (name, path, method)) in tools.as_array().unwrap().iter().zip(TOOLS) {
        let operation = &document["paths"][path][method];
        let reference =
            operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let component = &components[reference.rsplit('/').next().unwrap()];
        let mut schema = tool["outputSchema"].clone();
        let definitions = schema.as_object_mut().unwrap().remove("$defs").unwrap();
        assert_eq!(schema, with_own_definitions(component), "{name}");
        assert_eq!(schema["type"], "object", "{name}");
        for (definition, schema) in definitions.as_object().unwrap() {
            assert_eq!(schema, &with_own_definitions(&components[definition]), "{name}: {definition}");
        }
        // Nothing is referred to that is not there.
        let whole = tool.to_string();
        for rest in whole.split("#/$defs/").skip(1) {
            let target = rest.split('"').next().unwrap();
            let has = |side: &str| tool[side]["$defs"][target].is_object();
            assert!(has("outputSchema") || has("inputSchema"), "{name}: {target}");
        }
        assert!(!whole.contains("#/components/"), "{name}");

        let input = &tool["inputSchema"];
        assert_eq!((&input["type"], &input["additionalProperties"]), (&json!("object"), &json!(false)), "{name}");
        if method == "post" {
            let request = &components["SearchRequest"];
            assert_eq!(input["properties"], with_own_definitions(&request["properties"]));
            assert_eq!(input["required"], request["required"]);
            continue;
        }
        let parameters = operation["parameters"].as_array().unwrap();
        let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let mut taken: Vec<_> = input["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        // Models are given JSON and not asked.
        taken.extend((name == "get_transcript").then_some("format"));
        assert!(taken.len() == names.len() && names.iter().all(|name| taken.contains(name)), "{name}: {taken:?}");
        for parameter in parameters.iter().filter(|parameter| parameter["required"] == true) {
            assert!(input["required"].as_array().unwrap().contains(&parameter["name"]), "{name}");
        }
    }
}

#[tokio::test]
async fn whatever_is_sent_is_answered_in_words() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    // What is no message.
    let raw = async |kind: &str, body: Vec<u8>| {
        let sent = post(&app, Some(&ann.token)).header("content-type", kind).body(body).send().await.unwrap();
        Reply::read(sent).await
    };
    let batch = serde_json::to_vec(&json!([message("tools/list", &json!({}))])).unwrap();
    for body in [b"".to_vec(), b"{".to_vec(), b"\xff\xfe".to_vec(), b"\"x\"".to_vec(), batch, vec![b'['; 100_000]] {
        raw("application/json", body).await.assert_problem(400, "invalid_json");
    }
    raw("text/plain", b"{}".to_vec()).await.assert_problem(415, "unsupported_media_type");
    raw("application/json", vec![b' '; 300 << 10]).await.assert_problem(413, "body_too_large");
    // What no server of this kind does, and tools there are not.
    assert_eq!(send(&app, &ann.token, "videos/delete", &json!({})).await.body["error"]["code"], -32601);
    for name in ["delete_video", "", "search_moments "] {
        let reply = send(&app, &ann.token, "tools/call", &json!({ "name": name, "arguments": {} })).await;
        assert_eq!(reply.body["error"]["code"], -32602, "{}", reply.text);
    }
    let reply = send(&app, &ann.token, "tools/call", &json!({ "name": "list_videos", "arguments": [1] })).await;
    assert!(reply.status < 500 && reply.body["result"].is_null(), "{}", reply.text);
    // Arguments that a tool does not take.
    for (tool, arguments, code) in [
        ("search_moments", json!({}), "invalid_json"),
        ("search_moments", json!({ "query": 5 }), "invalid_json"),
        ("search_moments", json!({ "query": "x", "colour": "red" }), "invalid_json"),
        ("search_moments", json!({ "query": "" }), "invalid_request"),
        ("search_moments", json!({ "query": "x".repeat(200_000) }), "invalid_request"),
        ("search_moments", json!({ "query": "x", "limit": 51 }), "invalid_request"),
        ("search_moments", json!({ "query": "x", "cursor": "x" }), "invalid_cursor"),
        ("get_transcript", json!({}), "invalid_request"),
        ("get_transcript", json!({ "video_id": null }), "invalid_request"),
        ("get_transcript", json!({ "video_id": [video] }), "invalid_request"),
        ("get_transcript", json!({ "video_id": video, "format": "vtt" }), "invalid_request"),
        ("get_scene", json!({ "scene_id": video, "owner": "ann" }), "invalid_request"),
        ("list_videos", json!({ "state": "lost" }), "invalid_request"),
        ("list_videos", json!({ "limit": -1 }), "invalid_request"),
        ("list_videos", json!({ "q": "\u{0}" }), "invalid_request"),
        ("list_videos", json!({ "q": "x".repeat(200_000) }), "invalid_request"),
        ("list_videos", json!({ "cursor": "&state=failed" }), "invalid_cursor"),
        ("find_person", json!({ "q": "x".repeat(201) }), "invalid_request"),
    ] {
        assert_refused(&call(&app, &ann.token, tool, &arguments).await, code);
    }
    // A mistake in a query has its place.
    let result = call(&app, &ann.token, "search_moments", &json!({ "query": "rain after:tomorrow" })).await;
    assert_refused(&result, "invalid_request");
    assert!(text(&result).contains("column: "), "{result}");
}

#[tokio::test]
async fn a_client_of_the_official_kit_uses_the_tools() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    let script = token(&ann, json!(["read", "search"])).await;
    // The handshake of today's clients, and messages that need none.
    let discover = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    for lifecycle in [ClientLifecycleMode::Initialize, discover] {
        let config =
            StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", app.base)).auth_header(script.clone());
        let transport = StreamableHttpClientTransport::from_config(config);
        let client = Box::pin(serve_client_with_lifecycle((), transport, lifecycle)).await.unwrap();
        assert_eq!(client.list_all_tools().await.unwrap().len(), TOOLS.len());
        let arguments = json!({ "query": "raining" }).as_object().unwrap().clone();
        let found =
            client.call_tool(CallToolRequestParams::new("search_moments").with_arguments(arguments)).await.unwrap();
        assert_eq!(found.structured_content.unwrap()["items"][0]["video_id"], json!(video));
        client.cancel().await.unwrap();
    }
}
