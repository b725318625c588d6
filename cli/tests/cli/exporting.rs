//! Taking things out.

use serde_json::{Value, json};

use crate::support::{App, Machine, said, token};

#[tokio::test]
async fn a_transcript_is_printed_or_written_whole() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let video = said(&app, &ann, "Two Cities", &[(0, 2000, "the best of times")]).await.to_string();

    let vtt = machine.run(&["export", &video]).await;
    assert!(vtt.done().out.starts_with("WEBVTT") && vtt.out.contains("the best of times"), "{}", vtt.out);
    let json = machine.run(&["export", &video, "--format", "json"]).await.done().json();
    assert_eq!(json["segments"][0]["text"], "the best of times");

    std::fs::write(machine.path("rain.srt"), "older").unwrap();
    let ran = machine.run(&["export", &video, "-f", "srt", "-o", "rain.srt"]).await;
    assert_eq!(ran.done().out, "");
    let written = std::fs::read_to_string(machine.path("rain.srt")).unwrap();
    assert!(written.starts_with("1\n00:00:00,000 --> "), "{written}");
    machine.run(&["export", &video, "-o", "."]).await.ended(2).says("is a folder");
    machine.run(&["export", &video, "-o", "nowhere/rain.vtt"]).await.ended(1).says("nowhere");
}

#[tokio::test]
async fn a_sidecar_that_is_not_made_yet_is_said_to_be_missing() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let video = said(&app, &ann, "Two Cities", &[(0, 2000, "the best of times")]).await.to_string();
    machine.run(&["export", &video, "-f", "sidecar", "-o", "s.json"]).await.ended(4).says("sidecar");
    assert!(!machine.path("s.json").exists());
}

#[tokio::test]
async fn an_account_is_taken_out_by_its_person_and_not_by_a_token() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    said(&app, &ann, "Two Cities", &[(0, 2000, "the best of times")]).await;
    let ran = machine.run(&["export", "--account", "-o", "me.json", "--json"]).await;
    let told = ran.done().json();
    let written = std::fs::read(machine.path("me.json")).unwrap();
    assert_eq!(told, json!({ "path": "me.json", "size_bytes": written.len() }));
    let document: Value = serde_json::from_slice(&written).unwrap();
    assert!(document.to_string().contains("Two Cities"));

    let read = token(&ann, &["read", "upload", "search"]).await;
    let refused = machine.run_with_token(&read, &["export", "--account", "-o", "no.json"]).await;
    refused.ended(5).says("API tokens cannot do this").says("heimdex login --email");
    assert!(!machine.path("no.json").exists());
    let left: Vec<_> = std::fs::read_dir(machine.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".tmp")), "{left:?}");
}
