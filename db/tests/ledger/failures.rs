//! Who is at fault decides what happens, and an operator takes up what has ended.

use heimdex_db::{
    JobState, Stage,
    ledger::{self, AfterFailure, FailureKind, LEASE, RunReason},
};

use crate::story::Story;

#[tokio::test]
async fn a_rejected_video_fails_at_once_and_its_upload_is_given_back() {
    let story = Story::begin().await;
    sqlx::query("INSERT INTO quota_usage (user_id, kind, window_start, used) VALUES ($1, 'uploads', date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', 2)")
        .bind(story.owner.0)
        .execute(story.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE videos SET counted_on = (now() AT TIME ZONE 'UTC')::date").execute(story.pool()).await.unwrap();
    let run = story.start(RunReason::Initial).await;
    let attempt = story.attempt(run, Stage::UploadValidate).await;
    assert_eq!(story.fail(&attempt, FailureKind::Rejected).await, AfterFailure::Final);
    assert_eq!(story.video().await, ("failed".into(), Some("no_video_track".into())));
    assert_eq!(story.state(run, Stage::Commit).await.0, JobState::Cancelled);
    let used: i32 = sqlx::query_scalar("SELECT used FROM quota_usage").fetch_one(story.pool()).await.unwrap();
    assert_eq!(used, 1);
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_later_until_the_attempts_are_used_up() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    for number in 1..=3 {
        let attempt = story.attempt(run, Stage::UploadValidate).await;
        assert_eq!(attempt.number, number);
        let after = story.fail(&attempt, FailureKind::Transient).await;
        assert_eq!(matches!(after, AfterFailure::Final), number == 3);
        assert!(story.nothing_to_begin(run, Stage::UploadValidate).await, "not before its time");
        story.time_passes().await;
        assert_eq!(ledger::push_due(story.pool()).await.unwrap(), usize::from(number < 3));
        assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 0, "pushed once");
    }
    assert_eq!(story.video().await.0, "failed");
}

#[tokio::test]
async fn an_outage_or_a_shutdown_spends_no_attempt_but_an_outage_ends_after_an_hour() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    for _ in 0..5 {
        let attempt = story.attempt(run, Stage::UploadValidate).await;
        assert!(matches!(story.fail(&attempt, FailureKind::Outage).await, AfterFailure::Retry { .. }));
        story.time_passes().await;
    }
    let attempt = story.attempt(run, Stage::UploadValidate).await;
    story.fail(&attempt, FailureKind::Released).await;
    assert_eq!(story.state(run, Stage::UploadValidate).await, (JobState::Pending, 0));

    let attempt = story.attempt(run, Stage::UploadValidate).await;
    sqlx::query("UPDATE jobs SET outage_since = now() - interval '61 minutes'").execute(story.pool()).await.unwrap();
    assert_eq!(story.fail(&attempt, FailureKind::Outage).await, AfterFailure::Final);
    assert_eq!(story.video().await.0, "failed");
}

#[tokio::test]
async fn an_operator_cancels_a_run_and_takes_it_up_again_where_it_ended() {
    let story = Story::begin().await;
    let run = story.start(RunReason::Initial).await;
    story.run_through(run, &[Stage::UploadValidate]).await;
    let running = story.attempt(run, Stage::SceneDetect).await;

    let mut tx = story.pool().begin().await.unwrap();
    ledger::cancel_run(&mut tx, run).await.unwrap();
    tx.commit().await.unwrap();
    assert!(ledger::heartbeat(story.pool(), &[running.attempt_id], LEASE).await.unwrap().is_empty());
    assert_eq!(story.video().await.1.as_deref(), Some("cancelled"));

    let mut tx = story.pool().begin().await.unwrap();
    ledger::retry_run(&mut tx, run).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(story.video().await, ("processing".into(), None));
    assert_eq!(story.state(run, Stage::UploadValidate).await.0, JobState::Completed);
    assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 2, "audio and scenes");
}
