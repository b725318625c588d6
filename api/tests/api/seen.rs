//! Finding what is seen.

use std::path::Path;

use heimdex_db::{
    VideoId,
    vectors::{VectorKind, ensure_model},
};
use heimdex_models::{ImageOptions, Picture, Registry, image};
use serde_json::{Value, json};

use crate::{
    support::{App, Person, said, scene_of},
    tags::publish as publish_vocabulary,
};

pub const CONSE: &str = "efficientnet-lite0-conse";
pub const TINY: &str = "clip-tiny";
pub const CAT: &[u8] = include_bytes!("../../../worker/models/tests/fixtures/chelsea.rgb");
pub const COFFEE: &[u8] = include_bytes!("../../../worker/models/tests/fixtures/coffee.rgb");

/// A models folder of one's own: the fetched models, and the small one that knows colours.
pub struct Models(tempfile::TempDir);

impl Models {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fetched = std::env::var("HEIMDEX_MODELS_DIR").expect("HEIMDEX_MODELS_DIR names the fetched models");
        for entry in std::fs::read_dir(fetched).unwrap().flatten() {
            std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        let fixtures =
            Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../worker/models/tests/fixtures/models");
        std::fs::create_dir(folder.path().join(TINY)).unwrap();
        for entry in std::fs::read_dir(fixtures.join(TINY)).unwrap().flatten() {
            std::fs::copy(entry.path(), folder.path().join(TINY).join(entry.file_name())).unwrap();
        }
        Self(folder)
    }

    pub async fn app(&self, image: &str) -> App {
        let app = App::start_with(|name| match name {
            "HEIMDEX_MODELS_DIR" => Some(self.0.path().to_str().unwrap().to_owned()),
            "HEIMDEX_IMAGE_MODEL" => Some(image.to_owned()),
            _ => None,
        })
        .await;
        while app.anonymous("GET", "/health/ready", None).await.body["checks"]["image_model"] == "loading" {
            tokio::task::yield_now().await;
        }
        app
    }

    /// Shows a picture in a scene, in its last third, as `vision_embed_frames` has it.
    pub async fn show(&self, app: &App, model: &str, video: VideoId, (start, end): (i64, i64), rgb: &[u8]) {
        let pool = app.db.pool();
        let manifest = Registry::open(self.0.path()).unwrap().get(model).unwrap();
        let encoder = image::load_pictures(&manifest, ImageOptions::default()).unwrap();
        let seen = encoder.embed_pictures(&[Picture::new(128, 128, rgb).unwrap()]).unwrap().remove(0).unwrap();
        ensure_model(pool, VectorKind::Image, model, encoder.dimension()).await.unwrap();
        let scene = scene_of(video, start, end);
        sqlx::query("UPDATE scenes SET image_vec = $2::text::vector, image_model = $3 WHERE scene_id = $1")
            .bind(scene)
            .bind(format!("{seen:?}"))
            .bind(model)
            .execute(pool)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO frames (run_id, scene_id, at_ms, owner_id, object_key, width, height, sharpness, brightness, phash, sampled, image_vec, image_model)
             SELECT run_id, scene_id, start_ms + n * (end_ms - start_ms) / 3, owner_id, 'key', 128, 128, 1, 1, 1, true,
                    CASE WHEN n = 2 THEN $2::text::vector END, CASE WHEN n = 2 THEN $3 END
             FROM scenes, generate_series(1, 2) n WHERE scene_id = $1",
        )
        .bind(scene)
        .bind(format!("{seen:?}"))
        .bind(model)
        .execute(pool)
        .await
        .unwrap();
    }
}

pub fn found(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|hit| hit["scene_id"].as_str().unwrap()).collect()
}

async fn seen(person: &Person, query: &str) -> Value {
    person.post("/search", json!({ "query": query, "channels": ["seen"] })).await.assert_status(200).body.clone()
}

#[tokio::test]
async fn a_picture_is_found_by_its_description() {
    let models = Models::new();
    let app = models.app(CONSE).await;
    let ann = app.user("ann").await;
    let video =
        said(&app, &ann, "At home", &[(0, 6000, ""), (6000, 12_000, "good morning"), (12_000, 15_000, "")]).await;
    models.show(&app, CONSE, video, (0, 6000), CAT).await;
    models.show(&app, CONSE, video, (6000, 12_000), COFFEE).await;
    let (cat, coffee) = (scene_of(video, 0, 6000).to_string(), scene_of(video, 6000, 12_000).to_string());

    let answer = ann.post("/search", json!({ "query": "a cat" })).await.assert_status(200).body.clone();
    assert_eq!(found(&answer), [cat.as_str()]);
    let hit = &answer["items"][0];
    assert_eq!((&hit["matches"][0]["channel"], &hit["at_ms"]), (&json!("seen"), &json!(4000)), "where it is seen best");
    assert_eq!(found(&seen(&ann, "a mug of coffee").await), [coffee.as_str()]);
    // Said and seen: the jump is to the word.
    let answer = ann.post("/search", json!({ "query": "morning coffee" })).await.body;
    assert_eq!(found(&answer), [coffee.as_str()]);
    assert!(answer["items"][0]["at_ms"].as_i64().unwrap() < 10_000, "{answer}");
    let nothing = seen(&ann, "the quarterly results of a bank").await;
    assert_eq!((found(&nothing).len(), &nothing["channels"][0]["status"]), (0, &json!("ok")));

    // Nobody else's.
    let eve = app.user("eve").await;
    assert!(found(&seen(&eve, "a cat").await).is_empty());
    eve.get(&format!("/scenes/{cat}/similar")).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_seen_is_found_by_its_name_in_the_vocabularys_other_languages() {
    let models = Models::new();
    let app = models.app(CONSE).await;
    publish_vocabulary(&app).await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "At home", &[(0, 6000, ""), (6000, 12_000, "")]).await;
    models.show(&app, CONSE, video, (0, 6000), CAT).await;
    models.show(&app, CONSE, video, (6000, 12_000), COFFEE).await;
    let cat = scene_of(video, 0, 6000).to_string();
    // The model reads English only, and nobody has tagged the scene.
    for query in ["고양이", "eine Katze", "un chat", "猫"] {
        let answer = seen(&ann, query).await;
        assert_eq!(found(&answer), [cat.as_str()], "{query}: {answer}");
        assert_eq!(answer["items"][0]["at_ms"], 4000, "{query}: where it is seen best");
    }
    // Where no spaces are written, a part of a sentence is better than nothing.
    assert_eq!(found(&seen(&ann, "猫が座っている").await), [cat.as_str()]);
    // French for a cat, but not what is meant.
    assert!(found(&seen(&ann, "chat room etiquette").await).is_empty());
    // In languages that the vocabulary does not speak, by the glossary; but not as a part of something else.
    for query in ["кошка", "un gatto", "kot", "katt"] {
        assert_eq!(found(&seen(&ann, query).await), [cat.as_str()], "{query}");
    }
    assert!(found(&seen(&ann, "кошка сидит в комнате для переговоров").await).is_empty());
}

#[tokio::test]
async fn what_an_older_model_has_indexed_stays_findable() {
    let models = Models::new();
    let app = models.app(TINY).await;
    let ann = app.user("ann").await;
    let old = said(&app, &ann, "Old", &[(0, 6000, "")]).await;
    let new = said(&app, &ann, "New", &[(0, 6000, ""), (6000, 9000, "")]).await;
    models.show(&app, CONSE, old, (0, 6000), CAT).await;
    models.show(&app, TINY, new, (0, 6000), &[255, 0, 0].repeat(128 * 128)).await;
    let (cat, red) = (scene_of(old, 0, 6000).to_string(), scene_of(new, 0, 6000).to_string());
    // Each in the space of its own model; the first to ask may be too early for a model that nobody has asked for before.
    let mut answer = seen(&ann, "a cat").await;
    while found(&answer).is_empty() {
        answer = seen(&ann, "a cat").await;
        assert_eq!(answer["channels"][0]["status"], "ok", "{answer}");
    }
    assert_eq!(found(&answer), [cat.as_str()]);
    assert_eq!(found(&seen(&ann, "red").await), [red.as_str()]);
    // Another person's models are not this person's.
    let eve = app.user("eve").await;
    assert!(found(&seen(&eve, "red").await).is_empty());

    // However many spaces there are, a channel asks on one connection: what it compares waits for a table, which a filter asks for, until
    // its deadline.
    let mut held = app.db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE video_metadata IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let late =
        ann.post("/search", json!({ "query": "red", "channels": ["seen"], "filters": { "max_duration_s": 60 } }));
    tokio::pin!(late);
    let mut most = 0;
    loop {
        let waiting = sqlx::query_scalar::<_, i64>(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND relation = 'video_metadata'::regclass
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        tokio::select! {
            reply = &mut late => {
                reply.assert_problem(503, "unavailable");
                break;
            }
            waiting = waiting.fetch_one(app.db.pool()) => most = most.max(waiting.unwrap()),
        }
    }
    held.rollback().await.unwrap();
    assert_eq!(most, 1);
}

#[tokio::test]
async fn a_model_that_has_gone_takes_nothing_else_with_it() {
    let models = Models::new();
    let app = models.app(CONSE).await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two", &[(0, 6000, "red letters"), (6000, 9000, "")]).await;
    models.show(&app, CONSE, video, (0, 6000), CAT).await;
    models.show(&app, TINY, video, (6000, 9000), &[255, 0, 0].repeat(128 * 128)).await;
    std::fs::remove_dir_all(models.0.path().join(TINY)).unwrap();
    assert_eq!(found(&seen(&ann, "a cat").await).len(), 1);
    // Scenes are compared by their vectors; that needs no model.
    let red = scene_of(video, 6000, 9000);
    ann.get(&format!("/scenes/{red}/similar?by=seen")).await.assert_status(200);
    // When it is the only one, the channel fails and the others answer.
    sqlx::query("UPDATE scenes SET image_vec = NULL, image_model = NULL WHERE image_model = $1")
        .bind(CONSE)
        .execute(app.db.pool())
        .await
        .unwrap();
    let answer = ann.post("/search", json!({ "query": "red" })).await.assert_status(200).body.clone();
    let statuses: Vec<_> =
        answer["channels"].as_array().unwrap().iter().map(|c| c["status"].as_str().unwrap()).collect();
    assert_eq!((found(&answer).len(), statuses), (1, vec!["ok", "skipped", "error", "ok", "ok", "skipped", "ok"]));
}

#[tokio::test]
async fn scenes_are_alike_by_what_is_said_by_what_is_seen_or_both() {
    let models = Models::new();
    let app = models.app(CONSE).await;
    let ann = app.user("ann").await;
    let video =
        said(&app, &ann, "Cats", &[(0, 3000, ""), (3000, 6000, ""), (6000, 9000, ""), (9000, 12_000, "")]).await;
    let darker: Vec<u8> = CAT.iter().map(|byte| byte / 2).collect();
    models.show(&app, CONSE, video, (0, 3000), CAT).await;
    models.show(&app, CONSE, video, (3000, 6000), &darker).await;
    models.show(&app, CONSE, video, (6000, 9000), COFFEE).await;
    let scene = |start: i64| scene_of(video, start, start + 3000);
    let similar = async |query: &str| ann.get(&format!("/scenes/{}/similar{query}", scene(0))).await;
    for query in ["", "?by=seen"] {
        let answer = similar(query).await.assert_status(200).body.clone();
        assert_eq!(found(&answer), [scene(3000).to_string()], "{query}");
        assert_eq!(answer["items"][0]["matches"][0]["channel"], "seen");
    }
    similar("?by=said").await.assert_problem(409, "no_vectors");
    similar("?by=smell").await.assert_problem(400, "invalid_request");
    ann.get(&format!("/scenes/{}/similar", scene(9000))).await.assert_problem(409, "no_vectors");
}
