//! What is heard in a query: each word, and words that stand side by side as one, as names are spelt in another script.

use std::collections::HashMap;

use super::{
    ENOUGH, ENOUGH_ALONE, ENOUGH_AS_NAME,
    key::{consonants, key},
    reading::{as_family_spells, reading},
    script::{Script, Word, words},
};

/// Words of a query that are listened to.
const MAX_WORDS: usize = 64;
/// Words of a name that is one word in another script, at most.
const JOINED: usize = 4;
/// Letters of a Chinese name with the family's, where it stands among others.
const WHOLE_HAN: [usize; 2] = [3, 4];

/// What Korean and Japanese write at the end of a name.
const KOREAN_ENDINGS: &[&str] = &[
    "은", "는", "이", "가", "을", "를", "의", "와", "과", "도", "만", "에", "로", "랑", "야", "아", "씨", "님", "에게",
    "한테", "께서", "이랑", "하고", "으로", "에서", "이는", "이가", "이를",
];
const JAPANESE_ENDINGS: &[&str] =
    &["が", "は", "を", "の", "に", "と", "も", "で", "へ", "や", "さん", "ちゃん", "くん", "さま"];

/// A word, or several as one.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub script: Script,
    pub key: String,
    pub letters: usize,
    /// Sounds that a name has to have to be heard here.
    pub least: usize,
}

/// By their consonants.
pub(in crate::search) struct Query {
    heard: HashMap<String, Vec<Heard>>,
    is_latin: bool,
}

impl Query {
    /// Of a text in which there may be names.
    pub fn sentence(text: &str) -> Self {
        let mut words = words(text);
        words.truncate(MAX_WORDS);
        let mut query = Self::empty(&words);
        for (start, first) in words.iter().enumerate() {
            let rest = &words[start..];
            let joined = rest.iter().take(JOINED).take_while(|word| word.script == first.script).count();
            for side_by_side in (1..=joined).filter_map(|count| rest.get(..count)) {
                let least = if side_by_side.len() == words.len() { ENOUGH_ALONE } else { ENOUGH };
                let Some((last, before)) = side_by_side.split_last() else { continue };
                for stem in stems(last) {
                    query.hear(first.script, before.iter().map(|word| word.text.as_str()).chain([stem]), least);
                }
            }
            // Chinese is written without spaces.
            let letters: Vec<char> =
                if first.script == Script::Han { first.text.chars().collect() } else { Vec::new() };
            for part in
                WHOLE_HAN.into_iter().filter(|count| *count < letters.len()).flat_map(|count| letters.windows(count))
            {
                query.hear(Script::Han, [String::from_iter(part).as_str()], ENOUGH);
            }
        }
        query
    }

    /// Of a name and nothing else.
    pub fn name(text: &str) -> Self {
        let words = words(text);
        let mut query = Self::empty(&words);
        if let Some(first) = words.first()
            && words.len() <= JOINED
            && words.iter().all(|word| word.script == first.script)
        {
            query.hear(first.script, words.iter().map(|word| word.text.as_str()), ENOUGH_AS_NAME);
        }
        query
    }

    fn empty(words: &[Word]) -> Self {
        Self { heard: HashMap::new(), is_latin: words.iter().all(|word| word.script == Script::Latin) }
    }

    fn hear<'a>(&mut self, script: Script, words: impl IntoIterator<Item = &'a str>, least: usize) {
        let words: Vec<&str> = words.into_iter().collect();
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        for key in keys(script, &words) {
            self.heard.entry(consonants(&key)).or_default().push(Heard { script, key, letters, least });
        }
    }

    /// No name can be heard in it.
    pub fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// All of it, so that only names in other scripts are another matter.
    pub fn is_latin(&self) -> bool {
        self.is_latin
    }

    /// What has the consonants of the key, in another script.
    pub(super) fn heard(&self, script: Script, key: &str) -> impl Iterator<Item = &Heard> {
        self.heard.get(&consonants(key)).into_iter().flatten().filter(move |heard| heard.script != script)
    }
}

/// The word, and what it is without an ending; two letters are left at least.
fn stems(word: &Word) -> Vec<&str> {
    let endings: &[&str] = match word.script {
        Script::Hangul => KOREAN_ENDINGS,
        Script::Hiragana => JAPANESE_ENDINGS,
        _ => &[],
    };
    let bare = endings.iter().filter_map(|ending| word.text.strip_suffix(*ending));
    [word.text.as_str()].into_iter().chain(bare.filter(|stem| stem.chars().count() >= 2)).collect()
}

/// How words of one script sound as one name: in the ways in which it may be spelt in another one.
pub(super) fn keys(script: Script, words: &[&str]) -> Vec<String> {
    let read = |is_lent| key(words.iter().map(|word| reading(script, word, is_lent)));
    let mut keys = vec![read(false)];
    if matches!(script, Script::Hangul | Script::Katakana) {
        keys.push(read(true));
    }
    if script == Script::Hangul {
        keys.extend(as_family_spells(&words.concat()).map(|spelt| key([spelt])));
    }
    keys.dedup();
    keys
}
