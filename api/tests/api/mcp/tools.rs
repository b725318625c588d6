//! What each tool finds and tells.

use heimdex_db::vectors::{VectorKind, ensure_model};
use serde_json::{Value, json};

use super::{assert_refused, call, given, rain, text, token};
use crate::support::{App, said, scene_of, written};

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
    let app = App::with_faces().await;
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
