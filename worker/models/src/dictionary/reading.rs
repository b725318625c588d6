//! A text in one language, as far as its words are known.

use std::io;

/// Words of the longest form in languages with spaces, and letters of it in those without.
const LONGEST_WORDS: usize = 3;
const LONGEST_LETTERS: usize = 8;
/// A word that nobody knows is a name, if it has so many letters.
const NAME: usize = 3;
/// Of the words so many in ten have to be known.
const KNOWN_IN_TEN: usize = 6;

#[derive(Debug, Default)]
pub(super) struct Reading {
    /// In their order, each once.
    told: Vec<String>,
    /// Words or letters that are known, and that are not.
    known: usize,
    unknown: usize,
    /// Known forms, which are fewer the longer they are, and those of them that say something.
    forms: usize,
    saying: usize,
}

impl Reading {
    /// Of words, the longest forms first.
    pub(super) fn of_words(words: &[&str], called: impl Fn(&str) -> io::Result<Option<String>>) -> io::Result<Self> {
        let mut reading = Self::default();
        let mut rest = words;
        while let Some(first) = rest.first() {
            let mut length = LONGEST_WORDS.min(rest.len());
            let english = loop {
                match called(&rest[..length].join(" "))? {
                    None if length > 1 => length -= 1,
                    english => break english,
                }
            };
            match english {
                Some(english) => reading.knows(length, &english),
                None => {
                    reading.unknown += 1;
                    if first.chars().count() >= NAME {
                        reading.tell(first);
                    }
                }
            }
            rest = &rest[length..];
        }
        Ok(reading)
    }

    /// Of letters without spaces between words, the longest forms first. Hiragana that is part of no form is an ending; what is written in
    /// Katakana is one word or none, and what is written in other letters is a name.
    pub(super) fn of_letters(
        letters: &[char],
        called: impl Fn(&str) -> io::Result<Option<String>>,
    ) -> io::Result<Self> {
        let mut reading = Self::default();
        let mut rest = letters;
        while let Some(&first) = rest.first() {
            let run = |is_of: fn(char) -> bool| rest.iter().take_while(|letter| is_of(**letter)).count();
            if let name @ 1.. = run(|letter| !is_kana(letter) && !is_han(letter)) {
                reading.unknown += 1;
                reading.tell(&rest[..name].iter().collect::<String>());
                rest = &rest[name..];
                continue;
            }
            let (mut length, shortest) = match run(is_katakana) {
                0 => (LONGEST_LETTERS.min(rest.len()), 1),
                run => (run, run),
            };
            let english = loop {
                let form = &rest[..length];
                // Two of them are a particle more often than a word.
                let is_ending = length <= 2 && form.iter().all(|letter| is_hiragana(*letter));
                let english = if is_ending { None } else { called(&form.iter().collect::<String>())? };
                match english {
                    None if length > shortest => length -= 1,
                    english => break english,
                }
            };
            match english {
                Some(english) => reading.knows(length, &english),
                None if is_hiragana(first) => {}
                None => reading.unknown += length,
            }
            rest = &rest[length..];
        }
        Ok(reading)
    }

    fn knows(&mut self, length: usize, english: &str) {
        self.known += length;
        self.forms += 1;
        self.saying += usize::from(!english.is_empty());
        english.split_whitespace().for_each(|word| self.tell(word));
    }

    fn tell(&mut self, word: &str) {
        if !self.told.iter().any(|told| told == word) {
            self.told.push(word.to_owned());
        }
    }

    /// Every word is known.
    pub(super) fn is_sure(&self) -> bool {
        self.unknown == 0
    }

    /// More of the text is known, or as much of it in fewer forms.
    pub(super) fn is_surer_than(&self, other: &Self) -> bool {
        let (here, there) = (self.known * (other.known + other.unknown), other.known * (self.known + self.unknown));
        here > there || here == there && self.forms < other.forms && self.forms > 0
    }

    /// What it says, if enough of it is known.
    pub(super) fn told(self) -> Option<String> {
        let enough = self.saying > 0 && self.known * 10 >= (self.known + self.unknown) * KNOWN_IN_TEN;
        enough.then(|| self.told.join(" "))
    }
}

fn is_hiragana(letter: char) -> bool {
    ('\u{3040}'..='\u{309f}').contains(&letter)
}

fn is_katakana(letter: char) -> bool {
    ('\u{30a0}'..='\u{30ff}').contains(&letter)
}

pub(super) fn is_kana(letter: char) -> bool {
    is_hiragana(letter) || is_katakana(letter)
}

pub(super) fn is_han(letter: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&letter)
}
