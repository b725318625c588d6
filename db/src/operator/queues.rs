//! How much work waits, runs, ends and fails, by stage and by kind of task.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{error::DbError, stage::Stage};

/// One stage's queue.
#[derive(Clone, Debug)]
pub struct StageQueue {
    pub stage: Stage,
    pub paused: bool,
    /// When it was last paused or resumed; by whom, where that was a person.
    pub changed_at: DateTime<Utc>,
    pub changed_by: Option<String>,
    /// Waits for a stage before it.
    pub blocked: i64,
    /// Could be begun now.
    pub waiting: i64,
    /// Will be tried again later.
    pub scheduled: i64,
    pub running: i64,
    pub completed: i64,
    /// Whose run is the newest of its video: nobody has mended it yet.
    pub failed: i64,
    pub cancelled: i64,
    /// Ended well in the last 1, 5 and 60 minutes.
    pub done_1m: i64,
    pub done_5m: i64,
    pub done_60m: i64,
    /// Since when the one that waits longest could be begun.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
}

/// All stages, in pipeline order.
pub async fn stages(db: impl PgExecutor<'_>) -> Result<Vec<StageQueue>, DbError> {
    Ok(sqlx::query_as!(
        StageQueue,
        r#"SELECT c.stage AS "stage!: Stage", c.paused AS "paused!", c.updated_at AS "changed_at!", u.email AS "changed_by?",
                  coalesce(n.blocked, 0) AS "blocked!", coalesce(n.waiting, 0) AS "waiting!", coalesce(n.scheduled, 0) AS "scheduled!",
                  coalesce(n.running, 0) AS "running!", coalesce(n.completed, 0) AS "completed!", coalesce(f.failed, 0) AS "failed!",
                  coalesce(n.cancelled, 0) AS "cancelled!", coalesce(d.done_1m, 0) AS "done_1m!", coalesce(d.done_5m, 0) AS "done_5m!",
                  coalesce(d.done_60m, 0) AS "done_60m!", n.oldest_waiting_at AS "oldest_waiting_at?"
           FROM stage_controls c
           LEFT JOIN users u ON u.user_id = c.updated_by
           LEFT JOIN (
               SELECT stage, count(*) FILTER (WHERE state = 'pending' AND NOT ready) AS blocked,
                      count(*) FILTER (WHERE state = 'pending' AND ready AND run_at <= now()) AS waiting,
                      count(*) FILTER (WHERE state = 'pending' AND ready AND run_at > now()) AS scheduled,
                      count(*) FILTER (WHERE state = 'running') AS running,
                      count(*) FILTER (WHERE state = 'completed') AS completed,
                      count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
                      min(run_at) FILTER (WHERE state = 'pending' AND ready AND run_at <= now()) AS oldest_waiting_at
               FROM jobs GROUP BY stage) n ON n.stage = c.stage
           LEFT JOIN (
               SELECT j.stage, count(*) AS failed
               FROM jobs j JOIN runs r ON r.run_id = j.run_id JOIN videos v ON v.video_id = j.video_id
               WHERE j.state = 'failed' AND v.state <> 'deleted'
                 AND NOT EXISTS (SELECT FROM runs later WHERE later.video_id = r.video_id AND (later.created_at, later.run_id) > (r.created_at, r.run_id))
               GROUP BY j.stage) f ON f.stage = c.stage
           LEFT JOIN (
               SELECT stage, count(*) FILTER (WHERE finished_at > now() - interval '1 minute') AS done_1m,
                      count(*) FILTER (WHERE finished_at > now() - interval '5 minutes') AS done_5m, count(*) AS done_60m
               FROM jobs WHERE state = 'completed' AND finished_at > now() - interval '60 minutes' AND note IS DISTINCT FROM 'inherited'
               GROUP BY stage) d ON d.stage = c.stage
           ORDER BY c.stage"#
    )
    .fetch_all(db)
    .await?)
}

/// Work of one kind that is no stage.
#[derive(Clone, Debug)]
pub struct TaskQueue {
    pub kind: String,
    pub waiting: i64,
    /// Is for later, or will be tried again later.
    pub scheduled: i64,
    pub running: i64,
    /// The last of their kind for their video: nobody has mended it yet.
    pub failed: i64,
    pub done_1m: i64,
    pub done_5m: i64,
    pub done_60m: i64,
    pub oldest_waiting_at: Option<DateTime<Utc>>,
}

/// Every kind of task of which there is something to say, by name.
pub async fn tasks(db: impl PgExecutor<'_>) -> Result<Vec<TaskQueue>, DbError> {
    Ok(sqlx::query_as!(
        TaskQueue,
        r#"WITH mended AS MATERIALIZED (
               SELECT t.task_id FROM tasks t JOIN tasks later ON later.kind = t.kind AND later.video_id = t.video_id
               WHERE t.state = 'failed' AND (later.created_at, later.task_id) > (t.created_at, t.task_id))
           SELECT kind AS "kind!", count(*) FILTER (WHERE state = 'pending' AND run_at <= now()) AS "waiting!",
                  count(*) FILTER (WHERE state = 'pending' AND run_at > now()) AS "scheduled!",
                  count(*) FILTER (WHERE state = 'running') AS "running!",
                  count(*) FILTER (WHERE state = 'failed' AND task_id NOT IN (SELECT m.task_id FROM mended m)) AS "failed!",
                  count(*) FILTER (WHERE state = 'completed' AND finished_at > now() - interval '1 minute') AS "done_1m!",
                  count(*) FILTER (WHERE state = 'completed' AND finished_at > now() - interval '5 minutes') AS "done_5m!",
                  count(*) FILTER (WHERE state = 'completed' AND finished_at > now() - interval '60 minutes') AS "done_60m!",
                  min(run_at) FILTER (WHERE state = 'pending' AND run_at <= now()) AS "oldest_waiting_at?"
           FROM tasks WHERE state IN ('pending', 'running', 'failed') OR finished_at > now() - interval '60 minutes'
           GROUP BY kind ORDER BY kind"#
    )
    .fetch_all(db)
    .await?)
}
