//! What hangs on words that a person has corrected follows, and nothing else is made anew.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::collections::BTreeSet;

use common::{PATIENCE, Uploaded, World, media, until};
use heimdex_db::{
    Stage,
    audit::By,
    keys,
    moments::{edits, edits::SegmentEdit, transcript},
};

/// Ids and texts of the windows, and how many vectors of theirs there are.
async fn windows(world: &World, video: Uploaded) -> BTreeSet<(i64, String)> {
    sqlx::query_as("SELECT window_id, text FROM text_windows WHERE run_id = $1 AND text_vec IS NOT NULL")
        .bind(video.run_id)
        .fetch_all(world.pool())
        .await
        .unwrap()
        .into_iter()
        .collect()
}

/// What all windows say, one after the other: a sentence may go on in the next scene.
fn joined(windows: &BTreeSet<(i64, String)>) -> String {
    windows.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ")
}

async fn correct(world: &World, video: Uploaded, segment_no: i32, was: &str, text: &str) {
    let mut tx = world.pool().begin().await.unwrap();
    let edit = SegmentEdit { run_id: video.run_id, segment_no, was, text: Some(text) };
    edits::edit(&mut tx, video.owner_id, video.video_id, &edit, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn all_applied(world: &World) {
    until("the corrections are applied", PATIENCE, async || {
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tasks WHERE kind = 'apply_edits' AND state <> 'completed'")
                .fetch_one(world.pool())
                .await
                .ok()?;
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_the_windows_that_changed_are_embedded_again_and_captions_follow() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let (before, segments) =
        (windows(&world, video).await, transcript::segments(world.pool(), video.run_id).await.unwrap());
    let last = segments.last().unwrap();
    correct(&world, video, last.segment_no, &last.text, "a purple umbrella").await;
    all_applied(&world).await;
    let after = windows(&world, video).await;
    assert!(joined(&after).contains("a purple umbrella"), "{after:?}");
    let kept = before.intersection(&after).count();
    let untouched = before.iter().filter(|(_, text)| after.iter().any(|(_, other)| other == text)).count();
    assert_eq!(kept, untouched, "what says the same is the same row: {before:?} {after:?}");
    for file in ["captions.vtt", "captions.srt", "sidecar.json"] {
        let text = String::from_utf8(world.object(&keys::artifact(video.video_id, video.run_id, file)).await).unwrap();
        assert!(text.contains("umbrella"), "{file}");
    }

    // Everything is heard anew, and the correction is there again.
    let again = world.redo(video, &[Stage::AsrFast]).await;
    world.is_shown(again).await;
    let lines = transcript::segments(world.pool(), again.run_id).await.unwrap();
    assert!(lines.iter().any(|line| line.text.contains("a purple umbrella")), "{lines:?}");
    assert!(joined(&windows(&world, again).await).contains("a purple umbrella"));
    worker.terminate().await;
}

#[tokio::test]
async fn after_a_correction_every_vector_is_what_indexing_anew_gives() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    // A sentence that had ended goes on, and one that went on ends.
    for segment in transcript::segments(world.pool(), video.run_id).await.unwrap().into_iter().step_by(2) {
        let text = match segment.text.trim().strip_suffix('.') {
            Some(open) => format!("{open} and"),
            None => format!("{}.", segment.text.trim()),
        };
        correct(&world, video, segment.segment_no, &segment.text, &text).await;
    }
    all_applied(&world).await;
    let copy = format!("CREATE TABLE before AS SELECT * FROM text_windows WHERE run_id = '{}'", video.run_id);
    sqlx::query(sqlx::AssertSqlSafe(copy)).execute(world.pool()).await.unwrap();

    let again = world.redo(video, &[Stage::EmbedText]).await;
    world.is_shown(again).await;
    let (same, all): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE b.text = a.text AND b.text_vec <=> a.text_vec < 0.0001), count(*)
         FROM before b FULL JOIN (SELECT * FROM text_windows WHERE run_id = $1) a USING (scene_id, ordinal)",
    )
    .bind(again.run_id)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert!(all > 0 && same == all, "{same} of {all}");
    worker.terminate().await;
}
