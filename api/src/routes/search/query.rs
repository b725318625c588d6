//! `POST /search`.

use std::{collections::BTreeMap, time::Instant};

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    PersonId, VideoId,
    quotas::{self, Quota},
    search::{self, Affect, AffectBound, Filters},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::Caller,
    cursor, domain,
    error::{ApiError, Code},
    extract,
    search::run::{After, Channel, ChannelReport, Hit, Question, run},
    state::AppState,
};

/// Longer queries are cut: nobody speaks so long, and models read less.
const MAX_QUERY_CHARS: usize = 1000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// Words, a sentence, or both; `"…"`, `or` and `-` as in web searches.
    #[schema(example = "it was the best of times")]
    query: String,
    /// 1 to 50, by default 20.
    #[schema(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same question.
    cursor: Option<String>,
    /// By default all: `words` (said), `meaning` (of what is said), `seen`, `written` (on screen), `tagged`, `who` (people by name).
    channels: Option<Vec<String>>,
    /// By channel, 0 to 10.
    weights: Option<BTreeMap<String, f64>>,
    filters: Option<SearchFilters>,
    /// Hits of one video before those of others have had their turn; by default 3.
    per_video: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchFilters {
    video_ids: Option<Vec<Uuid>>,
    created_after: Option<DateTime<Utc>>,
    created_before: Option<DateTime<Utc>>,
    min_duration_s: Option<f64>,
    max_duration_s: Option<f64>,
    /// ISO 639-1.
    languages: Option<Vec<String>>,
    /// Ids of tags, or what they are called in any language.
    tags: Option<Vec<String>>,
    affect: Option<AffectFilter>,
    /// Any of these people is in the scene.
    people: Option<Vec<Uuid>>,
}

/// Bounds, both ends inside. A scene of which a value is not known is outside.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AffectFilter {
    /// -1 to 1
    valence: Option<AffectBounds>,
    /// 0 to 1
    arousal: Option<AffectBounds>,
    /// 0 to 1
    energy: Option<AffectBounds>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AffectBounds {
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub struct SearchAnswer {
    query: String,
    items: Vec<Hit>,
    next_cursor: Option<String>,
    took_ms: u64,
    channels: Vec<ChannelReport>,
}

/// What a cursor holds: the last hit, its place, and when the first page was asked for.
#[derive(Serialize, Deserialize)]
struct Position {
    scene: Uuid,
    place: usize,
    as_of: DateTime<Utc>,
}

/// Finds moments by what is said, seen and written on screen.
#[utoipa::path(post, path = "/search", tag = "search", request_body = SearchRequest, responses((status = OK, body = SearchAnswer)))]
pub async fn search(
    State(state): State<AppState>,
    caller: Caller,
    extract::Json(request): extract::Json<SearchRequest>,
) -> Result<Json<SearchAnswer>, ApiError> {
    let began = Instant::now();
    let text = clean(&request.query);
    if text.is_empty() {
        return Err(ApiError::field("query", "empty", "query must have at least one letter or digit."));
    }
    let limit = request.limit.or(20, 50)?;
    let channels = channels(&request)?;
    let filters = filters(request.filters.clone().unwrap_or_default())?;
    let per_video = request.per_video.unwrap_or(3).clamp(1, 1000);
    let names: Vec<_> = channels.iter().map(|(channel, weight)| (channel.as_str(), weight.to_string())).collect();
    let question = (&text, names, &request.filters, per_video);
    let position = request.cursor.as_deref().map(|text| cursor::decode::<Position>(&question, text)).transpose()?;
    if position.as_ref().is_some_and(|position| !domain::is_in_calendar(position.as_of)) {
        return Err(cursor::invalid());
    }
    // Later pages belong to the search that was counted.
    if let (None, Some(allowed)) = (&position, state.config.limits.of(caller.user.tier).searches_per_minute) {
        quotas::take(&state.pool, caller.user_id(), Quota::Searches, allowed, Utc::now()).await?.map_err(too_many)?;
    }
    let as_of = position.as_ref().map_or_else(Utc::now, |position| position.as_of);
    let answer = run(
        &state,
        caller.user_id(),
        &Question {
            text: text.clone(),
            channels,
            // Later pages see what the first one saw.
            filters: Filters { as_of: position.as_ref().map(|p| p.as_of), ..filters },
            per_video,
            limit: limit as usize,
            after: position.as_ref().map(|p| After { scene_id: p.scene, place: p.place }),
        },
    )
    .await?;
    let next_cursor =
        answer.next.map(|next| cursor::encode(&question, &Position { scene: next.scene_id, place: next.place, as_of }));
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if position.is_none() {
        let hits = i32::try_from(answer.hits.len()).unwrap_or(i32::MAX);
        search::record(&state.pool, caller.user_id(), &text, hits, i32::try_from(took_ms).unwrap_or(i32::MAX)).await?;
    }
    Ok(Json(SearchAnswer { query: text, items: answer.hits, next_cursor, took_ms, channels: answer.channels }))
}

/// Any text is a query once control characters are blanks and its length is bounded.
pub fn clean(text: &str) -> String {
    let text: String = text.chars().take(MAX_QUERY_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().any(char::is_alphanumeric) {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        String::new()
    }
}

fn channels(request: &SearchRequest) -> Result<Vec<(Channel, f64)>, ApiError> {
    let known = |field: &str, name: &str| {
        Channel::ALL.into_iter().find(|channel| channel.as_str() == name).ok_or_else(|| {
            let all: Vec<_> = Channel::ALL.iter().map(|channel| channel.as_str()).collect();
            ApiError::field(field, "unknown", format!("`{name}` is no channel; there are: {}.", all.join(", ")))
        })
    };
    let mut chosen = Vec::new();
    for name in request.channels.iter().flatten() {
        let channel = known("channels", name)?;
        if !chosen.contains(&channel) {
            chosen.push(channel);
        }
    }
    if chosen.is_empty() {
        chosen = Channel::ALL.to_vec();
    }
    let mut weights = BTreeMap::new();
    for (name, &weight) in request.weights.iter().flatten() {
        if !(0.0..=10.0).contains(&weight) {
            return Err(ApiError::field("weights", "out_of_range", "A weight is between 0 and 10."));
        }
        weights.insert(known("weights", name)?, weight);
    }
    chosen.sort_unstable();
    let weighed =
        chosen.into_iter().map(|channel| (channel, weights.get(&channel).copied().unwrap_or(channel.default_weight())));
    let weighed: Vec<_> = weighed.filter(|&(_, weight)| weight > 0.0).collect();
    if weighed.is_empty() {
        return Err(ApiError::field("weights", "all_zero", "At least one channel must have a weight above 0."));
    }
    Ok(weighed)
}

fn filters(given: SearchFilters) -> Result<Filters, ApiError> {
    let ms = |seconds: Option<f64>, field: &str| match seconds {
        None => Ok(None),
        Some(s) if (0.0..=1e9).contains(&s) => Ok(Some((s * 1000.0) as i64)),
        Some(_) => {
            Err(ApiError::field(format!("filters.{field}"), "out_of_range", format!("{field} must be at least 0.")))
        }
    };
    let texts = |list: Option<Vec<String>>, field: &str| match list {
        None => Ok(None),
        Some(list) if list.is_empty() => Ok(None),
        Some(list) if list.len() > 100 => Err(ApiError::field(format!("filters.{field}"), "too_many", "At most 100.")),
        Some(list) => list
            .iter()
            .map(|text| domain::line(&format!("filters.{field}"), text, 60))
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
    };
    if given.video_ids.as_ref().is_some_and(|ids| ids.len() > 1000) {
        return Err(ApiError::field("filters.video_ids", "too_many", "At most 1000 videos."));
    }
    if given.people.as_ref().is_some_and(|ids| ids.len() > 100) {
        return Err(ApiError::field("filters.people", "too_many", "At most 100 people."));
    }
    Ok(Filters {
        people: given.people.filter(|ids| !ids.is_empty()).map(|ids| ids.into_iter().map(PersonId::from).collect()),
        video_ids: given.video_ids.map(|ids| ids.into_iter().map(VideoId::from).collect()),
        created_after: domain::time("filters.created_after", given.created_after)?,
        created_before: domain::time("filters.created_before", given.created_before)?,
        min_duration_ms: ms(given.min_duration_s, "min_duration_s")?,
        max_duration_ms: ms(given.max_duration_s, "max_duration_s")?,
        languages: texts(given.languages, "languages")?.map(|all| all.iter().map(|l| l.to_lowercase()).collect()),
        tags: texts(given.tags, "tags")?,
        affect: affect_bounds(given.affect.unwrap_or_default())?,
        as_of: None,
    })
}

fn affect_bounds(given: AffectFilter) -> Result<Vec<AffectBound>, ApiError> {
    let asked = [
        ("valence", Affect::Valence, given.valence, -1.0),
        ("arousal", Affect::Arousal, given.arousal, 0.0),
        ("energy", Affect::Energy, given.energy, 0.0),
    ];
    let mut bounds = Vec::new();
    for (name, affect, asked, least) in asked {
        let Some(AffectBounds { min, max }) = asked else { continue };
        let (min, max) = (min.unwrap_or(least), max.unwrap_or(1.0));
        if !(least <= min && min <= max && max <= 1.0) {
            let sentence = format!("{name} is between {least} and 1, and min is not above max.");
            return Err(ApiError::field(format!("filters.affect.{name}"), "out_of_range", sentence));
        }
        bounds.push(AffectBound { affect, min, max });
    }
    Ok(bounds)
}

fn too_many(usage: quotas::QuotaUse) -> ApiError {
    let seconds = (usage.resets_at - Utc::now()).num_seconds().max(1);
    ApiError::new(Code::RateLimited)
        .detail(format!("{} searches a minute are allowed.", usage.limit))
        .with("limit", usage.limit)
        .with("remaining", 0)
        .with("resets_at", usage.resets_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        .retry_after(seconds.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

    proptest! {
        #[test]
        fn any_text_becomes_a_harmless_query(text in "(?s).{0,2000}") {
            let query = clean(&text);
            prop_assert!(!query.chars().any(char::is_control));
            prop_assert!(query.chars().count() <= super::MAX_QUERY_CHARS);
            prop_assert_eq!(clean(&query), query);
        }
    }
}
