//! What a search may ask of a scene piece by piece. Unlike the other filters these may be turned round, and all of them hold.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{ids::PersonId, videos::like_part};

/// One thing a scene must have, or must not.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Only scenes of which it is not so; where it is not known, it is not so.
    pub excluded: bool,
    pub asks: Asks,
}

/// What is asked. Texts are found whatever their case.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// Any of them is in the scene; nobody is in none.
    People(Vec<PersonId>),
    /// Of the video or of the scene: its id, or what it is called in any language.
    Tag(String),
    /// Can be read in the scene, letter by letter.
    Written(String),
    /// Is said in the scene: words one behind the other, in English in any of their forms.
    Said(String),
    /// Is a part of the video's title.
    Title(String),
    /// The video was made then or later.
    CreatedFrom(DateTime<Utc>),
    CreatedBefore(DateTime<Utc>),
    /// Of the video, both ends inside.
    Duration {
        min_ms: Option<i64>,
        max_ms: Option<i64>,
    },
    /// ISO 639-1, lowercase.
    Language(String),
}

/// Adds `AND …` for a row `s` that is joined as by [`super::push_visible`].
pub(super) fn push(sql: &mut QueryBuilder<Postgres>, condition: &Condition) {
    sql.push(" AND (");
    match &condition.asks {
        Asks::People(people) => {
            push_people(sql, people);
        }
        Asks::Tag(tag) => {
            let tag = tag.to_lowercase();
            sql.push("EXISTS (SELECT FROM unnest(v.tags) AS own (tag) WHERE lower(own.tag) = ").push_bind(tag.clone());
            sql.push(") OR EXISTS (SELECT FROM scene_tags t WHERE t.run_id = s.run_id AND t.scene_id = s.scene_id AND t.owner_id = s.owner_id AND t.tag = ANY(array_prepend(");
            sql.push_bind(tag.clone()).push("::text, ARRAY(SELECT l.tag FROM tag_labels l WHERE lower(l.label) = ");
            sql.push_bind(tag).push("))))");
        }
        Asks::Written(text) => {
            sql.push("EXISTS (SELECT FROM screen_texts w WHERE ");
            push_written(sql, text);
            sql.push(")");
        }
        Asks::Said(text) => {
            sql.push("EXISTS (SELECT FROM scenes f WHERE f.run_id = s.run_id AND f.scene_id = s.scene_id AND f.owner_id = s.owner_id AND ");
            if text.chars().any(has_no_spaces) {
                sql.push("f.text ILIKE ").push_bind(like_part(text));
            } else {
                // The index holds every word in its stem and as it is.
                sql.push("f.text_tsv @@ (phraseto_tsquery('english', ").push_bind(text.clone());
                sql.push(") || phraseto_tsquery('simple', ").push_bind(text.clone()).push("))");
            }
            sql.push(")");
        }
        Asks::Title(text) => {
            sql.push("v.title ILIKE ").push_bind(like_part(text));
        }
        Asks::CreatedFrom(from) => {
            sql.push("v.created_at >= ").push_bind(*from);
        }
        Asks::CreatedBefore(before) => {
            sql.push("v.created_at < ").push_bind(*before);
        }
        Asks::Duration { min_ms, max_ms } => {
            // A video of which the length is not known is neither short nor long.
            sql.push("m.duration_ms IS NOT NULL");
            if let Some(min) = min_ms {
                sql.push(" AND m.duration_ms >= ").push_bind(*min);
            }
            if let Some(max) = max_ms {
                sql.push(" AND m.duration_ms <= ").push_bind(*max);
            }
        }
        Asks::Language(language) => {
            // "en (assumed)" is English.
            sql.push("split_part(lower(r.language), ' ', 1) = ").push_bind(language.clone());
        }
    }
    sql.push(if condition.excluded { ") IS NOT TRUE" } else { ")" });
}

/// Any of them is in the scene `s`.
pub(super) fn push_people(sql: &mut QueryBuilder<Postgres>, people: &[PersonId]) {
    sql.push("EXISTS (SELECT FROM scene_people w WHERE w.run_id = s.run_id AND w.scene_id = s.scene_id AND w.owner_id = s.owner_id AND w.person_id = ANY(");
    sql.push_bind(people.iter().map(|id| id.0).collect::<Vec<Uuid>>()).push("))");
}

/// The text can be read in `w`, a row of `screen_texts`, which is of the scene `s`.
pub(super) fn push_written(sql: &mut QueryBuilder<Postgres>, text: &str) {
    sql.push("w.run_id = s.run_id AND w.scene_id = s.scene_id AND w.owner_id = s.owner_id AND ");
    push_letters(sql, "w", text);
}

/// A text is letter by letter in that of the row `alias`. Who reads pictures takes letters that stand far apart for a word.
pub(super) fn push_letters(sql: &mut QueryBuilder<Postgres>, alias: &str, text: &str) {
    sql.push(format!("({alias}.text ILIKE ")).push_bind(like_part(text));
    if let Some(joined) = joined(text) {
        sql.push(format!(" OR {alias}.text ILIKE ")).push_bind(like_part(&joined));
    }
    sql.push(")");
}

/// Three or more single letters as a word.
fn joined(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let spaced = words.len() >= 3 && words.iter().all(|word| word.chars().count() == 1);
    spaced.then(|| words.concat())
}

/// Letters of scripts that put no spaces between words, or, as Korean does, particles right behind them: there a word is
/// found as a part of the text.
pub fn has_no_spaces(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'     // Thai, Lao
        | '\u{1000}'..='\u{109f}'   // Burmese
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{3040}'..='\u{30ff}'   // Hiragana, Katakana
        | '\u{3400}'..='\u{9fff}'   // Han
        | '\u{ac00}'..='\u{d7af}'   // Hangul
        | '\u{f900}'..='\u{faff}'   // Han, compatibility
        | '\u{20000}'..='\u{323af}' // Han, rare
    )
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn letters_that_stand_apart_are_a_word_and_words_are_not() {
        assert_eq!(joined("L P E D").as_deref(), Some("LPED"));
        assert_eq!(joined(" U  S A ").as_deref(), Some("USA"));
        for other in ["is it", "a b", "LPED", "plan B 2", ""] {
            assert_eq!(joined(other), None, "{other}");
        }
    }
}
