//! One sentence, several tabs, several processes: whoever comes second learns of it, and nothing is overwritten unseen.

use heimdex_db::VideoId;
use serde_json::{Value, json};

use crate::support::{App, Person, said};

const SAID: [(i64, i64, &str); 2] = [(0, 4000, "It wuz the best"), (4000, 8000, "it was the worst")];

async fn first_line(person: &Person, video: VideoId) -> (Value, String) {
    let transcript = person.get(&format!("/videos/{video}/transcript")).await.assert_status(200).body.clone();
    (transcript["run_id"].clone(), transcript["segments"][0]["text"].as_str().unwrap().to_owned())
}

async fn count(app: &App, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(app.db.pool()).await.unwrap()
}

#[tokio::test]
async fn of_twenty_who_correct_a_sentence_at_once_one_does_and_the_others_are_told() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two cities", &SAID).await;
    let elsewhere = ann.at(&app.another().await);
    let (run, was) = first_line(&ann, video).await;
    let path = format!("/videos/{video}/transcript/segments/0");
    let replies = futures::future::join_all((0..20).map(|n| {
        let tab = if n % 2 == 0 { &ann } else { &elsewhere };
        tab.patch(&path, json!({ "run_id": run, "was": was, "text": format!("It was version {n}") }))
    }))
    .await;
    let done: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(done.len(), 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.assert_problem(409, "transcript_changed");
    }
    let (_, now) = first_line(&elsewhere, video).await;
    assert_eq!(done[0].body["text"], now, "what was answered is what is there");
    assert_eq!(count(&app, "SELECT count(*) FROM video_edits").await, 1);
    assert_eq!(app.noted("transcript_edited").await, 1);
    // Whoever was refused looks again, and then may.
    let after = json!({ "run_id": run, "was": now, "text": "It was the very best" });
    elsewhere.patch(&path, after).await.assert_status(200);
    assert_eq!(first_line(&ann, video).await.1, "It was the very best");
    assert_eq!(count(&app, "SELECT count(*) FROM video_edits").await, 1, "one correction for one stretch of speech");
}

#[tokio::test]
async fn two_sentences_of_one_video_are_corrected_at_once() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two cities", &SAID).await;
    let elsewhere = ann.at(&app.another().await);
    let (run, _) = first_line(&ann, video).await;
    let correct = async |tab: &Person, no: usize, text: &str| {
        let body = json!({ "run_id": run, "was": SAID[no].2, "text": text });
        tab.patch(&format!("/videos/{video}/transcript/segments/{no}"), body).await.assert_status(200);
    };
    tokio::join!(correct(&ann, 0, "It was the best of times"), correct(&elsewhere, 1, "it was the worst of times"));
    let transcript = ann.get(&format!("/videos/{video}/transcript")).await.body;
    let texts = [&transcript["segments"][0]["text"], &transcript["segments"][1]["text"]];
    assert_eq!(texts, [&json!("It was the best of times"), &json!("it was the worst of times")]);
    // Words still count through the whole video, none twice.
    let words: (i64, i64, i32, i32) =
        sqlx::query_as("SELECT count(*), count(DISTINCT word_no), min(word_no), max(word_no) FROM transcript_words")
            .fetch_one(app.db.pool())
            .await
            .unwrap();
    assert_eq!(words, (12, 12, 0, 11));
}

#[tokio::test]
async fn a_correction_and_its_taking_back_at_once_leave_one_of_both() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two cities", &SAID).await;
    let elsewhere = ann.at(&app.another().await);
    let (run, was) = first_line(&ann, video).await;
    let path = format!("/videos/{video}/transcript/segments/0");
    ann.patch(&path, json!({ "run_id": run, "was": was, "text": "It was the best" })).await.assert_status(200);
    let seen = "It was the best";
    let (back, again) = tokio::join!(
        ann.patch(&path, json!({ "run_id": run, "was": seen, "text": null })),
        elsewhere.patch(&path, json!({ "run_id": run, "was": seen, "text": "It was the very best" })),
    );
    let (winner, loser) = if back.status == 200 { (&back, &again) } else { (&again, &back) };
    winner.assert_status(200);
    loser.assert_problem(409, "transcript_changed");
    let (_, now) = first_line(&elsewhere, video).await;
    assert_eq!(winner.body["text"], now);
    // What is kept for the next indexing is what is seen.
    let kept: Option<String> =
        sqlx::query_scalar("SELECT payload ->> 'text' FROM video_edits").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(kept.unwrap_or_else(|| SAID[0].2.to_owned()), now);
}
