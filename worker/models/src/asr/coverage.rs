//! Does a piece's text account for its speech? Whisper sometimes ends its text in the middle of a window, or writes one sentence of
//! many, most often where the voice or its speed changes. The voice detection has said that there is speech: what the text leaves out
//! is decoded again by itself.

use std::ops::Range;

use super::samples::SAMPLE_RATE;

/// Speech after the last word that is more than a pause: clips end 0.4 s after their speech, and longer pauses are not in them. A short
/// sentence takes two seconds, and lost at the end of a piece it is lost for ever.
const REST: usize = SAMPLE_RATE * 3 / 2;
/// Slow speech has two tokens a second, usual speech four, in any language that Whisper knows; songs may have fewer, at worst for nothing.
const THIN_TOKENS_PER_S: f64 = 1.0;
/// Shorter pieces may well be a word and a pause.
const THIN_FROM: usize = 8 * SAMPLE_RATE;

/// What to decode again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Again {
    Nothing,
    /// Besides the piece: what follows its last word.
    Rest(Range<usize>),
    /// Instead of the piece, when it gives more: both its halves.
    Halves([Range<usize>; 2]),
}

impl Again {
    pub(super) fn ranges(&self) -> &[Range<usize>] {
        match self {
            Self::Nothing => &[],
            Self::Rest(rest) => std::slice::from_ref(rest),
            Self::Halves(halves) => halves,
        }
    }
}

/// Judges a piece: `range` in samples of the joined audio, `tokens` of its text, the end of its last word in seconds from its start.
/// `clips` are the lengths of the clips that were joined; halves are cut between two of them where that is near the middle.
pub(super) fn again(range: &Range<usize>, tokens: usize, last_word_s: Option<f64>, clips: &[Range<usize>]) -> Again {
    let seconds = range.len() as f64 / SAMPLE_RATE as f64;
    if range.len() >= THIN_FROM && (tokens as f64) < seconds * THIN_TOKENS_PER_S {
        let cut = middle(range, clips);
        return Again::Halves([range.start..cut, cut..range.end]);
    }
    let Some(last_word_s) = last_word_s else { return Again::Nothing };
    let spoken = ((last_word_s.max(0.0) * SAMPLE_RATE as f64) as usize).min(range.len());
    let rest = range.start + spoken..range.end;
    // Without getting further it would be the same piece again.
    if spoken > 0 && rest.len() >= REST { Again::Rest(rest) } else { Again::Nothing }
}

/// The border between two clips nearest to the middle, if it lies in the middle half; else the middle.
fn middle(range: &Range<usize>, clips: &[Range<usize>]) -> usize {
    let centre = range.start + range.len() / 2;
    let borders = clips.iter().scan(0, |at, clip| {
        *at += clip.len();
        Some(*at)
    });
    borders
        .filter(|border| border.abs_diff(centre) <= range.len() / 4)
        .min_by_key(|b| b.abs_diff(centre))
        .unwrap_or(centre)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: usize = SAMPLE_RATE;

    #[test]
    fn a_text_that_ends_with_its_speech_is_whole() {
        assert_eq!(again(&(0..30 * S), 100, Some(29.2), &[]), Again::Nothing);
        assert_eq!(again(&(0..2 * S), 0, None, &[]), Again::Nothing);
    }

    #[test]
    fn speech_after_the_last_word_is_heard_again() {
        assert_eq!(again(&(10 * S..40 * S), 80, Some(20.0), &[]), Again::Rest(30 * S..40 * S));
        assert_eq!(again(&(0..12 * S), 22, Some(9.0), &[]), Again::Rest(9 * S..12 * S), "one more sentence");
    }

    #[test]
    fn a_sentence_for_half_a_minute_is_too_little_and_is_cut_at_a_pause() {
        let clips = [0..12 * S, 20 * S..38 * S];
        assert_eq!(again(&(0..30 * S), 7, Some(29.0), &clips), Again::Halves([0..12 * S, 12 * S..30 * S]));
        assert_eq!(again(&(0..30 * S), 0, None, &[]), Again::Halves([0..15 * S, 15 * S..30 * S]));
    }

    proptest! {
        #[test]
        fn what_is_heard_again_lies_inside_and_gets_shorter(
            start in 0usize..1_000_000,
            length in 1usize..480_000,
            tokens in 0usize..200,
            last in proptest::option::of(-1.0f64..40.0),
            clips in prop::collection::vec(1usize..400_000, 0..8),
        ) {
            let clips: Vec<Range<usize>> = clips.into_iter().map(|length| 0..length).collect();
            let range = start..start + length;
            for part in again(&range, tokens, last, &clips).ranges() {
                prop_assert!(!part.is_empty() && part.start >= range.start && part.end <= range.end && part.len() < range.len());
            }
        }
    }
}
