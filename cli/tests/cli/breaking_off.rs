//! A server, a storage, a token or a disk that is no longer there in the middle of something.

use std::{os::unix::fs::FileTypeExt as _, path::Path};

use heimdex_testing::{TestS3, Wire};
use serde_json::{Value, json};

use crate::support::{App, Machine, Person, Ran, said, text, token};

const MIB: usize = 1 << 20;
/// Five parts: four of 8 MiB, which are sent at the same time, and one of 4, whose URL is asked for when one of those has arrived.
const SIZE: usize = 36 * MIB;

/// Somebody whose machine reaches the API and its object storage by wires that can be cut.
struct Story {
    app: App,
    _s3: TestS3,
    api_wire: Wire,
    s3_wire: Wire,
    ann: Person,
    machine: Machine,
}

impl Story {
    async fn begin() -> Self {
        let s3 = TestS3::start().await.unwrap();
        let s3_wire = Wire::to(s3.endpoint().trim_start_matches("http://").to_owned()).await;
        let (endpoint, public) = (s3.endpoint(), format!("http://127.0.0.1:{}", s3_wire.port()));
        let app = App::start_with(|name| match name {
            "S3_ENDPOINT" => Some(endpoint.clone()),
            "S3_PUBLIC_ENDPOINT" => Some(public.clone()),
            _ => None,
        })
        .await;
        let api_wire = Wire::to(app.base.trim_start_matches("http://").to_owned()).await;
        let ann = app.user("ann").await;
        let machine = Machine::signed_in_at(&format!("http://127.0.0.1:{}", api_wire.port()), &ann).await;
        Self { app, _s3: s3, api_wire, s3_wire, ann, machine }
    }

    /// The only video's `(state, uploads counted today)`.
    async fn counted(&self) -> (Value, Value) {
        let videos = self.ann.get("/videos").await.body;
        assert_eq!(videos["items"].as_array().unwrap().len(), 1, "{videos}");
        let usage = self.ann.get("/users/me/usage").await.body;
        (videos["items"][0]["state"].clone(), usage["uploads_today"]["used"].clone())
    }
}

/// Until so many bytes are on their way to the object storage.
async fn sent(wire: &Wire, bytes: usize) {
    while wire.sent_bytes() < bytes as u64 {
        tokio::task::yield_now().await;
    }
}

/// Until somebody has met the broken wire.
async fn missed(wire: &Wire) {
    let before = wire.refused();
    while wire.refused() == before {
        tokio::task::yield_now().await;
    }
}

fn first_file(ran: &Ran) -> Value {
    ran.json()["files"][0].clone()
}

#[tokio::test]
async fn a_server_that_goes_away_in_mid_upload_and_comes_back_is_waited_for() {
    let story = Story::begin().await;
    let file = story.machine.file("rain.mp4", SIZE);
    let child = story.machine.start(&["upload", text(&file), "--json"]);
    sent(&story.s3_wire, MIB).await;
    story.api_wire.cut();
    missed(&story.api_wire).await;
    story.api_wire.mend();
    let ran = Ran::from(child.wait_with_output().await.unwrap());
    assert_eq!(first_file(ran.done())["outcome"], "uploaded");
    assert_eq!(story.counted().await, (json!("validating"), json!(1)));
}

#[tokio::test]
async fn a_storage_that_has_too_much_to_do_in_mid_upload_is_waited_for() {
    let story = Story::begin().await;
    let file = story.machine.file("rain.mp4", SIZE);
    let child = story.machine.start(&["upload", text(&file), "--json"]);
    sent(&story.s3_wire, MIB).await;
    story.s3_wire.busy();
    missed(&story.s3_wire).await;
    story.s3_wire.mend();
    let ran = Ran::from(child.wait_with_output().await.unwrap());
    assert_eq!(first_file(ran.done())["outcome"], "uploaded");
    assert_eq!(story.counted().await, (json!("validating"), json!(1)));
}

#[tokio::test]
async fn a_server_that_stays_away_ends_the_upload_which_goes_on_later() {
    let story = Story::begin().await;
    let file = story.machine.file("rain.mp4", SIZE);
    let child = story.machine.start(&["upload", text(&file)]);
    sent(&story.s3_wire, MIB).await;
    story.api_wire.cut();
    let ran = Ran::from(child.wait_with_output().await.unwrap());
    ran.ended(7).says("cannot be reached").says("the same command goes on from there");
    assert!(!ran.err.contains("X-Amz"), "a signed URL is a secret: {}", ran.err);
    story.api_wire.mend();
    assert_eq!(story.counted().await, (json!("uploading"), json!(1)));
    let again = story.machine.run(&["upload", text(&file), "--json"]).await;
    assert_eq!(first_file(again.done())["outcome"], "resumed");
    assert_eq!(story.counted().await, (json!("validating"), json!(1)));
}

#[tokio::test]
async fn a_token_that_is_revoked_in_mid_upload_ends_it_and_another_goes_on() {
    let story = Story::begin().await;
    let file = story.machine.file("rain.mp4", SIZE);
    let first = token(&story.ann, &["read", "upload"]).await;
    let mut command = story.machine.command(&["upload", text(&file)]);
    let child = command.env("HEIMDEX_TOKEN", &first).spawn().unwrap();
    sent(&story.s3_wire, MIB).await;
    // No part arrives before the token has gone.
    story.s3_wire.cut();
    sqlx::query("UPDATE api_tokens SET revoked_at = now()").execute(story.app.db.pool()).await.unwrap();
    story.s3_wire.mend();
    let ran = Ran::from(child.wait_with_output().await.unwrap());
    ran.ended(3).says("unknown, expired or revoked").says("the same command goes on from there");
    assert!(!ran.err.contains(&first), "{}", ran.err);
    let second = token(&story.ann, &["read", "upload"]).await;
    let again = story.machine.run_with_token(&second, &["upload", text(&file), "--json"]).await;
    assert_eq!(first_file(again.done())["outcome"], "resumed");
}

#[tokio::test]
async fn a_session_that_is_refused_before_its_time_is_renewed_and_a_wrong_token_ends_none() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let kept = || -> Value { serde_json::from_slice(&std::fs::read(machine.credentials()).unwrap()).unwrap() };
    // As after a rotation of keys: it has not run out, and the server does not take it.
    let mut changed = kept();
    changed["servers"][&app.base]["access_token"] = json!("x.y.z");
    std::fs::write(machine.credentials(), changed.to_string()).unwrap();
    machine.run(&["videos"]).await.done();
    let before = kept();
    assert_ne!(before["servers"][&app.base]["access_token"], "x.y.z");

    for wrong in ["hx_nobodys", "x.y.z"] {
        machine.typed(&["login", "--token-stdin"], wrong).await.ended(3).says("does not take this token");
    }
    machine.typed(&["login", "--token-stdin"], "two words").await.ended(2).says("no API token");
    machine.typed(&["login", "--token-stdin"], "").await.ended(2);
    assert_eq!(kept(), before, "who was signed in still is");
    machine.run(&["whoami"]).await.done();
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_what_was_there() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let long: Vec<(i64, i64, &str)> =
        (0..200).map(|n| (n * 1000, n * 1000 + 900, "it was the best of times")).collect();
    let video = said(&app, &ann, "Two Cities", &long).await.to_string();

    let full = Path::new("/dev/full");
    for words in [&["export", &*video][..], &["videos"], &["search", "times", "--json"], &["whoami"]] {
        let ran = machine.run_into(full, words).await;
        ran.ended(1).says("Standard output cannot be written").says("No space left on device");
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    // A device is written to and not replaced by a file, whoever asks for it.
    machine.run(&["export", &video, "-o", "/dev/full"]).await.ended(1).says("/dev/full cannot be written");
    assert!(std::fs::metadata(full).unwrap().file_type().is_char_device());
    machine.run(&["export", &video, "-o", "/dev/null"]).await.done();
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    // No file may have more than a block.
    std::fs::write(machine.path("out.json"), "older").unwrap();
    for name in ["out.json", "new.json"] {
        let words = ["export", &video, "-f", "json", "-o", name];
        let ran = Ran::from(machine.shell("ulimit -f 1 && exec \"$0\" \"$@\"", &words).output().await.unwrap());
        ran.ended(1).says(&format!("{name} cannot be written")).says("File too large");
    }
    assert_eq!(std::fs::read_to_string(machine.path("out.json")).unwrap(), "older");
    assert!(!machine.path("new.json").exists(), "half a file has a whole one's name");
    let left: Vec<_> = std::fs::read_dir(machine.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".tmp")), "{left:?}");

    // By a link the file behind it is written, and the link stays one.
    std::os::unix::fs::symlink(machine.path("out.json"), machine.path("link.json")).unwrap();
    machine.run(&["export", &video, "-f", "json", "-o", "link.json"]).await.done();
    assert!(std::fs::symlink_metadata(machine.path("link.json")).unwrap().file_type().is_symlink());
    assert!(std::fs::read_to_string(machine.path("out.json")).unwrap().contains("the best of times"));
}

#[tokio::test]
async fn a_reader_who_has_enough_ends_every_command_quietly() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let video = said(&app, &ann, "Two Cities", &[(0, 2000, "the best of times")]).await.to_string();
    for words in [
        &["export", &*video][..],
        &["export", "--account"],
        &["videos"],
        &["videos", "--json"],
        &["search", "times"],
        &["status", &video],
        &["whoami"],
    ] {
        let mut child = machine.start(words);
        drop(child.stdout.take());
        let ended = Ran::from(child.wait_with_output().await.unwrap());
        assert_eq!((ended.done().err.as_str(), words), ("", words));
    }
}
