//! `GET /admin/jobs` and `GET /admin/jobs/{job_id}`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    DbError, JobId, UserId, VideoId,
    operator::jobs::{self, AttemptLine, JobFilter, JobLine},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    auth::guard::Operator,
    cursor, domain,
    error::ApiError,
    extract::{Path, Query},
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobParams {
    /// 1 to 200, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same other parameters.
    cursor: Option<String>,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`
    #[param(example = "failed")]
    state: Option<String>,
    #[param(example = "asr_fast")]
    stage: Option<String>,
    /// The error's code.
    #[param(example = "worker_lost")]
    code: Option<String>,
    video_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    /// Had an attempt at it.
    worker: Option<String>,
    /// Last changed not before.
    since: Option<DateTime<Utc>>,
    /// Last changed before.
    until: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
pub struct AdminJobPage {
    items: Vec<AdminJob>,
    next_cursor: Option<String>,
}

/// One stage of one run of somebody's video.
#[derive(Serialize, ToSchema)]
pub struct AdminJob {
    job_id: Uuid,
    run_id: Uuid,
    video_id: Uuid,
    owner_id: Uuid,
    owner_email: Option<String>,
    #[schema(example = "asr_fast")]
    stage: &'static str,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`
    #[schema(example = "failed")]
    state: &'static str,
    /// All stages before it are done.
    ready: bool,
    /// 0 to 100
    progress: i16,
    /// Those that count.
    attempts: i32,
    max_attempts: i32,
    /// 0 to 9; more is earlier.
    priority: i16,
    /// Why a completed stage did what it did.
    note: Option<String>,
    error_code: Option<String>,
    /// What its owner is told.
    error_message: Option<String>,
    /// The whole chain of causes.
    error_chain: Option<String>,
    /// Who had it last.
    worker: Option<String>,
    /// Not tried before.
    run_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<JobLine> for AdminJob {
    fn from(job: JobLine) -> Self {
        Self {
            job_id: job.job_id.0,
            run_id: job.run_id.0,
            video_id: job.video_id.0,
            owner_id: job.owner_id.0,
            owner_email: job.owner_email,
            stage: job.stage.as_str(),
            state: job.state.as_str(),
            ready: job.ready,
            progress: job.progress,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            priority: job.priority,
            note: job.note,
            error_code: job.error_code,
            error_message: job.error_message,
            error_chain: job.error_chain,
            worker: job.worker,
            run_at: job.run_at,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

/// Stages of everybody's videos, those made last first. For operators and admins.
#[utoipa::path(get, path = "/admin/jobs", tag = "admin", params(JobParams), responses((status = OK, body = AdminJobPage)))]
pub async fn list(
    State(state): State<AppState>,
    Operator(_caller): Operator,
    Query(params): Query<JobParams>,
) -> Result<Json<AdminJobPage>, ApiError> {
    let limit = params.limit.or(50, 200)?;
    let filter = JobFilter {
        state: domain::given_word("state", params.state.as_deref())?,
        stage: domain::given_word("stage", params.stage.as_deref())?,
        code: domain::given_line("code", params.code.as_deref(), 200)?,
        video: params.video_id.map(VideoId),
        owner: params.owner_id.map(UserId),
        worker: domain::given_line("worker", params.worker.as_deref(), 200)?,
        since: domain::time("since", params.since)?,
        until: domain::time("until", params.until)?,
        ..JobFilter::default()
    };
    let request = (
        (&params.state, &params.stage, &params.code, &params.worker),
        (params.video_id, params.owner_id, params.since, params.until),
    );
    let before: Option<JobId> = cursor::decode(&request, params.cursor.as_deref())?;
    let rows = jobs::list(&state.pool, &filter, before, i64::from(limit) + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &request, |last| last.job_id);
    Ok(Json(AdminJobPage { items: rows.into_iter().map(Into::into).collect(), next_cursor }))
}

/// A job with everything that was tried, and the other stages of its run.
#[derive(Serialize, ToSchema)]
pub struct AdminJobStory {
    job: AdminJob,
    /// Newest first, at most a hundred.
    attempts: Vec<AdminAttempt>,
    /// All stages of the run, in pipeline order.
    run: Vec<AdminJob>,
}

/// One try.
#[derive(Serialize, ToSchema)]
pub struct AdminAttempt {
    attempt_id: Uuid,
    /// Counts from 1 over all tries.
    number: i32,
    worker: String,
    /// `running`, `completed`, `failed`, `lost`, `outage`, `released` or `cancelled`
    #[schema(example = "lost")]
    state: String,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    error_code: Option<String>,
    error_message: Option<String>,
    error_chain: Option<String>,
    /// What it took: `cpu_s`, `max_rss_bytes` and the like.
    #[schema(value_type = Object)]
    stats: Value,
}

impl From<AttemptLine> for AdminAttempt {
    fn from(attempt: AttemptLine) -> Self {
        Self {
            attempt_id: attempt.attempt_id.0,
            number: attempt.number,
            worker: attempt.worker,
            state: attempt.state,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            error_code: attempt.error_code,
            error_message: attempt.error_message,
            error_chain: attempt.error_chain,
            stats: attempt.stats,
        }
    }
}

/// One job's timeline. For operators and admins.
#[utoipa::path(get, path = "/admin/jobs/{job_id}", tag = "admin", params(("job_id" = uuid::Uuid, Path)),
    responses((status = OK, body = AdminJobStory)))]
pub async fn get(
    State(state): State<AppState>,
    Operator(_caller): Operator,
    Path(job_id): Path<JobId>,
) -> Result<Json<AdminJobStory>, ApiError> {
    let job = find(&state, job_id).await?;
    let attempts = jobs::attempts(&state.pool, job_id).await?;
    let of_run = JobFilter { run: Some(job.run_id), ..JobFilter::default() };
    let mut run = jobs::list(&state.pool, &of_run, None, 12).await?;
    run.sort_by_key(|other| other.stage);
    Ok(Json(AdminJobStory {
        job: job.into(),
        attempts: attempts.into_iter().map(Into::into).collect(),
        run: run.into_iter().map(Into::into).collect(),
    }))
}

async fn find(state: &AppState, job_id: JobId) -> Result<JobLine, ApiError> {
    let this = JobFilter { job: Some(job_id), ..JobFilter::default() };
    Ok(jobs::list(&state.pool, &this, None, 1).await?.pop().ok_or(DbError::NotFound)?)
}
