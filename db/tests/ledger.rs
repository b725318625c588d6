//! The ledger's promises, told on a real database: nothing is done twice, nothing is lost, nobody loops for ever.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::time::Duration;

use heimdex_db::tasks::{self, NewTask};
use heimdex_db::{
    AttemptId, DbError, JobId, JobState, PgPool, RunId, Stage, UserId, VideoId,
    ledger::{self, AfterFailure, Attempt, Failure, FailureKind, LEASE, RunReason, WorkId},
    people,
};
use heimdex_testing::TestDb;
use serde_json::json;

struct Story {
    db: TestDb,
    owner: UserId,
    video: VideoId,
}

impl Story {
    async fn begin() -> Self {
        let db = TestDb::new().await.unwrap();
        let owner = UserId::new();
        let video = VideoId::new();
        sqlx::query("INSERT INTO users (user_id, email) VALUES ($1, 'ann@example.org')")
            .bind(owner.0)
            .execute(db.pool())
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO videos (video_id, owner_id, title, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count, state, counted_on)
             VALUES ($1, $2, 'Rain', 'rain.mp4', 'video/mp4', 1, 5242880, 1, 'validating', current_date)",
        )
        .bind(video.0)
        .bind(owner.0)
        .execute(db.pool())
        .await
        .unwrap();
        Self { db, owner, video }
    }

    fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    async fn start(&self, reason: RunReason) -> RunId {
        let mut tx = self.pool().begin().await.unwrap();
        let run = ledger::start_run(&mut tx, self.video, reason, json!({})).await.unwrap();
        tx.commit().await.unwrap();
        run
    }

    async fn job(&self, run: RunId, stage: Stage) -> JobId {
        sqlx::query_scalar("SELECT job_id FROM jobs WHERE run_id = $1 AND stage = $2")
            .bind(run.0)
            .bind(stage)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    async fn attempt(&self, run: RunId, stage: Stage) -> Attempt {
        self.attempt_for(run, stage, LEASE).await
    }

    async fn attempt_for(&self, run: RunId, stage: Stage, lease: Duration) -> Attempt {
        self.begin_as(self.job(run, stage).await, AttemptId::new(), lease).await.expect("the work is ready")
    }

    async fn begin_as(&self, id: impl Into<WorkId>, attempt: AttemptId, lease: Duration) -> Option<Attempt> {
        ledger::begin(self.pool(), id.into(), attempt, "worker-1", lease).await.unwrap()
    }

    async fn nothing_to_begin(&self, run: RunId, stage: Stage) -> bool {
        self.begin_as(self.job(run, stage).await, AttemptId::new(), LEASE).await.is_none()
    }

    async fn complete(&self, attempt: &Attempt) -> Vec<Stage> {
        let mut tx = self.pool().begin().await.unwrap();
        let ready = ledger::complete(&mut tx, attempt, None, json!({})).await.unwrap();
        tx.commit().await.unwrap();
        ready
    }

    async fn run_through(&self, run: RunId, stages: &[Stage]) {
        for &stage in stages {
            let attempt = self.attempt(run, stage).await;
            self.complete(&attempt).await;
        }
    }

    async fn fail(&self, attempt: &Attempt, kind: FailureKind) -> AfterFailure {
        let mut tx = self.pool().begin().await.unwrap();
        let after = ledger::fail(&mut tx, attempt, &failure(kind)).await.unwrap();
        tx.commit().await.unwrap();
        after
    }

    /// (state, counted attempts) of a job
    async fn state(&self, run: RunId, stage: Stage) -> (JobState, i32) {
        sqlx::query_as("SELECT state, attempts FROM jobs WHERE run_id = $1 AND stage = $2")
            .bind(run.0)
            .bind(stage)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    async fn video(&self) -> (String, Option<String>) {
        sqlx::query_as("SELECT state::text, failure_code FROM videos WHERE video_id = $1")
            .bind(self.video.0)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    async fn messages(&self, stage: Stage) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM apalis.jobs WHERE job_type = $1")
            .bind(stage.spec().queue)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    async fn attempts(&self, run: RunId, stage: Stage) -> Vec<String> {
        sqlx::query_scalar("SELECT a.state FROM job_attempts a JOIN jobs j USING (job_id) WHERE j.run_id = $1 AND j.stage = $2 ORDER BY a.number")
            .bind(run.0)
            .bind(stage)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    /// The time of a scheduled retry comes.
    async fn time_passes(&self) {
        sqlx::query("UPDATE jobs SET run_at = now() - interval '1 second', pushed_at = now() - interval '1 hour' WHERE state = 'pending' AND ready AND run_at > now()")
            .execute(self.pool())
            .await
            .unwrap();
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure {
        kind,
        code: "no_video_track".into(),
        message: "There is no picture in this file.".into(),
        chain: "…".into(),
        stats: json!({}),
    }
}

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
async fn a_paused_stage_takes_nothing_new_and_goes_on_after_the_resume() {
    let story = Story::begin().await;
    ledger::set_stage_paused(story.pool(), Stage::UploadValidate, true, None).await.unwrap();
    let run = story.start(RunReason::Initial).await;
    assert!(story.nothing_to_begin(run, Stage::UploadValidate).await);
    assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 0);
    ledger::set_stage_paused(story.pool(), Stage::UploadValidate, false, None).await.unwrap();
    assert_eq!(ledger::push_due(story.pool()).await.unwrap(), 1);
    story.attempt(run, Stage::UploadValidate).await;
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

#[tokio::test]
async fn while_a_reindex_runs_or_fails_the_video_stays_indexed_with_what_it_had() {
    let story = Story::begin().await;
    let first = story.start(RunReason::Initial).await;
    sqlx::query("UPDATE runs SET state = 'completed'").execute(story.pool()).await.unwrap();
    sqlx::query("UPDATE videos SET state = 'indexed', current_run_id = $1")
        .bind(first.0)
        .execute(story.pool())
        .await
        .unwrap();
    let second = story.start(RunReason::Reprocess).await;
    let mut tx = story.pool().begin().await.unwrap();
    assert!(matches!(
        ledger::start_run(&mut tx, story.video, RunReason::Reprocess, json!({})).await,
        Err(DbError::Conflict("run_active"))
    ));
    tx.rollback().await.unwrap();

    let attempt = story.attempt(second, Stage::UploadValidate).await;
    story.fail(&attempt, FailureKind::Rejected).await;
    assert_eq!(story.video().await, ("indexed".into(), None));
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

/// Everything above is told of stages; the same statements serve what is no stage.
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

/// Rows of every table that belongs to a run, as if every kind of model had been there.
const FINDINGS: &str = "
    INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, motion, transition, text, language, text_tsv,
                        thumbnail_key, thumbnail_large_key, keyframe_ms, image_vec, image_model, affect)
        VALUES ($1, $2, $3, $4, 0, 0, 4000, 0.5, 'start', 'rain', 'en', to_tsvector('rain'), 'small', 'large', 900, '[1,2]', 'clip', '{}');
    INSERT INTO transcript_segments VALUES ($1, 0, $3, 0, 900, 'rain', -0.1, 0.2, 1.1, 0);
    INSERT INTO transcript_words VALUES ($1, 0, 0, 0, 900, ' rain', 0.9, $2);
    INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
        VALUES ($1, $2, $4, 0, 0, 900, 'rain', '[3,4]', 'minilm');
    INSERT INTO frames VALUES ($1, $2, 900, $4, 'jpeg', 16, 9, 1, 0.5, 7, true, '[1,2]', 'clip');
    INSERT INTO screen_texts (run_id, scene_id, owner_id, start_ms, end_ms, text, confidence, box) VALUES ($1, $2, $4, 0, 900, 'EXIT', 0.8, '[]');
    INSERT INTO scene_tags VALUES ($1, $2, 'weather', 0.7, 'image', $4);
    INSERT INTO sound_curves VALUES ($1, $4, '{-20}', '{NULL}', '{0}');
    INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model, cover_key, similarity)
        VALUES ($1, 1, $2, $4, 900, 900, 1, 2, 0.9, '[5]', 'sface', 'face', 0.6);
    INSERT INTO face_detections (run_id, scene_id, owner_id, at_ms, track_no, box, quality, face_vec, face_model)
        VALUES ($1, $2, $4, 900, 1, '{}', 0.9, '[5]', 'sface')";

/// Every row that belongs to a run, by table, without the run and ids of its own.
async fn findings(story: &Story, run: RunId) -> Vec<(String, serde_json::Value)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'run_id' AND table_name NOT IN ('runs', 'jobs', 'scene_people') ORDER BY 1",
    )
    .fetch_all(story.pool())
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT to_jsonb(t) - ARRAY['run_id', 'window_id', 'text_id', 'detection_id'] FROM {table} t WHERE run_id = $1"
        );
        let rows: Vec<serde_json::Value> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(run.0).fetch_all(story.pool()).await.unwrap();
        assert!(rows.len() < 2);
        found.push((table, rows.into_iter().next().unwrap_or_default()));
    }
    found
}

#[tokio::test]
async fn a_redo_that_inherits_faces_takes_turns_with_who_decides_whose_they_are() {
    let story = Story::begin().await;
    let mut deciding = story.pool().begin().await.unwrap();
    people::lock(&mut deciding, story.owner).await.unwrap();
    let redo = async |stage: Stage| {
        let mut tx = story.pool().begin().await.unwrap();
        sqlx::query("SET LOCAL lock_timeout = '50ms'").execute(&mut *tx).await.unwrap();
        let begun = ledger::redo_stages(&mut tx, story.video, &[stage]).await;
        tx.rollback().await.unwrap();
        begun
    };
    let waiting = redo(Stage::EmbedText).await;
    assert!(matches!(&waiting, Err(error) if error.is_busy()), "{waiting:?}");
    // One that looks for faces again copies none.
    redo(Stage::UploadValidate).await.unwrap();
}

#[tokio::test]
async fn a_redo_inherits_every_row_of_the_stages_that_are_not_redone() {
    let story = Story::begin().await;
    let base = story.start(RunReason::Initial).await;
    let scene = heimdex_db::SceneId::derive(story.video, 0, 4000);
    let ids = [base.0, scene.0, story.video.0, story.owner.0].map(|id| format!("'{id}'"));
    let sql = (1..=4).fold(FINDINGS.to_owned(), |sql, n| sql.replace(&format!("${n}"), &ids[n - 1]));
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(story.pool()).await.unwrap();
    sqlx::raw_sql("UPDATE runs SET state = 'completed', language = 'en', models = '{\"asr\": \"tiny\"}'")
        .execute(story.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE videos SET state = 'indexed', current_run_id = $1")
        .bind(base.0)
        .execute(story.pool())
        .await
        .unwrap();
    let whole = findings(&story, base).await;
    assert!(whole.iter().all(|(_, row)| row.is_object()), "a table without a row in this story: {whole:?}");

    let redo = async |stage| {
        let mut tx = story.pool().begin().await.unwrap();
        let (run, again) = ledger::redo_stages(&mut tx, story.video, &[stage]).await.unwrap();
        tx.commit().await.unwrap();
        let found = findings(&story, run).await;
        for &stage in Stage::ALL {
            let expected = if again.contains(&stage) { JobState::Pending } else { JobState::Completed };
            assert_eq!(story.state(run, stage).await.0, expected, "{stage}");
        }
        // Only what needs nothing that is redone is handed out.
        let ready: Vec<Stage> =
            sqlx::query_scalar("SELECT stage FROM jobs WHERE run_id = $1 AND ready AND state = 'pending'")
                .bind(run.0)
                .fetch_all(story.pool())
                .await
                .unwrap();
        assert_eq!(ready, again[..1], "{again:?}");
        let mut tx = story.pool().begin().await.unwrap();
        ledger::cancel_run(&mut tx, run).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(story.video().await, ("indexed".into(), None), "as it was");
        found
    };
    assert_eq!(redo(Stage::Commit).await, whole);
    assert!(redo(Stage::UploadValidate).await.iter().all(|(_, row)| row.is_null()));

    // Redoing the speech keeps what was seen, and nothing of what was said.
    let seen = redo(Stage::AsrFast).await;
    let row = |table: &str| &seen.iter().find(|(name, _)| name == table).unwrap().1;
    assert!(row("transcript_words").is_null() && row("text_windows").is_null() && row("scene_tags").is_null());
    assert_eq!((&row("scenes")["text"], &row("scenes")["affect"]), (&json!(""), &json!(null)));
    assert_eq!((&row("scenes")["thumbnail_key"], &row("scenes")["image_model"]), (&json!("small"), &json!("clip")));
    assert!(
        row("frames").is_object()
            && row("face_tracks").is_object()
            && row("face_detections").is_object()
            && row("screen_texts").is_object()
    );

    // Redoing the pictures keeps what was said, but not where.
    let heard = redo(Stage::SceneDetect).await;
    let row = |table: &str| &heard.iter().find(|(name, _)| name == table).unwrap().1;
    assert_eq!(
        (&row("transcript_words")["text"], &row("transcript_words")["scene_id"]),
        (&json!(" rain"), &json!(null))
    );
    assert!(row("scenes").is_null() && row("frames").is_null());
}
