//! What has failed and was not mended yet, by kind of failure. A failure of a run that was followed by another, of a task that was
//! followed by another of its kind for the same video, or of the run of a deleted video is history and no longer here.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    error::DbError,
    ids::{JobId, TaskId, VideoId},
};

/// One kind of failure, with the newest of its kind as the example.
#[derive(Clone, Debug)]
pub struct FailureGroup {
    pub code: String,
    /// Stages of videos that failed so.
    pub jobs: i64,
    /// Other work that failed so.
    pub tasks: i64,
    /// Names of the stages and kinds of task.
    pub places: Vec<String>,
    pub first_at: Option<DateTime<Utc>>,
    pub last_at: Option<DateTime<Utc>>,
    pub message: Option<String>,
    /// The first 4,000 characters.
    pub chain: Option<String>,
    pub job_id: Option<JobId>,
    pub video_id: Option<VideoId>,
}

/// Kinds of failure, the newest first. There are as many as there are error codes, of which the program has some dozens.
pub async fn groups(db: impl PgExecutor<'_>) -> Result<Vec<FailureGroup>, DbError> {
    Ok(sqlx::query_as!(
        FailureGroup,
        r#"WITH failed AS (
               SELECT coalesce(j.error_code, 'unknown') AS code, j.stage::text AS place, j.job_id, NULL::uuid AS task_id, j.video_id, j.finished_at
               FROM jobs j JOIN runs r ON r.run_id = j.run_id JOIN videos v ON v.video_id = j.video_id
               WHERE j.state = 'failed' AND v.state <> 'deleted'
                 AND NOT EXISTS (SELECT FROM runs later WHERE later.video_id = r.video_id AND (later.created_at, later.run_id) > (r.created_at, r.run_id))
               UNION ALL
               SELECT coalesce(t.error_code, 'unknown'), t.kind, NULL, t.task_id, t.video_id, t.finished_at FROM tasks t
               WHERE t.state = 'failed' AND NOT EXISTS (SELECT FROM tasks later WHERE later.kind = t.kind AND later.video_id = t.video_id AND (later.created_at, later.task_id) > (t.created_at, t.task_id))
           ), grouped AS (
               SELECT code, count(job_id) AS jobs, count(task_id) AS tasks, array_agg(DISTINCT place) AS places,
                      min(finished_at) AS first_at, max(finished_at) AS last_at,
                      (array_agg(job_id ORDER BY finished_at DESC NULLS LAST))[1] AS job_id,
                      (array_agg(task_id ORDER BY finished_at DESC NULLS LAST))[1] AS task_id
               FROM failed GROUP BY code
           )
           SELECT g.code AS "code!", g.jobs AS "jobs!", g.tasks AS "tasks!", g.places AS "places!", g.first_at AS "first_at?", g.last_at AS "last_at?",
                  coalesce(j.error_message, t.error_message) AS "message?", left(coalesce(j.error_chain, t.error_chain), 4000) AS "chain?",
                  g.job_id AS "job_id?: JobId", coalesce(j.video_id, t.video_id) AS "video_id?: VideoId"
           FROM grouped g LEFT JOIN jobs j ON j.job_id = g.job_id LEFT JOIN tasks t ON t.task_id = g.task_id
           ORDER BY g.last_at DESC NULLS LAST, g.code LIMIT 200"#
    )
    .fetch_all(db)
    .await?)
}

/// Jobs that failed with `code` and were not mended yet, those that have waited longest first.
pub async fn jobs_with(db: impl PgExecutor<'_>, code: &str, limit: i64) -> Result<Vec<JobId>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT j.job_id AS "job_id: JobId" FROM jobs j JOIN runs r ON r.run_id = j.run_id JOIN videos v ON v.video_id = j.video_id
           WHERE j.state = 'failed' AND coalesce(j.error_code, 'unknown') = $1 AND v.state <> 'deleted'
             AND NOT EXISTS (SELECT FROM runs later WHERE later.video_id = r.video_id AND (later.created_at, later.run_id) > (r.created_at, r.run_id))
           ORDER BY j.finished_at, j.job_id LIMIT $2"#,
        code,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// As [`jobs_with`], of tasks.
pub async fn tasks_with(db: impl PgExecutor<'_>, code: &str, limit: i64) -> Result<Vec<TaskId>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT task_id AS "task_id: TaskId" FROM tasks t WHERE state = 'failed' AND coalesce(error_code, 'unknown') = $1
             AND NOT EXISTS (SELECT FROM tasks later WHERE later.kind = t.kind AND later.video_id = t.video_id AND (later.created_at, later.task_id) > (t.created_at, t.task_id))
           ORDER BY finished_at, task_id LIMIT $2"#,
        code,
        limit
    )
    .fetch_all(db)
    .await?)
}
