//! From the operators of a query to conditions on scenes: names are looked up in the library of the one who asks.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use heimdex_db::{
    DbError, PersonId, UserId,
    search::{self, Asks, Condition},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::language::{Ask, Length, Parsed};
use crate::state::AppState;

/// Something the person should know about how the query was taken. A search does not fail because somebody was renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SearchNote {
    /// Stable: `unknown_person`, `unknown_tag`, `people_off` or `stray_or`; of a search by picture also `words_beside_picture` or
    /// `picture_says_nothing`
    code: &'static str,
    /// The name or the tag, where it is about one.
    value: Option<String>,
    /// A sentence.
    detail: String,
}

/// What a query asks of each scene.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub conditions: Vec<Condition>,
    pub notes: Vec<SearchNote>,
    /// It asks for somebody or something that is not there, so that no scene can be it.
    pub is_hopeless: bool,
}

/// Looks the names up and says which of them mean nothing.
pub async fn asked(state: &AppState, owner: UserId, parsed: &Parsed) -> Result<Asked, DbError> {
    let names = values(parsed, |ask| if let Ask::Person(name) = ask { Some(name) } else { None });
    let tags = values(parsed, |ask| if let Ask::Tag(tag) = ask { Some(tag) } else { None });
    let mut people: HashMap<String, Vec<PersonId>> = HashMap::new();
    if state.config.features.faces && !names.is_empty() {
        for called in search::people_called(&state.pool, owner, &names).await? {
            people.entry(called.name).or_default().push(called.person_id);
        }
    }
    let unused: HashSet<String> = match tags.is_empty() {
        true => HashSet::new(),
        false => search::unused_tags(&state.pool, owner, &tags).await?.into_iter().collect(),
    };
    let mut asked = Asked::default();
    for operator in &parsed.operators {
        let note = match &operator.ask {
            Ask::Person(_) if !state.config.features.faces => {
                Some(note("people_off", None, "Recognising people is switched off here, so `person:` finds nobody."))
            }
            Ask::Person(name) if !people.contains_key(name) => {
                Some(note("unknown_person", Some(name), format!("Nobody called \"{name}\" is enrolled.")))
            }
            Ask::Tag(tag) if unused.contains(tag) => {
                Some(note("unknown_tag", Some(tag), format!("Nothing is tagged \"{tag}\".")))
            }
            _ => None,
        };
        if let Some(note) = note {
            // Leaving out what is not there leaves everything in.
            asked.is_hopeless |= !operator.excluded;
            add(&mut asked.notes, note);
        }
        let asks = condition(&operator.ask, &people);
        asked.conditions.push(Condition { excluded: operator.excluded, asks });
    }
    if parsed.is_stray_or() {
        let sentence = "`or` is for words; of operators all have to hold.";
        add(&mut asked.notes, note("stray_or", None, sentence));
    }
    Ok(asked)
}

fn values<'a>(parsed: &'a Parsed, of: impl Fn(&'a Ask) -> Option<&'a String>) -> Vec<String> {
    parsed.operators.iter().filter_map(|operator| of(&operator.ask)).cloned().collect()
}

/// A note on a query; the code is stable.
pub fn note(code: &'static str, value: Option<&String>, detail: impl Into<String>) -> SearchNote {
    SearchNote { code, value: value.cloned(), detail: detail.into() }
}

/// Each once, however often a name is in the query.
fn add(notes: &mut Vec<SearchNote>, note: SearchNote) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

fn condition(ask: &Ask, people: &HashMap<String, Vec<PersonId>>) -> Asks {
    match ask {
        Ask::Person(name) => Asks::People(people.get(name).cloned().unwrap_or_default()),
        Ask::Tag(tag) => Asks::Tag(tag.clone()),
        Ask::Text(text) => Asks::Written(text.clone()),
        Ask::Said(text) => Asks::Said(text.clone()),
        Ask::Title(text) => Asks::Title(text.clone()),
        Ask::After(date) => Asks::CreatedFrom(midnight(*date)),
        Ask::Before(date) => Asks::CreatedBefore(midnight(*date)),
        Ask::Language(language) => Asks::Language(language.clone()),
        Ask::Duration(length) => {
            // Lengths are whole milliseconds, so that "below" is "at most one less".
            let (min_ms, max_ms) = match *length {
                Length::Below(ms) => (None, Some(ms - 1)),
                Length::AtMost(ms) => (None, Some(ms)),
                Length::Above(ms) => (Some(ms + 1), None),
                Length::AtLeast(ms) => (Some(ms), None),
                Length::Between(min, max) => (Some(min), Some(max)),
            };
            Asks::Duration { min_ms, max_ms }
        }
    }
}

/// Its first moment, in UTC.
fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}
