//! What a query in another language says, word by word in English: for models that read English only. It is no translation, but what a
//! sentence encoder makes of the right words in the wrong order is near what it makes of the sentence.

mod reading;
mod table;

use std::io;

use unicode_normalization::UnicodeNormalization;

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};

use self::reading::Reading;
use self::table::Table;

/// The words themselves, as `scripts/models.d/dictionary.py` writes them.
pub(crate) const WORDS: &str = "words.tsv";
/// The language of lines that say what words are English.
const ENGLISH: &str = "en";
/// Words, or letters where no spaces are written, of a query that is read.
const MOST_WORDS: usize = 24;
const MOST_LETTERS: usize = 96;

/// A loaded dictionary. Few of its words are in memory; looking them up reads its file.
pub struct Dictionary {
    table: Table,
    /// Those with spaces between their words, sorted.
    with_spaces: Vec<String>,
}

impl Dictionary {
    /// Loads it from a verified manifest, which reads its file once.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] naming the file and the line that is not as it should be.
    pub fn load(manifest: &Manifest) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Dictionary)?;
        let path = manifest.file(WORDS)?;
        let table = Table::open(&path).map_err(|error| ModelError::Mismatch {
            id: manifest.id.clone(),
            path,
            expected: "sorted lines of language, form and English".to_owned(),
            found: error.to_string(),
        })?;
        let mut with_spaces: Vec<String> =
            manifest.languages.iter().filter(|language| !["ja", "zh"].contains(&language.as_str())).cloned().collect();
        with_spaces.sort_unstable();
        Ok(Self { table, with_spaces })
    }

    /// The words of a text in English, those that say nothing left out and those that nobody knows as they are. `None` where it is
    /// English already, in no language that is known, or says nothing; most of its words have to be known.
    ///
    /// # Errors
    /// [`ModelError::Engine`] where the dictionary's file can no longer be read.
    pub fn in_english(&self, text: &str) -> Result<Option<String>, ModelError> {
        self.read(text).map_err(|error| ModelError::Engine { engine: "dictionary", reason: error.to_string() })
    }

    fn read(&self, text: &str) -> io::Result<Option<String>> {
        // As the dictionary is written; names of files come with their accents apart.
        let text: String = text.nfc().flat_map(char::to_lowercase).collect();
        if text.contains(reading::is_kana) {
            return Ok(self.run_together(&text, "ja")?.and_then(Reading::told));
        }
        if text.contains(reading::is_han) {
            let (chinese, japanese) = (self.run_together(&text, "zh")?, self.run_together(&text, "ja")?);
            // What is written in Chinese characters alone may be either.
            let better = match (chinese, japanese) {
                (Some(chinese), Some(japanese)) if japanese.is_surer_than(&chinese) => Some(japanese),
                (Some(chinese), _) => Some(chinese),
                (None, japanese) => japanese,
            };
            return Ok(better.and_then(Reading::told));
        }
        let words: Vec<&str> =
            text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if words.is_empty() || words.len() > MOST_WORDS {
            return Ok(None);
        }
        let mut best = Reading::of_words(&words, |form| self.called(ENGLISH, form))?;
        let mut is_english = true;
        if best.is_sure() {
            return Ok(None);
        }
        for language in &self.with_spaces {
            let reading = Reading::of_words(&words, |form| self.called(language, form))?;
            if reading.is_surer_than(&best) {
                (best, is_english) = (reading, false);
            }
        }
        Ok((!is_english).then_some(best).and_then(Reading::told))
    }

    fn run_together(&self, text: &str, language: &str) -> io::Result<Option<Reading>> {
        let letters: Vec<char> = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
        if letters.len() > MOST_LETTERS {
            return Ok(None);
        }
        Reading::of_letters(&letters, |form| self.called(language, form)).map(Some)
    }

    fn called(&self, language: &str, form: &str) -> io::Result<Option<String>> {
        self.table.get(&format!("{language}\t{form}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: &[&str] = &[
        "de\talte\told",
        "de\tauf\t",
        "de\tbrücke\tbridge",
        "de\tder\t",
        "de\tdie\t",
        "de\tfluss\triver",
        "en\tband\t",
        "en\tbridge\t",
        "en\tdie\t",
        "en\told\t",
        "en\tthe\t",
        "es\tvieja\told woman",
        "fr\tchaude\thot",
        "fr\td\t",
        "fr\teau\twater",
        "fr\tl\t",
        "fr\tpomme\tapple",
        "fr\tpomme de terre\tpotato",
        "ja\tカメラ\tcamera",
        "ja\tハス\tlotus",
        "ja\tバス\tbus",
        "ja\t兄弟\tbrother",
        "ja\t台所\tkitchen",
        "ja\t飲\tdrink",
        "zh\t兄\tolder",
        "zh\t台\tplatform",
        "zh\t弟\tyounger",
        "zh\t所\t",
        "zh\t草莓\tstrawberry",
    ];

    fn dictionary() -> Dictionary {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(WORDS), LINES.join("\n") + "\n").unwrap();
        let manifest = "kind = \"dictionary\"\nid = \"few\"\nversion = \"1\"\nengine = \"none\"\nlicence = \"MIT\"\nsource = \"-\"
            languages = [\"de\", \"es\", \"fr\", \"ja\", \"zh\"]\nfiles = [{ path = \"words.tsv\", sha256 = \"-\", size_bytes = 0 }]";
        std::fs::write(folder.path().join("heimdex-model.toml"), manifest).unwrap();
        Dictionary::load(&Manifest::read(folder.path()).unwrap()).unwrap()
    }

    #[test]
    fn a_sentence_is_read_word_by_word() {
        let dictionary = dictionary();
        for (text, english) in [
            ("die alte Brücke", "old bridge"),
            ("Die alte Brücke auf Rügen!", "old bridge rügen"),
            ("de l'eau chaude", "water hot"),
            ("l’eau chaude", "water hot"),
            ("pomme de terre chaude", "potato hot"),
            ("カメラを飲んだ兄弟", "camera drink brother"),
            ("Pentaxのカメラ", "pentax camera"),
            ("die alte Bru\u{308}cke", "old bridge"),
            ("ハ\u{3099}ス", "bus"),
            ("草莓", "strawberry"),
            // In Chinese two words, in Japanese one, also where one of the two says nothing.
            ("兄弟", "brother"),
            ("台所", "kitchen"),
        ] {
            assert_eq!(dictionary.in_english(text).unwrap().as_deref(), Some(english), "{text}");
        }
    }

    #[test]
    fn what_is_english_or_strange_is_left_alone() {
        let dictionary = dictionary();
        for text in [
            "",
            "?",
            "the old bridge",
            "die",
            "die band",
            "qwertz asdf",
            "der",
            "мост",
            "다리",
            "カナメラ",
            "vieja qwertz asdf",
            "1926",
        ] {
            assert_eq!(dictionary.in_english(text).unwrap(), None, "{text}");
        }
        assert_eq!(dictionary.in_english(&"Brücke ".repeat(MOST_WORDS + 1)).unwrap(), None, "too many words");
        assert_eq!(dictionary.in_english(&"兄".repeat(MOST_LETTERS + 1)).unwrap(), None, "too many letters");
    }

    proptest! {
        #[test]
        fn whatever_is_asked_has_an_answer(text in ".{0,200}", mixed in "[カメラ兄弟飲草莓のab ']{0,40}") {
            let dictionary = dictionary();
            for text in [text, mixed] {
                if let Some(english) = dictionary.in_english(&text).unwrap() {
                    prop_assert!(!english.trim().is_empty());
                }
            }
        }
    }
}
