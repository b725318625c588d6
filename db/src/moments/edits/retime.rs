//! Times for the words of a corrected sentence.
//!
//! Words that were recognised as they are written now keep their times: they are found as the longest common subsequence of
//! both texts (by letters and digits alone, whatever their case). Words in between share the time that is left there, by their
//! lengths.

use std::mem;

/// A word with its times.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spoken {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// As written, with its leading space where there is one.
    pub(super) text: String,
    pub(super) probability: f32,
}

/// Less for a word, and a neighbour gives some of its time away.
const LEAST_MS: i64 = 60;

/// The words of `text` between `start_ms` and `end_ms`, in order and without overlaps of their own; `heard` is what was
/// recognised there. What a person wrote is certain (probability 1).
pub(super) fn retime(heard: &[Spoken], text: &str, (start_ms, end_ms): (i64, i64)) -> Vec<Spoken> {
    let end_ms = end_ms.max(start_ms);
    let led = heard.first().is_none_or(|word| word.text.starts_with(' '));
    let tokens = words_of(text, led);
    let anchors = common(heard, &tokens);
    let mut out: Vec<Spoken> = Vec::with_capacity(tokens.len());
    let mut waiting = Vec::new();
    let mut left = start_ms;
    for (token, anchor) in tokens.into_iter().zip(anchors) {
        let Some(word) = anchor.map(|place| &heard[place]) else {
            waiting.push(token);
            continue;
        };
        let begins = word.start_ms.clamp(left, end_ms);
        fill(&mut out, &mut waiting, left, begins);
        let ends = word.end_ms.clamp(begins, end_ms);
        out.push(Spoken { start_ms: begins, end_ms: ends, text: token, probability: word.probability });
        left = ends;
    }
    fill(&mut out, &mut waiting, left, end_ms);
    out
}

/// Spreads the words that wait over the time between two others.
fn fill(out: &mut Vec<Spoken>, waiting: &mut Vec<String>, left: i64, right: i64) {
    let mut texts = mem::take(waiting);
    let mut left = left;
    let least = LEAST_MS.saturating_mul(i64::try_from(texts.len()).unwrap_or(i64::MAX));
    if texts.is_empty() {
        return;
    }
    if right - left < least
        && let Some(before) = out.pop()
    {
        left = before.start_ms;
        texts.insert(0, before.text);
    }
    let weights: Vec<i64> =
        texts.iter().map(|text| i64::try_from(text.trim().chars().count()).unwrap_or(1).max(1)).collect();
    let (whole, length) = (weights.iter().sum::<i64>(), (right - left).max(0));
    let mut done = 0;
    for (text, weight) in texts.into_iter().zip(weights) {
        let begins = left + length * done / whole;
        done += weight;
        out.push(Spoken { start_ms: begins, end_ms: left + length * done / whole, text, probability: 1.0 });
    }
}

/// A text as words, each but perhaps the first with its leading space. Ideographs and kana, which are written without spaces,
/// are words by themselves; punctuation stays with what it follows.
fn words_of(text: &str, led: bool) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split_whitespace() {
        let mut after_alone = false;
        for (place, c) in piece.chars().enumerate() {
            let begins = is_alone(c) || (after_alone && c.is_alphanumeric());
            match words.last_mut() {
                Some(word) if place > 0 && !begins => word.push(c),
                _ if place > 0 => words.push(c.to_string()),
                None if !led => words.push(c.to_string()),
                _ => words.push(format!(" {c}")),
            }
            if c.is_alphanumeric() {
                after_alone = is_alone(c);
            }
        }
    }
    words
}

/// Kana and ideographs.
fn is_alone(c: char) -> bool {
    matches!(u32::from(c), 0x3041..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// For each token the place of the word that it is, as a longest common subsequence.
fn common(heard: &[Spoken], tokens: &[String]) -> Vec<Option<usize>> {
    let plain = |text: &str| {
        let letters: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        if letters.is_empty() { text.trim().to_owned() } else { letters }
    };
    let old: Vec<String> = heard.iter().map(|word| plain(&word.text)).collect();
    let new: Vec<String> = tokens.iter().map(|token| plain(token)).collect();
    // lengths[i][j]: of what the words from i on and the tokens from j on have in common.
    let width = new.len() + 1;
    let mut lengths = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i * width + j] = if old[i] == new[j] {
                lengths[(i + 1) * width + j + 1].saturating_add(1)
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let mut found = vec![None; new.len()];
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            found[j] = Some(i);
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(words: &[(i64, i64, &str)]) -> Vec<Spoken> {
        let spoken = |&(start_ms, end_ms, text): &(i64, i64, &str)| Spoken {
            start_ms,
            end_ms,
            text: format!(" {text}"),
            probability: 0.5,
        };
        words.iter().map(spoken).collect()
    }

    fn times(words: &[Spoken]) -> Vec<(i64, i64, &str)> {
        words.iter().map(|word| (word.start_ms, word.end_ms, word.text.as_str())).collect()
    }

    #[test]
    fn words_that_were_right_keep_their_times() {
        let was = heard(&[(0, 300, "It"), (300, 600, "wuz"), (600, 900, "the"), (900, 1500, "best,")]);
        let now = retime(&was, "It was the very best.", (0, 1500));
        // "very" gets no time of its own between "the" and "best", so it takes half of what "the" had.
        assert_eq!(
            times(&now),
            [(0, 300, " It"), (300, 600, " was"), (600, 728, " the"), (728, 900, " very"), (900, 1500, " best.")]
        );
        assert_eq!(now[1].probability, 1.0);
        assert_eq!(now[4].probability, 0.5, "recognised as it is, but for its punctuation");
    }

    #[test]
    fn a_language_without_spaces_is_retimed_by_characters() {
        let mut was = heard(&[(0, 500, "東"), (500, 1000, "京")]);
        for word in &mut was {
            word.text = word.text.trim().to_owned();
        }
        assert_eq!(times(&retime(&was, "東京都", (0, 1500))), [(0, 500, "東"), (500, 1000, "京"), (1000, 1500, "都")]);
        assert_eq!(words_of("iPhone의 값 東京GP", true), [" iPhone의", " 값", " 東", "京", "GP"]);
    }

    #[test]
    fn nothing_heard_is_spread_over_the_whole() {
        assert_eq!(times(&retime(&[], "ab cd", (1000, 2000))), [(1000, 1500, " ab"), (1500, 2000, " cd")]);
    }

    proptest! {
        #[test]
        fn words_stay_in_order_and_in_bounds_and_say_what_was_written(
            lengths in prop::collection::vec((0_i64..400, 0_i64..800, "[a-d]{1,3}"), 0..30),
            text in "[a-d 東京,.]{0,120}",
            (start, length) in (0_i64..5000, 0_i64..20_000),
        ) {
            let mut at = start;
            let was: Vec<Spoken> = lengths.into_iter().map(|(gap, length, text)| {
                let start_ms = at + gap;
                at = start_ms + length;
                Spoken { start_ms, end_ms: at, text: format!(" {text}"), probability: 0.5 }
            }).collect();
            let now = retime(&was, &text, (start, start + length));
            let mut last = start;
            for word in &now {
                prop_assert!(last <= word.start_ms && word.start_ms <= word.end_ms && word.end_ms <= start + length);
                last = word.end_ms;
            }
            let said: String = now.iter().map(|word| word.text.as_str()).collect();
            prop_assert_eq!(said.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        }
    }
}
