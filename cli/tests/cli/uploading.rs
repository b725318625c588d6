//! From a file on this machine to a video, also when it is broken off on the way.

use std::path::Path;

use heimdex_testing::{TestS3, Wire};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Machine, Ran, text, token};

const MIB: usize = 1 << 20;
/// Five parts: four of 8 MiB, which are sent at the same time, and one of 4.
const SIZE: usize = 36 * MIB;

/// An API whose object storage is reached by a wire that can be cut.
async fn wired() -> (App, TestS3, Wire) {
    let s3 = TestS3::start().await.unwrap();
    let wire = Wire::to(s3.endpoint().trim_start_matches("http://").to_owned()).await;
    let (endpoint, public) = (s3.endpoint(), format!("http://127.0.0.1:{}", wire.port()));
    let app = App::start_with(|name| match name {
        "S3_ENDPOINT" => Some(endpoint.clone()),
        "S3_PUBLIC_ENDPOINT" => Some(public.clone()),
        _ => None,
    })
    .await;
    (app, s3, wire)
}

/// Until the fifth part is on its way, and so at least one of the first four is stored.
async fn most_is_sent(wire: &Wire) {
    while wire.sent_bytes() < (33 * MIB) as u64 {
        tokio::task::yield_now().await;
    }
}

async fn signal(child: &tokio::process::Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args([name, &pid]).status().await.unwrap().success());
}

/// Whether a file in the folder has 4096 bytes of 7 in a row.
fn holds_sevens(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds_sevens(&path);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.chunk_by(|a, b| a == b).any(|run| run[0] == 7 && run.len() >= 4096)
    })
}

fn files(ran: &Ran) -> Vec<Value> {
    ran.json()["files"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_upload_that_was_killed_goes_on_where_it_was() {
    let (app, _s3, wire) = wired().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let file = machine.file("rain.mp4", SIZE);
    let mut child = machine.start(&["upload", text(&file)]);
    most_is_sent(&wire).await;
    wire.cut();
    child.kill().await.unwrap();
    wire.mend();
    let begun = ann.get("/videos").await.body;
    assert_eq!(begun["items"][0]["state"], "uploading");

    let before = wire.sent_bytes();
    let again = machine.run(&["upload", text(&file), "--json"]).await;
    let sent = files(again.done());
    assert_eq!(
        (&sent[0]["outcome"], &sent[0]["video_id"], &sent[0]["state"]),
        (&json!("resumed"), &begun["items"][0]["video_id"], &json!("validating"))
    );
    assert!(wire.sent_bytes() - before < SIZE as u64, "everything was sent again");
    assert_eq!(ann.get("/users/me/usage").await.body["uploads_today"]["used"], 1);
}

#[tokio::test]
async fn ctrl_c_ends_it_and_says_how_to_go_on() {
    let (app, _s3, wire) = wired().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let file = machine.file("rain.mp4", SIZE);
    let child = machine.start(&["upload", text(&file)]);
    most_is_sent(&wire).await;
    wire.cut();
    signal(&child, "-INT").await;
    Ran::from(child.wait_with_output().await.unwrap()).ended(130).says("the same command goes on from there");
}

#[tokio::test]
async fn parts_of_another_file_are_not_taken_for_this_ones() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let file = machine.file("rain.mp4", 9 * MIB);
    // Somebody began with another file of this name and size.
    let video = ann.announce(9 * MIB).await;
    ann.send_part(&video, 1, vec![7; 8 * MIB]).await;
    let sent = files(machine.run(&["upload", text(&file), "--json"]).await.done());
    assert_eq!((&sent[0]["outcome"], &sent[0]["video_id"]), (&json!("resumed"), &json!(video)));
    assert!(!holds_sevens(app.s3.folder()), "the other file's bytes are still there");
}

#[tokio::test]
async fn files_are_sent_to_the_last_though_nobody_reads_what_is_printed() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    for name in ["trip/a.mp4", "trip/b.mp4", "trip/c.mp4"] {
        machine.file(name, 1000);
    }
    // As `heimdex upload trip | head -1` does.
    let mut child = machine.start(&["upload", "trip"]);
    drop(child.stdout.take());
    Ran::from(child.wait_with_output().await.unwrap()).done();
    assert_eq!(ann.get("/videos").await.body["items"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn of_a_folder_every_video_is_sent_once_and_what_fails_is_said() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    for name in ["trip/b.mov", "trip/day 1/a.mp4", "trip/notes.txt"] {
        machine.file(name, 1000);
    }
    machine.file("empty.mp4", 0);
    let words = ["upload", "trip", "empty.mp4", "--json"];
    let ran = machine.run(&words).await;
    let sent = files(ran.ended(1));
    let told: Vec<_> =
        sent.iter().map(|file| (file["path"].as_str().unwrap(), file["outcome"].as_str().unwrap())).collect();
    assert_eq!(told, [("empty.mp4", "failed"), ("trip/b.mov", "uploaded"), ("trip/day 1/a.mp4", "uploaded")]);
    let titles = ann.get("/videos?sort=title").await.body;
    assert_eq!((&titles["items"][0]["title"], &titles["items"][1]["title"]), (&json!("a"), &json!("b")));

    let again = machine.run(&["upload", "trip"]).await;
    assert_eq!(again.done().out.matches("is there already").count(), 2, "{}", again.out);
    let title = ["upload", "trip/b.mov", "--again", "--title", "B again", "--json"];
    let once_more = files(machine.run(&title).await.done());
    assert_eq!((&once_more[0]["outcome"], &once_more[0]["title"]), (&json!("uploaded"), &json!("B again")));
    // Three a day.
    machine.file("trip/c.mp4", 1000);
    machine.file("trip/d.mp4", 1000);
    let limit = machine.run(&["upload", "trip"]).await;
    limit.ended(6).says("3 uploads a day").says("2 files were not tried");
}

#[tokio::test]
async fn waiting_ends_when_the_video_is_indexed_or_says_why_it_is_not() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    machine.file("good.mp4", 1000);
    machine.file("bad.mp4", 1000);
    let pipeline = async {
        for (title, change) in [
            ("good", "UPDATE videos SET state = 'indexed' WHERE video_id = $1"),
            (
                "bad",
                "UPDATE videos SET state = 'failed', failure_code = 'not_a_video',
                        failure_message = 'The file is no video.' WHERE video_id = $1",
            ),
        ] {
            let video: Uuid = loop {
                let found = sqlx::query_scalar("SELECT video_id FROM videos WHERE title = $1 AND state = 'validating'")
                    .bind(title)
                    .fetch_optional(app.db.pool())
                    .await
                    .unwrap();
                match found {
                    Some(video) => break video,
                    None => tokio::task::yield_now().await,
                }
            };
            sqlx::query("UPDATE jobs SET state = 'completed', progress = 100 WHERE video_id = $1")
                .bind(video)
                .execute(app.db.pool())
                .await
                .unwrap();
            sqlx::query(change).bind(video).execute(app.db.pool()).await.unwrap();
        }
    };
    let (ran, ()) = tokio::join!(machine.run(&["upload", "good.mp4", "bad.mp4", "--wait", "--json"]), pipeline);
    let sent = files(ran.ended(1));
    assert_eq!((&sent[0]["state"], &sent[0]["error"]), (&json!("indexed"), &Value::Null));
    assert_eq!(
        (&sent[1]["state"], &sent[1]["error"]),
        (&json!("failed"), &json!("The file is no video. (not_a_video)"))
    );

    let id = sent[0]["video_id"].as_str().unwrap();
    let watched = machine.run(&["status", id, "--watch", "--json"]).await;
    let last: Value = serde_json::from_str(watched.done().out.lines().last().unwrap()).unwrap();
    assert_eq!((&last["state"], &last["percent"]), (&json!("indexed"), &json!(100)));
    machine.run(&["status", sent[1]["video_id"].as_str().unwrap(), "--watch"]).await.ended(1).says("no video");
}

#[tokio::test]
async fn a_token_for_uploads_alone_sends_and_cannot_look() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::of(&app);
    machine.file("rain.mp4", 1000);
    let upload = token(&ann, &["upload"]).await;
    machine.run_with_token(&upload, &["upload", "rain.mp4"]).await.done().says("may not read the library");
    machine.run_with_token(&upload, &["videos"]).await.ended(5).says("does not have the scope `read`");
}
