//! How a word is read, in Latin letters.

use any_ascii::{any_ascii, any_ascii_char};

use super::script::Script;

/// Syllables of Hangul are in the order of their onset, vowel and coda.
const FIRST_SYLLABLE: u32 = 0xac00;
const CODAS: u32 = 28;
const VOWELS: u32 = 21;
const SILENT_ONSET: u32 = 11;
const EU: u32 = 18;

/// Family names that are usually spelt otherwise than they are transcribed.
const FAMILIES: [(char, &str); 4] = [('이', "lee"), ('임', "lim"), ('유', "ryu"), ('노', "roh")];

/// Letter by letter: Korean in the Revised Romanization, Chinese characters in Mandarin. `is_lent`: as a word of another language, whose
/// clusters of consonants Korean and Japanese take apart ("트럼프", "クリントン").
pub(super) fn reading(script: Script, text: &str, is_lent: bool) -> String {
    match script {
        Script::Hangul => hangul(text, is_lent),
        Script::Hiragana | Script::Katakana => kana(text, is_lent),
        Script::Latin | Script::Greek | Script::Cyrillic | Script::Han => any_ascii(text),
    }
}

/// A Korean name as people with this family name spell it, where that is another way.
pub(super) fn as_family_spells(name: &str) -> Option<String> {
    let first = name.chars().next()?;
    let (_, family) = FAMILIES.iter().find(|(syllable, _)| *syllable == first)?;
    let given = name.get(first.len_utf8()..)?;
    matches!(given.chars().count(), 2 | 3).then(|| format!("{family}{}", hangul(given, false)))
}

fn hangul(text: &str, is_lent: bool) -> String {
    let mut letters = String::new();
    for syllable in text.chars() {
        let sound = any_ascii_char(syllable).to_ascii_lowercase();
        let place = u32::from(syllable).saturating_sub(FIRST_SYLLABLE);
        let (onset, vowel) = (place / (CODAS * VOWELS), place / CODAS % VOWELS);
        if !(is_lent && vowel == EU && onset != SILENT_ONSET) {
            letters.push_str(&sound);
        } else if syllable != '르' {
            // An r before a consonant or at the end is not heard in spelt names either.
            letters.push_str(&sound.replace("eu", ""));
        }
    }
    letters
}

fn kana(text: &str, is_lent: bool) -> String {
    let mut letters = String::new();
    for kana in text.chars() {
        let mut sound = any_ascii_char(kana);
        match kana {
            // What is long is not heard as another name.
            'っ' | 'ッ' | 'ー' => continue,
            'ゃ' | 'ゅ' | 'ょ' | 'ャ' | 'ュ' | 'ョ' => {
                if letters.ends_with('i') {
                    letters.pop();
                }
                if letters.ends_with("sh") || letters.ends_with("ch") || letters.ends_with('j') {
                    sound = sound.trim_start_matches('y');
                }
            }
            'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ'
                if letters.ends_with(['a', 'e', 'i', 'o', 'u']) =>
            {
                letters.pop();
            }
            _ => {}
        }
        letters.push_str(sound);
    }
    let letters = letters.replace("ou", "o").replace("uu", "u");
    if is_lent { without_helping_u(&letters) } else { letters }
}

/// Between consonants, and after the last one.
fn without_helping_u(letters: &str) -> String {
    let is_vowel = |at: usize| letters.as_bytes().get(at).is_some_and(|letter| b"aeiouy".contains(letter));
    let is_heard = |at: usize, letter: char| letter != 'u' || at == 0 || is_vowel(at - 1) || is_vowel(at + 1);
    letters.char_indices().filter(|&(at, letter)| is_heard(at, letter)).map(|(_, letter)| letter).collect()
}
