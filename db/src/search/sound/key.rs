//! A spelling in Latin letters as what is heard: names that are spelt in the usual ways, or transcribed, get the same key.
//!
//! A key has one letter a sound: `k` for k, g and hard c, `p` for p and f, `b` for b and v, `j` for j and z, `c` for ch, `l` for l and
//! r, `@` for the Korean eo, `&` for ae. An r before a consonant or at the end is left out ("Park" is "박"), and what is double is single.

/// What two vowels stand for, in this order.
const VOWELS: [(&str, &str); 12] = [
    ("ee", "i"),
    ("oo", "u"),
    ("ou", "u"),
    ("ae", "&"),
    ("eo", "@"),
    ("eu", "u"),
    ("oe", "oi"),
    ("ui", "i"),
    ("yi", "i"),
    ("wu", "u"),
    ("iya", "ia"),
    ("iyu", "iu"),
];

/// From which keys on sounds that are only alike are taken for each other: of what is short, much is alike.
const LONG: usize = 6;
/// From which on another vowel may be one too.
const VERY_LONG: usize = 8;
/// Consonants by which a name is known whatever its vowels.
const ENOUGH_CONSONANTS: usize = 4;

/// Of several words: their keys, one behind the other.
pub(super) fn key(readings: impl IntoIterator<Item = String>) -> String {
    let mut key = String::new();
    for sound in readings.into_iter().flat_map(|reading| spelt(&reading).into_bytes()).map(char::from) {
        if !key.ends_with(sound) {
            key.push(sound);
        }
    }
    key
}

fn spelt(reading: &str) -> String {
    let letters: Vec<u8> =
        reading.bytes().map(|letter| letter.to_ascii_lowercase()).filter(u8::is_ascii_lowercase).collect();
    let (mut sounds, mut at) = (String::new(), 0);
    while let Some(rest) = letters.get(at..).filter(|rest| !rest.is_empty()) {
        let (taken, sound) = first_sound(rest, at == 0);
        sounds.push_str(sound);
        at += taken;
    }
    VOWELS.iter().fold(sounds, |sounds, (spelt, sound)| sounds.replace(spelt, sound))
}

/// How many letters make it, and what it is.
fn first_sound(letters: &[u8], begins: bool) -> (usize, &'static str) {
    match letters {
        [b's', b'c', b'h', ..] => (3, "s"),
        [b't', b'c', b'h', ..] => (3, "c"),
        [b's', b'h', ..] => (2, "s"),
        [b'c', b'h', ..] => (2, "c"),
        [b'c', b'k', ..] => (2, "k"),
        [b'z', b'h', ..] => (2, "j"),
        [b'p', b'h', ..] => (2, "p"),
        [b't', b'h', ..] => (2, "t"),
        [b'q', b'u', ..] => (2, "kw"),
        [b'r', b'h', ..] if begins => (2, "l"),
        [b'i', b'e'] | [b'e', b'y'] => (2, "i"),
        [b'r', b'a' | b'e' | b'i' | b'o' | b'u' | b'y', ..] | [b'l', ..] => (1, "l"),
        [b'h', b'a' | b'e' | b'i' | b'o' | b'u' | b'y', ..] => (1, "h"),
        [b'y', b'a' | b'e' | b'i' | b'o' | b'u', ..] => (1, "y"),
        [b'w', b'a' | b'e' | b'i' | b'o' | b'u', ..] => (1, "w"),
        [b'c', b'e' | b'i' | b'y', ..] | [b's', ..] => (1, "s"),
        [b'c' | b'g' | b'k', ..] => (1, "k"),
        [b'q', ..] => (1, "c"),
        [b'x', ..] => (1, if begins { "s" } else { "ks" }),
        [b'f' | b'p', ..] => (1, "p"),
        [b'b' | b'v', ..] => (1, "b"),
        [b'd', ..] => (1, "d"),
        [b't', ..] => (1, "t"),
        [b'j' | b'z', ..] => (1, "j"),
        [b'm', ..] => (1, "m"),
        [b'n', ..] => (1, "n"),
        [b'a', ..] => (1, "a"),
        [b'e', ..] => (1, "e"),
        [b'i' | b'y', ..] => (1, "i"),
        [b'o', ..] => (1, "o"),
        [b'u' | b'w', ..] => (1, "u"),
        // h and r that are not heard.
        _ => (1, ""),
    }
}

/// The consonants, by which keys that may be of one name are found: those of such keys are the same. At the end of a name s and z are.
pub(super) fn consonants(key: &str) -> String {
    let soft = |sound| match sound {
        'c' => 'j',
        't' => 'd',
        'p' => 'b',
        _ => sound,
    };
    let mut heard: String = key.chars().filter(|sound| !is_vowel(*sound)).map(soft).collect();
    if key.ends_with('s') {
        heard.pop();
        heard.push('j');
    }
    heard
}

fn is_vowel(sound: char) -> bool {
    matches!(sound, 'a' | 'e' | 'i' | 'o' | 'u' | '@' | '&')
}

/// Eo is spelt "u" as well, and "o"; ae is "e"; what Korean says softly is spelt hard as well, as in "Park" and "Chung".
fn alike(a: u8, b: u8, is_long: bool) -> bool {
    let either = |one: u8, other: u8| (a, b) == (one, other) || (b, a) == (one, other);
    let in_long = [(b'@', b'o'), (b'c', b'j'), (b't', b'd'), (b'p', b'b')];
    a == b
        || either(b'@', b'u')
        || either(b'&', b'e')
        || is_long && in_long.into_iter().any(|(one, other)| either(one, other))
}

fn all_alike(a: &[u8], b: &[u8], is_long: bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(*a, *b, is_long))
}

/// They are of one name.
pub(super) fn same(a: &str, b: &str) -> bool {
    all_alike(a.as_bytes(), b.as_bytes(), a.len() >= LONG)
}

/// They are of one name but for a vowel that is another, or is in one of them only. The [`consonants`] are the same.
pub(super) fn nearly_same(a: &str, b: &str) -> bool {
    let (longer, shorter) = if a.len() < b.len() { (b.as_bytes(), a.as_bytes()) } else { (a.as_bytes(), b.as_bytes()) };
    let more = longer.len() - shorter.len();
    if shorter.len() < VERY_LONG || more > 1 {
        return false;
    }
    let until = longer.iter().zip(shorter).take_while(|(a, b)| alike(**a, **b, true)).count();
    match (longer.get(until + 1..), shorter.get(until + 1 - more..)) {
        (Some(longer), Some(shorter)) => all_alike(longer, shorter, true),
        // Nothing is another.
        _ => true,
    }
}

/// They are of one name but for vowels, which English spells as it likes ("Biden" is "바이든"): as many syllables, and the same
/// [`consonants`], of which there are enough.
pub(super) fn same_but_for_vowels(a: &str, b: &str) -> bool {
    let syllables = |key: &str| key.split(|sound| !is_vowel(sound)).filter(|vowels| !vowels.is_empty()).count();
    let heard = consonants(a);
    heard.len() >= ENOUGH_CONSONANTS && heard == consonants(b) && syllables(a) == syllables(b)
}
