//! `POST /admin/jobs/{job_id}/retry` and `/cancel`.

use axum::{Json, extract::State};
use heimdex_db::{
    JobId, PgConnection, Stage,
    audit::{self, Action, By, Event, Whom},
    ledger::{self, Reopened},
    people,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused;
use crate::{
    auth::guard::Operator,
    error::ApiError,
    extract::{self, Path},
    origin::Origin,
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRequest {
    /// True: this stage is done again with all that depends on it, also where it was completed. By default what failed or was
    /// cancelled is tried anew, and what was completed stays.
    #[serde(default)]
    from_here: bool,
}

#[derive(Serialize, ToSchema)]
pub struct RetryAnswer {
    /// False: it was under way already.
    retried: bool,
    /// The run that is under way.
    run_id: Option<Uuid>,
    /// What is done again, in pipeline order.
    stages: Vec<&'static str>,
}

/// Takes up a failed or cancelled run. The same again changes nothing. What cannot be retried says why (409, `conflict`:
/// `job_completed`, `run_superseded`, `video_deleted`). For operators and admins.
#[utoipa::path(post, path = "/admin/jobs/{job_id}/retry", tag = "admin", params(("job_id" = uuid::Uuid, Path)),
    request_body = RetryRequest, responses((status = OK, body = RetryAnswer)))]
pub async fn retry(
    State(state): State<AppState>,
    Operator(caller): Operator,
    origin: Origin,
    Path(job_id): Path<JobId>,
    extract::Json(request): extract::Json<RetryRequest>,
) -> Result<Json<RetryAnswer>, ApiError> {
    let by = origin.person(caller.user_id());
    // A redo may have to wait for who decides whose the faces of this library are; not for long.
    let mut tx = people::begin(&state.pool).await?;
    let reopened = if request.from_here {
        Some(ledger::retry_from(&mut tx, job_id).await.map_err(refused)?)
    } else {
        ledger::retry_job(&mut tx, job_id).await.map_err(refused)?
    };
    if let Some(reopened) = &reopened {
        remember(&mut tx, &by, job_id, reopened).await?;
    }
    tx.commit().await?;
    Ok(Json(RetryAnswer {
        retried: reopened.is_some(),
        run_id: reopened.as_ref().map(|run| run.run_id.0),
        stages: reopened.map_or_else(Vec::new, |run| run.stages.into_iter().map(Stage::as_str).collect()),
    }))
}

/// Writes a retry into the history.
pub(super) async fn remember(
    db: &mut PgConnection,
    by: &By,
    job_id: JobId,
    reopened: &Reopened,
) -> Result<(), ApiError> {
    let event = Event::new(Action::RunRetried, Whom::User(reopened.owner_id)).target(job_id.to_string()).changed(
        Value::Null,
        json!({ "run_id": reopened.run_id, "video_id": reopened.video_id, "stages": reopened.stages }),
    );
    Ok(audit::record(db, by, event).await?)
}

#[derive(Serialize, ToSchema)]
pub struct CancelAnswer {
    /// False: it had been cancelled already.
    cancelled: bool,
}

/// Cancels the run a job belongs to: what runs is ended, what waits is not begun. A run that has ended is 409 (`conflict:
/// run_ended`). For operators and admins.
#[utoipa::path(post, path = "/admin/jobs/{job_id}/cancel", tag = "admin", params(("job_id" = uuid::Uuid, Path)),
    responses((status = OK, body = CancelAnswer)))]
pub async fn cancel(
    State(state): State<AppState>,
    Operator(caller): Operator,
    origin: Origin,
    Path(job_id): Path<JobId>,
) -> Result<Json<CancelAnswer>, ApiError> {
    let by = origin.person(caller.user_id());
    let mut tx = state.pool.begin().await?;
    let cancelled = ledger::cancel_job(&mut tx, job_id).await.map_err(refused)?;
    if let Some((run_id, video_id, owner_id)) = cancelled {
        let event = Event::new(Action::RunCancelled, Whom::User(owner_id))
            .target(job_id.to_string())
            .changed(Value::Null, json!({ "run_id": run_id, "video_id": video_id }));
        audit::record(&mut *tx, &by, event).await?;
    }
    tx.commit().await?;
    Ok(Json(CancelAnswer { cancelled: cancelled.is_some() }))
}
