//! Tags and affect at the end of the real pipeline, with whatever a video has and lacks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::Path;

use common::{PATIENCE, Uploaded, World, media, until};
use heimdex_db::Stage;
use serde_json::Value;

/// Affect of the scenes of an indexed video, in order.
async fn affects(world: &World, video: Uploaded) -> Vec<Value> {
    sqlx::query_scalar("SELECT coalesce(affect, 'null') FROM scenes WHERE run_id = $1 ORDER BY ordinal")
        .bind(video.run_id)
        .fetch_all(world.pool())
        .await
        .unwrap()
}

async fn tags(world: &World, video: Uploaded) -> Vec<(i32, String, String)> {
    sqlx::query_as(
        "SELECT s.ordinal, t.tag, t.source FROM scene_tags t JOIN scenes s USING (run_id, scene_id) WHERE t.run_id = $1 ORDER BY 1, 2",
    )
    .bind(video.run_id)
    .fetch_all(world.pool())
    .await
    .unwrap()
}

async fn indexed(world: &World, file: &Path) -> Uploaded {
    let video = world.upload(file).await;
    let _worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    let (state, _, error) = world.job(video, Stage::VisionAffectTags).await;
    assert_eq!((state.as_str(), error), ("completed", None));
    video
}

/// Names of the sources of a dimension.
fn sources(affect: &Value, dimension: &str) -> Vec<String> {
    let mut names: Vec<_> = affect[dimension]["sources"]
        .as_array()
        .unwrap_or_else(|| panic!("{dimension} of {affect}"))
        .iter()
        .map(|source| source["source"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn words_voice_light_and_motion_make_affect() {
    let world = World::new().await;
    let video = indexed(&world, media::spoken()).await;
    let found = affects(&world, video).await;
    assert_eq!(found.len(), 3);
    assert_eq!(sources(&found[0], "valence"), ["colour", "text"]);
    assert!(sources(&found[0], "arousal").contains(&"speech_rate".to_owned()), "{found:?}");
    assert_eq!(sources(&found[0], "energy"), ["loudness", "motion", "pace"]);
    for affect in &found {
        for (dimension, least) in [("valence", -1.0), ("arousal", 0.0), ("energy", 0.0)] {
            let value = affect[dimension]["value"].as_f64().unwrap();
            assert!((least..=1.0).contains(&value), "{affect}");
        }
    }
    let (curve, seconds): (i32, i32) = sqlx::query_as(
        "SELECT cardinality(loudness_lufs), cardinality(array_remove(pitch_hz, NULL)) FROM sound_curves WHERE run_id = $1",
    )
    .bind(video.run_id)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert!((9..=10).contains(&curve) && seconds >= 3, "{curve} seconds, {seconds} of them voiced");
    // The sidecar tells of both.
    let key: String = sqlx::query_scalar("SELECT artifacts ->> 'sidecar' FROM runs WHERE run_id = $1")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    let sidecar: Value = serde_json::from_slice(&world.object(&key).await).unwrap();
    assert_eq!(sidecar["scenes"][0]["affect"], found[0]);
    assert!(sidecar["scenes"][0]["tags"].is_array());
}

#[tokio::test]
async fn a_silent_black_still_is_dark_still_and_without_energy() {
    let world = World::new().await;
    let file = media::make(
        "black.mp4",
        "-f lavfi -i color=black:s=320x180:r=25:d=4 -f lavfi -i anullsrc=r=48000:d=4 -shortest -c:a aac",
    );
    let video = indexed(&world, &file).await;
    let found = affects(&world, video).await;
    assert_eq!(sources(&found[0], "energy"), ["loudness", "motion", "pace"]);
    assert!(found[0]["energy"]["value"].as_f64().unwrap() < 0.3, "{found:?}");
    assert_eq!(sources(&found[0], "valence"), ["colour"]);
    assert!(found[0]["valence"]["confidence"].as_f64().unwrap() <= 0.1, "{found:?}");
    let tags = tags(&world, video).await;
    for (tag, source) in [("dark", "brightness"), ("still", "motion")] {
        assert!(tags.contains(&(0, tag.to_owned(), source.to_owned())), "{tags:?}");
    }
}

#[tokio::test]
async fn without_sound_nothing_is_said_of_voices() {
    let world = World::new().await;
    let file = media::make("mute.mp4", "-f lavfi -i testsrc2=s=320x180:r=25:d=4");
    let video = indexed(&world, &file).await;
    let found = affects(&world, video).await;
    assert_eq!(sources(&found[0], "energy"), ["motion", "pace"]);
    assert_eq!(sources(&found[0], "arousal"), ["colour", "motion"]);
    let curves: i64 = sqlx::query_scalar("SELECT count(*) FROM sound_curves").fetch_one(world.pool()).await.unwrap();
    assert_eq!(curves, 0);
}

#[tokio::test]
async fn ones_own_tags_take_the_place_of_the_built_in_ones() {
    let world = World::new().await;
    let path = world.dir.path().join("tags.toml");
    std::fs::write(&path, "[tags]\ndark = { prompts = [], en = \"gloom\", ko = \"어둠\" }\n").unwrap();
    let file = media::make("night.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=2");
    let video = world.upload(&file).await;
    let _worker = world.worker("one").with("HEIMDEX_TAGS_FILE", path.to_str().unwrap()).start();
    world.video_becomes(video, &["indexed"]).await;
    assert_eq!(tags(&world, video).await, [(0, "dark".to_owned(), "brightness".to_owned())]);
    let labels: Vec<(String, String)> =
        sqlx::query_as("SELECT language, label FROM tag_labels ORDER BY 1").fetch_all(world.pool()).await.unwrap();
    let pair = |language: &str, label: &str| (language.to_owned(), label.to_owned());
    assert_eq!(labels, [pair("en", "gloom"), pair("ko", "어둠")]);
}

#[tokio::test]
async fn a_worker_with_wrong_tags_refuses_to_start_and_says_where() {
    let world = World::new().await;
    let path = world.dir.path().join("tags.toml");
    std::fs::write(&path, "[tags]\n\ndog = { prompts = [\"dog\"], de = \"Hund\" }\n").unwrap();
    let mut worker = world.worker("one").with("HEIMDEX_TAGS_FILE", path.to_str().unwrap()).start();
    let status = until("the worker has ended", PATIENCE, async || worker.child.try_wait().ok()?).await;
    assert!(!status.success());
    let log = worker.log();
    for part in ["HEIMDEX_TAGS_FILE", "tags.toml", "line 3", "tags.dog.en"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}
