//! What the stories of the ledger are told with.

use std::time::Duration;

use heimdex_db::{
    AttemptId, JobId, JobState, PgPool, RunId, Stage, UserId, VideoId,
    ledger::{self, AfterFailure, Attempt, Failure, FailureKind, LEASE, RunReason, WorkId},
};
use heimdex_testing::TestDb;
use serde_json::json;

/// A person, one video of theirs, and a worker that does as it is told.
pub struct Story {
    db: TestDb,
    pub owner: UserId,
    pub video: VideoId,
}

impl Story {
    pub async fn begin() -> Self {
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

    pub fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    pub async fn start(&self, reason: RunReason) -> RunId {
        let mut tx = self.pool().begin().await.unwrap();
        let run = ledger::start_run(&mut tx, self.video, reason, json!({})).await.unwrap();
        tx.commit().await.unwrap();
        run
    }

    pub async fn job(&self, run: RunId, stage: Stage) -> JobId {
        sqlx::query_scalar("SELECT job_id FROM jobs WHERE run_id = $1 AND stage = $2")
            .bind(run.0)
            .bind(stage)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    pub async fn attempt(&self, run: RunId, stage: Stage) -> Attempt {
        self.attempt_for(run, stage, LEASE).await
    }

    pub async fn attempt_for(&self, run: RunId, stage: Stage, lease: Duration) -> Attempt {
        self.begin_as(self.job(run, stage).await, AttemptId::new(), lease).await.expect("the work is ready")
    }

    pub async fn begin_as(&self, id: impl Into<WorkId>, attempt: AttemptId, lease: Duration) -> Option<Attempt> {
        ledger::begin(self.pool(), id.into(), attempt, "worker-1", lease).await.unwrap()
    }

    pub async fn nothing_to_begin(&self, run: RunId, stage: Stage) -> bool {
        self.begin_as(self.job(run, stage).await, AttemptId::new(), LEASE).await.is_none()
    }

    pub async fn complete(&self, attempt: &Attempt) -> Vec<Stage> {
        let mut tx = self.pool().begin().await.unwrap();
        let ready = ledger::complete(&mut tx, attempt, None, json!({})).await.unwrap();
        tx.commit().await.unwrap();
        ready
    }

    pub async fn run_through(&self, run: RunId, stages: &[Stage]) {
        for &stage in stages {
            let attempt = self.attempt(run, stage).await;
            self.complete(&attempt).await;
        }
    }

    pub async fn fail(&self, attempt: &Attempt, kind: FailureKind) -> AfterFailure {
        let mut tx = self.pool().begin().await.unwrap();
        let after = ledger::fail(&mut tx, attempt, &failure(kind)).await.unwrap();
        tx.commit().await.unwrap();
        after
    }

    /// (state, counted attempts) of a job
    pub async fn state(&self, run: RunId, stage: Stage) -> (JobState, i32) {
        sqlx::query_as("SELECT state, attempts FROM jobs WHERE run_id = $1 AND stage = $2")
            .bind(run.0)
            .bind(stage)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    pub async fn pause(&self, stage: Stage, paused: bool) {
        let mut tx = self.pool().begin().await.unwrap();
        ledger::pause_stage(&mut tx, stage, paused, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// (state, code of the failure)
    pub async fn video(&self) -> (String, Option<String>) {
        sqlx::query_as("SELECT state::text, failure_code FROM videos WHERE video_id = $1")
            .bind(self.video.0)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    pub async fn messages(&self, stage: Stage) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM apalis.jobs WHERE job_type = $1")
            .bind(stage.spec().queue)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    pub async fn attempts(&self, run: RunId, stage: Stage) -> Vec<String> {
        sqlx::query_scalar("SELECT a.state FROM job_attempts a JOIN jobs j USING (job_id) WHERE j.run_id = $1 AND j.stage = $2 ORDER BY a.number")
            .bind(run.0)
            .bind(stage)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    /// The time of a scheduled retry comes.
    pub async fn time_passes(&self) {
        sqlx::query("UPDATE jobs SET run_at = now() - interval '1 second', pushed_at = now() - interval '1 hour' WHERE state = 'pending' AND ready AND run_at > now()")
            .execute(self.pool())
            .await
            .unwrap();
    }
}

pub fn failure(kind: FailureKind) -> Failure {
    Failure {
        kind,
        code: "no_video_track".into(),
        message: "There is no picture in this file.".into(),
        chain: "…".into(),
        stats: json!({}),
    }
}
