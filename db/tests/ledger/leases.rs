//! An attempt belongs to its worker as long as the lease lives, also when answers are lost.

use std::time::Duration;

use heimdex_db::{
    AttemptId, DbError, JobState, Stage,
    ledger::{self, FailureKind, LEASE, RunReason},
};
use serde_json::json;

use crate::story::{Story, failure};

/// PostgreSQL committed, but its answer never came: the worker asks again, with the id it has chosen.
#[tokio::test]
async fn a_begin_whose_answer_was_lost_is_asked_again_and_costs_nothing() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let job = story.job(run, Stage::UploadValidate).await;
    let id = AttemptId::new();
    let unheard = story.begin_as(job, id, LEASE).await;
    assert_eq!(story.begin_as(job, id, LEASE).await, unheard);
    assert_eq!(story.state(run, Stage::UploadValidate).await, (JobState::Running, 1));
    story.complete(&unheard.unwrap()).await;
    assert!(story.begin_as(job, id, LEASE).await.is_none(), "what has ended is not begun again");
    assert_eq!(story.attempts(run, Stage::UploadValidate).await, ["completed"]);
}

/// The wire was cut for so long that the attempt was taken for lost before the worker could ask again.
#[tokio::test]
async fn an_attempt_nobody_knew_of_is_given_back_even_after_its_lease() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let job = story.job(run, Stage::UploadValidate).await;
    let id = AttemptId::new();
    story.begin_as(job, id, Duration::ZERO).await.unwrap();
    assert_eq!(ledger::reap(story.pool()).await.unwrap(), 1);
    assert_eq!(story.state(run, Stage::UploadValidate).await, (JobState::Pending, 1));
    assert!(story.begin_as(job, id, LEASE).await.is_none(), "another message is on its way");
    assert_eq!(story.state(run, Stage::UploadValidate).await, (JobState::Pending, 0));
    assert!(story.begin_as(job, id, LEASE).await.is_none(), "and it is given back once");
    let attempt = story.attempt(run, Stage::UploadValidate).await;
    assert_eq!(attempt.number, 2);
    assert_eq!(story.attempts(run, Stage::UploadValidate).await, ["released", "running"]);
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_written_once() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let attempt = story.attempt(run, Stage::UploadValidate).await;
    assert_eq!(story.complete(&attempt).await, [Stage::AudioExtract, Stage::SceneDetect]);
    assert!(story.complete(&attempt).await.is_empty());
    assert_eq!(story.messages(Stage::SceneDetect).await, 1);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_can_finish_nothing() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let stale = story.attempt_for(run, Stage::UploadValidate, Duration::ZERO).await;
    assert_eq!(ledger::reap(story.pool()).await.unwrap(), 1);
    assert!(ledger::heartbeat(story.pool(), &[stale.attempt_id], LEASE).await.unwrap().is_empty());
    let current = story.attempt(run, Stage::UploadValidate).await;
    assert_eq!(current.number, 2);

    let mut tx = story.pool().begin().await.unwrap();
    assert!(matches!(ledger::fence(&mut tx, &stale).await, Err(DbError::LostLease)));
    assert!(matches!(ledger::complete(&mut tx, &stale, None, json!({})).await, Err(DbError::LostLease)));
    assert!(matches!(ledger::fail(&mut tx, &stale, &failure(FailureKind::Rejected)).await, Err(DbError::LostLease)));
    tx.rollback().await.unwrap();
    ledger::progress(story.pool(), stale.attempt_id, 50).await.unwrap();

    story.complete(&current).await;
    assert_eq!(story.attempts(run, Stage::UploadValidate).await, ["lost", "completed"]);
}

#[tokio::test]
async fn a_lease_that_is_renewed_is_kept() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    let attempt = story.attempt_for(run, Stage::UploadValidate, Duration::ZERO).await;
    let stranger = AttemptId::new();
    assert_eq!(
        ledger::heartbeat(story.pool(), &[attempt.attempt_id, stranger], LEASE).await.unwrap(),
        [attempt.attempt_id]
    );
    assert_eq!(ledger::reap(story.pool()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_stage_that_kills_its_worker_three_times_fails_the_video_with_a_reason() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    for _ in 0..3 {
        story.attempt_for(run, Stage::UploadValidate, Duration::ZERO).await;
        assert_eq!(ledger::reap(story.pool()).await.unwrap(), 1);
    }
    assert_eq!(story.state(run, Stage::UploadValidate).await, (JobState::Failed, 3));
    assert_eq!(story.video().await, ("failed".into(), Some("worker_lost".into())));
    assert_eq!(story.attempts(run, Stage::UploadValidate).await, ["lost", "lost", "lost"]);
}
