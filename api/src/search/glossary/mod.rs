//! What common things are called in other languages: for models that read English only, and queries that do not write it.
//!
//! `terms.tsv` is made by `scripts/glossary.py`: a line a thing, its English name first, then what it is called, lowercase, in each
//! language of the head, empty where that is not known or an English word too.

use std::{collections::HashMap, sync::LazyLock};

use heimdex_db::search::without_particle;

const TERMS: &str = include_str!("terms.tsv");
/// Words of the longest name.
const LONGEST: usize = 4;
/// Longer queries say more than a few names.
const MOST_WORDS: usize = 8;
/// Letters of a script without spaces that are taken apart, at most.
const MOST_LETTERS: usize = 32;
/// Words that are no part of what a thing is called.
const ARTICLES: [&str; 38] = [
    "der", "die", "das", "den", "dem", "ein", "eine", "einen", "einem", "einer", "le", "la", "les", "l", "un", "une",
    "des", "du", "el", "los", "las", "una", "unos", "unas", "il", "lo", "gli", "uno", "o", "os", "as", "um", "uma",
    "de", "het", "een", "en", "ett",
];
/// What a name in the plural ends in, in languages of Latin letters.
const PLURALS: [&str; 7] = ["s", "es", "n", "en", "e", "er", "x"];
/// Letters that are left of it, at least.
const STEM: usize = 4;
/// What stands between two names in Chinese and Japanese.
const BETWEEN: [char; 6] = ['的', '和', '与', 'の', 'と', '、'];

static GLOSSARY: LazyLock<Glossary> = LazyLock::new(|| Glossary::of(TERMS));

struct Glossary {
    /// By their words with single spaces, or by their letters where none are written between words.
    names: HashMap<String, &'static str>,
    /// Letters of the longest name without spaces.
    longest: usize,
}

/// The English names of what a query names in other languages: of all of it, or it says something else. `None` too where it is English.
pub fn in_english(query: &str) -> Option<String> {
    GLOSSARY.in_english(query)
}

impl Glossary {
    fn of(terms: &'static str) -> Self {
        let mut names = HashMap::new();
        for line in terms.lines().skip(1) {
            let mut cells = line.split('\t');
            let Some(english) = cells.next() else { continue };
            for name in cells.filter(|name| !name.is_empty()) {
                // Two things of one name: the first of them, in the order of the alphabet, as good as the other.
                names.entry(words(name).join(" ")).or_insert(english);
            }
        }
        let longest =
            names.keys().filter(|name| !name.contains(' ')).map(|name| name.chars().count()).max().unwrap_or(0);
        Self { names, longest }
    }

    fn in_english(&self, query: &str) -> Option<String> {
        let words = words(query);
        if words.is_empty() || words.len() > MOST_WORDS {
            return None;
        }
        let mut rest = words.as_slice();
        let mut found: Vec<&str> = Vec::new();
        while let Some(first) = rest.first() {
            let named = (1..=LONGEST.min(rest.len())).rev().find_map(|n| Some((n, self.name(&rest[..n])?)));
            match named {
                Some((n, english)) => {
                    found.extend(english);
                    rest = &rest[n..];
                }
                None if ARTICLES.contains(&first.as_str()) => rest = &rest[1..],
                None => return None,
            }
        }
        found.dedup();
        (!found.is_empty()).then(|| found.join(" "))
    }

    /// Of words that are one name, or of one word that is several.
    fn name(&self, words: &[String]) -> Option<Vec<&'static str>> {
        let name = words.join(" ");
        if let Some(english) = self.names.get(&name) {
            return Some(vec![english]);
        }
        if words.len() > 1 {
            return None;
        }
        let of_one =
            PLURALS.iter().filter_map(|ending| name.strip_suffix(ending)).filter(|stem| stem.chars().count() >= STEM);
        let bare = without_particle(&name).chain(of_one).find_map(|bare| self.names.get(bare));
        bare.map(|english| vec![*english]).or_else(|| self.run_together(&name))
    }

    /// Several names without spaces between them, the longest first.
    fn run_together(&self, word: &str) -> Option<Vec<&'static str>> {
        let letters: Vec<char> = word.chars().collect();
        if letters.len() > MOST_LETTERS || !letters.iter().copied().all(heimdex_db::search::has_no_spaces) {
            return None;
        }
        let mut found = Vec::new();
        let mut at = 0;
        while at < letters.len() {
            let named = (1..=self.longest.min(letters.len() - at)).rev().find_map(|n| {
                let name: String = letters[at..at + n].iter().collect();
                Some((n, *self.names.get(&name)?))
            });
            match named {
                Some((n, english)) => {
                    found.push(english);
                    at += n;
                }
                None if BETWEEN.contains(&letters[at]) => at += 1,
                None => return None,
            }
        }
        (!found.is_empty()).then_some(found)
    }
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn things_are_named_in_many_languages() {
        for (query, english) in [
            ("Sanduhr", "hourglass"),
            ("eine Sanduhr", "hourglass"),
            ("우주비행사", "astronaut"),
            ("우주비행사가", "astronaut"),
            ("宇宙飛行士", "astronaut"),
            ("草莓和沙漏", "strawberry hourglass"),
            ("la fraise", "strawberry"),
            ("песочные часы", "hourglass"),
            ("Segelboot, Sanduhr", "sailboat hourglass"),
            ("Münzen", "coin"),
            ("les fraises", "strawberry"),
        ] {
            assert_eq!(in_english(query).as_deref(), Some(english), "{query}");
        }
    }

    /// What is English, or says more than things, is left as it is.
    #[test]
    fn what_is_english_or_a_sentence_is_left_alone() {
        for query in [
            "hourglass",
            "a hut",
            "pain",
            "main gift",
            "die Sanduhr läuft ab",
            "der",
            "우주비행사 회의",
            "草莓很好吃",
            "",
            "???",
        ] {
            assert_eq!(in_english(query), None, "{query}");
        }
    }

    #[test]
    fn every_line_has_a_cell_for_each_language() {
        let columns = TERMS.lines().next().unwrap().split('\t').count();
        for line in TERMS.lines() {
            assert_eq!(line.split('\t').count(), columns, "{line}");
            let longest = line.split('\t').map(|name| words(name).len()).max().unwrap();
            assert!(longest <= LONGEST, "{line}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_has_an_answer(query in ".{0,200}") {
            if let Some(english) = in_english(&query) {
                prop_assert!(english.is_ascii() && !english.is_empty(), "{english:?}");
            }
        }
    }
}
