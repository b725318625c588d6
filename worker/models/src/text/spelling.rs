//! Misspelt words of a query, by the words that the model knows. It reads an unknown word in pieces that mean something else: an
//! "umbrela" is no umbrella.

use std::collections::{HashMap, HashSet};

use strsim::osa_distance;

/// Letters of a word that may be a misspelt one, and of one that may be meant: of shorter ones too many are alike.
const LETTERS: std::ops::RangeInclusive<usize> = 5..=24;
/// Of a text with more words than this nothing is looked for.
const MOST_WORDS: usize = 16;
/// A known word with one of these is known.
const ENDINGS: [&str; 9] = ["s", "es", "ed", "d", "ing", "er", "ers", "ly", "al"];

/// The whole words of a WordPiece vocabulary, which is in the order of how frequent they are.
pub struct Spelling {
    known: HashSet<String>,
    /// By their first letter, the most frequent first.
    meant: HashMap<char, Vec<String>>,
}

impl Spelling {
    /// Of a vocabulary with its ids; without pieces of words (`##ing`) it is none of whole words, and nothing is ever misspelt.
    pub fn new(vocabulary: HashMap<String, u32>) -> Self {
        let mut words: Vec<(u32, String)> = match vocabulary.keys().any(|piece| piece.starts_with("##")) {
            true => vocabulary.into_iter().filter(|(word, _)| is_plain(word)).map(|(word, id)| (id, word)).collect(),
            false => Vec::new(),
        };
        words.sort_unstable();
        let mut spelling = Self { known: HashSet::new(), meant: HashMap::new() };
        for (_, word) in words {
            if let Some(first) = word.chars().next().filter(|_| LETTERS.contains(&word.len())) {
                spelling.meant.entry(first).or_default().push(word.clone());
            }
            spelling.known.insert(word);
        }
        spelling
    }

    /// The text with the words that are probably meant; `None` where none is misspelt. What is not written in small Latin letters may be a
    /// name, and is left as it is.
    pub fn corrected(&self, text: &str) -> Option<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.len() > MOST_WORDS {
            return None;
        }
        let meant: Vec<Option<&str>> = words.iter().map(|word| self.meant(word)).collect();
        meant.iter().any(Option::is_some).then(|| {
            let corrected = words.iter().zip(meant).map(|(word, meant)| meant.unwrap_or(word));
            corrected.collect::<Vec<_>>().join(" ")
        })
    }

    /// Whether at least half of the words are known, of those of three letters and more; of a vocabulary without whole words nobody knows.
    pub fn reads(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() >= 3);
        let known: Vec<bool> = words.map(|word| self.knows(word)).collect();
        self.known.is_empty() || known.iter().filter(|known| **known).count() * 2 >= known.len()
    }

    /// The most frequent word with the same first letter that is one slip of the pen away: a letter too many, missing, another, or two
    /// that changed places, or letters that should be double or should not.
    fn meant(&self, word: &str) -> Option<&str> {
        let word = word.trim_matches(|letter: char| letter.is_ascii_punctuation());
        if !is_plain(word) || !LETTERS.contains(&word.len()) || self.knows(word) {
            return None;
        }
        let single = without_doubles(word);
        let near = |other: &&String| {
            other.len().abs_diff(word.len()) <= 1 && osa_distance(other, word) == 1 || without_doubles(other) == single
        };
        self.meant.get(&word.chars().next()?)?.iter().find(near).map(String::as_str)
    }

    fn knows(&self, word: &str) -> bool {
        let stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
        self.known.contains(word) || stems.into_iter().any(|stem| self.known.contains(stem))
    }
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_lowercase())
}

fn without_doubles(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelling() -> Spelling {
        let words = [
            "[UNK]",
            "##s",
            "the",
            "rabbit",
            "umbrella",
            "showers",
            "microscope",
            "paints",
            "pawn",
            "house",
            "horse",
            "grass",
        ];
        Spelling::new(words.iter().zip(0..).map(|(word, id)| ((*word).to_owned(), id)).collect())
    }

    #[test]
    fn half_of_the_words_must_be_known() {
        let spelling = spelling();
        for known in ["the rabbits", "The Rabbit.", "rabbit qwertz", "a b", "", "12"] {
            assert!(spelling.reads(known), "{known}");
        }
        for unknown in ["qwertz", "bzmxtg pvxm the", "конь", "건초는"] {
            assert!(!spelling.reads(unknown), "{unknown}");
        }
        assert!(
            Spelling::new(HashMap::from([("▁the".to_owned(), 1)])).reads("qwertz"),
            "nothing is known of such words"
        );
    }

    #[test]
    fn one_slip_of_the_pen_is_mended() {
        let spelling = spelling();
        for (text, corrected) in [
            ("umbrela", "umbrella"),
            ("the rabitt", "the rabbit"),
            ("heavy shoewrs tonight", "heavy showers tonight"),
            ("under the  micrscope,", "under the microscope"),
            // Of equally near ones the more frequent.
            ("housr", "house"),
        ] {
            assert_eq!(spelling.corrected(text).as_deref(), Some(corrected), "{text}");
        }
    }

    #[test]
    fn what_is_known_short_a_name_or_far_from_everything_is_left_alone() {
        let spelling = spelling();
        for text in
            ["rabbit", "rabbits", "pawns", "gras", "Rabitt", "orse", "xqzvblorft", "우산", "", "12345", "rab1tt"]
        {
            assert_eq!(spelling.corrected(text), None, "{text}");
        }
        let long = "umbrela ".repeat(MOST_WORDS + 1);
        assert_eq!(spelling.corrected(&long), None);
    }

    /// A vocabulary of another kind knows no whole words, so that none is misspelt.
    #[test]
    fn without_whole_words_nothing_is_misspelt() {
        let pieces = ["▁umbrella", "umbrella"].iter().zip(0..).map(|(word, id)| ((*word).to_owned(), id)).collect();
        assert_eq!(Spelling::new(pieces).corrected("umbrela"), None);
    }

    proptest! {
        #[test]
        fn what_is_mended_is_known(text in "[a-z ]{0,60}|\\PC{0,60}") {
            let spelling = spelling();
            if let Some(corrected) = spelling.corrected(&text) {
                prop_assert_eq!(corrected.split(' ').count(), text.split_whitespace().count());
                prop_assert!(spelling.corrected(&corrected).is_none(), "{}", corrected);
            }
        }
    }
}
