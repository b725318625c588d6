//! What an operator may do to the ledger.

use serde_json::json;
use sqlx::PgConnection;

use super::failure::{Ended, Failure, FailureKind, end_failed_run};
use crate::{
    error::DbError,
    ids::{RunId, UserId, VideoId},
    stage::Stage,
};

/// Cancels a run that is under way. Attempts still running lose their lease at the next heartbeat.
///
/// # Errors
/// [`DbError::NotFound`] when the run does not exist or has ended.
pub async fn cancel_run(connection: &mut PgConnection, run_id: RunId) -> Result<(), DbError> {
    let video_id: VideoId = sqlx::query_scalar!(
        r#"SELECT video_id AS "video_id: VideoId" FROM runs WHERE run_id = $1 AND state IN ('pending', 'running') FOR NO KEY UPDATE"#,
        run_id.0
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(DbError::NotFound)?;
    let failure = Failure {
        kind: FailureKind::Cancelled,
        code: "cancelled".into(),
        message: "Indexing was cancelled.".into(),
        chain: String::new(),
        stats: json!({}),
    };
    end_failed_run(connection, &Ended { run_id, video_id, state: "cancelled" }, &failure).await
}

/// Takes up a failed or cancelled run where it ended: what was completed stays, the rest is tried anew. [`super::push_due`]
/// sends the jobs whose needs are met.
///
/// # Errors
/// [`DbError::NotFound`] when the run has not failed; [`DbError::Conflict`] `run_active` when a newer one is under way.
pub async fn retry_run(connection: &mut PgConnection, run_id: RunId) -> Result<(), DbError> {
    let video_id: VideoId = sqlx::query_scalar!(
        r#"UPDATE runs SET state = 'running', finished_at = NULL WHERE run_id = $1 AND state IN ('failed', 'cancelled') RETURNING video_id AS "video_id: VideoId""#,
        run_id.0
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(database) if database.constraint() == Some("runs_one_active") => DbError::Conflict("run_active"),
        _ => DbError::Sqlx(error),
    })?
    .ok_or(DbError::NotFound)?;
    sqlx::query!(
        "UPDATE jobs SET state = 'pending', attempts = 0, progress = 0, run_at = now(), pushed_at = NULL, current_attempt_id = NULL, outage_since = NULL,
             error_code = NULL, error_message = NULL, error_chain = NULL, finished_at = NULL
         WHERE run_id = $1 AND state IN ('failed', 'cancelled')",
        run_id.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE videos SET failure_code = NULL, failure_message = NULL, state = CASE WHEN state = 'failed' THEN
             (CASE WHEN EXISTS (SELECT FROM jobs WHERE run_id = $2 AND stage = 'upload_validate' AND state = 'completed') THEN 'processing' ELSE 'validating' END)::video_state
             ELSE state END
         WHERE video_id = $1",
        video_id.0,
        run_id.0
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Pauses or resumes a stage for all workers, from their next message on. What runs goes on; what is held back is pushed by
/// [`super::push_due`] after the resume. False: it was so already.
pub async fn pause_stage(
    connection: &mut PgConnection,
    stage: Stage,
    paused: bool,
    by: Option<UserId>,
) -> Result<bool, DbError> {
    let changed = sqlx::query!(
        "UPDATE stage_controls SET paused = $2, updated_by = $3, updated_at = now() WHERE stage = $1 AND paused <> $2",
        stage as Stage,
        paused,
        by.map(|id| id.0)
    )
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    if changed && !paused {
        sqlx::query!(
            "UPDATE jobs SET pushed_at = NULL WHERE stage = $1 AND state = 'pending' AND ready",
            stage as Stage
        )
        .execute(connection)
        .await?;
    }
    Ok(changed)
}
