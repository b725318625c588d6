//! `GET /search/suggest`: completions while typing. Cheap, and not counted as a search.

use axum::{Json, extract::State};
use heimdex_db::search;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::clean;
use crate::{auth::Caller, error::ApiError, extract::Query, state::AppState};

const MOST: usize = 8;
const WORDS_OF_A_PHRASE: usize = 6;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SuggestParams {
    /// What has been typed so far.
    #[serde(default)]
    q: String,
}

#[derive(Serialize, ToSchema)]
pub struct Suggestions {
    items: Vec<Suggestion>,
}

#[derive(Serialize, ToSchema)]
pub struct Suggestion {
    /// What to search for.
    text: String,
    /// `saved` (a saved search), `recent` (searched before), `title` or `spoken`
    kind: &'static str,
    /// Of a saved search.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Completions while typing.
#[utoipa::path(get, path = "/search/suggest", tag = "search", params(SuggestParams), responses((status = OK, body = Suggestions)))]
pub async fn suggest(
    State(state): State<AppState>,
    caller: Caller,
    Query(params): Query<SuggestParams>,
) -> Result<Json<Suggestions>, ApiError> {
    let typed: String = clean(&params.q).chars().take(100).collect();
    if typed.chars().count() < 2 {
        return Ok(Json(Suggestions { items: Vec::new() }));
    }
    let owner = caller.user_id();
    let (saved, recent, titles, texts) = tokio::try_join!(
        search::saved_as(&state.pool, owner, &typed, 3),
        search::recent_queries(&state.pool, owner, &typed, 3),
        search::titles(&state.pool, owner, &typed, 4),
        search::texts_with(&state.pool, owner, &typed, 20),
    )?;
    let mut items: Vec<Suggestion> = Vec::new();
    let phrases = texts.iter().filter_map(|text| phrase(text, &typed));
    let all = saved
        .into_iter()
        .map(|saved| (saved.query, "saved", Some(saved.name)))
        .chain(recent.into_iter().map(|text| (text, "recent", None)))
        .chain(titles.into_iter().map(|text| (text, "title", None)))
        .chain(phrases.map(|text| (text, "spoken", None)));
    for (text, kind, name) in all {
        if items.len() < MOST && !items.iter().any(|item| item.text.eq_ignore_ascii_case(&text)) {
            items.push(Suggestion { text, kind, name });
        }
    }
    Ok(Json(Suggestions { items }))
}

/// The words of a text from the one in which the typed letters begin.
fn phrase(text: &str, typed: &str) -> Option<String> {
    let lower = text.to_lowercase();
    // Lowercasing may change lengths; then the text is not cut but left out.
    let at = lower.find(&typed.to_lowercase()).filter(|_| lower.len() == text.len())?;
    let start = text.get(..at)?.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    let words: Vec<&str> = text.get(start..)?.split_whitespace().take(WORDS_OF_A_PHRASE).collect();
    let phrase = words.join(" ");
    Some(phrase.trim_matches(|c: char| c.is_ascii_punctuation()).to_owned()).filter(|phrase| !phrase.is_empty())
}

#[cfg(test)]
mod tests {
    use super::phrase;

    #[test]
    fn a_phrase_begins_with_the_whole_word() {
        let text = "It was the best of times, it was the worst of times";
        assert_eq!(phrase(text, "bes").as_deref(), Some("best of times, it was the"));
        assert_eq!(phrase(text, "nothing"), None);
        assert_eq!(phrase("İstanbul", "stan"), None);
    }
}
