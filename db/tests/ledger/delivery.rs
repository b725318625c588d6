//! Work is handed out once, whatever becomes of the messages.

use heimdex_db::{
    AttemptId, JobState, Stage,
    ledger::{self, LEASE, RunReason},
};
use serde_json::json;

use crate::story::Story;

#[tokio::test]
async fn a_run_goes_through_its_twelve_stages_each_handed_out_once() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let mut done = Vec::new();
    let mut ready = vec![Stage::UploadValidate];
    while let Some(stage) = ready.pop() {
        let attempt = story.attempt(run, stage).await;
        ready.extend(story.complete(&attempt).await);
        done.push(stage);
    }
    done.sort();
    assert_eq!(done, Stage::ALL);
    for &stage in Stage::ALL {
        assert_eq!(story.messages(stage).await, 1, "{stage}");
    }
    let state: JobState = sqlx::query_scalar("SELECT state FROM runs WHERE run_id = $1")
        .bind(run.0)
        .fetch_one(story.pool())
        .await
        .unwrap();
    assert_eq!(state, JobState::Completed);
}

#[tokio::test]
async fn two_needs_that_end_at_once_make_their_stage_ready_once() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    story.run_through(run, &[Stage::UploadValidate, Stage::AudioExtract]).await;
    let (asr, scenes) = (story.attempt(run, Stage::AsrFast).await, story.attempt(run, Stage::SceneDetect).await);
    let (left, right) = tokio::join!(story.complete(&asr), story.complete(&scenes));
    let merges = left.iter().chain(&right).filter(|stage| **stage == Stage::AlignMerge).count();
    assert_eq!(merges, 1);
    assert_eq!(story.messages(Stage::AlignMerge).await, 1);
}

#[tokio::test]
async fn a_message_that_comes_twice_is_done_once_and_one_too_early_not_at_all() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let job = story.job(run, Stage::UploadValidate).await;
    let (first, second) =
        tokio::join!(story.begin_as(job, AttemptId::new(), LEASE), story.begin_as(job, AttemptId::new(), LEASE));
    assert_eq!(usize::from(first.is_some()) + usize::from(second.is_some()), 1);
    assert!(story.nothing_to_begin(run, Stage::Commit).await);
}

#[tokio::test]
async fn a_push_that_is_rolled_back_is_never_delivered() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let attempt = story.attempt(run, Stage::UploadValidate).await;
    let mut tx = story.pool().begin().await.unwrap();
    ledger::complete(&mut tx, &attempt, None, json!({})).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(story.messages(Stage::SceneDetect).await, 0);
    assert_eq!(story.state(run, Stage::UploadValidate).await, (JobState::Running, 1));
}

#[tokio::test]
async fn a_message_that_vanished_is_sent_again_and_one_that_waits_is_not() {
    let story = Story::begin().await;
    story.start(RunReason::Initial).await;
    sqlx::query("UPDATE jobs SET pushed_at = now() - interval '2 minutes' WHERE ready")
        .execute(story.pool())
        .await
        .unwrap();
    assert_eq!(ledger::repush_lost(story.pool()).await.unwrap(), 0, "its message still waits");
    sqlx::query("DELETE FROM apalis.jobs").execute(story.pool()).await.unwrap();
    assert_eq!(ledger::repush_lost(story.pool()).await.unwrap(), 1);
    assert_eq!(story.messages(Stage::UploadValidate).await, 1);
}

#[tokio::test]
async fn a_paused_stage_takes_nothing_new_and_goes_on_after_the_resume() {
    let story = Story::begin().await;
    story.pause(Stage::UploadValidate, true).await;
    let run = story.start(RunReason::Initial).await;
    assert!(story.nothing_to_begin(run, Stage::UploadValidate).await);
    assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 0);
    story.pause(Stage::UploadValidate, false).await;
    assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 1);
    story.attempt(run, Stage::UploadValidate).await;
}
