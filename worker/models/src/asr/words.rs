//! Word times from the decoder's cross-attention, and the clean-up that makes them usable.
//!
//! The alignment itself (dynamic time warping over selected attention heads) is the engine's. What follows here is
//! faster-whisper's `find_alignment`, `merge_punctuations` and `add_word_timestamps` (MIT, Systran, after OpenAI's timing.py).

use ct2rs::sys::WhisperAlignmentResult;

use super::segments::Draft;
use super::timeline::round_hundredths;
use super::tokens::Vocabulary;
use crate::error::ModelError;

/// Encoder frames a second.
const FRAMES_PER_SECOND: f64 = 50.0;
const PREPENDED: &str = "\"'“¿([{-";
const APPENDED: &str = "\"'.。,，!！?？:：”)]}、";
const SENTENCE_END: &str = ".。!！?？";

/// One word in seconds; `text` carries its leading space.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimedWord {
    pub start_s: f64,
    pub end_s: f64,
    pub text: String,
    pub probability: f32,
    tokens: usize,
}

/// Words of one window, with times relative to the window's start; empty when nothing could be aligned.
pub(crate) fn align(
    vocabulary: &Vocabulary,
    language: &str,
    tokens: &[u32],
    found: &WhisperAlignmentResult,
) -> Result<Vec<TimedWord>, ModelError> {
    let words = vocabulary.words(tokens, language)?;
    // The time at which each token begins: where the path first steps onto it.
    let mut jumps = Vec::with_capacity(tokens.len() + 1);
    let mut previous = None;
    for step in &found.alignments {
        if previous != Some(step.token_x) {
            jumps.push(step.frame_x as f64 / FRAMES_PER_SECOND);
            previous = Some(step.token_x);
        }
    }
    let mut timed = Vec::with_capacity(words.len());
    let mut at = 0;
    for word in words {
        let until = at + word.tokens.len();
        let (Some(start_s), Some(end_s)) = (jumps.get(at), jumps.get(until).or(jumps.last())) else { break };
        let sure = found.text_token_probs.get(at..until.min(found.text_token_probs.len())).unwrap_or_default();
        let probability = if sure.is_empty() { 0.0 } else { sure.iter().sum::<f32>() / sure.len() as f32 };
        timed.push(TimedWord {
            start_s: *start_s,
            end_s: *end_s,
            text: word.text,
            probability,
            tokens: word.tokens.len(),
        });
        at = until;
    }
    Ok(timed)
}

/// Median word length of a window (s, at most 0.7) and twice that, beyond which a word at a pause is taken to be too long.
#[derive(Debug, Clone, Copy)]
struct Typical {
    median_s: f64,
    max_s: f64,
}

/// Gives each draft its words and better bounds. `last_speech_s` is where the previous window's speech ended; returns where
/// this one's did. `offset_s` is the window's start.
pub(crate) fn place(
    mut timed: Vec<TimedWord>,
    drafts: &mut [Draft],
    timestamp_or_special_from: u32,
    offset_s: f64,
    mut last_speech_s: f64,
) -> (Vec<Vec<TimedWord>>, f64) {
    let typical = typical(&timed);
    trim_at_sentence_ends(&mut timed, typical);
    merge_punctuation(&mut timed);

    let mut rest = timed.into_iter().peekable();
    let mut all = Vec::with_capacity(drafts.len());
    for draft in drafts.iter_mut() {
        let wanted = draft.tokens.iter().filter(|token| **token < timestamp_or_special_from).count();
        let (mut words, mut taken) = (Vec::new(), 0);
        while taken < wanted
            && let Some(word) = rest.next()
        {
            taken += word.tokens;
            if !word.text.is_empty() {
                words.push(TimedWord {
                    start_s: round_hundredths(offset_s + word.start_s),
                    end_s: round_hundredths(offset_s + word.end_s),
                    ..word
                });
            }
        }
        if !words.is_empty() {
            fit(&mut words, draft, typical, last_speech_s);
            last_speech_s = draft.end_s;
        }
        all.push(words);
    }
    (all, last_speech_s)
}

/// Lets no word of a window last beyond a time of it: what comes after that has been heard by itself, and is other words.
pub(crate) fn end_by(words: &mut [TimedWord], at_s: f64) {
    for word in words {
        word.end_s = word.end_s.min(at_s.max(word.start_s));
    }
}

fn typical(words: &[TimedWord]) -> Typical {
    let mut lengths: Vec<f64> =
        words.iter().map(|word| word.end_s - word.start_s).filter(|length| *length != 0.0).collect();
    lengths.sort_by(f64::total_cmp);
    let middle = lengths.len() / 2;
    let median = match lengths.len() {
        0 => 0.0,
        count if count % 2 == 0 => f64::midpoint(lengths[middle - 1], lengths[middle]),
        _ => lengths[middle],
    };
    let median_s = median.min(0.7);
    Typical { median_s, max_s: median_s * 2.0 }
}

/// A word beside a sentence's end must not swallow the pause.
fn trim_at_sentence_ends(words: &mut [TimedWord], typical: Typical) {
    if typical.median_s == 0.0 {
        return;
    }
    for index in 1..words.len() {
        if words[index].end_s - words[index].start_s <= typical.max_s {
            continue;
        }
        if SENTENCE_END.contains(words[index].text.as_str()) {
            words[index].end_s = words[index].start_s + typical.max_s;
        } else if SENTENCE_END.contains(words[index - 1].text.as_str()) {
            words[index].start_s = words[index].end_s - typical.max_s;
        }
    }
}

/// Punctuation joins the word it belongs to and leaves an empty word behind.
fn merge_punctuation(words: &mut [TimedWord]) {
    // Opening marks go to the following word.
    let mut following = words.len().saturating_sub(1);
    for index in (0..words.len().saturating_sub(1)).rev() {
        let opens = words[index].text.starts_with(' ') && PREPENDED.contains(words[index].text.trim());
        if opens {
            let mut text = std::mem::take(&mut words[index].text);
            text.push_str(&words[following].text);
            words[following].text = text;
            words[following].tokens += std::mem::take(&mut words[index].tokens);
        } else {
            following = index;
        }
    }
    // Closing marks go to the preceding word.
    let mut preceding = 0;
    for index in 1..words.len() {
        let closes = !words[preceding].text.ends_with(' ') && APPENDED.contains(words[index].text.as_str());
        if closes {
            let text = std::mem::take(&mut words[index].text);
            words[preceding].text.push_str(&text);
            words[preceding].tokens += std::mem::take(&mut words[index].tokens);
        } else {
            preceding = index;
        }
    }
}

/// Shortens words that stretch into a pause, and settles the segment's bounds with its first and last word.
fn fit(words: &mut [TimedWord], draft: &mut Draft, typical: Typical, last_speech_s: f64) {
    let Typical { median_s, max_s } = typical;
    let length = |word: &TimedWord| word.end_s - word.start_s;
    let after_pause = words[0].end_s - last_speech_s > median_s * 4.0;
    let too_long = length(&words[0]) > max_s || (words.len() > 1 && words[1].end_s - words[0].start_s > max_s * 2.0);
    if after_pause && too_long {
        if words.len() > 1 && length(&words[1]) > max_s {
            let boundary = (words[1].end_s / 2.0).max(words[1].end_s - max_s);
            words[0].end_s = boundary;
            words[1].start_s = boundary;
        }
        words[0].start_s = (words[0].end_s - max_s).max(0.0);
    }

    if draft.start_s < words[0].end_s && draft.start_s - 0.5 > words[0].start_s {
        words[0].start_s = (words[0].end_s - median_s).min(draft.start_s).max(0.0);
    } else {
        draft.start_s = words[0].start_s;
    }

    let last = words.len() - 1;
    if draft.end_s > words[last].start_s && draft.end_s + 0.5 < words[last].end_s {
        words[last].end_s = (words[last].start_s + median_s).max(draft.end_s);
    } else {
        draft.end_s = words[last].end_s;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, start_s: f64, end_s: f64) -> TimedWord {
        TimedWord { start_s, end_s, text: text.to_owned(), probability: 1.0, tokens: 1 }
    }

    fn texts(words: &[TimedWord]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn punctuation_joins_its_word() {
        let mut words = [
            word(" \"", 0.0, 0.1),
            word("It", 0.1, 0.2),
            word(" was", 0.2, 0.4),
            word(".", 0.4, 0.5),
            word("\"", 0.5, 0.6),
            word(" So", 0.6, 0.8),
        ];
        merge_punctuation(&mut words);
        assert_eq!(texts(&words), [" \"It", " was.\"", " So"]);
        assert_eq!(words.iter().map(|word| word.tokens).sum::<usize>(), 6);
    }

    #[test]
    fn a_last_word_does_not_reach_into_what_is_heard_after_it() {
        let mut words = [word(" slugs", 8.0, 8.4), word(" away", 8.4, 12.0)];
        end_by(&mut words, 9.0);
        assert_eq!(words.map(|word| (word.start_s, word.end_s)), [(8.0, 8.4), (8.4, 9.0)]);
        let mut late = [word(" away", 9.5, 12.0)];
        end_by(&mut late, 9.0);
        assert_eq!(late.map(|word| (word.start_s, word.end_s)), [(9.5, 9.5)], "never shorter than nothing");
    }

    #[test]
    fn a_first_word_that_swallowed_the_pause_is_cut() {
        let words =
            vec![word(" It", 0.0, 4.0), word(" was", 4.0, 4.2), word(" the", 4.2, 4.4), word(" best", 4.4, 4.6)];
        let mut drafts = [Draft { start_s: 0.0, end_s: 5.0, tokens: vec![1, 2, 3, 4] }];
        let (placed, last_speech_s) = place(words, &mut drafts, 1000, 0.0, 0.0);
        assert!((placed[0][0].start_s - 3.6).abs() < 1e-9, "{placed:?}");
        assert!((drafts[0].start_s - 3.6).abs() < 1e-9);
        assert!((last_speech_s - 4.6).abs() < 1e-9);
    }
}
