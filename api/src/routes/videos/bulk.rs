//! `POST /videos/bulk`: one change of many videos. Each is changed by itself, exactly as by its own call.

use std::collections::HashSet;

use axum::{Json, extract::State};
use heimdex_db::{Stage, UserId, VideoId, audit::By, videos};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    edit::{bring_back, remove},
    reprocess::start,
};
use crate::{auth::Caller, domain, error::ApiError, extract, origin::Origin, state::AppState};

const MAX_AT_ONCE: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkChange {
    /// 1 to 100.
    ids: Vec<Uuid>,
    action: BulkAction,
    /// For `add_tags` and `remove_tags`.
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    Delete,
    Restore,
    AddTags,
    RemoveTags,
    Reprocess,
}

#[derive(Serialize, ToSchema)]
pub struct BulkResults {
    /// One for each id, in the order in which they were given; an id that was given twice is there once.
    items: Vec<BulkResult>,
}

#[derive(Serialize, ToSchema)]
pub struct BulkResult {
    video_id: Uuid,
    /// Null: done.
    error: Option<BulkError>,
}

/// As the video's own call would have answered.
#[derive(Serialize, ToSchema)]
pub struct BulkError {
    #[schema(example = "not_found")]
    code: &'static str,
    detail: String,
}

/// Changes up to 100 videos. What one of them refuses does not stop the others; a fault on our side does, and what was done
/// until then stays done.
#[utoipa::path(post, path = "/videos/bulk", tag = "videos", request_body = BulkChange, responses((status = OK, body = BulkResults)))]
pub async fn bulk(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    extract::Json(change): extract::Json<BulkChange>,
) -> Result<Json<BulkResults>, ApiError> {
    if change.ids.is_empty() || change.ids.len() > MAX_AT_ONCE {
        return Err(ApiError::field("ids", "count", format!("Change 1 to {MAX_AT_ONCE} videos at once.")));
    }
    let tags = domain::tags(&change.tags)?;
    let about_tags = matches!(change.action, BulkAction::AddTags | BulkAction::RemoveTags);
    if about_tags == tags.is_empty() {
        let sentence = "tags are given with add_tags and remove_tags, and with no other action.";
        return Err(ApiError::field("tags", "count", sentence));
    }
    let owner = caller.user_id();
    let by = origin.person(owner);
    let mut seen = HashSet::new();
    let ids: Vec<Uuid> = change.ids.into_iter().filter(|id| seen.insert(*id)).collect();
    let mut items = Vec::with_capacity(ids.len());
    for video_id in ids {
        let error = match one(&state, owner, &by, VideoId(video_id), change.action, &tags).await {
            Ok(()) => None,
            Err(error) if error.code().status().is_server_error() => return Err(error),
            Err(error) => Some(BulkError { code: error.code().as_str(), detail: error.sentence() }),
        };
        items.push(BulkResult { video_id, error });
    }
    Ok(Json(BulkResults { items }))
}

async fn one(
    state: &AppState,
    owner: UserId,
    by: &By,
    video: VideoId,
    action: BulkAction,
    tags: &[String],
) -> Result<(), ApiError> {
    match action {
        BulkAction::Delete => remove(state, owner, by, video).await,
        BulkAction::Restore => bring_back(state, owner, by, video).await,
        BulkAction::Reprocess => start(state, owner, video, Stage::ALL).await.map(|_| ()),
        BulkAction::AddTags | BulkAction::RemoveTags => {
            let (added, removed): (&[String], &[String]) =
                if action == BulkAction::AddTags { (tags, &[]) } else { (&[], tags) };
            let mut tx = state.pool.begin().await?;
            videos::retag(&mut tx, owner, video, added, removed).await?;
            Ok(tx.commit().await?)
        }
    }
}
