//! The library as tools of language models.

use heimdex_db::{
    VideoId,
    vectors::{VectorKind, ensure_model},
};
use rmcp::{
    ClientLifecycleMode,
    model::{CallToolRequestParams, ProtocolVersion},
    serve_client_with_lifecycle,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Person, Reply, said, scene_of, written};

/// Every tool and the route it stands for.
const TOOLS: [(&str, &str, &str); 6] = [
    ("search_moments", "/search", "post"),
    ("get_transcript", "/videos/{video_id}/transcript", "get"),
    ("list_videos", "/videos", "get"),
    ("get_scene", "/scenes/{scene_id}", "get"),
    ("similar_scenes", "/scenes/{scene_id}/similar", "get"),
    ("find_person", "/people", "get"),
];

async fn app_with_faces() -> App {
    App::start_with(|name| (name == "FEATURE_FACES").then(|| "true".into())).await
}

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
async fn a_moment_is_found_with_a_link_to_it() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    let script = token(&ann, json!(["search"])).await;
    let result = call(&app, &script, "search_moments", &json!({ "query": "raining" })).await;
    let by_route = ann.post("/search", json!({ "query": "raining" })).await.body;
    assert_eq!(given(&result)["items"], by_route["items"]);
    assert_eq!(given(&result)["items"][0]["scene_id"], json!(scene_of(video, 64_000, 70_000)));
    // The third of four words in six seconds.
    let told = text(&result);
    assert!(told.contains("“A wet day” at 1:07 (scene 1:04–1:10)"), "{told}");
    assert!(told.contains(&format!("{}/app/videos/{video}?t=67000", app.base)), "{told}");
    assert!(told.contains("“it was raining hard”"), "{told}");

    let nothing = call(&app, &script, "search_moments", &json!({ "query": "xylophone" })).await;
    assert_eq!(given(&nothing)["items"], json!([]));
    assert!(text(&nothing).starts_with("No moment fits."), "{nothing}");
    let note = call(&app, &script, "search_moments", &json!({ "query": "raining tag:unicorn" })).await;
    assert!(text(&note).contains("Nothing is tagged \"unicorn\"."), "{note}");
}

#[tokio::test]
async fn links_lead_to_the_public_address() {
    let app = App::start_with(|name| (name == "HEIMDEX_PUBLIC_URL").then(|| "https://video.example.org".into())).await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    let result = call(&app, &ann.token, "list_videos", &json!({})).await;
    assert!(text(&result).contains(&format!("https://video.example.org/app/videos/{video}")), "{result}");
}

#[tokio::test]
async fn a_transcript_comes_in_pages_and_in_parts() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    let script = token(&ann, json!(["read"])).await;
    let read = async |more: Value| {
        let mut arguments = json!({ "video_id": video });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(&app, &script, "get_transcript", &arguments).await
    };
    let whole = read(json!({})).await;
    assert_eq!(text(&whole), "[0:00] nothing but small talk\n[1:04] it was raining hard\n");
    assert_eq!(given(&whole)["segments"][0]["words"], json!([]), "words cost a model much and tell it little");
    assert_eq!(given(&whole)["next_cursor"], Value::Null);
    let with_words = read(json!({ "words": true })).await;
    assert_eq!(given(&with_words)["segments"][1]["words"].as_array().unwrap().len(), 4);

    let first = read(json!({ "limit": 1 })).await;
    let cursor = given(&first)["next_cursor"].as_str().unwrap();
    assert!(text(&first).ends_with(&format!("cursor {cursor}\n")), "{first}");
    let second = read(json!({ "limit": 1, "cursor": cursor })).await;
    assert_eq!(text(&second), "[1:04] it was raining hard\n");
    assert_refused(&read(json!({ "cursor": cursor, "from_ms": 1 })).await, "invalid_cursor");

    for (part, said) in [
        (json!({ "from_ms": 64_000 }), "[1:04] it was raining hard\n"),
        (json!({ "from_ms": 63_999, "to_ms": 64_000 }), "[0:00] nothing but small talk\n"),
        (json!({ "from_ms": 70_000 }), "Nothing is said here.\n"),
    ] {
        assert_eq!(text(&read(part).await), said);
    }
    for wrong in
        [json!({ "limit": 0 }), json!({ "limit": 1001 }), json!({ "from_ms": "soon" }), json!({ "words": [true] })]
    {
        assert_refused(&read(wrong).await, "invalid_request");
    }
    // The route has the same pages.
    let page =
        ann.get(&format!("/videos/{video}/transcript?limit=1&words=false")).await.assert_status(200).body.clone();
    assert_eq!(&page, given(&first));
}

#[tokio::test]
async fn videos_and_scenes_are_told_in_a_few_lines() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    said(&app, &ann, "Dry", &[(0, 1000, "")]).await;
    let scene = scene_of(video, 64_000, 70_000);
    written(&app, &ann, video, scene, (65_000, 66_000), "UMBRELLAS").await;
    let script = token(&ann, json!(["read"])).await;

    let videos = call(&app, &script, "list_videos", &json!({ "q": "wet" })).await;
    assert_eq!(given(&videos), &ann.get("/videos?q=wet").await.body);
    let told = text(&videos);
    assert!(told.starts_with("1 video:\n- “A wet day”, 1:10, indexed, 2"), "{told}");
    assert!(told.contains(&format!("{}/app/videos/{video} (video_id {video})", app.base)), "{told}");
    let first = call(&app, &script, "list_videos", &json!({ "limit": 1 })).await;
    let cursor = given(&first)["next_cursor"].as_str().unwrap();
    let second = call(&app, &script, "list_videos", &json!({ "limit": 1, "cursor": cursor })).await;
    assert_ne!(given(&second)["items"][0]["video_id"], given(&first)["items"][0]["video_id"]);

    let one = call(&app, &script, "get_scene", &json!({ "scene_id": scene })).await;
    assert_eq!(given(&one), &ann.get(&format!("/scenes/{scene}")).await.body);
    let told = text(&one);
    assert!(told.starts_with(&format!("Scene 1:04–1:10: {}/app/videos/{video}?t=64000", app.base)), "{told}");
    assert!(told.contains("Says “it was raining hard”") && told.contains("Shows “UMBRELLAS” at 1:05"), "{told}");
}

#[tokio::test]
async fn scenes_like_another_are_found() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Colours", &[(0, 1000, "red"), (1000, 2000, "rose"), (2000, 3000, "blue")]).await;
    let model = "pictures-of-the-tests";
    ensure_model(app.db.pool(), VectorKind::Image, model, 2).await.unwrap();
    for (start, vector) in [(0, "[1,0]"), (1000, "[0.9,0.1]"), (2000, "[0,1]")] {
        sqlx::query("UPDATE scenes SET image_vec = $2::text::vector, image_model = $3 WHERE scene_id = $1")
            .bind(scene_of(video, start, start + 1000))
            .bind(vector)
            .bind(model)
            .execute(app.db.pool())
            .await
            .unwrap();
    }
    let script = token(&ann, json!(["search"])).await;
    let red = scene_of(video, 0, 1000);
    let result = call(&app, &script, "similar_scenes", &json!({ "scene_id": red, "by": "seen" })).await;
    assert_eq!(given(&result), &ann.get(&format!("/scenes/{red}/similar?by=seen")).await.body);
    assert_eq!(given(&result)["items"].as_array().unwrap().len(), 1);
    assert!(text(&result).contains("“rose”"), "{result}");
    let said = call(&app, &script, "similar_scenes", &json!({ "scene_id": red, "by": "said" })).await;
    assert_refused(&said, "no_vectors");
    let wrong = call(&app, &script, "similar_scenes", &json!({ "scene_id": red, "by": "taste" })).await;
    assert_refused(&wrong, "invalid_request");
}

#[tokio::test]
async fn people_are_found_by_a_part_of_their_name() {
    let app = app_with_faces().await;
    let ann = app.user("ann").await;
    for name in ["Minji Kim", "Ben 100%"] {
        let body = json!({ "display_name": name, "consent": true, "consent_note": "asked" });
        ann.post("/people", body).await.assert_status(201);
    }
    let script = token(&ann, json!(["read"])).await;
    let names = async |arguments: Value| -> Vec<String> {
        let result = call(&app, &script, "find_person", &arguments).await;
        let people = given(&result)["items"].as_array().unwrap().clone();
        people.iter().map(|person| person["display_name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({ "q": "KIM" })).await, ["Minji Kim"]);
    assert_eq!(names(json!({ "q": "%" })).await, ["Ben 100%"]);
    assert_eq!(names(json!({})).await, ["Ben 100%", "Minji Kim"]);
    assert!(names(json!({ "q": "nobody" })).await.is_empty());
    let result = call(&app, &script, "find_person", &json!({ "q": "minji" })).await;
    assert_eq!(given(&result), &ann.get("/people?q=minji").await.body);
    assert!(text(&result).contains("“Minji Kim” (enrolling), in 0 scenes of 0 videos"), "{result}");
    assert!(text(&result).contains(&format!("{}/app/people/", app.base)), "{result}");
}

#[tokio::test]
async fn where_people_are_switched_off_the_tool_says_so() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let result = call(&app, &ann.token, "find_person", &json!({ "q": "minji" })).await;
    assert_refused(&result, "feature_off");
    assert!(text(&result).starts_with("Recognising people is switched off on this installation."), "{result}");
}

#[tokio::test]
async fn no_tool_shows_another_persons_things() {
    let app = app_with_faces().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = rain(&app, &ann).await;
    let scene = scene_of(video, 64_000, 70_000);
    let minji = json!({ "display_name": "Minji", "consent": true, "consent_note": "asked her" });
    ann.post("/people", minji).await.assert_status(201);
    let bens = token(&ben, json!(["read", "search"])).await;
    for token in [&ben.token, &bens] {
        // By its id: the same answer as for what nobody has.
        for (tool, argument, id) in [
            ("get_transcript", "video_id", video.to_string()),
            ("get_scene", "scene_id", scene.to_string()),
            ("similar_scenes", "scene_id", scene.to_string()),
        ] {
            let anns = call(&app, token, tool, &json!({ argument: id })).await;
            assert_refused(&anns, "not_found");
            for nobodys in [Uuid::new_v4().to_string(), "../users/me".to_owned(), String::new()] {
                assert_eq!(call(&app, token, tool, &json!({ argument: nobodys })).await, anns, "{tool}");
            }
            assert_eq!(
                call(&app, &ann.token, tool, &json!({ argument: id })).await["isError"],
                tool == "similar_scenes"
            );
        }
        // By its words, title or name: nothing.
        for (tool, arguments) in [
            ("search_moments", json!({ "query": "raining" })),
            ("search_moments", json!({ "query": "raining", "filters": { "video_ids": [video] } })),
            ("search_moments", json!({ "query": "title:wet" })),
            ("list_videos", json!({})),
            ("list_videos", json!({ "q": "wet" })),
            ("find_person", json!({ "q": "minji" })),
        ] {
            let result = call(&app, token, tool, &arguments).await;
            assert_eq!(given(&result)["items"], json!([]), "{tool} {arguments}");
            assert!(!text(&result).contains(&video.to_string()), "{result}");
        }
        // Not by Ann's cursor either.
        said(&app, &ann, "Another", &[(0, 1000, "")]).await;
        let first = call(&app, &ann.token, "list_videos", &json!({ "limit": 1 })).await;
        let cursor = given(&first)["next_cursor"].as_str().unwrap();
        let result = call(&app, token, "list_videos", &json!({ "limit": 1, "cursor": cursor })).await;
        assert_eq!(given(&result)["items"], json!([]));
    }
}

#[tokio::test]
async fn a_token_does_what_its_scope_says_and_without_one_there_is_nothing() {
    let app = app_with_faces().await;
    let ann = app.user("ann").await;
    let video = rain(&app, &ann).await;
    let scene = scene_of(video, 0, 64_000);
    let ask = message("tools/list", &json!({}));
    let knock = async |token: Option<&str>| Reply::read(post(&app, token).json(&ask).send().await.unwrap()).await;
    knock(None).await.assert_problem(401, "unauthenticated");
    for wrong in ["nonsense", "hx_guessed", &format!("hx_{}", "A".repeat(43)), &format!("{}x", ann.token)] {
        knock(Some(wrong)).await.assert_problem(401, "invalid_token");
    }
    let uploads = token(&ann, json!(["upload"])).await;
    knock(Some(&uploads)).await.assert_problem(403, "insufficient_scope");

    let calls = [
        ("search", "search_moments", json!({ "query": "raining" })),
        ("search", "similar_scenes", json!({ "scene_id": scene })),
        ("read", "get_transcript", json!({ "video_id": video })),
        ("read", "list_videos", json!({})),
        ("read", "get_scene", json!({ "scene_id": scene })),
        ("read", "find_person", json!({})),
    ];
    for scope in ["read", "search"] {
        let script = token(&ann, json!([scope])).await;
        knock(Some(&script)).await.assert_status(200);
        for (needed, tool, arguments) in &calls {
            let result = call(&app, &script, tool, arguments).await;
            if scope != *needed {
                assert_refused(&result, "insufficient_scope");
                assert!(text(&result).contains(&format!("`{needed}`")), "{result}");
            } else if *tool == "similar_scenes" {
                assert_refused(&result, "no_vectors");
            } else {
                given(&result);
            }
        }
    }
    // Revoked and expired tokens end at the door.
    let script = token(&ann, json!(["read"])).await;
    knock(Some(&script)).await.assert_status(200);
    sqlx::query("UPDATE api_tokens SET expires_at = now()").execute(app.db.pool()).await.unwrap();
    knock(Some(&script)).await.assert_problem(401, "invalid_token");
    // So does a session.
    knock(Some(&ann.token)).await.assert_status(200);
    ann.post("/auth/v1/logout", json!({})).await.assert_status(204);
    knock(Some(&ann.token)).await.assert_status(401);
}

#[tokio::test]
async fn pages_of_foreign_sites_and_foreign_names_are_refused() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let ask = message("tools/list", &json!({}));
    let with = async |name: &str, value: &str| {
        Reply::read(post(&app, Some(&ann.token)).header(name, value).json(&ask).send().await.unwrap()).await
    };
    for origin in
        ["https://evil.example", "http://evil.example:8480", "null", "file://", "http://localhost.evil.example"]
    {
        with("origin", origin).await.assert_problem(403, "forbidden");
    }
    for host in ["evil.example", "evil.example:8480", "127.0.0.1.evil.example"] {
        with("host", host).await.assert_problem(403, "forbidden");
    }
    // A page of this machine, such as an inspector of tools, and the dashboard itself.
    with("origin", "http://localhost:6274").await.assert_status(200);
    with("origin", &app.base).await.assert_status(200);
    with("host", "localhost").await.assert_status(200);
    // There is no stream to listen to and no session to end.
    for method in ["GET", "DELETE"] {
        let reply = ann.call(method, "/mcp", None).await;
        reply.assert_problem(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), "POST");
    }
}

#[tokio::test]
async fn whatever_is_sent_is_answered_in_words() {
    let app = app_with_faces().await;
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
async fn searches_count_as_searches() {
    let app = App::start_with(|name| (name == "HEIMDEX_FREE_SEARCHES_PER_MINUTE").then(|| "1".into())).await;
    let ann = app.user("ann").await;
    let me = ann.get("/users/me").await.body["user_id"].as_str().unwrap().to_owned();
    // This minute's, and the next one's in case it begins meanwhile.
    sqlx::query("INSERT INTO quota_usage (user_id, kind, window_start, used) SELECT $1::uuid, 'searches', date_trunc('minute', now()) + n * interval '1 minute', 1 FROM generate_series(0, 1) n")
        .bind(&me)
        .execute(app.db.pool())
        .await
        .unwrap();
    let result = call(&app, &ann.token, "search_moments", &json!({ "query": "rain" })).await;
    assert_refused(&result, "rate_limited");
    assert!(text(&result).contains("1 searches a minute") && text(&result).contains("retry_after_s: "), "{result}");
    ann.post("/search", json!({ "query": "rain" })).await.assert_problem(429, "rate_limited");
    given(&call(&app, &ann.token, "list_videos", &json!({})).await);
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
