//! `POST /search`.

use std::{collections::BTreeMap, time::Instant};

use axum::{Json, extract::State};
use chrono::Utc;
use heimdex_db::{
    enums::UserRole,
    quotas::{self, Quota},
    search::{self, Filters},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    filters::{SearchFilters, filters},
    position::Position,
};
use crate::{
    auth::Caller,
    domain,
    error::{ApiError, Code},
    extract,
    search::{
        asked::{SearchNote, asked},
        kind,
        language::{self, MAX_CHARS, Parsed, ParsedQuery},
        listing::list,
        run::{Answer, Channel, ChannelReport, Hit, Question, millis, run},
    },
    state::AppState,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// Words, a sentence, or both, with quotes and `or` as in web searches; and operators, all of which have to hold: `person:`,
    /// `tag:`, `text:` (on screen), `said:`, `title:`, `after:` and `before:` (`2026-01-31`, `2026-01`, `2026`; UTC), `duration:`
    /// (`<60`, `>=5m`, `60..120`), `lang:` (ISO 639-1). A `-` before an operator, a phrase in quotes or a word leaves out.
    /// Operators alone list every scene that passes, the newest video first. At most 1000 characters and 32 operators; a
    /// mistake is a 400 with its `column` and `column_end`, counted in Unicode scalar values from 1.
    #[schema(example = "it was the best of times lang:en -music")]
    pub(super) query: String,
    /// 1 to 50, by default 20.
    #[schema(value_type = Option<u32>)]
    #[serde(default)]
    pub(super) limit: domain::Limit,
    /// `next_cursor` of the page before, with the same question.
    pub(super) cursor: Option<String>,
    /// By default all: `words` (said), `meaning` (of what is said), `seen`, `written` (on screen), `tagged`, `who` (people by name), `titled`
    /// (the video's title and description).
    pub(super) channels: Option<Vec<String>>,
    /// By channel, 0 to 10; of those left out as the query's kind (a quote, a question, a word, a description) and the person's role suggest.
    pub(super) weights: Option<BTreeMap<String, f64>>,
    pub(super) filters: Option<SearchFilters>,
    /// Hits of one video before those of others have had their turn; by default 3. Operators alone list videos whole.
    pub(super) per_video: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct SearchAnswer {
    /// Without control characters and superfluous blanks.
    pub(super) query: String,
    /// How the query was understood.
    pub(super) parsed: ParsedQuery,
    /// What the person should know about it, such as a name that nobody has.
    pub(super) notes: Vec<SearchNote>,
    pub(super) items: Vec<Hit>,
    pub(super) next_cursor: Option<String>,
    pub(super) took_ms: u64,
    pub(super) channels: Vec<ChannelReport>,
}

/// Finds moments by what is said, seen and written on screen.
#[utoipa::path(post, path = "/search", tag = "search", request_body = SearchRequest, responses((status = OK, body = SearchAnswer)))]
pub async fn search(
    State(state): State<AppState>,
    caller: Caller,
    extract::Json(request): extract::Json<SearchRequest>,
) -> Result<Json<SearchAnswer>, ApiError> {
    let began = Instant::now();
    let (parsed, text) = understood(&request.query)?;
    let limit = request.limit.or(20, 50)?;
    let role = caller.user.role.parse::<UserRole>().ok();
    let channels = channels(&request, |channel| kind::weight(channel, kind::kind(&parsed), role))?;
    let filters = filters(request.filters.clone().unwrap_or_default())?;
    let per_video = request.per_video.unwrap_or(3).clamp(1, 1000);
    let names: Vec<_> = channels.iter().map(|(channel, weight)| (channel.as_str(), weight.to_string())).collect();
    let request_of_cursor = (&text, names, &request.filters, per_video);
    let position = Position::read(&request_of_cursor, request.cursor.as_deref())?;
    // Later pages belong to the search that was counted.
    if let (None, Some(allowed)) = (&position, state.config.limits.of(caller.user.tier).searches_per_minute) {
        quotas::take(&state.pool, caller.user_id(), Quota::Searches, allowed, Utc::now()).await?.map_err(too_many)?;
    }
    let as_of = position.map_or_else(Utc::now, Position::as_of);
    let asked = asked(&state, caller.user_id(), &parsed).await?;
    let question = Question {
        text: parsed.free(),
        channels,
        filters: Filters { as_of: position.map(Position::as_of), conditions: asked.conditions, ..filters },
        per_video,
        limit: limit as usize,
        after: position.map(Position::after),
    };
    let answer = if asked.is_hopeless {
        Answer::default()
    } else if question.text.is_empty() {
        list(&state, caller.user_id(), &question, &parsed.said()).await?
    } else {
        run(&state, caller.user_id(), &question).await?
    };
    let next_cursor = Position::next(&request_of_cursor, as_of, answer.next);
    let took_ms = millis(began.elapsed());
    if position.is_none() {
        let hits = i32::try_from(answer.hits.len()).unwrap_or(i32::MAX);
        search::record(&state.pool, caller.user_id(), &text, hits, i32::try_from(took_ms).unwrap_or(i32::MAX)).await?;
    }
    Ok(Json(SearchAnswer {
        query: text,
        parsed: ParsedQuery::from(&parsed),
        notes: asked.notes,
        items: answer.hits,
        next_cursor,
        took_ms,
        channels: answer.channels,
    }))
}

/// A query, taken apart, and as it is shown.
fn understood(query: &str) -> Result<(Parsed, String), ApiError> {
    let parsed = language::parse(query)?;
    let text = clean(query);
    if text.is_empty() {
        return Err(ApiError::field("query", "empty", "query must have at least one letter or digit."));
    }
    Ok((parsed, text))
}

/// What every search is checked for, of one that is only kept; its query as it is shown.
pub(super) fn check(request: &SearchRequest) -> Result<String, ApiError> {
    let (_, text) = understood(&request.query)?;
    channels(request, Channel::default_weight)?;
    filters(request.filters.clone().unwrap_or_default())?;
    Ok(text)
}

/// A text as it is shown and completed: control characters are blanks, and its length is bounded.
pub fn clean(text: &str) -> String {
    let text: String = text.chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().any(char::is_alphanumeric) {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        String::new()
    }
}

/// The channels that are asked, each with its weight; `usual` says what one counts where the request says nothing.
fn channels(request: &SearchRequest, usual: impl Fn(Channel) -> f64) -> Result<Vec<(Channel, f64)>, ApiError> {
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
        chosen.into_iter().map(|channel| (channel, weights.get(&channel).copied().unwrap_or_else(|| usual(channel))));
    let weighed: Vec<_> = weighed.filter(|&(_, weight)| weight > 0.0).collect();
    if weighed.is_empty() {
        return Err(ApiError::field("weights", "all_zero", "At least one channel must have a weight above 0."));
    }
    Ok(weighed)
}

pub(super) fn too_many(usage: quotas::QuotaUse) -> ApiError {
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
            prop_assert!(query.chars().count() <= super::MAX_CHARS);
            prop_assert_eq!(clean(&query), query);
        }
    }
}
