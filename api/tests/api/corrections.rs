//! Correcting what was heard: seen and found at once, kept through another indexing, taken back.

use heimdex_db::{
    RunId, Stage, UserId, VideoId,
    audit::By,
    ledger,
    moments::edits::{self, SegmentEdit},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Person, said, scene_of};

const SAID: [(i64, i64, &str); 2] = [(0, 4000, "It wuz the best"), (4000, 8000, "it was the worst")];

async fn transcript(person: &Person, video: VideoId) -> Value {
    person.get(&format!("/videos/{video}/transcript")).await.assert_status(200).body.clone()
}

fn texts(transcript: &Value) -> Vec<&str> {
    transcript["segments"].as_array().unwrap().iter().map(|segment| segment["text"].as_str().unwrap()).collect()
}

async fn hits(person: &Person, query: &str) -> usize {
    person.post("/search", json!({ "query": query })).await.body["items"].as_array().unwrap().len()
}

async fn count(app: &App, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(app.db.pool()).await.unwrap()
}

#[tokio::test]
async fn a_corrected_sentence_is_seen_and_found_at_once() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two cities", &SAID).await;
    let before = transcript(&ann, video).await;
    let path = format!("/videos/{video}/transcript/segments/0");
    let correction =
        json!({ "run_id": before["run_id"], "was": "It wuz the best", "text": "  It was the very best of  times " });
    let segment = ann.patch(&path, correction.clone()).await.assert_status(200).body.clone();
    assert_eq!((&segment["text"], &segment["edited"]), (&json!("It was the very best of times"), &json!(true)));
    let words = segment["words"].as_array().unwrap();
    assert_eq!(words.len(), 7);
    assert_eq!((&words[0]["start_ms"], &words[0]["probability"]), (&json!(0), &json!(0.5)), "what was right stays");
    assert_eq!(
        (&words[1]["text"], &words[1]["start_ms"], &words[1]["end_ms"]),
        (&json!(" was"), &json!(1000), &json!(2000))
    );
    let mut last = 0;
    for word in words {
        assert!(last <= word["start_ms"].as_i64().unwrap());
        last = word["end_ms"].as_i64().unwrap();
    }
    assert!(last <= 4000, "within the sentence");

    let after = transcript(&ann, video).await;
    assert_eq!(after["segments"][0], segment);
    assert_eq!(after["segments"][1], before["segments"][1], "nothing else changed");
    let scene = ann.get(&format!("/scenes/{}", scene_of(video, 0, 4000))).await.body;
    assert_eq!(scene["text"], "It was the very best of times");
    assert_eq!((hits(&ann, "\"very best\"").await, hits(&ann, "wuz").await), (1, 0));
    let vtt = ann.get(&format!("/videos/{video}/transcript?format=vtt")).await.text;
    assert!(vtt.contains("very best") && !vtt.contains("wuz"), "{vtt}");
    assert_eq!(app.noted("transcript_edited").await, 1);
    assert_eq!(ann.get("/users/me/export").await.body["edits"][0]["payload"]["text"], "It was the very best of  times");

    // Who saw the sentence before that is told, and changes nothing.
    ann.patch(&path, correction).await.assert_problem(409, "transcript_changed");
    let other_run = json!({ "run_id": Uuid::new_v4(), "was": segment["text"], "text": "x" });
    ann.patch(&path, other_run).await.assert_problem(409, "transcript_changed");
    for (text, at) in [("", "0"), ("a\u{7}b", "0")] {
        let empty = json!({ "run_id": before["run_id"], "was": segment["text"], "text": text });
        ann.patch(&format!("/videos/{video}/transcript/segments/{at}"), empty)
            .await
            .assert_problem(400, "invalid_request");
    }
    let nowhere = json!({ "run_id": before["run_id"], "was": "x", "text": "y" });
    ann.patch(&format!("/videos/{video}/transcript/segments/99"), nowhere).await.assert_problem(404, "not_found");

    // One task for as many corrections as there are before it begins.
    let second = json!({ "run_id": before["run_id"], "was": "it was the worst", "text": "it was the worst of times" });
    ann.patch(&format!("/videos/{video}/transcript/segments/1"), second).await.assert_status(200);
    assert_eq!(count(&app, "SELECT count(*) FROM tasks WHERE kind = 'apply_edits'").await, 1);
    assert_eq!(
        count(&app, "SELECT count(*) FROM transcript_words WHERE word_no BETWEEN 0 AND 12").await,
        13,
        "words count through the whole video"
    );

    let back = json!({ "run_id": before["run_id"], "was": segment["text"], "text": null });
    assert_eq!(
        ann.patch(&path, back).await.assert_status(200).body,
        before["segments"][0],
        "taken back, to the millisecond"
    );
    assert_eq!(hits(&ann, "wuz").await, 1);
}

#[tokio::test]
async fn a_correction_is_applied_to_what_is_indexed_later() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two cities", &SAID).await;
    let run = transcript(&ann, video).await["run_id"].clone();
    let path = format!("/videos/{video}/transcript/segments/0");
    ann.patch(&path, json!({ "run_id": run, "was": "It wuz the best", "text": "It was the best" }))
        .await
        .assert_status(200);

    // Another indexing hears the same, as one long sentence.
    let again = RunId::new();
    let pool = app.db.pool();
    for statement in [
        "INSERT INTO runs (run_id, video_id, reason, state, language) VALUES ($1, $2, 'reprocess', 'completed', 'en')",
        "INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms)
         SELECT $1, scene_id, video_id, owner_id, ordinal, start_ms, end_ms FROM scenes WHERE video_id = $2",
        "INSERT INTO transcript_segments (run_id, segment_no, video_id, start_ms, end_ms, text)
         VALUES ($1, 0, $2, 0, 8000, 'It wuz the best it was the worst')",
        "INSERT INTO transcript_words (run_id, word_no, segment_no, start_ms, end_ms, text, probability)
         SELECT $1, n - 1, 0, (n - 1) * 1000, n * 1000, ' ' || word, 0.5
         FROM unnest(string_to_array('It wuz the best it was the worst', ' ')) WITH ORDINALITY AS w (word, n) WHERE $2::uuid IS NOT NULL",
    ] {
        sqlx::query(statement).bind(again).bind(video).execute(pool).await.unwrap();
    }
    let mut connection = pool.acquire().await.unwrap();
    for _ in 0..2 {
        edits::apply(&mut connection, again, true).await.unwrap();
        let (text, numbers): (String, i64) = sqlx::query_as(
            "SELECT text, (SELECT count(*) FROM transcript_words w WHERE w.run_id = s.run_id AND w.scene_id IS NOT NULL)
             FROM transcript_segments s WHERE run_id = $1",
        )
        .bind(again)
        .fetch_one(pool)
        .await
        .unwrap();
        assert_eq!((text.as_str(), numbers), ("It was the best it was the worst", 8));
    }
    sqlx::query("UPDATE videos SET current_run_id = $1 WHERE video_id = $2")
        .bind(again)
        .bind(video)
        .execute(pool)
        .await
        .unwrap();
    let now = transcript(&ann, video).await;
    assert_eq!(texts(&now), ["It was the best it was the worst"]);
    assert_eq!(now["segments"][0]["edited"], true);
    let first = ann.get(&format!("/scenes/{}", scene_of(video, 0, 4000))).await.body;
    assert_eq!(first["text"], "It was the best");
}

#[tokio::test]
async fn a_correction_that_is_just_being_made_is_in_what_is_indexed_in_part() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Two cities", &SAID).await;
    let pool = app.db.pool().clone();
    let (owner, run_id): (UserId, RunId) =
        sqlx::query_as("SELECT owner_id, current_run_id FROM videos WHERE video_id = $1")
            .bind(video)
            .fetch_one(&pool)
            .await
            .unwrap();
    let mut correcting = pool.begin().await.unwrap();
    let edit = SegmentEdit { run_id, segment_no: 0, was: "It wuz the best", text: Some("It was the best") };
    edits::edit(&mut correcting, owner, video, &edit, &By::command()).await.unwrap();

    let redo = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut tx = pool.begin().await.unwrap();
            let (run, _) = ledger::redo_stages(&mut tx, video, &[Stage::EmbedText]).await.unwrap();
            tx.commit().await.unwrap();
            run
        }
    });
    // Until the other indexing has copied what is said, or waits for the correction.
    loop {
        let waits: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database())",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        if waits || redo.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    correcting.commit().await.unwrap();
    let text: String = sqlx::query_scalar("SELECT text FROM transcript_segments WHERE run_id = $1 AND segment_no = 0")
        .bind(redo.await.unwrap())
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(text, "It was the best");
}
