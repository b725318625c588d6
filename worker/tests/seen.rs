//! What is seen: found by a description, pooled by scene, and indexed again when the model changes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use common::{PATIENCE, Uploaded, World, media, until};
use heimdex_db::{
    Stage, ledger,
    search::{self, Embedding, Filters, Near, VectorSearch},
    stage::redo_of,
    vectors::VectorKind,
};
use heimdex_models::{ImageTexts, Registry, TextEmbedder, image};
use serde::Deserialize;

const CONSE: &str = "efficientnet-lite0-conse";
/// See worker/models/tests/fixtures/make_two_tower.py: it knows colours.
const TINY: &str = "clip-tiny";

fn models_dir() -> PathBuf {
    std::env::var_os("HEIMDEX_MODELS_DIR").expect("HEIMDEX_MODELS_DIR names the fetched models").into()
}

/// The half of an image model that reads, and its floor.
struct Reader {
    texts: Box<dyn ImageTexts>,
    floor: f64,
}

impl Reader {
    fn of(models: &Path, id: &str) -> Self {
        let registry = Registry::open(models).unwrap();
        let manifest = registry.get(id).unwrap();
        let table = image::table(&manifest).unwrap();
        let text_model =
            table.needs_text_model().map(|id| Arc::new(TextEmbedder::load(&registry.get(id).unwrap(), 1).unwrap()));
        let floor = f64::from(table.similarity_floor);
        Self { texts: image::load_texts(&manifest, 1, text_model).unwrap(), floor }
    }

    /// Starts of the scenes that show it, best first.
    async fn find(&self, world: &World, video: Uploaded, text: &str) -> Vec<i64> {
        let vector = self.texts.embed_texts(&[text]).unwrap().remove(0);
        let query = Embedding { model: self.texts.id().to_owned(), vector };
        let near = Near { except: None, floor: self.floor, limit: 20 };
        let (pool, patience) = (world.pool(), Duration::from_secs(5));
        let found = VectorSearch::new(pool.clone())
            .near(VectorKind::Image, video.owner_id, &query, &Filters::default(), near, patience)
            .await
            .unwrap();
        let mut starts = Vec::new();
        for candidate in found {
            let start = sqlx::query_scalar("SELECT start_ms FROM scenes WHERE run_id = $1 AND scene_id = $2")
                .bind(candidate.run_id)
                .bind(candidate.scene_id)
                .fetch_one(pool)
                .await;
            starts.push(start.unwrap());
        }
        starts
    }
}

/// `(scenes, frames)` that have a vector, of the visible run.
async fn vectors(world: &World, video: Uploaded) -> (i64, i64) {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM scenes s WHERE s.run_id = v.current_run_id AND s.image_vec IS NOT NULL AND s.image_model IS NOT NULL),
                (SELECT count(*) FROM frames f WHERE f.run_id = v.current_run_id AND f.image_vec IS NOT NULL AND f.image_model IS NOT NULL)
         FROM videos v WHERE v.video_id = $1",
    )
    .bind(video.video_id)
    .fetch_one(world.pool())
    .await
    .unwrap()
}

#[derive(Deserialize)]
struct Truth {
    shots: Vec<Shot>,
}

#[derive(Deserialize)]
struct Shot {
    name: String,
    start_ms: i64,
    end_ms: i64,
}

#[tokio::test]
async fn what_the_sample_shows_is_found_without_a_word_spoken() {
    let made = std::env::var_os("HEIMDEX_SAMPLE").map(PathBuf::from);
    let cached = || PathBuf::from(std::env::var_os("HEIMDEX_CACHE").unwrap_or_default()).join("sample/sample.mp4");
    let file = made.unwrap_or_else(cached);
    let truth: Truth =
        serde_json::from_slice(&std::fs::read(file.with_extension("truth.json")).expect("scripts/sample makes it"))
            .unwrap();
    let world = World::new().await;
    let worker = world.worker("one").with("HEIMDEX_ASR_MODEL", "none").start();
    let video = world.upload(&file).await;
    world.video_becomes(video, &["indexed"]).await;
    worker.terminate().await;

    let reader = Reader::of(&models_dir(), CONSE);
    let shown = async |text: &str| {
        let starts = reader.find(&world, video, text).await;
        let shot = |start: i64| {
            let middle = |shot: &&Shot| shot.start_ms <= start + 500 && start + 500 < shot.end_ms;
            truth.shots.iter().find(middle).map_or("?", |shot| shot.name.as_str())
        };
        let names: Vec<_> = starts.into_iter().map(shot).collect();
        println!("{text}: {names:?}");
        names
    };
    for (text, first) in [
        ("a man in a car", ["man_close", "man"].as_slice()),
        ("a man with a bow tie", &["man", "man_close"]),
        ("somebody wearing a seat belt", &["man_close", "man"]),
        ("a rabbit", &["rabbit_close", "rabbit"]),
        ("a wild animal", &["rabbit", "rabbit_close"]),
    ] {
        let found = shown(text).await;
        let mut best: Vec<_> = found.iter().copied().take(first.len()).collect();
        best.sort_unstable();
        let mut first = first.to_vec();
        first.sort_unstable();
        assert_eq!(best, first, "{text}");
    }
    for text in ["it was the best of times", "quarterly results", "snow on mountains", "the president speaks"] {
        assert_eq!(shown(text).await, Vec::<&str>::new(), "{text}");
    }
}

#[tokio::test]
async fn changing_the_image_model_redoes_what_stands_on_it_while_search_goes_on() {
    let models = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(models_dir()).unwrap().flatten() {
        std::os::unix::fs::symlink(entry.path(), models.path().join(entry.file_name())).unwrap();
    }
    let fixture =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("models/tests/fixtures/models").join(TINY);
    std::fs::create_dir(models.path().join(TINY)).unwrap();
    for entry in std::fs::read_dir(fixture).unwrap().flatten() {
        std::fs::copy(entry.path(), models.path().join(TINY).join(entry.file_name())).unwrap();
    }
    let models_named = models.path().to_str().unwrap();

    let world = World::new().await;
    let file = media::make(
        "colours.mp4",
        "-f lavfi -i color=red:s=320x180:r=25:d=2 -f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i color=blue:s=320x180:r=25:d=2 \
         -filter_complex [0][1][2]concat=n=3:v=1:a=0,format=yuv420p -c:v libx264 -preset ultrafast",
    );
    let video = world.upload(&file).await;
    let worker = world.worker("old").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    worker.terminate().await;
    let (old, new) = (Reader::of(models.path(), CONSE), Reader::of(models.path(), TINY));
    let before = old.find(&world, video, "a computer screen").await;
    assert!(!before.is_empty());
    assert_eq!(search::models(world.pool(), VectorKind::Image, video.owner_id).await.unwrap(), [CONSE]);

    // The new model has seen the whole video, and nobody has committed that yet.
    let mut tx = world.pool().begin().await.unwrap();
    let (run_id, again) = ledger::redo_stages(&mut tx, video.video_id, &[Stage::VisionEmbedFrames]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(again, redo_of(&[Stage::VisionEmbedFrames]));
    assert!(!again.contains(&Stage::SceneDetect) && !again.contains(&Stage::EmbedText));
    let redone = Uploaded { run_id, ..video };
    let start = |name: &str, stages: &[Stage]| {
        let worker = world.worker(name).with("HEIMDEX_MODELS_DIR", models_named).with("HEIMDEX_IMAGE_MODEL", TINY);
        worker.stages(stages).start()
    };
    let worker = start("new", &[Stage::VisionEmbedFrames]);
    until("the new model has seen it", PATIENCE, async || {
        (world.job(redone, Stage::VisionEmbedFrames).await.0 == "completed").then_some(())
    })
    .await;
    worker.terminate().await;
    assert_eq!(search::models(world.pool(), VectorKind::Image, video.owner_id).await.unwrap(), [CONSE]);
    assert_eq!(old.find(&world, video, "a computer screen").await, before, "the old vectors answer");
    assert_eq!(new.find(&world, video, "red").await, Vec::<i64>::new(), "the new ones wait");

    let worker = start("rest", &[]);
    until("the new run is visible", PATIENCE, async || {
        let visible: heimdex_db::RunId = sqlx::query_scalar("SELECT current_run_id FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .ok()?;
        (visible == run_id).then_some(())
    })
    .await;
    world.at_rest(redone).await;
    worker.terminate().await;
    assert_eq!(search::models(world.pool(), VectorKind::Image, video.owner_id).await.unwrap(), [TINY]);
    // There is some red and some blue in the test picture too.
    assert_eq!(new.find(&world, video, "red").await.first(), Some(&0));
    assert_eq!(new.find(&world, video, "blue").await.first(), Some(&4000));
    assert_eq!(old.find(&world, video, "a computer screen").await, Vec::<i64>::new());
    for &stage in Stage::ALL {
        let inherited = world.job(redone, stage).await.1.as_deref() == Some("inherited");
        assert_eq!(inherited, !again.contains(&stage), "{stage}");
    }
}

#[tokio::test]
async fn nothing_to_see_is_no_failure() {
    let world = World::new().await;
    let x264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let black = world.upload(&media::make("black.mp4", &format!("-f lavfi -i color=black:s=320x180:d=2 {x264}"))).await;
    let worker = world.worker("one").start();
    world.video_becomes(black, &["indexed"]).await;
    let (state, note, _) = world.job(black, Stage::VisionEmbedFrames).await;
    assert_eq!((state.as_str(), note.as_deref()), ("completed", Some("nothing to see")));
    assert_eq!(vectors(&world, black).await, (0, 0));

    // Four pixels: whatever is seen in them, it goes through.
    let file = media::make("four.mp4", "-f lavfi -i testsrc2=s=16x16:d=2,crop=2:2 -c:v mpeg4");
    let owner = black.owner_id;
    let four = world.upload_as(owner, &file, &common::Announced::of(&file)).await;
    world.video_becomes(four, &["indexed"]).await;
    assert_eq!(world.job(four, Stage::VisionEmbedFrames).await.0, "completed");
    let (scenes, frames) = vectors(&world, four).await;
    assert!(scenes <= 1 && frames >= scenes, "{scenes} scenes, {frames} frames");
    worker.terminate().await;
}

#[tokio::test]
async fn no_frames_and_no_model_say_so() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let before = [Stage::UploadValidate, Stage::SceneDetect, Stage::VisionSampleFrames];
    let worker = world.worker("one").stages(&before).start();
    until("the frames are chosen", PATIENCE, async || {
        (world.job(video, Stage::VisionSampleFrames).await.0 == "completed").then_some(())
    })
    .await;
    worker.terminate().await;
    sqlx::query("DELETE FROM frames WHERE run_id = $1").bind(video.run_id).execute(world.pool()).await.unwrap();
    let worker = world.worker("two").start();
    world.video_becomes(video, &["indexed"]).await;
    worker.terminate().await;
    assert_eq!(world.job(video, Stage::VisionEmbedFrames).await.1.as_deref(), Some("no frames"));

    let file = media::silent();
    let blind = world.upload_as(video.owner_id, file, &common::Announced::of(file)).await;
    let worker = world.worker("three").with("HEIMDEX_IMAGE_MODEL", "none").start();
    world.video_becomes(blind, &["indexed"]).await;
    worker.terminate().await;
    assert_eq!(world.job(blind, Stage::VisionEmbedFrames).await.1.as_deref(), Some("no model"));
    assert_eq!(vectors(&world, blind).await, (0, 0));
}
