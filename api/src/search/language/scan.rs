//! From characters to words, phrases and operators, in one walk.

use super::{Columns, Key};

/// Letters of the longest key.
const LONGEST_KEY: usize = 8;

/// A word, a phrase, or an operator whose value has not been looked at.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// There is a minus before it.
    pub excluded: bool,
    pub key: Option<Key>,
    /// Without quotes; blanks are single spaces, and there are none at its ends.
    pub value: String,
    pub quoted: bool,
    pub columns: Columns,
    /// Of the value, with its quotes.
    pub value_columns: Columns,
}

/// The tokens of a text.
pub(super) fn tokens(chars: &[char]) -> Tokens<'_> {
    Tokens { chars, at: 0 }
}

pub(super) struct Tokens<'a> {
    chars: &'a [char],
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while self.ahead(0).is_some_and(is_blank) {
            self.at += 1;
        }
        let start = self.at;
        let first = self.ahead(0)?;
        // A minus by itself, or one of several, is a dash.
        let excluded = first == '-' && self.ahead(1).is_some_and(|c| c != '-' && !is_blank(c));
        if excluded {
            self.at += 1;
        }
        let key = self.key();
        let value_start = self.at;
        let quoted = self.ahead(0).is_some_and(is_quote);
        let value = if quoted { self.quoted() } else { self.take_until(|c| is_blank(c) || is_quote(c)) };
        Some(Token {
            excluded,
            key,
            value,
            quoted,
            columns: Columns { first: start + 1, end: self.at + 1 },
            value_columns: Columns { first: value_start + 1, end: self.at + 1 },
        })
    }
}

impl Tokens<'_> {
    fn ahead(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    /// A known key with its colon; anything else is left where it is, to be a word.
    fn key(&mut self) -> Option<Key> {
        let letters = self.chars.iter().skip(self.at).take(LONGEST_KEY + 1).take_while(|c| c.is_ascii_alphabetic());
        let name: String = letters.map(char::to_ascii_lowercase).collect();
        let key = Key::ALL.into_iter().find(|key| key.as_str() == name)?;
        if self.ahead(name.len()) != Some(':') {
            return None;
        }
        self.at += name.len() + 1;
        Some(key)
    }

    /// What is between two quotes, or from one to the end.
    fn quoted(&mut self) -> String {
        self.at += 1;
        let text = self.take_until(is_quote);
        if self.at < self.chars.len() {
            self.at += 1;
        }
        text.split(is_blank).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn take_until(&mut self, is_end: impl Fn(char) -> bool) -> String {
        let taken: String = self.chars.iter().skip(self.at).take_while(|c| !is_end(**c)).collect();
        self.at += taken.chars().count();
        taken
    }
}

/// Control characters are blanks, so none of them reaches a statement or a model.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Keyboards of phones put curly quotes where straight ones were meant.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '＂')
}
