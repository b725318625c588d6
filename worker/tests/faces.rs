//! Faces in real footage: who talks in a scene is one person in one track; what is no face is none.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::{Path, PathBuf};

use common::{Uploaded, WorkerCommand, World, media, snapshot};
use heimdex_db::{
    RunId, Stage,
    moments::{
        self,
        faces::{self, Track},
        scenes::{self, Scene},
    },
};
use heimdex_models::{FaceAnalyzer, Registry};
use serde::Deserialize;

#[derive(Deserialize)]
struct Truth {
    shots: Vec<Shot>,
}

#[derive(Deserialize)]
struct Shot {
    start_ms: i64,
    end_ms: i64,
    who: Vec<String>,
}

fn sample() -> PathBuf {
    let made = std::env::var_os("HEIMDEX_SAMPLE").map(PathBuf::from);
    let cached = || PathBuf::from(std::env::var_os("HEIMDEX_CACHE").unwrap_or_default()).join("sample/sample.mp4");
    let file = made.unwrap_or_else(cached);
    assert!(file.is_file(), "{} is missing; scripts/sample makes it", file.display());
    file
}

/// Photographs that `scripts/models --samples` fetches.
fn portrait(name: &str) -> PathBuf {
    let file = PathBuf::from(std::env::var_os("HEIMDEX_CACHE").unwrap_or_default()).join("samples/faces").join(name);
    assert!(file.is_file(), "{} is missing; run scripts/models --samples", file.display());
    file
}

/// The limit that the model itself gives for two faces of one person.
fn same() -> f32 {
    let registry = Registry::open(std::env::var_os("HEIMDEX_MODELS_DIR").unwrap()).unwrap();
    let manifest = registry.get("blazeface-dlib").unwrap();
    FaceAnalyzer::load(&manifest, 1).unwrap().thresholds().same
}

/// A worker that looks for faces and does not listen.
fn looking<'a>(world: &'a World, name: &str) -> WorkerCommand<'a> {
    world
        .worker(name)
        .with("FEATURE_FACES", "true")
        .with("HEIMDEX_ASR_MODEL", "none")
        .with("HEIMDEX_TEXT_MODEL", "none")
}

async fn tracks(world: &World, run: RunId) -> Vec<Track> {
    faces::list(world.pool(), run).await.unwrap()
}

async fn indexed(world: &World, file: &Path) -> Uploaded {
    let video = world.upload(file).await;
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    video
}

fn cosine(one: &Track, other: &Track) -> f32 {
    let (one, other) = (one.vector.as_ref().unwrap(), other.vector.as_ref().unwrap());
    one.as_slice().iter().zip(other.as_slice()).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn the_man_of_the_sample_is_one_track_in_each_of_his_scenes_and_in_no_other() {
    let file = sample();
    let truth: Truth = serde_json::from_slice(&std::fs::read(file.with_extension("truth.json")).unwrap()).unwrap();
    let world = World::new().await;
    let worker = looking(&world, "one").start();
    let video = indexed(&world, &file).await;

    let scene_rows = scenes::list(world.pool(), video.run_id).await.unwrap();
    let all = tracks(&world, video.run_id).await;
    let shown = |scene: &Scene| {
        let middle = (scene.start_ms + scene.end_ms) / 2;
        truth.shots.iter().find(|shot| (shot.start_ms..shot.end_ms).contains(&middle)).unwrap()
    };
    let (mut his, mut others): (Vec<&Track>, Vec<&Track>) = (Vec::new(), Vec::new());
    for scene in &scene_rows {
        let known: Vec<_> =
            all.iter().filter(|track| track.scene_id == scene.scene_id && track.vector.is_some()).collect();
        let who = &shown(scene).who;
        if who.iter().any(|name| name == "the man in the car") {
            assert_eq!(known.len(), 1, "{who:?}: {known:?}");
            assert!(known[0].faces * 10 >= known[0].frames * 9, "{:?}", known[0]);
            assert!(
                known[0].start_ms <= scene.start_ms + 1100 && known[0].end_ms >= scene.end_ms - 1100,
                "{:?}",
                known[0]
            );
            his.extend(known);
        } else {
            // A drawn face may be taken for one, of somebody else.
            others.extend(known);
        }
    }
    assert_eq!(his.len(), 2);
    let alike = cosine(his[0], his[1]);
    println!("{} tracks, {} with a vector; his two: {alike:.3}", all.len(), his.len());
    assert!(alike >= same(), "{alike}");
    for other in others {
        assert!(his.iter().all(|one| cosine(one, other) < same()), "{other:?}");
    }

    for track in &all {
        let cover = world.object(track.cover_key.as_ref().unwrap()).await;
        assert!(cover.starts_with(b"RIFF") && &cover[8..12] == b"WEBP");
    }
    let pictured: i64 = sqlx::query_scalar("SELECT count(*) FROM face_detections WHERE run_id = $1")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(pictured, all.iter().map(|track| i64::from(track.faces)).sum::<i64>());
    let model: String = sqlx::query_scalar("SELECT models ->> 'face' FROM runs WHERE run_id = $1")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert!(model.starts_with("blazeface-dlib@"), "{model}");
    let (state, note, _) = world.job(video, Stage::FacesEnrollMatch).await;
    assert_eq!((state.as_str(), note), ("completed", None));
    worker.terminate().await;
}

/// Three seconds of two people side by side, then one of them alone, then nobody.
fn two_people() -> PathBuf {
    let (obama, collins) = (portrait("obama2.jpg"), portrait("astronaut.png"));
    let still = |file: &Path| format!("-loop 1 -t 3 -framerate 10 -i {}", file.display());
    media::make(
        "two-people.mp4",
        &format!(
            "{} {} -f lavfi -i testsrc2=s=1280x720:r=10:d=3 -filter_complex \
             [0]scale=-2:720,split[o1][o2];[1]scale=-2:720,split[c1][c2];[o1][c1]hstack,pad=1280:720:(ow-iw)/2:0:0x334455,setsar=1[both];\
             [o2]nullsink;[c2]pad=1280:720:(ow-iw)/2:0:0x334455,setsar=1[one];[2]setsar=1[none];[both][one][none]concat=n=3:v=1 \
             -r 10 -c:v libx264 -pix_fmt yuv420p",
            still(&obama),
            still(&collins)
        ),
    )
}

#[tokio::test]
async fn looking_again_finds_the_same_and_keeps_what_is_still_used() {
    let world = World::new().await;
    let worker = looking(&world, "one").start();
    let video = indexed(&world, &two_people()).await;
    let found = tracks(&world, video.run_id).await;
    let scene_rows = scenes::list(world.pool(), video.run_id).await.unwrap();
    let in_scene = |n: usize| {
        found
            .iter()
            .filter(|track| track.vector.is_some() && track.scene_id == scene_rows[n].scene_id)
            .collect::<Vec<_>>()
    };
    assert_eq!((in_scene(0).len(), in_scene(1).len(), in_scene(2).len()), (2, 1, 0), "{found:?}");
    let (together, alone) = (in_scene(0), in_scene(1)[0]);
    assert!(cosine(together[0], together[1]) < same(), "two people are two");
    let alike: Vec<_> = together.iter().map(|track| cosine(track, alone)).collect();
    assert_eq!(alike.iter().filter(|&&cosine| cosine >= same()).count(), 1, "one of them is seen alone: {alike:?}");

    let whole = snapshot::of(&world, video).await;
    let findings = |mut found: std::collections::BTreeMap<String, serde_json::Value>| {
        found.retain(|name, _| !name.starts_with("jobs ") && !name.starts_with("run "));
        found
    };
    // The first redo looks again; the second takes the rows over, and with them the covers that lie under an older run.
    for stage in [Stage::FacesEnrollMatch, Stage::Commit] {
        let again = world.redo(video, &[stage]).await;
        world.at_rest(again).await;
        snapshot::assert_same(&findings(snapshot::of(&world, again).await), &findings(whole.clone()));
        let in_use = moments::objects_in_use(world.pool(), video.video_id).await.unwrap();
        for track in tracks(&world, again.run_id).await {
            assert!(in_use.contains(track.cover_key.as_ref().unwrap()));
        }
    }
    worker.terminate().await;
}

#[tokio::test]
async fn where_faces_are_off_nobody_is_looked_for() {
    let file = two_people();
    for (name, value, note) in [("FEATURE_FACES", "false", "faces off"), ("HEIMDEX_FACE_MODEL", "none", "no model")] {
        let world = World::new().await;
        let worker = looking(&world, "one").with(name, value).start();
        let video = indexed(&world, &file).await;
        let (state, said, _) = world.job(video, Stage::FacesEnrollMatch).await;
        assert_eq!((state.as_str(), said.as_deref()), ("completed", Some(note)));
        assert_eq!(tracks(&world, video.run_id).await, []);
        assert_eq!(
            world.store.list(&format!("v/{}/r/{}/faces/", video.video_id, video.run_id)).await.unwrap(),
            Vec::<String>::new()
        );
        worker.terminate().await;
    }
}

#[tokio::test]
async fn black_four_pixel_and_single_picture_videos_have_nobody_in_them() {
    let world = World::new().await;
    let worker = looking(&world, "one").start();
    let black = media::make("black.mp4", "-f lavfi -i color=black:s=320x180:r=25:d=2 -c:v libx264 -pix_fmt yuv420p");
    let tiny =
        media::make("tiny.mp4", "-f lavfi -i testsrc2=s=16x16:r=25:d=1 -vf scale=2:2 -c:v libx264 -pix_fmt yuv420p");
    let single =
        media::make("single.mp4", "-f lavfi -i mandelbrot=s=640x360:r=25 -frames:v 1 -c:v libx264 -pix_fmt yuv420p");
    let owner = world.owner("enterprise").await;
    for file in [black, tiny, single] {
        let video = world.upload_as(owner, &file, &common::Announced::of(&file)).await;
        world.video_becomes(video, &["indexed"]).await;
        assert_eq!(tracks(&world, video.run_id).await, [], "{}", file.display());
        let (_, note, _) = world.job(video, Stage::FacesEnrollMatch).await;
        assert_eq!(note.as_deref(), Some("no faces"), "{}", file.display());
    }
    worker.terminate().await;
}
