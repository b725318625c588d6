//! What scenes show and how they feel: told, searched and filtered by.

use heimdex_db::{
    SceneId, VideoId,
    tag_labels::{self, TagLabel},
};
use heimdex_models::tags::Vocabulary;
use serde_json::{Value, json};

use crate::support::{App, Person, said, scene_of};

const SCENES: [(i64, i64); 4] = [(0, 4000), (4000, 8000), (8000, 12_000), (12_000, 16_000)];

/// What a worker writes down at its start.
pub async fn publish(app: &App) {
    let row = |tag: &str, label: &heimdex_models::tags::Label| TagLabel {
        tag: tag.to_owned(),
        language: label.language.clone(),
        label: label.text.clone(),
        place: i16::try_from(label.place).unwrap(),
    };
    let vocabulary = Vocabulary::built_in().unwrap();
    let labels: Vec<_> =
        vocabulary.tags.iter().flat_map(|tag| tag.labels.iter().map(|label| row(&tag.id, label))).collect();
    tag_labels::publish(app.db.pool(), &labels).await.unwrap();
    // A second worker, or the same one again, changes nothing.
    tag_labels::publish(app.db.pool(), &labels).await.unwrap();
}

async fn tag(app: &App, scene: SceneId, tag: &str, score: f32) {
    sqlx::query(
        "INSERT INTO scene_tags (run_id, owner_id, scene_id, tag, score, source)
         SELECT run_id, owner_id, scene_id, $2, $3, 'image' FROM scenes WHERE scene_id = $1",
    )
    .bind(scene)
    .bind(tag)
    .bind(score)
    .execute(app.db.pool())
    .await
    .unwrap();
}

/// Four silent scenes: a car with a dog in it, a dog, a car at night, and one of which nothing is known.
async fn footage(app: &App, owner: &Person) -> VideoId {
    let video = said(app, owner, "Footage", &SCENES.map(|(start, end)| (start, end, ""))).await;
    let scene = |n: usize| scene_of(video, SCENES[n].0, SCENES[n].1);
    for (n, name, score) in [(0, "car", 0.6), (0, "dog", 0.7), (1, "dog", 0.9), (2, "car", 0.95), (2, "night", 0.5)] {
        tag(app, scene(n), name, score).await;
    }
    for (n, valence, arousal) in [(0, 0.6, 0.7), (1, -0.4, 0.2)] {
        let dimension = |value: f64| json!({ "value": value, "confidence": 0.5, "sources": [{ "source": "text", "value": value, "share": 0.7 }] });
        sqlx::query("UPDATE scenes SET affect = $2 WHERE scene_id = $1")
            .bind(scene(n))
            .bind(json!({ "valence": dimension(valence), "arousal": dimension(arousal), "energy": null }))
            .execute(app.db.pool())
            .await
            .unwrap();
    }
    video
}

/// Which of the four scenes were found, best first.
fn found(answer: &Value) -> Vec<usize> {
    let place = |hit: &Value| SCENES.iter().position(|(start, _)| hit["start_ms"] == *start).unwrap();
    answer["items"].as_array().unwrap().iter().map(place).collect()
}

async fn tagged(person: &Person, query: &str) -> Vec<usize> {
    found(&person.post("/search", json!({ "query": query, "channels": ["tagged"] })).await.assert_status(200).body)
}

#[tokio::test]
async fn a_tag_is_found_by_what_it_is_called_in_any_language() {
    let app = App::start().await;
    publish(&app).await;
    let ann = app.enterprise("ann").await;
    footage(&app, &ann).await;
    for query in
        ["a car", "Cars", "driving", "자동차", "자동차에서 내리는 사람", "Autos", "voitures", "車の中", "一辆汽车"]
    {
        assert_eq!(tagged(&ann, query).await, [2, 0], "{query}");
    }
    for query in ["dogs", "강아지가 뛴다", "Hunde", "los perros", "犬"] {
        assert_eq!(tagged(&ann, query).await, [1, 0], "{query}");
    }
    assert_eq!(tagged(&ann, "a dog in a car").await, [0, 2, 1], "what shows both comes first");
    for query in ["carpet", "a hot potato", "강아지풀밭", "the", "%", "' OR 1=1 --"] {
        if query.chars().any(char::is_alphanumeric) {
            assert_eq!(tagged(&ann, query).await, Vec::<usize>::new(), "{query}");
        }
    }
    let answer = ann.post("/search", json!({ "query": "dog" })).await.body;
    let why = &answer["items"][0]["matches"][0];
    assert_eq!((&why["channel"], &why["rank"]), (&json!("tagged"), &json!(1)));
}

#[tokio::test]
async fn another_persons_scenes_are_not_found_by_their_tags() {
    let app = App::start().await;
    publish(&app).await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    footage(&app, &ann).await;
    assert_eq!(tagged(&ben, "car").await, Vec::<usize>::new());
}

#[tokio::test]
async fn tags_narrow_a_search_by_id_or_by_name() {
    let app = App::start().await;
    publish(&app).await;
    let ann = app.enterprise("ann").await;
    footage(&app, &ann).await;
    for name in ["night", "Nacht", "밤"] {
        let answer = ann.post("/search", json!({ "query": "car", "filters": { "tags": [name] } })).await.body;
        assert_eq!(found(&answer), [2], "{name}");
    }
    let answer = ann.post("/search", json!({ "query": "car", "filters": { "tags": ["no such tag"] } })).await.body;
    assert_eq!(found(&answer), Vec::<usize>::new());
}

#[tokio::test]
async fn a_search_is_narrowed_to_how_scenes_feel() {
    let app = App::start().await;
    publish(&app).await;
    let ann = app.enterprise("ann").await;
    footage(&app, &ann).await;
    for (affect, scenes) in [
        (json!({ "valence": { "min": 0.2 } }), vec![0]),
        (json!({ "valence": { "max": 0.0 } }), vec![1]),
        (json!({ "valence": { "min": -1.0, "max": 1.0 } }), vec![1, 0]),
        (json!({ "valence": { "min": 0.2 }, "arousal": { "max": 0.5 } }), vec![]),
        // Nobody knows of these scenes how much goes on in them.
        (json!({ "energy": { "min": 0.0 } }), vec![]),
        (json!({}), vec![1, 0]),
    ] {
        let answer = ann.post("/search", json!({ "query": "dog", "filters": { "affect": affect } })).await;
        assert_eq!(found(&answer.assert_status(200).body), scenes, "{affect}");
    }
    for wrong in [
        json!({ "valence": { "min": -2 } }),
        json!({ "arousal": { "min": -0.1 } }),
        json!({ "energy": { "min": 0.6, "max": 0.5 } }),
        json!({ "joy": { "min": 0.5 } }),
    ] {
        ann.post("/search", json!({ "query": "dog", "filters": { "affect": wrong } })).await.assert_status(400);
    }
}

#[tokio::test]
async fn a_scene_says_what_it_shows_and_how_it_feels() {
    let app = App::start().await;
    publish(&app).await;
    let ann = app.user("ann").await;
    let video = footage(&app, &ann).await;
    tag(&app, scene_of(video, 0, 4000), "retired-tag", 0.5).await;
    let scene =
        ann.get(&format!("/scenes/{}?language=ko", scene_of(video, 0, 4000))).await.assert_status(200).body.clone();
    assert_eq!(
        scene["tags"],
        json!([
            { "tag": "dog", "label": "개", "score": 0.7, "source": "image" },
            { "tag": "car", "label": "자동차", "score": 0.6, "source": "image" },
            { "tag": "retired-tag", "label": "retired-tag", "score": 0.5, "source": "image" },
        ])
    );
    assert_eq!(scene["affect"]["valence"]["value"], 0.6);
    assert_eq!(scene["affect"]["valence"]["sources"][0], json!({ "source": "text", "value": 0.6, "share": 0.7 }));
    assert_eq!(scene["affect"]["energy"], json!(null));
    let scenes = ann.get(&format!("/videos/{video}/scenes")).await.assert_status(200).body.clone();
    assert_eq!(scenes["items"][0]["tags"][0]["label"], "dog");
    assert_eq!((&scenes["items"][3]["tags"], &scenes["items"][3]["affect"]), (&json!([]), &json!(null)));
    // A language that the vocabulary does not have is answered in English.
    let scene = ann.get(&format!("/scenes/{}?language=xx", scene_of(video, 0, 4000))).await.body;
    assert_eq!(scene["tags"][0]["label"], "dog");
}
