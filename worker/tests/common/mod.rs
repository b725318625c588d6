//! A world for a worker: its own database and object storage, wires that can be cut, real processes, real media.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod faces;
pub mod media;
pub mod snapshot;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use heimdex_db::{
    RunId, Stage, UserId, VideoId, keys,
    ledger::{self, RunReason},
    store::Store,
};
use heimdex_testing::{TestDb, TestS3, Wire};
use serde_json::json;
use sqlx::PgPool;
use tokio::process::{Child, Command};

/// Longest a story may wait for anything; tests that promise less say so.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct World {
    pub db: TestDb,
    pub s3: TestS3,
    /// Between workers and PostgreSQL.
    pub pg_wire: Wire,
    /// Between workers and S3.
    pub s3_wire: Wire,
    pub store: Store,
    pub dir: tempfile::TempDir,
}

/// An uploaded video with its first run.
#[derive(Clone, Copy, Debug)]
pub struct Uploaded {
    pub owner_id: UserId,
    pub video_id: VideoId,
    pub run_id: RunId,
}

impl World {
    pub async fn new() -> Self {
        let db = TestDb::new().await.expect("a test database");
        let s3 = TestS3::start().await.expect("a test S3 server");
        let pg: url::Url = db.url().parse().expect("a URL");
        let pg_wire = Wire::to(format!("{}:{}", pg.host_str().expect("a host"), pg.port().unwrap_or(5432))).await;
        let endpoint: url::Url = s3.endpoint().parse().expect("a URL");
        let s3_wire =
            Wire::to(format!("{}:{}", endpoint.host_str().expect("a host"), endpoint.port().expect("a port"))).await;
        let store = Store::new(&s3.config());
        Self { db, s3, pg_wire, s3_wire, store, dir: tempfile::tempdir().expect("a folder") }
    }

    pub fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    /// A person of the demo's tier.
    pub async fn owner(&self, tier: &str) -> UserId {
        sqlx::query_scalar(
            "INSERT INTO users (email, tier) VALUES ('ann@example.org', $1::user_tier) RETURNING user_id",
        )
        .bind(tier)
        .fetch_one(self.pool())
        .await
        .expect("a user")
    }

    /// A video of this file as it lies in a library: what it takes to cut parts out of it, and no run.
    pub async fn kept(&self, owner_id: UserId, file: &Path) -> VideoId {
        let (video_id, announced) = (VideoId::new(), Announced::of(file));
        self.store.put_file(&keys::source(video_id), file, &announced.mime_type).await.expect("uploaded");
        sqlx::query(
            "INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes,
                                 part_size_bytes, part_count)
             VALUES ($1, $2, 'A video', 'indexed', $3, $4, $5, 5242880, 1)",
        )
        .bind(video_id)
        .bind(owner_id)
        .bind(&announced.filename)
        .bind(&announced.mime_type)
        .bind(announced.size_bytes)
        .execute(self.pool())
        .await
        .expect("a video");
        sqlx::query(
            "INSERT INTO video_metadata (video_id, container, duration_ms, width, height, fps, video_codec)
             VALUES ($1, 'mov', 9000, 640, 360, 25, 'h264')",
        )
        .bind(video_id)
        .execute(self.pool())
        .await
        .expect("what was read from it");
        video_id
    }

    /// What the API does when an upload is completed.
    pub async fn upload(&self, file: &Path) -> Uploaded {
        let owner_id = self.owner("enterprise").await;
        self.upload_as(owner_id, file, &Announced::of(file)).await
    }

    pub async fn upload_as(&self, owner_id: UserId, file: &Path, announced: &Announced) -> Uploaded {
        let video_id = VideoId::new();
        self.store.put_file(&keys::source(video_id), file, &announced.mime_type).await.expect("uploaded");
        let mut tx = self.pool().begin().await.expect("a transaction");
        sqlx::query(
            "INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes,
                                 part_size_bytes, part_count, counted_on, uploaded_at)
             VALUES ($1, $2, 'A video', 'validating', $3, $4, $5, 5242880, 1, current_date, now())",
        )
        .bind(video_id)
        .bind(owner_id)
        .bind(&announced.filename)
        .bind(&announced.mime_type)
        .bind(announced.size_bytes)
        .execute(&mut *tx)
        .await
        .expect("a video");
        let run_id = ledger::start_run(&mut tx, video_id, RunReason::Initial, json!({})).await.expect("a run");
        tx.commit().await.expect("committed");
        Uploaded { owner_id, video_id, run_id }
    }

    /// Has stages of a video done again, with what they need; the run that does it.
    pub async fn redo(&self, video: Uploaded, stages: &[Stage]) -> Uploaded {
        let mut tx = self.pool().begin().await.expect("a transaction");
        let (run_id, _) = ledger::redo_stages(&mut tx, video.video_id, stages).await.expect("a redo");
        tx.commit().await.expect("committed");
        Uploaded { run_id, ..video }
    }

    /// The video shows this run, and nothing is left to do.
    pub async fn is_shown(&self, video: Uploaded) {
        until("the run is visible", PATIENCE, async || {
            let now: RunId = sqlx::query_scalar("SELECT current_run_id FROM videos WHERE video_id = $1")
                .bind(video.video_id)
                .fetch_one(self.pool())
                .await
                .ok()?;
            (now == video.run_id).then_some(())
        })
        .await;
        self.at_rest(video).await;
    }

    /// Holds a stage for all workers, or lets it go on.
    pub async fn pause(&self, stage: Stage, paused: bool) {
        let mut tx = self.pool().begin().await.expect("a transaction");
        ledger::pause_stage(&mut tx, stage, paused, None).await.expect("the switch");
        tx.commit().await.expect("the switch set");
    }

    /// What a worker writes when it reaches a planted fault.
    pub fn mark(&self) -> PathBuf {
        self.dir.path().join("mark")
    }

    /// The planted fault is reached.
    pub async fn marked(&self) {
        let mark = self.mark();
        until("the planted fault is reached", PATIENCE, async || mark.exists().then_some(())).await;
    }

    /// The worker has said that it is there.
    pub async fn joins(&self, name: &str) {
        until(&format!("{name} is at work"), PATIENCE, async || {
            let there: i64 = sqlx::query_scalar("SELECT count(*) FROM workers WHERE worker = $1")
                .bind(name)
                .fetch_one(self.pool())
                .await
                .ok()?;
            (there == 1).then_some(())
        })
        .await;
    }

    /// `(worker, state)` of every attempt at tasks of a kind, in order.
    pub async fn task_attempts(&self, kind: &str) -> Vec<(String, String)> {
        sqlx::query_as(
            "SELECT a.worker, a.state FROM job_attempts a JOIN tasks t USING (task_id) WHERE t.kind = $1 ORDER BY t.created_at, a.number",
        )
        .bind(kind)
        .fetch_all(self.pool())
        .await
        .expect("attempts")
    }

    pub fn worker(&self, name: &str) -> WorkerCommand<'_> {
        let command = Command::new(env!("CARGO_BIN_EXE_heimdex-worker"));
        WorkerCommand { world: self, name: name.to_owned(), variables: Vec::new(), stages: Vec::new(), command }
    }

    /// An object's bytes.
    pub async fn object(&self, key: &str) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new_in(self.dir.path()).expect("a file");
        self.store.get_file(key, file.path(), 256 << 20).await.expect("an object");
        std::fs::read(file.path()).expect("its bytes")
    }

    pub fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }

    /// The video's state, once it is one of these.
    pub async fn video_becomes(&self, video: Uploaded, states: &[&str]) -> String {
        let (pool, states) = (self.pool(), states.to_vec());
        until(&format!("the video is {}", states.join(" or ")), PATIENCE, async || {
            let state: String = sqlx::query_scalar("SELECT state::text FROM videos WHERE video_id = $1")
                .bind(video.video_id)
                .fetch_one(pool)
                .await
                .ok()?;
            if state == "failed" && !states.contains(&"failed") {
                panic!("the video failed: {:?}", self.failures(video).await);
            }
            states.contains(&state.as_str()).then_some(state)
        })
        .await
    }

    /// The run has ended and nothing is left to do for anybody.
    pub async fn at_rest(&self, video: Uploaded) {
        let pool = self.pool();
        until("everything is at rest", PATIENCE, async || {
            let busy: i64 = sqlx::query_scalar(
                "SELECT (SELECT count(*) FROM jobs WHERE video_id = $1 AND state IN ('pending', 'running'))
                      + (SELECT count(*) FROM tasks WHERE state IN ('pending', 'running'))",
            )
            .bind(video.video_id)
            .fetch_one(pool)
            .await
            .ok()?;
            (busy == 0).then_some(())
        })
        .await;
    }

    pub async fn failures(&self, video: Uploaded) -> Vec<(String, Option<String>, Option<String>)> {
        sqlx::query_as(
            "SELECT stage::text, error_code, error_chain FROM jobs WHERE video_id = $1 AND error_code IS NOT NULL ORDER BY stage",
        )
        .bind(video.video_id)
        .fetch_all(self.pool())
        .await
        .expect("jobs")
    }

    /// `(state, note, error code)` of a stage's job.
    pub async fn job(&self, video: Uploaded, stage: Stage) -> (String, Option<String>, Option<String>) {
        sqlx::query_as("SELECT state::text, note, error_code FROM jobs WHERE run_id = $1 AND stage = $2")
            .bind(video.run_id)
            .bind(stage)
            .fetch_one(self.pool())
            .await
            .expect("a job")
    }

    /// `(worker, state)` of every attempt at a stage, in order.
    pub async fn attempts(&self, video: Uploaded, stage: Stage) -> Vec<(String, String)> {
        sqlx::query_as(
            "SELECT a.worker, a.state FROM job_attempts a JOIN jobs j USING (job_id)
             WHERE j.run_id = $1 AND j.stage = $2 ORDER BY a.number",
        )
        .bind(video.run_id)
        .bind(stage)
        .fetch_all(self.pool())
        .await
        .expect("attempts")
    }

    pub async fn attempt_begins(&self, video: Uploaded, stage: Stage, number: usize) {
        until(&format!("attempt {number} at {stage}"), PATIENCE, async || {
            (self.attempts(video, stage).await.len() >= number).then_some(())
        })
        .await;
    }

    /// How many attempts counted, over all stages, beyond the one each needs.
    pub async fn attempts_spent(&self, video: Uploaded) -> i64 {
        sqlx::query_scalar("SELECT coalesce(sum(greatest(attempts - 1, 0)), 0)::bigint FROM jobs WHERE run_id = $1")
            .bind(video.run_id)
            .fetch_one(self.pool())
            .await
            .expect("jobs")
    }

    /// Files in scratch space, apart from the workers' locks.
    pub fn scratch_files(&self) -> Vec<PathBuf> {
        Self::files_in(&self.scratch())
    }

    fn files_in(folder: &Path) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.file_name().is_some_and(|name| name != "lock") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(folder, &mut found);
        found
    }
}

/// What a person said about a file before sending it.
pub struct Announced {
    pub filename: String,
    pub mime_type: String,
    pub size_bytes: i64,
}

impl Announced {
    pub fn of(file: &Path) -> Self {
        let size = std::fs::metadata(file).expect("a file").len();
        Self {
            filename: file.file_name().and_then(|name| name.to_str()).unwrap_or("video.mp4").to_owned(),
            mime_type: match file.extension().and_then(|extension| extension.to_str()) {
                Some("avi") => "video/x-msvideo".to_owned(),
                _ => "video/mp4".to_owned(),
            },
            size_bytes: i64::try_from(size.max(1)).expect("a small file"),
        }
    }
}

pub struct WorkerCommand<'a> {
    world: &'a World,
    name: String,
    variables: Vec<(String, String)>,
    stages: Vec<Stage>,
    command: Command,
}

impl WorkerCommand<'_> {
    /// Gives it a disk of its own for scratch space. `None` where that cannot be.
    pub async fn on_a_disk_of(mut self, bytes: u64) -> Option<Self> {
        let scratch = self.world.scratch();
        std::fs::create_dir_all(&scratch).expect("a folder");
        let program = Path::new(env!("CARGO_BIN_EXE_heimdex-worker"));
        self.command = heimdex_testing::on_a_small_disk(program, &scratch, bytes).await?;
        Some(self)
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// See `heimdex_worker::fault`; its mark is [`World::mark`].
    pub fn fault(self, fault: impl Into<String>) -> Self {
        let mark = self.world.mark().to_str().expect("UTF-8").to_owned();
        self.with("HEIMDEX_FAULT", fault).with("HEIMDEX_FAULT_MARK", mark)
    }

    pub fn stages(mut self, stages: &[Stage]) -> Self {
        self.stages = stages.to_vec();
        self
    }

    pub fn start(self) -> WorkerProcess {
        let world = self.world;
        let mut pg: url::Url = world.db.url().parse().expect("a URL");
        pg.set_host(Some("127.0.0.1")).expect("a host");
        pg.set_port(Some(world.pg_wire.port())).expect("a port");
        let log = world.dir.path().join(format!("{}.log", self.name));
        let stderr = std::fs::File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = self.command;
        command.args(["run", "--name", &self.name]);
        if !self.stages.is_empty() {
            let names: Vec<_> = self.stages.iter().map(|stage| stage.as_str()).collect();
            command.args(["--stages", &names.join(",")]);
        }
        command
            .env("DATABASE_URL", pg.as_str())
            .env("S3_ENDPOINT", format!("http://127.0.0.1:{}", world.s3_wire.port()))
            .env("S3_ACCESS_KEY_ID", world.s3.access_key_id())
            .env("S3_SECRET_ACCESS_KEY", world.s3.secret_access_key())
            .env("S3_REGION", world.s3.region())
            .env("S3_BUCKET", world.s3.bucket())
            .env("HEIMDEX_SCRATCH_DIR", world.scratch())
            .env("HEIMDEX_WORKER_METRICS_BIND", "none")
            .env("RUST_LOG", "info,apalis_core=warn")
            .envs(self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .kill_on_drop(true);
        WorkerProcess { child: command.spawn().expect("the worker starts"), log }
    }
}

pub struct WorkerProcess {
    pub child: Child,
    log: PathBuf,
}

impl WorkerProcess {
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a running worker")
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// As `kill -TERM`; answers with the exit code.
    pub async fn terminate(mut self) -> Option<i32> {
        self.signal("TERM").await;
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the worker ends").expect("a status");
        status.code()
    }

    pub async fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().await;
        assert!(sent.expect("kill").success());
    }

    /// As [`World::scratch_files`], on a disk that only the worker sees.
    pub fn scratch_files(&self, world: &World) -> Vec<PathBuf> {
        let scratch = world.scratch();
        let seen = Path::new("/proc").join(self.pid().to_string()).join("root");
        World::files_in(&seen.join(scratch.strip_prefix("/").expect("an absolute path")))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}

/// Waits for something to become true and answers with what it gave.
pub async fn until<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < patience, "waited {patience:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
