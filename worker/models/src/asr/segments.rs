//! Where one window's tokens begin and end: splitting at timestamp tokens, and how far to seek.
//! Follows faster-whisper's `_split_segments_by_timestamps` (MIT, Systran).

use super::mel::WINDOW_FRAMES;

/// Seconds a timestamp token.
const TIME_PRECISION_S: f64 = 0.02;
/// Feature frames a timestamp token.
const INPUT_STRIDE: usize = 2;
/// Seconds a feature frame.
pub(crate) const FRAME_S: f64 = 0.01;

/// A run of tokens with its time, before words have been found.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub start_s: f64,
    pub end_s: f64,
    pub tokens: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Split {
    pub drafts: Vec<Draft>,
    /// Frame at which the next window begins.
    pub seek: usize,
    /// The model said itself that nothing follows the last segment.
    pub ends_with_single_timestamp: bool,
}

/// `seek` and `frames` say which part of the audio the window covered.
pub(crate) fn split(tokens: &[u32], timestamp_begin: u32, seek: usize, frames: usize) -> Split {
    debug_assert!(frames <= WINDOW_FRAMES);
    let offset_s = seek as f64 * FRAME_S;
    let is_time = |index: usize| tokens[index] >= timestamp_begin;
    let count = tokens.len();
    let ends_with_single_timestamp = count >= 2 && !is_time(count - 2) && is_time(count - 1);
    let mut cuts: Vec<usize> = (1..count).filter(|index| is_time(*index) && is_time(index - 1)).collect();
    let ticks = |token: u32| token.saturating_sub(timestamp_begin) as usize;

    if cuts.is_empty() {
        let last = tokens.iter().rev().find(|token| **token >= timestamp_begin).map_or(0, |token| ticks(*token));
        let duration_s = if last > 0 { last as f64 * TIME_PRECISION_S } else { frames as f64 * FRAME_S };
        let draft = Draft { start_s: offset_s, end_s: offset_s + duration_s, tokens: tokens.to_vec() };
        return Split { drafts: vec![draft], seek: seek + frames, ends_with_single_timestamp };
    }
    if ends_with_single_timestamp {
        cuts.push(count);
    }
    let (mut drafts, mut from) = (Vec::with_capacity(cuts.len()), 0);
    for cut in cuts {
        let part = &tokens[from..cut];
        drafts.push(Draft {
            start_s: offset_s + ticks(part[0]) as f64 * TIME_PRECISION_S,
            end_s: offset_s + ticks(part[part.len() - 1]) as f64 * TIME_PRECISION_S,
            tokens: part.to_vec(),
        });
        from = cut;
    }
    // Without the final single timestamp the last segment is unfinished: the next window takes it up again.
    let seek = if ends_with_single_timestamp { seek + frames } else { seek + ticks(tokens[from - 1]) * INPUT_STRIDE };
    Split { drafts, seek, ends_with_single_timestamp }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u32 = 1000;

    #[test]
    fn pairs_of_timestamps_part_segments_and_the_unfinished_rest_is_left_for_the_next_window() {
        let tokens = [BEGIN, 1, 2, BEGIN + 100, BEGIN + 110, 3, BEGIN + 200, BEGIN + 210, 4, 5];
        let found = split(&tokens, BEGIN, 500, 3000);
        let times: Vec<(f64, f64)> = found.drafts.iter().map(|draft| (draft.start_s, draft.end_s)).collect();
        assert_eq!(times, [(5.0, 7.0), (7.2, 9.0)]);
        assert_eq!(found.seek, 500 + 200 * 2);
        assert!(!found.ends_with_single_timestamp);
    }

    #[test]
    fn a_single_final_timestamp_says_that_the_window_is_done() {
        let tokens = [BEGIN, 1, BEGIN + 100, BEGIN + 100, 2, BEGIN + 300];
        let found = split(&tokens, BEGIN, 0, 3000);
        assert_eq!(found.drafts.len(), 2);
        assert_eq!(found.seek, 3000);
        assert!(found.ends_with_single_timestamp);
    }

    #[test]
    fn text_without_timestamps_fills_the_window() {
        let found = split(&[1, 2, 3], BEGIN, 100, 700);
        assert_eq!((found.drafts[0].start_s, found.drafts[0].end_s, found.seek), (1.0, 8.0, 800));
        assert!(split(&[], BEGIN, 0, 100).drafts[0].tokens.is_empty());
    }
}
