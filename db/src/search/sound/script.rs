//! Words, each of one script.

/// Those in which names can be read letter by letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Greek,
    Cyrillic,
    Hiragana,
    Katakana,
    Han,
    Hangul,
}

impl Script {
    /// What is not Latin is also in the statement of [`super::people`].
    fn of(letter: char) -> Option<Self> {
        match letter {
            'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}' => {
                Some(Self::Latin)
            }
            '\u{1e00}'..='\u{1eff}' => Some(Self::Latin),
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Self::Greek),
            '\u{400}'..='\u{52f}' => Some(Self::Cyrillic),
            '\u{3041}'..='\u{3096}' => Some(Self::Hiragana),
            '\u{30a1}'..='\u{30fa}' | '\u{30fc}' => Some(Self::Katakana),
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => Some(Self::Han),
            '\u{ac00}'..='\u{d7a3}' => Some(Self::Hangul),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub script: Script,
    pub text: String,
}

/// A word ends where the script changes. A hyphen joins, as in "Ji-sung", and so does an accent that is a character of its own.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut goes_on = false;
    for letter in text.chars() {
        let Some(script) = Script::of(letter) else {
            goes_on = goes_on && matches!(letter, '-' | '\u{2010}' | '\u{2011}' | '\u{300}'..='\u{36f}');
            continue;
        };
        match words.last_mut() {
            Some(word) if goes_on && word.script == script => word.text.push(letter),
            _ => words.push(Word { script, text: letter.into() }),
        }
        goes_on = true;
    }
    words
}
