//! One message, one attempt: begin, run the stage under its deadline, and write down how it ended.

use std::{sync::Arc, time::Duration};

use heimdex_db::{
    AttemptId, DbError, PgPool, Stage,
    error::chain,
    ledger::{self, AfterFailure, Attempt, Failure, FailureKind, LEASE, StageJob, Task, Work, WorkId},
    runs,
};
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    fault::{self, Point},
    leases::{Ending, Leases, Reason},
    metrics,
    shutdown::Shutdown,
    stage::{Job, Outcome, Services, StageContext, StageError},
    stages, tasks,
};

/// How long work that was told to end may take to notice before it is dropped.
const NOTICE: Duration = Duration::from_secs(5);
/// Between two tries to write an ending while PostgreSQL is away.
const AGAIN: Duration = Duration::from_secs(1);

/// What a worker does with a message.
pub struct Runner {
    pub services: Arc<Services>,
    pub leases: Leases,
    pub shutdown: Shutdown,
}

/// How an attempt's work ended.
enum Ended {
    Well(Outcome),
    Badly(StageError),
    Panicked(String),
    /// Told to end, and it did (or was dropped).
    Told(Reason),
}

impl Runner {
    fn db(&self) -> &PgPool {
        &self.services.db
    }

    /// Works on a job or a task, if there is anything to do for it now. Whatever happens is in the ledger afterwards.
    pub async fn work(self: Arc<Self>, id: WorkId) {
        let Some(attempt) = self.begin(id).await else { return };
        let ending = Ending::default();
        let _held = self.leases.hold(attempt.attempt_id, ending.clone());
        tracing::info!(work = %attempt.work, video_id = ?attempt.video_id(), attempt = attempt.number, "begins");

        let started = Instant::now();
        let cx = StageContext::new(Arc::clone(&self.services), attempt.clone(), ending.token.clone());
        let work = tokio::spawn(perform(cx.clone(), attempt.work.clone()));
        let ended = self.watch(work, &ending, &cx, &attempt).await;
        self.write_end(&attempt, &ending, ended, cx.stats(started.elapsed()), started.elapsed()).await;
        if let Work::Stage(job) = &attempt.work {
            self.tidy(job).await;
        }
    }

    /// Asks the ledger for an attempt; waits while PostgreSQL is away.
    async fn begin(&self, id: WorkId) -> Option<Attempt> {
        // One id however often it is asked: when the answer to a commit is lost, asking again finds the same attempt.
        let attempt_id = AttemptId::new();
        loop {
            if self.shutdown.stop.is_cancelled() {
                return None;
            }
            let answer = ledger::begin(self.db(), id, attempt_id, &self.services.config.name, LEASE).await;
            self.leases.seen(&answer);
            match answer {
                Ok(attempt) => return attempt,
                Err(error) if error.is_outage() => tokio::select! {
                    () = sleep(AGAIN) => {}
                    () = self.shutdown.stop.cancelled() => return None,
                },
                Err(error) => {
                    // The ledger sends the message again.
                    tracing::error!(%error, "could not begin an attempt");
                    return None;
                }
            }
        }
    }

    /// Waits for the work, its deadline or the order to end; meanwhile passes on its progress.
    async fn watch(
        &self,
        mut work: JoinHandle<Result<Outcome, StageError>>,
        ending: &Ending,
        cx: &StageContext,
        attempt: &Attempt,
    ) -> Ended {
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut written = 0;
        let deadline = sleep(attempt.deadline());
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                result = &mut work => return ended(result, ending),
                () = &mut deadline => ending.end(Reason::Deadline),
                () = ending.token.cancelled() => {}
                _ = tick.tick() => {
                    let percent = cx.last_progress();
                    if percent > written {
                        written = percent;
                        // What is not written now is written with the next second.
                        let _ = tokio::time::timeout(AGAIN, ledger::progress(self.db(), attempt.attempt_id, percent)).await;
                    }
                    continue;
                }
            }
            return match tokio::time::timeout(NOTICE, &mut work).await {
                Ok(result) => ended(result, ending),
                Err(_) => {
                    work.abort();
                    Ended::Told(ending.reason().unwrap_or(Reason::LeaseLost))
                }
            };
        }
    }

    /// Lets go of the source when no stage of this run will read it any more: the last one that does has ended, or another one has ended
    /// the run.
    async fn tidy(&self, job: &StageJob) {
        if !self.services.scratch.has_source(job.video_id) {
            return;
        }
        match runs::pending(self.db(), job.run_id, stages::READ_SOURCE).await {
            Ok(true) => {}
            Ok(false) => self.services.scratch.forget_source(job.video_id),
            // It goes when it has been idle for a while.
            Err(error) => tracing::warn!(%error, "could not ask whether a source is still needed"),
        }
    }

    /// Writes the end of an attempt; waits while PostgreSQL is away, so that no finished work is lost.
    async fn write_end(&self, attempt: &Attempt, ending: &Ending, ended: Ended, stats: Value, wall: Duration) {
        let work = &attempt.work;
        let failure = match ended {
            Ended::Well(outcome) => {
                let note = outcome.note.clone();
                let completed =
                    self.persist(ending, || complete(self.db(), attempt, note.as_deref(), stats.clone())).await;
                match completed {
                    Some(Ok(())) => {
                        metrics::attempt_ended(work.name(), "completed", wall);
                        tracing::info!(%work, video_id = ?attempt.video_id(), wall_ms = wall.as_millis(), note, "completed");
                        return;
                    }
                    Some(Err(DbError::LostLease)) | None => return lost(attempt, wall),
                    Some(Err(error)) => failure_of(&StageError::from(error), stats.clone()),
                }
            }
            Ended::Badly(error) => match (error, ending.reason()) {
                (StageError::Cancelled, None | Some(Reason::LeaseLost)) => return lost(attempt, wall),
                // What fails while the worker goes home may do so because it goes: that costs no attempt either.
                (StageError::Cancelled, Some(reason))
                | (StageError::Transient { .. }, Some(reason @ Reason::Shutdown)) => {
                    match told(reason, stats.clone()) {
                        Some(failure) => failure,
                        None => return lost(attempt, wall),
                    }
                }
                (error, _) => failure_of(&error, stats.clone()),
            },
            Ended::Panicked(message) => Failure {
                kind: FailureKind::Transient,
                code: "panic".into(),
                message: sentence("panic").into(),
                chain: message,
                stats,
            },
            Ended::Told(reason) => match told(reason, stats) {
                Some(failure) => failure,
                None => return lost(attempt, wall),
            },
        };
        let written = self.persist(ending, || fail(self.db(), attempt, &failure)).await;
        metrics::attempt_ended(work.name(), kind_name(failure.kind), wall);
        match written {
            Some(Ok(after)) => tracing::warn!(
                %work, video_id = ?attempt.video_id(), attempt = attempt.number, code = failure.code, chain = failure.chain,
                retry = matches!(after, AfterFailure::Retry { .. }), "failed"
            ),
            Some(Err(DbError::LostLease)) | None => lost(attempt, wall),
            Some(Err(error)) => {
                tracing::error!(%work, %error, chain = failure.chain, "could not write a failure; its lease will run out");
            }
        }
    }

    /// Tries until PostgreSQL answers. `None`: gave up, because the attempt is not ours any more or the worker must go.
    async fn persist<T, F>(&self, ending: &Ending, write: impl Fn() -> F) -> Option<Result<T, DbError>>
    where
        F: Future<Output = Result<T, DbError>>,
    {
        loop {
            let answer = write().await;
            match answer {
                Err(error) if error.is_outage() => tracing::warn!(%error, "the end of an attempt waits for PostgreSQL"),
                answer => return Some(answer),
            }
            if ending.reason() == Some(Reason::LeaseLost) {
                return None;
            }
            tokio::select! {
                () = sleep(AGAIN) => {}
                () = self.shutdown.now.cancelled() => return None,
            }
        }
    }
}

/// Does what an attempt is at.
async fn perform(cx: StageContext, work: Work) -> Result<Outcome, StageError> {
    match work {
        Work::Stage(job) => run_stage(cx, job).await,
        Work::Task(task) => run_task(cx, task).await,
    }
}

async fn run_task(cx: StageContext, task: Task) -> Result<Outcome, StageError> {
    fault::at(&task.kind, Point::Start).await;
    let outcome = tasks::run(&cx, &task).await?;
    fault::at(&task.kind, Point::End).await;
    Ok(outcome)
}

async fn run_stage(cx: StageContext, job: StageJob) -> Result<Outcome, StageError> {
    let subject = runs::subject(cx.db(), job.run_id).await?;
    let job = Job { run_id: job.run_id, video_id: job.video_id, owner_id: job.owner_id, stage: job.stage, subject };
    fault::at(job.stage.as_str(), Point::Start).await;
    let outcome = stages::run(&cx, &job).await?;
    fault::at(job.stage.as_str(), Point::End).await;
    Ok(outcome)
}

fn ended(result: Result<Result<Outcome, StageError>, tokio::task::JoinError>, ending: &Ending) -> Ended {
    match result {
        Ok(Ok(outcome)) => Ended::Well(outcome),
        Ok(Err(error)) => Ended::Badly(error),
        Err(error) if error.is_panic() => {
            let panic = error.into_panic();
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            Ended::Panicked(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
        }
        Err(_) => Ended::Told(ending.reason().unwrap_or(Reason::Shutdown)),
    }
}

/// The failure of an attempt that was told to end; `None` when nothing may be written any more.
fn told(reason: Reason, stats: Value) -> Option<Failure> {
    let (kind, code, message) = match reason {
        Reason::LeaseLost => return None,
        Reason::Deadline => (FailureKind::Transient, "deadline", "A step took longer than it may."),
        Reason::Shutdown => (FailureKind::Released, "released", "The worker is shutting down; another takes over."),
    };
    Some(Failure { kind, code: code.into(), message: message.into(), chain: String::new(), stats })
}

fn failure_of(error: &StageError, stats: Value) -> Failure {
    let (kind, code, message) = match error {
        StageError::Rejected { code, message, .. } => (FailureKind::Rejected, code.as_str(), message.as_str()),
        StageError::Transient { code, .. } => (FailureKind::Transient, *code, sentence(code)),
        StageError::Outage(_) => (FailureKind::Outage, "outage", "The database or the object storage is out of reach."),
        StageError::Cancelled => (FailureKind::Cancelled, "cancelled", "It was cancelled."),
    };
    Failure { kind, code: code.to_owned(), message: message.to_owned(), chain: chain(error), stats }
}

/// What an owner is told about a failure that is not the video's fault, or not certainly.
fn sentence(code: &str) -> &'static str {
    match code {
        "decoder_crashed" | "decoder_hung" | "decoder_limit" | "decoder_failed" => {
            "The picture or the sound of this video could not be decoded."
        }
        "scratch_full" | "disk_full" => "There was not enough room to work on this video; please tell the operator.",
        _ => "Something went wrong while working on this video.",
    }
}

fn kind_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Rejected => "rejected",
        FailureKind::Transient => "failed",
        FailureKind::Outage => "outage",
        FailureKind::Released => "released",
        FailureKind::Lost => "lost",
        FailureKind::Cancelled => "cancelled",
    }
}

fn lost(attempt: &Attempt, wall: Duration) {
    metrics::attempt_ended(attempt.work.name(), "lost", wall);
    tracing::warn!(work = %attempt.work, video_id = ?attempt.video_id(), attempt = attempt.number, "attempt lost; nothing of it counts");
}

async fn complete(db: &PgPool, attempt: &Attempt, note: Option<&str>, stats: Value) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    ledger::complete(&mut tx, attempt, note, stats).await?;
    Ok(tx.commit().await?)
}

async fn fail(db: &PgPool, attempt: &Attempt, failure: &Failure) -> Result<AfterFailure, DbError> {
    let mut tx = db.begin().await?;
    let after = ledger::fail(&mut tx, attempt, failure).await?;
    tx.commit().await?;
    Ok(after)
}

/// How many jobs of a stage run here at once.
pub fn concurrency(services: &Services, stage: Stage) -> usize {
    services.config.concurrency.get(&stage).map_or(1, |n| n.get())
}
