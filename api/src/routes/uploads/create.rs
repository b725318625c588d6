//! `POST /videos/uploads`.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::{
    PgConnection, UserTier, VideoId,
    quotas::{self, Quota, TierLimits},
    uploads::{self, NewUpload},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::plan::plan;
use crate::{
    auth::Caller,
    domain,
    error::{ApiError, Code},
    extract,
    idempotent::Idempotent,
    state::AppState,
};

/// Unfinished uploads are given up after this long.
const EXPIRES_AFTER: TimeDelta = TimeDelta::hours(24);

#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewVideo {
    #[schema(example = "rain.mp4")]
    filename: String,
    #[serde(default)]
    #[schema(example = "video/mp4")]
    mime_type: String,
    size_bytes: i64,
    /// By default the file's name.
    title: Option<String>,
    /// Of the whole file, in hexadecimal. If the person has a video with these bytes, the answer is 409 `duplicate` with its
    /// `video_id` and `title`. It is a question, not a claim: what counts is what indexing reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Send it all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_duplicate: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Announced {
    video_id: Uuid,
    upload: UploadPlan,
}

#[derive(Serialize, ToSchema)]
pub struct UploadPlan {
    /// Of every part but the last, which is shorter.
    part_size_bytes: i64,
    part_count: i32,
    expires_at: DateTime<Utc>,
}

/// Announces an upload. Then ask for part URLs, PUT the parts, and complete. 409 `duplicate` where `sha256` is given and the
/// person has that file already.
#[utoipa::path(post, path = "/videos/uploads", tag = "uploads", request_body = NewVideo,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gets the same answer for a day")),
    responses((status = CREATED, body = Announced)))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json(new): extract::Json<NewVideo>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let once = Idempotent::read(&headers, &json!(["POST /videos/uploads", &new]))?;
    let mut tx = state.pool.begin().await?;
    if let Some(answer) = once.claim(&mut tx, caller.user_id()).await? {
        return Ok(answer);
    }
    let answer = json!(announce(&mut tx, &caller, state.config.limits.of(caller.user.tier), &new).await?);
    let answer = once.remember(&mut tx, caller.user_id(), StatusCode::CREATED, answer).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn announce(
    db: &mut PgConnection,
    caller: &Caller,
    limits: TierLimits,
    new: &NewVideo,
) -> Result<Announced, ApiError> {
    let filename = domain::file_name(&new.filename)?;
    let mime_type = domain::mime_type(&new.mime_type)?;
    let title = match new.title.as_deref().filter(|title| !title.trim().is_empty()) {
        Some(title) => domain::line("title", title, 200)?,
        None => stem(&filename).chars().take(200).collect(),
    };
    if new.size_bytes < 1 {
        return Err(ApiError::field(
            "size_bytes",
            "out_of_range",
            "size_bytes must be at least 1; an empty file is no video.",
        ));
    }
    let cut = plan(new.size_bytes).filter(|_| new.size_bytes <= limits.max_size_bytes).ok_or_else(|| {
        ApiError::new(Code::FileTooLarge)
            .detail(format!("A video of the {} tier may have {} bytes.", caller.user.tier, limits.max_size_bytes))
            .with("limit_bytes", limits.max_size_bytes)
            .with("size_bytes", new.size_bytes)
    })?;
    if let Some(sha256) = new.sha256.as_deref().map(|text| domain::sha256("sha256", text)).transpose()?
        && !new.allow_duplicate
        && let Some(twin) = uploads::twin(&mut *db, caller.user_id(), &sha256).await?
    {
        return Err(ApiError::new(Code::Duplicate)
            .detail(format!("This file is in your library already, as “{}”.", twin.title))
            .with("video_id", twin.video_id.to_string())
            .with("title", twin.title));
    }
    let now = Utc::now();
    if let Some(limit) = limits.uploads_per_day {
        quotas::take(&mut *db, caller.user_id(), Quota::Uploads, limit, now)
            .await?
            .map_err(|usage| used_up(usage, caller.user.tier))?;
    }
    let video_id = VideoId::new();
    uploads::create(
        db,
        &NewUpload {
            video_id,
            owner_id: caller.user_id(),
            title: &title,
            filename: &filename,
            mime_type: &mime_type,
            size_bytes: new.size_bytes,
            part_size_bytes: cut.part_size_bytes,
            part_count: cut.part_count,
            counted_on: limits.uploads_per_day.map(|_| now.date_naive()),
        },
    )
    .await?;
    Ok(Announced {
        video_id: video_id.0,
        upload: UploadPlan {
            part_size_bytes: cut.part_size_bytes,
            part_count: cut.part_count,
            expires_at: now + EXPIRES_AFTER,
        },
    })
}

fn used_up(usage: quotas::QuotaUse, tier: UserTier) -> ApiError {
    let seconds = (usage.resets_at - Utc::now()).num_seconds().max(1);
    ApiError::new(Code::DailyUploadsUsedUp)
        .detail(format!("The {tier} tier has {} uploads a day, and all are used.", usage.limit))
        .with("limit", usage.limit)
        .with("used", usage.used)
        .with("remaining", 0)
        .with("resets_at", usage.resets_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        .retry_after(seconds.unsigned_abs())
}

/// A file's name without its extension.
fn stem(filename: &str) -> &str {
    filename.rsplit_once('.').map_or(filename, |(stem, _)| if stem.is_empty() { filename } else { stem })
}
