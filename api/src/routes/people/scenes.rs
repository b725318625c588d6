//! `GET /people/{id}/scenes`.

use axum::{Json, extract::State};
use heimdex_db::{PersonId, VideoId, people};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Faces;
use crate::{
    auth::Caller,
    cursor, domain,
    error::ApiError,
    extract::{Path, Query},
    routes::videos::shape::signed,
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// 1 to 100, by default 24.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PersonScenes {
    items: Vec<PersonScene>,
    next_cursor: Option<String>,
}

/// A scene that the person is in.
#[derive(Serialize, ToSchema)]
pub struct PersonScene {
    scene_id: Uuid,
    video_id: Uuid,
    video_title: String,
    run_id: Uuid,
    ordinal: i32,
    start_ms: i64,
    end_ms: i64,
    text: String,
    thumbnail_url: Option<String>,
    /// Part of the scene's pictures that the person is seen in, 0 to 1.
    share: f32,
    tracks: Vec<PersonTrack>,
}

/// A face of theirs in it, through neighbouring pictures.
#[derive(Serialize, ToSchema)]
pub struct PersonTrack {
    track_no: i32,
    start_ms: i64,
    end_ms: i64,
    /// Cosine similarity to what is known of them; null where the owner said so.
    similarity: Option<f32>,
    cover_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Position {
    video: Uuid,
    ordinal: i32,
}

/// The scenes a person is in, video by video.
#[utoipa::path(get, path = "/people/{person_id}/scenes", tag = "people", params(("person_id" = uuid::Uuid, Path), PageParams),
    responses((status = OK, body = PersonScenes)))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    _: Faces,
    Path(person): Path<PersonId>,
    Query(params): Query<PageParams>,
) -> Result<Json<PersonScenes>, ApiError> {
    let owner = caller.user_id();
    // Another owner's person is a 404, not an empty page.
    people::consent_of(&state.pool, owner, person).await?;
    let limit = params.limit.or(24, 100)?;
    let request = ("scenes of", person);
    let position: Option<Position> = cursor::decode(&request, params.cursor.as_deref())?;
    let after = position.map(|position| (VideoId(position.video), position.ordinal));
    let rows = people::scenes_of(&state.pool, owner, person, after, i64::from(limit) + 1).await?;
    let (rows, next_cursor) =
        cursor::page(rows, limit, &request, |last| Position { video: last.video_id.0, ordinal: last.ordinal });
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let mut tracks = Vec::with_capacity(row.tracks.len());
        for track in row.tracks {
            tracks.push(PersonTrack {
                track_no: track.track_no,
                start_ms: track.start_ms,
                end_ms: track.end_ms,
                similarity: track.similarity,
                cover_url: signed(&state.store, track.cover_key.as_deref()).await?,
            });
        }
        items.push(PersonScene {
            scene_id: row.scene_id.0,
            video_id: row.video_id.0,
            video_title: row.video_title,
            run_id: row.run_id.0,
            ordinal: row.ordinal,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            text: row.text,
            thumbnail_url: signed(&state.store, row.thumbnail_key.as_deref()).await?,
            share: row.share,
            tracks,
        });
    }
    Ok(Json(PersonScenes { items, next_cursor }))
}
