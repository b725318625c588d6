//! `POST /search/image`.

use std::time::Instant;

use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use chrono::Utc;
use heimdex_db::{
    VideoId,
    quotas::{self, Quota},
    search::Filters,
};
use heimdex_models::picture::OwnedPicture;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    position::Position,
    query::{SearchAnswer, clean, too_many},
};
use crate::{
    auth::Caller,
    domain,
    encoders::Sense,
    error::ApiError,
    extract::{Query, SentPicture},
    search::{
        asked::{asked, note},
        language::{self, ParsedQuery},
        picture,
        pictured::{self, Pictured, no_image_model},
        run::{Answer, Question, millis},
    },
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PictureParams {
    /// Operators of the query language, all of which have to hold. Other words are left out, and a note says so.
    #[param(example = "person:minji lang:ko")]
    #[serde(default)]
    q: String,
    /// 1 to 50, by default 20.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same picture and the same other parameters.
    cursor: Option<String>,
    /// Hits of one video before those of others have had their turn; by default 3.
    per_video: Option<usize>,
    /// Only scenes of this video.
    video: Option<Uuid>,
}

/// Finds moments that look like a picture; the body is the file, at most 10 MiB. The answer is that of `POST /search`, of the channel
/// `seen` alone. Every page counts as a search, since the picture is looked at for each. The picture is not kept, nor is the search in
/// the history. 409 `no_image_model` where no model looks at pictures.
#[utoipa::path(post, path = "/search/image", tag = "search", params(PictureParams),
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"))),
    responses((status = OK, body = SearchAnswer)))]
pub async fn search(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<PictureParams>,
    request: Request,
) -> Result<Json<SearchAnswer>, ApiError> {
    let began = Instant::now();
    let owner = caller.user_id();
    let parsed = language::parse(&params.q)?;
    let limit = params.limit.or(20, 50)?;
    let per_video = params.per_video.unwrap_or(3).clamp(1, 1000);
    let SentPicture { bytes, .. } = SentPicture::from_request(request, &state).await?;
    if state.encoders.configured(Sense::Picture).is_none() {
        return Err(no_image_model());
    }
    let text = clean(&params.q);
    let request_of_cursor = (hex::encode(Sha256::digest(&bytes)), &text, per_video, params.video);
    let position = Position::read(&request_of_cursor, params.cursor.as_deref())?;
    if let Some(allowed) = state.config.limits.of(caller.user.tier).searches_per_minute {
        quotas::take(&state.pool, owner, Quota::Searches, allowed, Utc::now()).await?.map_err(too_many)?;
    }
    let as_of = position.map_or_else(Utc::now, Position::as_of);
    let mut asked = asked(&state, owner, &parsed).await?;
    if !parsed.terms.is_empty() && !parsed.is_stray_or() {
        let sentence =
            "Beside a picture only operators count, such as `person:` or `tag:`; the other words were left out.";
        asked.notes.push(note("words_beside_picture", None, sentence));
    }
    let question = Question {
        text: String::new(),
        channels: Vec::new(),
        filters: Filters {
            as_of: position.map(Position::as_of),
            conditions: asked.conditions,
            video_ids: params.video.map(|id| vec![VideoId::from(id)]),
            ..Filters::default()
        },
        per_video,
        limit: limit as usize,
        after: position.map(Position::after),
    };
    let pixels = picture::read(&state, &bytes).await?;
    let answer = if asked.is_hopeless {
        Answer::default()
    } else {
        let seen = OwnedPicture { width: pixels.width, height: pixels.height, rgb: pixels.data };
        let Pictured { answer, says_nothing } = pictured::run(&state, owner, &question, seen).await?;
        if says_nothing {
            let sentence = "Nothing that the model knows can be seen in this picture.";
            asked.notes.push(note("picture_says_nothing", None, sentence));
        }
        answer
    };
    let next_cursor = Position::next(&request_of_cursor, as_of, answer.next);
    Ok(Json(SearchAnswer {
        query: text,
        parsed: ParsedQuery::from(&parsed),
        notes: asked.notes,
        items: answer.hits,
        next_cursor,
        took_ms: millis(began.elapsed()),
        channels: answer.channels,
    }))
}
