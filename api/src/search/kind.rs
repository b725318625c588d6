//! What sort of query it is, and what each channel counts by it and by the role of the one who asks.

use heimdex_db::enums::UserRole;

use super::{
    language::{Parsed, Term},
    run::Channel,
};

/// What a query is like. A name is seen by what it finds, not by how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In quotes: exactly these words.
    Quote,
    /// Something is asked, and the answer has other words.
    Question,
    /// One or two words: a thing, a name, a tag.
    Word,
    /// What is said or shown, described.
    Description,
}

/// English question words; other languages are known by their question mark.
const ASKING: [&str; 9] = ["what", "when", "where", "which", "who", "whose", "why", "how", "whom"];

/// Of the free text.
pub fn kind(parsed: &Parsed) -> Kind {
    let words =
        parsed.terms.iter().filter_map(|term| if let Term::Word(word) = term { Some(word.as_str()) } else { None });
    let words: Vec<_> = words.collect();
    let asks = |word: &&str| ASKING.iter().any(|asking| word.eq_ignore_ascii_case(asking));
    if words.len() < parsed.terms.len() {
        Kind::Quote
    } else if words.last().is_some_and(|last| last.ends_with(['?', '？', '؟']))
        || words.len() > 2 && words.first().is_some_and(asks)
    {
        Kind::Question
    } else if words.len() <= 2 {
        Kind::Word
    } else {
        Kind::Description
    }
}

/// What a channel counts where the request says nothing of it.
pub fn weight(channel: Channel, kind: Kind, role: Option<UserRole>) -> f64 {
    channel.default_weight() * by_kind(channel, kind) * role.map_or(1.0, |role| by_role(channel, role))
}

const fn by_kind(channel: Channel, kind: Kind) -> f64 {
    match (kind, channel) {
        (Kind::Quote, Channel::Words | Channel::Written) => 1.5,
        (Kind::Quote, Channel::Meaning | Channel::Seen) => 0.5,
        (Kind::Question, Channel::Meaning) => 1.2,
        (Kind::Question, Channel::Seen) => 0.8,
        (Kind::Word, Channel::Words | Channel::Written | Channel::Tagged) => 1.2,
        _ => 1.0,
    }
}

/// What people of a role look for first: a nudge, not a filter.
const fn by_role(channel: Channel, role: UserRole) -> f64 {
    match (role, channel) {
        (UserRole::Creator, Channel::Seen | Channel::Tagged) => 1.1,
        (UserRole::Journalist, Channel::Words | Channel::Who) => 1.1,
        (UserRole::Researcher, Channel::Meaning | Channel::Words) => 1.1,
        (UserRole::Archivist, Channel::Written | Channel::Titled) => 1.1,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::language::parse;

    #[test]
    fn queries_are_of_a_kind() {
        for (query, expected) in [
            ("\"exact words\"", Kind::Quote),
            ("minji \"exact words\" tag:car", Kind::Quote),
            ("Where did the farmer find it", Kind::Question),
            ("언제 시작해요?", Kind::Question),
            ("who", Kind::Word),
            ("red car tag:street", Kind::Word),
            ("a man in a car", Kind::Description),
        ] {
            assert_eq!(kind(&parse(query).unwrap()), expected, "{query}");
        }
    }

    #[test]
    fn what_a_person_does_nudges() {
        for role in [UserRole::Creator, UserRole::Journalist, UserRole::Researcher, UserRole::Archivist] {
            let nudged =
                Channel::ALL.map(|channel| weight(channel, Kind::Description, Some(role)) / channel.default_weight());
            assert!(nudged.iter().any(|&by| by > 1.0) && nudged.iter().all(|&by| (1.0..1.2).contains(&by)));
        }
    }
}
