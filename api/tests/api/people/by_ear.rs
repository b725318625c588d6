//! People who are asked for in another script than they were enrolled in.

use serde_json::{Value, json};

use super::{enrolled, seen};
use crate::support::{App, Person, scene_of};

async fn ask(person: &Person, request: Value) -> Value {
    person.post("/search", request).await.assert_status(200).body.clone()
}

fn scenes(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().unwrap().iter().map(|hit| hit["scene_id"].clone()).collect()
}

#[tokio::test]
async fn a_name_is_found_in_another_script() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    let video = seen(&app, &ann, "Speech", [0.0, 120.0]).await;
    enrolled(&app, &ann, "Barack Obama", 3.0).await;
    enrolled(&app, &ann, "민지", 121.0).await;
    let (first, second) = (json!(scene_of(video, 0, 10_000)), json!(scene_of(video, 10_000, 20_000)));
    let named = async |query: &str| ask(&ann, json!({ "query": query, "channels": ["who"] })).await;

    // In free text, with whose face it is.
    for (query, scene, name) in [
        ("오바마", &first, "Barack Obama"),
        ("오바마가 연설하는 장면", &first, "Barack Obama"),
        ("버락 오바마", &first, "Barack Obama"),
        ("Обама", &first, "Barack Obama"),
        ("オバマ", &first, "Barack Obama"),
        ("minji", &second, "민지"),
        ("Min-ji is dancing", &second, "민지"),
    ] {
        let answer = named(query).await;
        assert_eq!(scenes(&answer), std::slice::from_ref(scene), "{query}: {answer}");
        assert_eq!(answer["items"][0]["matches"][0]["quote"], name, "{query}: {answer}");
    }
    // Words that only begin so, and other names, name nobody.
    for query in ["오래된 바다", "민수", "minsu", "마마"] {
        assert_eq!(scenes(&named(query).await), Vec::<Value>::new(), "{query}");
    }

    // As an operator, wholly or by one name of several; left out as well.
    for (query, expected) in [
        ("person:\"오바마\"", vec![first.clone()]),
        ("person:\"버락 오바마\"", vec![first.clone()]),
        ("person:minji", vec![second.clone()]),
        ("-person:오바마", vec![second.clone()]),
        ("-person:Minji", vec![first.clone()]),
    ] {
        let answer = ask(&ann, json!({ "query": query })).await;
        assert_eq!((scenes(&answer), &answer["notes"]), (expected, &json!([])), "{query}: {answer}");
    }
    let unknown = ask(&ann, json!({ "query": "person:민수" })).await;
    assert_eq!((scenes(&unknown), &unknown["notes"][0]["code"]), (vec![], &json!("unknown_person")));
}

#[tokio::test]
async fn whoever_is_written_so_is_meant_before_whoever_only_sounds_so() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    let video = seen(&app, &ann, "Friends", [0.0, 120.0]).await;
    enrolled(&app, &ann, "Minji", 3.0).await;
    enrolled(&app, &ann, "민지", 121.0).await;
    for (query, start_ms) in [("person:minji", 0), ("person:민지", 10_000)] {
        let answer = ask(&ann, json!({ "query": query })).await;
        assert_eq!(scenes(&answer), [json!(scene_of(video, start_ms, start_ms + 10_000))], "{query}: {answer}");
    }
}

#[tokio::test]
async fn nobody_hears_the_names_of_others() {
    let app = App::with_faces().await;
    let (ann, eve) = (app.enterprise("ann").await, app.enterprise("eve").await);
    seen(&app, &ann, "Speech", [0.0, 120.0]).await;
    enrolled(&app, &ann, "Barack Obama", 3.0).await;
    seen(&app, &eve, "Speech", [0.0, 120.0]).await;
    let free = ask(&eve, json!({ "query": "오바마", "channels": ["who"] })).await;
    assert_eq!(scenes(&free), Vec::<Value>::new(), "{free}");
    let operator = ask(&eve, json!({ "query": "person:오바마" })).await;
    assert_eq!((scenes(&operator), &operator["notes"][0]["code"]), (vec![], &json!("unknown_person")), "{operator}");
}
