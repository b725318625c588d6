//! Scenes, transcript, playback.

use serde_json::json;

use crate::support::{App, said, scene_of};

#[tokio::test]
async fn scenes_are_in_order_and_one_can_be_asked_for() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(
        &app,
        &ann,
        "Two cities",
        &[(0, 4000, "It was the best of times,"), (4000, 9000, "it was the worst of times")],
    )
    .await;
    let scenes = ann.get(&format!("/videos/{video}/scenes")).await.assert_status(200).body.clone();
    assert_eq!(scenes["items"][1]["text"], "it was the worst of times");
    assert_eq!(scenes["items"][1]["scene_id"], json!(scene_of(video, 4000, 9000)));
    let one = ann.get(&format!("/scenes/{}", scene_of(video, 4000, 9000))).await;
    assert_eq!(one.assert_status(200).body, scenes["items"][1]);
    // Before anything is visible the list is empty, not an error.
    let fresh = ann.announce(5).await;
    assert_eq!(ann.get(&format!("/videos/{fresh}/scenes")).await.body, json!({ "run_id": null, "items": [] }));
}

#[tokio::test]
async fn a_transcript_comes_in_four_formats() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(
        &app,
        &ann,
        "Two cities",
        &[(0, 4000, "It was the <best> & of times -->"), (4000, 4800, "so"), (3_599_000, 3_600_500, "\"late\"")],
    )
    .await;
    let get = async |format: &str| {
        let reply = ann.get(&format!("/videos/{video}/transcript{format}")).await;
        reply.assert_status(200);
        (reply.header("content-type").to_owned(), reply.text)
    };
    for (format, kind) in [
        ("?format=vtt", "text/vtt; charset=utf-8"),
        ("?format=srt", "application/x-subrip; charset=utf-8"),
        ("?format=txt", "text/plain; charset=utf-8"),
    ] {
        let (content_type, text) = get(format).await;
        assert_eq!(content_type, kind);
        insta::assert_snapshot!(format!("transcript_{}", format.rsplit('=').next().unwrap()), text);
    }
    let mut transcript = ann.get(&format!("/videos/{video}/transcript")).await.body;
    transcript["run_id"] = json!("[run]");
    insta::assert_json_snapshot!("transcript_json", transcript);
    ann.get(&format!("/videos/{video}/transcript?format=doc")).await.assert_problem(400, "invalid_request");
    let fresh = ann.announce(5).await;
    let nothing_yet = ann.get(&format!("/videos/{fresh}/transcript")).await.assert_status(200).body.clone();
    assert_eq!(
        nothing_yet,
        json!({ "run_id": null, "language": null, "model": null, "segments": [], "next_cursor": null })
    );
}

#[tokio::test]
async fn playback_is_a_signed_url_to_the_source() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 4000, "rain")]).await;
    let playback = ann.get(&format!("/videos/{video}/playback")).await.assert_status(200).body.clone();
    assert_eq!(
        (&playback["kind"], &playback["mime_type"], &playback["duration_ms"]),
        (&json!("source"), &json!("video/mp4"), &json!(4000))
    );
    let url = playback["url"].as_str().unwrap();
    assert!(url.starts_with(&app.s3.endpoint()) && url.contains("X-Amz-Expires=600"), "{url}");
    let fresh = ann.announce(5).await;
    ann.get(&format!("/videos/{fresh}/playback")).await.assert_problem(409, "not_playable_yet");
}
