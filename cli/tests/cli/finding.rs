//! Looking for moments, and at what is there.

use serde_json::{Value, json};

use crate::support::{App, Machine, Person, Ran, said, token};

async fn library(app: &App, owner: &Person) -> String {
    let scenes = [(0, 10_000, "it was the best of times"), (70_000, 80_000, "it was the worst of times")];
    said(app, owner, "Two Cities", &scenes).await.to_string()
}

#[tokio::test]
async fn moments_are_a_table_for_people_and_the_apis_answer_for_programs() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let video = library(&app, &ann).await;

    let found = machine.run(&["search", "worst", "of", "times", "said:worst"]).await;
    let lines: Vec<&str> = found.done().out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", found.out);
    assert!(lines[0].starts_with("TIME  VIDEO       WHY") && lines[0].ends_with("WHAT IS SAID"), "{}", found.out);
    assert!(lines[1].starts_with("1:14  Two Cities  says it"), "{}", found.out);
    assert!(lines[1].ends_with("  it was the worst of times"), "{}", found.out);
    let answer = machine.run(&["search", "worst", "--json"]).await.done().json();
    assert_eq!(answer["items"][0]["video_id"], json!(video));
    assert_eq!(answer["parsed"]["free"], "worst");
    let link = machine.run(&["search", "said:worst", "--open"]).await;
    assert_eq!(link.done().out, format!("{}/app/videos/{video}?t={}\n", app.base, answer["items"][0]["at_ms"]));
    machine.run(&["search", "said:worst", "--open=9"]).await.ended(4);

    let other = said(&app, &ann, "Other", &[(0, 1000, "worst")]).await.to_string();
    let only = machine.run(&["search", "worst", "--video", &other, "--json"]).await.done().json();
    assert_eq!((only["items"].as_array().unwrap().len(), &only["items"][0]["video_id"]), (1, &json!(other)));
    machine.run(&["search", "xylophone"]).await.done().says("Nothing was found.");
}

#[tokio::test]
async fn a_mistake_in_a_query_is_underlined() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    library(&app, &ann).await;
    let wrong = machine.run(&["search", "times after:2026-13"]).await;
    let lines: Vec<&str> = wrong.ended(2).err.lines().collect();
    assert_eq!(lines[..2], ["  times after:2026-13", "              ^^^^^^^"]);
    assert!(lines[2].starts_with("heimdex: `after:` takes a day of the calendar"), "{}", wrong.err);
    assert!(lines[2].contains("(request "), "{}", wrong.err);
    let json: Value = serde_json::from_str(&machine.run(&["search", "tag:", "--json"]).await.ended(2).err).unwrap();
    assert_eq!((&json["error"]["column"], &json["error"]["code"]), (&json!(1), &json!("invalid_request")));
    machine.run(&["search", "times tag:nowhere"]).await.done().says("nowhere");
}

#[tokio::test]
async fn videos_are_listed_and_a_video_has_its_stages() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let video = library(&app, &ann).await;
    said(&app, &ann, "비 \u{1b}[31mred", &[(0, 4000, "rain")]).await;

    let list = machine.run(&["videos", "two"]).await.done().out.replace(&video, "[video]");
    let (heading, row) = list.split_once('\n').unwrap();
    assert!(heading.starts_with("VIDEO") && heading.ends_with("ADDED"), "{list}");
    assert!(row.starts_with("[video]  Two Cities  indexed    1:20  10 B  20"), "{list}");
    let all = machine.run(&["videos", "--limit", "1", "--json"]).await.done().json();
    assert_eq!((all["items"].as_array().unwrap().len(), &all["has_more"]), (1, &json!(true)));
    assert!(!machine.run(&["videos"]).await.done().out.contains('\u{1b}'), "a title steers the terminal");

    machine.run(&["status"]).await.done().says("Nothing is being indexed.");
    ann.post(&format!("/videos/{video}/reprocess"), json!({})).await.assert_status(202);
    let busy = machine.run(&["status"]).await;
    assert!(busy.done().out.contains("Two Cities") && busy.out.contains("indexed 0 %"), "{}", busy.out);
    let stages = machine.run(&["status", &format!("{}/app/videos/{video}?t=5", app.base)]).await;
    insta::assert_snapshot!(stages.done().out, @r"
    Two Cities  indexed
    STAGE                 STATE    DONE  REMARK
    upload_validate       pending   0 %
    audio_extract         pending   0 %
    asr_fast              pending   0 %
    scene_detect          pending   0 %
    align_merge           pending   0 %
    embed_text            pending   0 %
    vision_sample_frames  pending   0 %
    vision_embed_frames   pending   0 %
    vision_affect_tags    pending   0 %
    faces_enroll_match    pending   0 %
    sidecar_build         pending   0 %
    commit                pending   0 %
    ");
    let json = machine.run(&["status", &video, "--json"]).await.done().json();
    insta::assert_json_snapshot!(json!([json["video"]["state"], json["jobs"]["items"][0]["stage"]]), @r#"
    [
      "indexed",
      "upload_validate"
    ]
    "#);
}

#[tokio::test]
async fn another_persons_video_is_not_there() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = library(&app, &ann).await;
    let machine = Machine::signed_in(&app, &ben).await;
    machine.run(&["status", &video]).await.ended(4).says("(request ");
    machine.run(&["status", &video, "--watch"]).await.ended(4);
    machine.run(&["export", &video, "--format", "srt"]).await.ended(4);
    machine.run(&["export", &video, "--format", "sidecar"]).await.ended(4);
    let found = machine.run(&["search", "times", "--video", &video, "--json"]).await.done().json();
    assert_eq!(found["items"], json!([]));
    assert_eq!(machine.run(&["videos", "--json"]).await.done().json()["items"], json!([]));
}

#[tokio::test]
async fn watching_everything_goes_on_after_the_server_was_away() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let (machine, key) = (Machine::of(&app), token(&ann, &["read"]).await);
    let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", door.local_addr().unwrap());
    let mut command = machine.command(&["status", "--watch"]);
    let child = command.env("HEIMDEX_URL", address).env("HEIMDEX_TOKEN", key).spawn().unwrap();
    // Away for one call, then there.
    drop(door.accept().await.unwrap());
    let target = app.base.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = door.accept().await {
            let target = target.clone();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(&target).await.unwrap();
                // It ends however either side likes.
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    assert_eq!(Ran::from(child.wait_with_output().await.unwrap()).done().out, "Nothing is being indexed.\n");
}
