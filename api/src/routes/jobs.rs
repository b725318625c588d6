//! `GET /videos/{id}/jobs`: the twelve stages of the newest run.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    VideoId,
    jobs::{self, JobRow},
    videos,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::videos::shape::Remark;
use crate::{auth::Caller, error::ApiError, extract::Path, state::AppState};

#[derive(Serialize, ToSchema)]
pub struct Jobs {
    /// Null before the upload is complete.
    pub run_id: Option<Uuid>,
    /// In pipeline order.
    pub items: Vec<Job>,
}

#[derive(Serialize, ToSchema)]
pub struct Job {
    job_id: Uuid,
    run_id: Uuid,
    #[schema(example = "asr_fast")]
    stage: &'static str,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`
    #[schema(example = "running")]
    state: &'static str,
    /// 0 to 100
    progress: i16,
    attempts: i32,
    max_attempts: i32,
    /// Why a completed stage did what it did, for example `no model`.
    note: Option<String>,
    error: Option<Remark>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        Self {
            job_id: row.job_id.0,
            run_id: row.run_id.0,
            stage: row.stage.as_str(),
            state: row.state.as_str(),
            progress: row.progress,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            note: row.note,
            error: row.error_code.map(|code| Remark { code, message: row.error_message.unwrap_or_default() }),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

/// The stages of the video's newest run.
#[utoipa::path(get, path = "/videos/{video_id}/jobs", tag = "videos", params(("video_id" = uuid::Uuid, Path)), responses((status = OK, body = Jobs)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Json<Jobs>, ApiError> {
    read(&state, &caller, video_id).await.map(Json)
}

pub async fn read(state: &AppState, caller: &Caller, video_id: VideoId) -> Result<Jobs, ApiError> {
    videos::exists(&state.pool, caller.user_id(), video_id).await?;
    let rows = jobs::of_newest_run(&state.pool, caller.user_id(), video_id).await?;
    Ok(Jobs { run_id: rows.first().map(|row| row.run_id.0), items: rows.into_iter().map(Into::into).collect() })
}
