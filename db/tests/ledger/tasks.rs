//! What the other stories tell of stages holds for work that is no stage: the same statements serve it.

use std::time::Duration;

use heimdex_db::{
    AttemptId, DbError, JobState,
    ledger::{self, AfterFailure, FailureKind, LEASE},
    tasks::{self, NewTask},
};
use serde_json::json;

use crate::story::Story;

#[tokio::test]
async fn a_task_is_under_the_same_rules_as_a_stage() {
    let story = Story::begin().await;
    let task = NewTask {
        kind: tasks::DELETE_OBJECTS,
        owner_id: Some(story.owner),
        video_id: Some(story.video),
        payload: json!({ "keys": [] }),
        run_at: None,
    };
    let mut connection = story.pool().acquire().await.unwrap();
    let id = tasks::enqueue(&mut connection, &task).await.unwrap();
    assert_eq!(tasks::enqueue(&mut connection, &task).await.unwrap(), id, "one of a kind at a time for a video");
    drop(connection);
    let state = async || -> (JobState, i32, Option<String>) {
        sqlx::query_as("SELECT state, attempts, error_code FROM tasks").fetch_one(story.pool()).await.unwrap()
    };

    // A worker dies, another is told to stop, a third meets a fault, the fourth does it.
    let lost = story.begin_as(id, AttemptId::new(), Duration::ZERO).await.unwrap();
    assert_eq!(ledger::reap(story.pool()).await.unwrap(), 1);
    assert_eq!(state().await, (JobState::Pending, 1, Some("worker_lost".into())));
    let mut tx = story.pool().begin().await.unwrap();
    assert!(matches!(ledger::fence(&mut tx, &lost).await, Err(DbError::LostLease)));
    tx.rollback().await.unwrap();
    let released = story.begin_as(id, AttemptId::new(), LEASE).await.unwrap();
    story.fail(&released, FailureKind::Released).await;
    assert_eq!(state().await.1, 1, "a shutdown spends no attempt");
    let failing = story.begin_as(id, AttemptId::new(), LEASE).await.unwrap();
    assert!(matches!(story.fail(&failing, FailureKind::Transient).await, AfterFailure::Retry { .. }));
    assert!(story.begin_as(id, AttemptId::new(), LEASE).await.is_none(), "not before its time");
    sqlx::query("UPDATE tasks SET run_at = now() - interval '1 second'").execute(story.pool()).await.unwrap();
    assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 1);
    let last = story.begin_as(id, AttemptId::new(), LEASE).await.unwrap();
    ledger::progress(story.pool(), last.attempt_id, 40).await.unwrap();
    assert_eq!((last.number, last.work.name()), (4, "delete_objects"));
    assert!(story.complete(&last).await.is_empty());
    assert_eq!(state().await.0, JobState::Completed);

    // One that must not go on ends alone: the video is not touched by it.
    let mut connection = story.pool().acquire().await.unwrap();
    let id = tasks::enqueue(&mut connection, &task).await.unwrap();
    drop(connection);
    let refused = story.begin_as(id, AttemptId::new(), LEASE).await.unwrap();
    assert_eq!(story.fail(&refused, FailureKind::Rejected).await, AfterFailure::Final);
    assert_eq!(story.video().await, ("validating".into(), None));
}

#[tokio::test]
async fn a_letter_does_not_wait_behind_hours_of_encoding() {
    let story = Story::begin().await;
    let mut tx = story.pool().begin().await.unwrap();
    for kind in [tasks::CUT_CLIP, tasks::MAKE_PROXY, tasks::DELETE_OBJECTS] {
        let task = NewTask { kind, owner_id: Some(story.owner), video_id: None, payload: json!({}), run_at: None };
        tasks::enqueue(&mut tx, &task).await.unwrap();
    }
    tx.commit().await.unwrap();
    let waiting = async || -> Vec<String> {
        sqlx::query_scalar("SELECT job_type || ' ' || count(*)::text FROM apalis.jobs GROUP BY job_type ORDER BY 1")
            .fetch_all(story.pool())
            .await
            .unwrap()
    };
    assert_eq!(waiting().await, ["encoding 2", "maintenance 1"]);

    // Messages that got lost are sent where they belong, those that wait are not sent twice.
    sqlx::query("UPDATE tasks SET pushed_at = now() - interval '2 minutes'").execute(story.pool()).await.unwrap();
    assert_eq!(ledger::repush_lost(story.pool()).await.unwrap(), 0);
    sqlx::query("DELETE FROM apalis.jobs").execute(story.pool()).await.unwrap();
    assert_eq!(ledger::repush_lost(story.pool()).await.unwrap(), 3);
    assert_eq!(waiting().await, ["encoding 2", "maintenance 1"]);
}
