//! Photos of people, and finding them in what was indexed before: real pictures, the real model, a real worker.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::{Path, PathBuf};

use common::{PATIENCE, World, faces, until};
use heimdex_db::{
    PersonId, PhotoId, UserId,
    audit::By,
    keys,
    people::{self, Consent, NewPhoto},
};
use heimdex_media::pictures::{Rgb, encode_jpeg};

fn portrait(name: &str) -> PathBuf {
    let cache =
        PathBuf::from(std::env::var_os("HEIMDEX_CACHE").expect("HEIMDEX_CACHE is where scripts/models puts things"));
    let file = cache.join("samples/faces").join(name);
    assert!(file.is_file(), "{} is missing; scripts/models --samples fetches it", file.display());
    file
}

async fn person(world: &World, owner: UserId, name: &str) -> PersonId {
    let mut tx = world.pool().begin().await.unwrap();
    let consent = Consent { note: "public domain".into() };
    let person = people::create(&mut tx, owner, name, Some(&consent), &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    person
}

/// What the API does with a photo.
async fn send(world: &World, owner: UserId, person: PersonId, bytes: Vec<u8>) -> PhotoId {
    let new = NewPhoto { photo_id: PhotoId::new(), person_id: person };
    world.store.put_bytes(&keys::sent_photo(owner, person, new.photo_id), bytes, "image/jpeg").await.unwrap();
    let mut tx = world.pool().begin().await.unwrap();
    people::add_photo(&mut tx, owner, &new, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    new.photo_id
}

async fn send_file(world: &World, owner: UserId, person: PersonId, file: &Path) -> PhotoId {
    send(world, owner, person, std::fs::read(file).unwrap()).await
}

/// State and code, once the photo is checked.
async fn verdict(world: &World, photo: PhotoId) -> (String, Option<String>) {
    until("the photo is checked", PATIENCE, async || {
        let found: (String, Option<String>) = sqlx::query_as("SELECT state, code FROM face_photos WHERE photo_id = $1")
            .bind(photo)
            .fetch_one(world.pool())
            .await
            .unwrap();
        (found.0 != "checking").then_some(found)
    })
    .await
}

async fn at_rest(world: &World) {
    until("nothing is left to do", PATIENCE, async || {
        let busy: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks WHERE state IN ('pending', 'running')")
            .fetch_one(world.pool())
            .await
            .ok()?;
        (busy == 0).then_some(())
    })
    .await;
}

fn grey(width: usize, height: usize) -> Vec<u8> {
    encode_jpeg(&Rgb { width, height, data: vec![128; width * height * 3] }, 90).unwrap()
}

/// A wall of the face in `astronaut.png`.
fn crowd(file: &Path, across: usize, down: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("crowd.jpg");
    // The face and little around it, so that each is large enough to be one when all are in a picture of 1280 pixels.
    let filter = format!("crop=200:200:125:10,scale=256:256,loop={}:1:0,tile={across}x{down}", across * down);
    let made = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-i",
            file.to_str().unwrap(),
            "-vf",
            &filter,
            "-frames:v",
            "1",
            out.to_str().unwrap(),
        ])
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::read(out).unwrap()
}

fn faces_on(worker: common::WorkerCommand<'_>) -> common::WorkerCommand<'_> {
    worker.with("FEATURE_FACES", "true")
}

#[tokio::test]
async fn photos_of_one_person_are_accepted_and_one_of_somebody_else_is_not() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let them = person(&world, owner, "Barack").await;
    let _worker = faces_on(world.worker("one")).start();
    for name in ["obama.jpg", "obama2.jpg", "obama3.jpg"] {
        let photo = send_file(&world, owner, them, &portrait(name)).await;
        assert_eq!(verdict(&world, photo).await, ("accepted".into(), None), "{name}");
    }
    let other = send_file(&world, owner, them, &portrait("biden.jpg")).await;
    assert_eq!(verdict(&world, other).await, ("rejected".into(), Some("another_person".into())));
    at_rest(&world).await;
    // What was sent is gone; the copies have no metadata.
    let kept = world.store.list("p/").await.unwrap();
    assert_eq!(kept.len(), 4, "{kept:?}");
    for key in &kept {
        let copy = world.object(key).await;
        assert!(key.ends_with(".jpg") && !copy.windows(4).any(|part| part == b"Exif"), "{key}");
    }
    let row = people::find(world.pool(), owner, them).await.unwrap();
    assert_eq!((row.photos_accepted, row.photos_checking), (3, 0));
}

/// A picture of a video.
fn frame_at(video: &Path, at_s: f64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("frame.png");
    let cut = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-ss", &at_s.to_string(), "-i", video.to_str().unwrap(), "-frames:v", "1"])
        .arg(&out)
        .status()
        .unwrap();
    assert!(cut.success());
    std::fs::read(out).unwrap()
}

#[tokio::test]
async fn the_man_of_the_sample_is_found_by_two_of_its_frames_in_all_his_scenes_and_in_no_other() {
    let sample = PathBuf::from(std::env::var_os("HEIMDEX_SAMPLE").expect("HEIMDEX_SAMPLE names the sample video"));
    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(sample.with_extension("truth.json")).unwrap()).unwrap();
    let shots: Vec<(i64, i64, bool)> = truth["shots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shot| {
            let his = shot["who"].as_array().is_some_and(|who| who.iter().any(|name| name == "the man in the car"));
            (shot["start_ms"].as_i64().unwrap(), shot["end_ms"].as_i64().unwrap(), his)
        })
        .collect();
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let _worker = faces_on(world.worker("one")).start();
    let video = world.upload_as(owner, &sample, &common::Announced::of(&sample)).await;
    world.video_becomes(video, &["indexed"]).await;

    let him = person(&world, owner, "Theo").await;
    let (start_ms, end_ms, _) = *shots.iter().find(|shot| shot.2).unwrap();
    for part in [0.3, 0.7] {
        let at_s = (start_ms as f64 + (end_ms - start_ms) as f64 * part) / 1000.0;
        let photo = send(&world, owner, him, frame_at(&sample, at_s)).await;
        assert_eq!(verdict(&world, photo).await, ("accepted".into(), None), "{at_s} s");
    }
    at_rest(&world).await;
    let found: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT s.start_ms, s.end_ms FROM scene_people p JOIN scenes s USING (run_id, scene_id) WHERE p.person_id = $1 ORDER BY 1",
    )
    .bind(him)
    .fetch_all(world.pool())
    .await
    .unwrap();
    let his: Vec<_> = shots.iter().filter(|shot| shot.2).collect();
    assert_eq!(found.len(), his.len(), "{found:?}");
    for ((start, end), (first, last, _)) in found.iter().zip(his) {
        let middle = (start + end) / 2;
        assert!((*first..*last).contains(&middle), "{found:?}");
    }
}

#[tokio::test]
async fn whatever_is_sent_as_a_photo_ends_with_a_reason() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let _worker = faces_on(world.worker("one")).start();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a text", b"Dear diary, this is not a photo.".to_vec(), "not_a_picture"),
        ("nothing", Vec::new(), "empty_file"),
        ("a grey wall", grey(800, 600), "no_face"),
        ("four pixels", grey(2, 2), "picture_too_small"),
        ("half a photo", std::fs::read(portrait("obama.jpg")).unwrap()[..30].to_vec(), "picture_damaged"),
        ("fifty faces", crowd(&portrait("astronaut.png"), 10, 5), "several_faces"),
    ];
    for (what, bytes, code) in cases {
        let them = person(&world, owner, what).await;
        let photo = send(&world, owner, them, bytes).await;
        let (state, found) = verdict(&world, photo).await;
        assert_eq!((state.as_str(), found.as_deref()), ("rejected", Some(code)), "{what}");
        let message: String = sqlx::query_scalar("SELECT message FROM face_photos WHERE photo_id = $1")
            .bind(photo)
            .fetch_one(world.pool())
            .await
            .unwrap();
        assert!(message.ends_with('.') && message.contains(' '), "{message}");
    }
}

#[tokio::test]
async fn a_photo_deleted_while_it_waits_leaves_nothing_behind() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let them = person(&world, owner, "Eileen").await;
    let photo = send_file(&world, owner, them, &portrait("astronaut.png")).await;
    let mut tx = world.pool().begin().await.unwrap();
    people::delete_photo(&mut tx, owner, them, photo).await.unwrap();
    tx.commit().await.unwrap();
    let _worker = faces_on(world.worker("one")).start();
    at_rest(&world).await;
    assert_eq!(world.store.list("p/").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_of_a_worker_that_died_goes_when_its_photo_is_gone() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let them = person(&world, owner, "Eileen").await;
    let photo = send_file(&world, owner, them, &portrait("astronaut.png")).await;
    // Put there after the photo's objects were removed.
    let sent = keys::sent_photo(owner, them, photo);
    world.store.delete(&sent).await.unwrap();
    world.store.put_bytes(&keys::checked_photo(&sent), vec![1], "image/jpeg").await.unwrap();
    sqlx::query("DELETE FROM face_photos WHERE photo_id = $1").bind(photo).execute(world.pool()).await.unwrap();
    let _worker = faces_on(world.worker("one")).start();
    at_rest(&world).await;
    assert_eq!(world.store.list("p/").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_check_goes_on_when_the_object_storage_is_back_and_when_its_worker_died() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let them = person(&world, owner, "Eileen").await;
    let first = faces_on(world.worker("first")).start();
    // Its first attempt: it has started.
    let text = send(&world, owner, them, b"Dear diary, this is not a photo.".to_vec()).await;
    assert_eq!(verdict(&world, text).await.0, "rejected");
    world.s3_wire.cut();
    let photo = send_file(&world, owner, them, &portrait("astronaut.png")).await;
    until("the check has begun", PATIENCE, async || {
        let begun: i64 = sqlx::query_scalar("SELECT count(*) FROM job_attempts WHERE task_id IS NOT NULL")
            .fetch_one(world.pool())
            .await
            .ok()?;
        (begun > 1).then_some(())
    })
    .await;
    first.kill().await;
    world.s3_wire.mend();
    let _second = faces_on(world.worker("second")).start();
    assert_eq!(verdict(&world, photo).await.0, "accepted");
}

#[tokio::test]
async fn enrolling_later_finds_the_person_in_the_whole_library_without_decoding_it_again() {
    use heimdex_models::{FaceAnalyzer, Picture, Registry, face::Effort};

    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let models = std::env::var("HEIMDEX_MODELS_DIR").unwrap();
    let analyzer = FaceAnalyzer::load(&Registry::open(&models).unwrap().get("blazeface-dlib").unwrap(), 1).unwrap();
    let vector = |name: &str| {
        let jpeg = heimdex_media::pictures::read_jpeg(&portrait(name)).unwrap();
        let picture = Picture::new(jpeg.width, jpeg.height, &jpeg.data).unwrap();
        let faces = analyzer.detect(picture, Effort::Thorough).unwrap();
        analyzer.embed(picture, &faces[..1]).unwrap().remove(0)
    };
    let (theirs, others) = (vector("obama3.jpg"), vector("biden.jpg"));
    let mut videos = Vec::new();
    for _ in 0..5 {
        videos.push(faces::seen(&world, owner, &[&theirs, &others], analyzer.id()).await);
    }
    let them = person(&world, owner, "Barack").await;
    let worker = faces_on(world.worker("one")).start();
    for name in ["obama.jpg", "obama2.jpg"] {
        let photo = send_file(&world, owner, them, &portrait(name)).await;
        assert_eq!(verdict(&world, photo).await.0, "accepted", "{name}");
    }
    at_rest(&world).await;
    let scenes = people::scenes_of(world.pool(), owner, them, None, 100).await.unwrap();
    assert_eq!(
        scenes.iter().map(|s| s.ordinal).collect::<Vec<_>>(),
        [0; 5],
        "the first scene of each video, and no other"
    );
    drop(worker);
    // There are no sources to decode at all.
    for video in videos {
        assert!(world.store.head(&keys::source(video)).await.unwrap().is_none());
    }
}
