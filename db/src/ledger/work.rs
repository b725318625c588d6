//! What the ledger hands out: jobs (a stage of a run) and tasks (work that is no stage), under the same rules.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    error::DbError,
    ids::{AttemptId, JobId, RunId, TaskId, UserId, VideoId},
    stage::Stage,
};

/// Which work; also the message by which a queue asks somebody to look at it: `{"job_id": …}` or `{"task_id": …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WorkId {
    #[serde(rename = "job_id")]
    Job(JobId),
    #[serde(rename = "task_id")]
    Task(TaskId),
}

impl From<JobId> for WorkId {
    fn from(id: JobId) -> Self {
        Self::Job(id)
    }
}

impl From<TaskId> for WorkId {
    fn from(id: TaskId) -> Self {
        Self::Task(id)
    }
}

/// A recorded try. Holding one means that work may be done, until the lease is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub attempt_id: AttemptId,
    /// Counts from 1 over all tries.
    pub number: i32,
    pub work: Work,
}

/// What the try is at.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Stage(StageJob),
    Task(Task),
}

/// A stage of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StageJob {
    pub job_id: JobId,
    pub run_id: RunId,
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub stage: Stage,
}

/// Work that is no stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub task_id: TaskId,
    pub kind: String,
    pub owner_id: Option<UserId>,
    pub video_id: Option<VideoId>,
    pub payload: Value,
    /// How long one attempt may take.
    pub deadline: Duration,
}

impl Attempt {
    /// The run whose row is locked before the work's own.
    pub(super) fn run_id(&self) -> Option<RunId> {
        match &self.work {
            Work::Stage(job) => Some(job.run_id),
            Work::Task(_) => None,
        }
    }

    pub fn video_id(&self) -> Option<VideoId> {
        match &self.work {
            Work::Stage(job) => Some(job.video_id),
            Work::Task(task) => task.video_id,
        }
    }

    /// How long it may take.
    pub fn deadline(&self) -> Duration {
        match &self.work {
            Work::Stage(job) => job.stage.spec().deadline,
            Work::Task(task) => task.deadline,
        }
    }
}

impl Work {
    /// The stage's or the task's kind, for people and gauges.
    pub fn name(&self) -> &str {
        match self {
            Self::Stage(job) => job.stage.as_str(),
            Self::Task(task) => &task.kind,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An attempt that is still running, with what it is at. `None` once it has ended.
pub(super) async fn load(connection: &mut PgConnection, attempt_id: AttemptId) -> Result<Option<Attempt>, DbError> {
    let row = sqlx::query!(
        r#"SELECT a.number, a.job_id AS "job_id: JobId", a.task_id AS "task_id: TaskId",
                  j.run_id AS "run_id?: RunId", j.stage AS "stage?: Stage", v.owner_id AS "video_owner_id?: UserId",
                  coalesce(j.video_id, t.video_id) AS "video_id: VideoId",
                  t.kind AS "kind?", t.owner_id AS "task_owner_id: UserId", t.payload AS "payload?"
           FROM job_attempts a
           LEFT JOIN jobs j USING (job_id) LEFT JOIN videos v ON v.video_id = j.video_id LEFT JOIN tasks t USING (task_id)
           WHERE a.attempt_id = $1 AND a.state = 'running'"#,
        attempt_id.0
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let work = match (row.job_id, row.run_id, row.stage, row.video_id, row.video_owner_id) {
        (Some(job_id), Some(run_id), Some(stage), Some(video_id), Some(owner_id)) => {
            Work::Stage(StageJob { job_id, run_id, video_id, owner_id, stage })
        }
        _ => {
            let (Some(task_id), Some(kind)) = (row.task_id, row.kind) else { return Ok(None) };
            let deadline = crate::tasks::deadline(&kind);
            let payload = row.payload.unwrap_or_default();
            Work::Task(Task { task_id, kind, owner_id: row.task_owner_id, video_id: row.video_id, payload, deadline })
        }
    };
    Ok(Some(Attempt { attempt_id, number: row.number, work }))
}
