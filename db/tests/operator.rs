//! What an operator does to the ledger, and what they read of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use heimdex_db::{
    AttemptId, DbError, JobId, JobState, PgPool, RunId, Stage, TaskId, UserId, VideoId,
    ledger::{self, Attempt, Failure, FailureKind, LEASE, RunReason},
    operator::{failures, jobs, queues},
    tasks::{self, NewTask},
};
use heimdex_testing::TestDb;
use serde_json::json;

/// A person with a video whose first run is under way.
async fn indexing(pool: &PgPool) -> (VideoId, RunId) {
    let (owner, video) = (UserId::new(), VideoId::new());
    sqlx::query("INSERT INTO users (user_id, email) VALUES ($1, 'ann@example.org')")
        .bind(owner)
        .execute(pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO videos (video_id, owner_id, title, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count, state)
         VALUES ($1, $2, 'Rain', 'rain.mp4', 'video/mp4', 1, 5242880, 1, 'validating')",
    )
    .bind(video)
    .bind(owner)
    .execute(pool)
    .await
    .unwrap();
    let mut tx = pool.begin().await.unwrap();
    let run = ledger::start_run(&mut tx, video, RunReason::Initial, json!({})).await.unwrap();
    tx.commit().await.unwrap();
    (video, run)
}

async fn job(pool: &PgPool, run: RunId, stage: Stage) -> JobId {
    sqlx::query_scalar("SELECT job_id FROM jobs WHERE run_id = $1 AND stage = $2")
        .bind(run)
        .bind(stage)
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn begin(pool: &PgPool, job: JobId) -> Option<Attempt> {
    ledger::begin(pool, job.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap()
}

async fn does(pool: &PgPool, run: RunId, stages: &[Stage]) {
    for &stage in stages {
        let attempt = begin(pool, job(pool, run, stage).await).await.unwrap();
        let mut tx = pool.begin().await.unwrap();
        ledger::complete(&mut tx, &attempt, None, json!({})).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn fails(pool: &PgPool, job: JobId, code: &str) {
    let attempt = begin(pool, job).await.unwrap();
    let failure = Failure {
        kind: FailureKind::Rejected,
        code: code.into(),
        message: "It did not work.".into(),
        chain: "because".into(),
        stats: json!({}),
    };
    let mut tx = pool.begin().await.unwrap();
    ledger::fail(&mut tx, &attempt, &failure).await.unwrap();
    tx.commit().await.unwrap();
}

async fn states(pool: &PgPool, run: RunId) -> Vec<(Stage, JobState, bool)> {
    sqlx::query_as("SELECT stage, state, ready FROM jobs WHERE run_id = $1 ORDER BY stage")
        .bind(run)
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn from_a_stage_on_a_failed_run_does_it_again_with_all_that_depends_on_it() {
    use Stage::{AlignMerge, AsrFast, AudioExtract, SceneDetect, UploadValidate};
    let db = TestDb::new().await.unwrap();
    let pool = db.pool();
    let (_, run) = indexing(pool).await;
    does(pool, run, &[UploadValidate, AudioExtract, AsrFast, SceneDetect]).await;
    fails(pool, job(pool, run, AlignMerge).await, "panic").await;

    let asr = job(pool, run, AsrFast).await;
    let mut tx = pool.begin().await.unwrap();
    let again = ledger::retry_from(&mut tx, asr).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(again.run_id, run);
    assert!(!again.stages.contains(&SceneDetect) && !again.stages.contains(&UploadValidate), "{:?}", again.stages);
    assert!(again.stages.starts_with(&[AudioExtract, AsrFast, AlignMerge]), "{:?}", again.stages);
    for (stage, state, ready) in states(pool, run).await {
        let expected = match stage {
            UploadValidate | SceneDetect => (JobState::Completed, true),
            // The first of them is on its way; what needs it waits for it.
            AudioExtract | Stage::VisionSampleFrames => (JobState::Pending, true),
            _ => (JobState::Pending, false),
        };
        assert_eq!((state, ready), expected, "{stage}");
    }
    assert!(begin(pool, job(pool, run, AlignMerge).await).await.is_none());
    does(pool, run, &[AudioExtract, AsrFast, AlignMerge]).await;
}

#[tokio::test]
async fn a_run_that_was_followed_by_another_is_not_taken_up_again() {
    let db = TestDb::new().await.unwrap();
    let pool = db.pool();
    let (video, run) = indexing(pool).await;
    let first = job(pool, run, Stage::UploadValidate).await;
    fails(pool, first, "panic").await;
    let mut tx = pool.begin().await.unwrap();
    ledger::start_run(&mut tx, video, RunReason::Reprocess, json!({})).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    assert!(matches!(ledger::retry_job(&mut tx, first).await, Err(DbError::Conflict("run_superseded"))));
    assert!(matches!(ledger::retry_from(&mut tx, first).await, Err(DbError::Conflict("run_superseded"))));
    assert!(failures::groups(&mut *tx).await.unwrap().is_empty());
    assert!(failures::jobs_with(&mut *tx, "panic", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn failures_are_grouped_by_code_with_the_newest_as_the_example() {
    let db = TestDb::new().await.unwrap();
    let pool = db.pool();
    let mut failed = Vec::new();
    for code in ["panic", "deadline", "panic"] {
        let (_, run) = indexing(pool).await;
        let id = job(pool, run, Stage::UploadValidate).await;
        fails(pool, id, code).await;
        failed.push(id);
    }
    let groups = failures::groups(pool).await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.code.as_str(), group.jobs, group.job_id)).collect();
    assert_eq!(told, [("panic", 2, Some(failed[2])), ("deadline", 1, Some(failed[1]))]);
    assert_eq!((groups[0].message.as_deref(), groups[0].chain.as_deref()), (Some("It did not work."), Some("because")));
    assert!(groups[0].first_at < groups[0].last_at);
    assert_eq!(failures::jobs_with(pool, "panic", 1).await.unwrap(), [failed[0]], "the oldest first");
    let stages = queues::stages(pool).await.unwrap();
    assert_eq!((stages[0].stage, stages[0].failed, stages[0].cancelled), (Stage::UploadValidate, 3, 0));
    assert_eq!(stages.iter().map(|queue| queue.cancelled).sum::<i64>(), 33);
    let filter = jobs::JobFilter { code: Some("deadline".into()), ..Default::default() };
    let listed = jobs::list(pool, &filter, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|line| line.job_id).collect::<Vec<_>>(), [failed[1]]);
}

#[tokio::test]
async fn a_task_that_was_followed_by_another_of_its_kind_is_history() {
    let db = TestDb::new().await.unwrap();
    let pool = db.pool();
    let (video, _) = indexing(pool).await;
    let ask = async || -> TaskId {
        let task = NewTask {
            kind: tasks::MAKE_PROXY,
            owner_id: None,
            video_id: Some(video),
            payload: json!({}),
            run_at: None,
        };
        let mut tx = pool.begin().await.unwrap();
        let id = tasks::enqueue(&mut tx, &task).await.unwrap();
        tx.commit().await.unwrap();
        id
    };
    let end = async |id: TaskId, state: &str| {
        sqlx::query(
            "UPDATE tasks SET state = $2::job_state, error_code = 'transient', finished_at = now() WHERE task_id = $1",
        )
        .bind(id)
        .bind(state)
        .execute(pool)
        .await
        .unwrap();
    };
    let failed = async || queues::tasks(pool).await.unwrap().iter().map(|queue| queue.failed).sum::<i64>();
    let first = ask().await;
    end(first, "failed").await;
    assert_eq!(failures::tasks_with(pool, "transient", 10).await.unwrap(), [first]);
    assert_eq!((failures::groups(pool).await.unwrap()[0].tasks, failed().await), (1, 1));
    // The person has asked once more, and that time it went well.
    let second = ask().await;
    end(second, "completed").await;
    assert!(failures::groups(pool).await.unwrap().is_empty());
    assert!(failures::tasks_with(pool, "transient", 10).await.unwrap().is_empty());
    assert_eq!(failed().await, 0);
}

#[tokio::test]
async fn what_an_operator_puts_first_is_handed_out_first() {
    let db = TestDb::new().await.unwrap();
    let pool = db.pool();
    indexing(pool).await;
    let (urgent, run) = indexing(pool).await;
    let mut tx = pool.begin().await.unwrap();
    assert_eq!(ledger::set_priority(&mut tx, urgent, 5).await.unwrap().1, 0);
    tx.commit().await.unwrap();
    let first = async || -> String {
        sqlx::query_scalar("SELECT convert_from(job, 'UTF8')::jsonb ->> 'job_id' FROM apalis.jobs WHERE status = 'Pending' ORDER BY priority DESC, run_at LIMIT 1")
            .fetch_one(pool)
            .await
            .unwrap()
    };
    let validate = job(pool, run, Stage::UploadValidate).await;
    assert_eq!(first().await, validate.to_string());
    // And so are the stages it makes ready.
    sqlx::query("DELETE FROM apalis.jobs").execute(pool).await.unwrap();
    does(pool, run, &[Stage::UploadValidate]).await;
    let priorities: Vec<i32> = sqlx::query_scalar("SELECT priority FROM apalis.jobs").fetch_all(pool).await.unwrap();
    assert_eq!(priorities, [5, 5]);
}
