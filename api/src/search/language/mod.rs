//! The language of queries: free text, and operators that narrow it (`person:"Minji" tag:car after:2026-01 -music`). What people
//! may write is told in `docs/search.md`.
//!
//! Any text is a query or has one [`Fault`] that says where. Columns are counted in characters (Unicode scalar values) of the text as
//! it was given, from 1. [`Parsed`] prints as its canonical text, which means the same.

mod scan;
mod shown;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;

use chrono::NaiveDate;

use crate::error::ApiError;
use scan::{Token, tokens};

pub use shown::{ParsedOperator, ParsedQuery};

/// Nobody speaks so long, and models read less.
pub const MAX_CHARS: usize = 1000;
/// Each is a condition that every channel checks.
pub const MAX_OPERATORS: usize = 32;

/// A query, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub terms: Vec<Term>,
    /// As they were written.
    pub operators: Vec<Operator>,
}

/// A part of the free text. Neither has quotes or double blanks in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    Word(String),
    /// Words that were in quotes.
    Phrase(String),
}

/// A condition on the scenes, and where it stands. `-word` is one too: it asks that the word be not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub excluded: bool,
    pub ask: Ask,
    pub columns: Columns,
}

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Person(String),
    Tag(String),
    /// On screen.
    Text(String),
    Said(String),
    Title(String),
    /// That day or later.
    After(NaiveDate),
    /// Before that day.
    Before(NaiveDate),
    Duration(Length),
    /// Two lowercase letters.
    Language(String),
}

/// How long a video is, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Below(i64),
    AtMost(i64),
    Above(i64),
    AtLeast(i64),
    /// Both ends inside.
    Between(i64, i64),
}

/// From the first character up to the one behind the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    pub first: usize,
    pub end: usize,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable.
    pub code: &'static str,
    pub columns: Columns,
    /// For the person.
    pub sentence: String,
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::field("query", fault.code, fault.sentence)
            .with("column", fault.columns.first)
            .with("column_end", fault.columns.end)
    }
}

/// What stands before the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Person,
    Tag,
    Text,
    Said,
    Title,
    After,
    Before,
    Duration,
    Lang,
}

impl Key {
    const ALL: [Self; 9] = [
        Self::Person,
        Self::Tag,
        Self::Text,
        Self::Said,
        Self::Title,
        Self::After,
        Self::Before,
        Self::Duration,
        Self::Lang,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Tag => "tag",
            Self::Text => "text",
            Self::Said => "said",
            Self::Title => "title",
            Self::After => "after",
            Self::Before => "before",
            Self::Duration => "duration",
            Self::Lang => "lang",
        }
    }
}

/// Takes a query apart, in time linear in its length.
pub fn parse(text: &str) -> Result<Parsed, Fault> {
    let chars: Vec<char> = text.trim_end().chars().collect();
    if chars.len() > MAX_CHARS {
        return Err(Fault {
            code: "too_long",
            columns: Columns { first: MAX_CHARS + 1, end: chars.len() + 1 },
            sentence: format!("A query has at most {MAX_CHARS} characters; this one has {}.", chars.len()),
        });
    }
    let mut parsed = Parsed::default();
    for token in tokens(&chars) {
        let columns = token.columns;
        let Some((excluded, ask)) = operator(&token)? else {
            parsed.terms.extend(term(token));
            continue;
        };
        if parsed.operators.len() == MAX_OPERATORS {
            return Err(Fault {
                code: "too_many_operators",
                columns,
                sentence: format!(
                    "A query has at most {MAX_OPERATORS} operators; words with a minus are operators too."
                ),
            });
        }
        parsed.operators.push(Operator { excluded, ask, columns });
    }
    Ok(parsed)
}

/// What a token asks for, if it is an operator.
fn operator(token: &Token) -> Result<Option<(bool, Ask)>, Fault> {
    if let Some(key) = token.key {
        let wrong = |(code, sentence)| {
            let columns = if token.value.is_empty() { token.columns } else { token.value_columns };
            Fault { code, columns, sentence }
        };
        return Ok(Some((token.excluded, values::ask(key, &token.value).map_err(wrong)?)));
    }
    let leaves_out = token.excluded && token.value.chars().any(char::is_alphanumeric);
    Ok(leaves_out.then(|| (true, Ask::Said(token.value.clone()))))
}

/// A token that is no operator; empty quotes are nothing.
fn term(token: Token) -> Option<Term> {
    match (token.quoted, token.excluded) {
        (true, true) => None,
        (true, false) => Some(token.value).filter(|value| !value.is_empty()).map(Term::Phrase),
        (false, true) => Some(Term::Word(format!("-{}", token.value))),
        (false, false) => Some(Term::Word(token.value)),
    }
}

impl Parsed {
    /// What the channels look for: the free text, with quotes and `or` as in web searches. Empty where there is nothing to look for.
    pub fn free(&self) -> String {
        let text = self.terms.iter().map(Term::to_string).collect::<Vec<_>>().join(" ");
        if self.is_stray_or() || !text.chars().any(char::is_alphanumeric) { String::new() } else { text }
    }

    /// There is an `or` between operators and no other word: nothing that could be looked for.
    pub fn is_stray_or(&self) -> bool {
        let is_or = |term: &Term| matches!(term, Term::Word(word) if word.eq_ignore_ascii_case("or"));
        !self.operators.is_empty() && !self.terms.is_empty() && self.terms.iter().all(is_or)
    }

    /// All that must be said, for marking it.
    pub fn said(&self) -> String {
        let said =
            self.operators.iter().filter(|operator| !operator.excluded).filter_map(|operator| match &operator.ask {
                Ask::Said(text) => Some(text.as_str()),
                _ => None,
            });
        said.collect::<Vec<_>>().join(" ")
    }
}

impl Ask {
    const fn key(&self) -> Key {
        match self {
            Self::Person(_) => Key::Person,
            Self::Tag(_) => Key::Tag,
            Self::Text(_) => Key::Text,
            Self::Said(_) => Key::Said,
            Self::Title(_) => Key::Title,
            Self::After(_) => Key::After,
            Self::Before(_) => Key::Before,
            Self::Duration(_) => Key::Duration,
            Self::Language(_) => Key::Lang,
        }
    }

    /// As people see it, without quotes.
    fn value(&self) -> String {
        match self {
            Self::Person(text)
            | Self::Tag(text)
            | Self::Text(text)
            | Self::Said(text)
            | Self::Title(text)
            | Self::Language(text) => text.clone(),
            Self::After(date) | Self::Before(date) => date.to_string(),
            Self::Duration(length) => length.to_string(),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Phrase(phrase) => write!(f, "\"{phrase}\""),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minus, key, value) = (if self.excluded { "-" } else { "" }, self.ask.key().as_str(), self.ask.value());
        if value.contains(' ') { write!(f, "{minus}{key}:\"{value}\"") } else { write!(f, "{minus}{key}:{value}") }
    }
}

/// The canonical text: first what is looked for, then the operators.
impl fmt::Display for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.terms.iter().map(Term::to_string);
        let all: Vec<String> = terms.chain(self.operators.iter().map(Operator::to_string)).collect();
        f.write_str(&all.join(" "))
    }
}
