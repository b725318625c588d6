//! Signs of which a query has a part on each line, and letters that stand apart.

use serde_json::json;

use crate::support::{App, said, scene_of, written};

#[tokio::test]
async fn a_sign_is_read_over_its_lines_and_letters_that_stand_apart_are_a_word() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "A walk", &[(0, 9000, ""), (9000, 20_000, "")]).await;
    let (palace, clinic) = (scene_of(video, 0, 9000), scene_of(video, 9000, 20_000));
    written(&app, &ann, video, palace, (1000, 5000), "欢迎来到北京").await;
    written(&app, &ann, video, palace, (1000, 5000), "颐和园").await;
    written(&app, &ann, video, clinic, (10_000, 12_000), "LPED").await;
    written(&app, &ann, video, clinic, (10_000, 12_000), "visit us in Beijing").await;
    let find = async |query: &str| {
        let body = ann.post("/search", json!({ "query": query, "channels": ["written"] })).await.body;
        let scenes = body["items"].as_array().unwrap().iter().map(|hit| hit["scene_id"].clone());
        scenes.collect::<Vec<_>>()
    };
    for (query, scene) in [("北京颐和园", palace), ("L P E D", clinic), ("text:\"l p e d\"", clinic)] {
        assert_eq!(find(query).await, [json!(scene)], "{query}");
    }
    // A third of the characters is not the sign, and words are not run together.
    for query in ["颐和园附近的饭店很多", "is it", "text:\"L P E X\""] {
        assert!(find(query).await.is_empty(), "{query}");
    }
}
