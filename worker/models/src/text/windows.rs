//! Long text in windows that fit a model's input.

use std::ops::Range;

/// Groups consecutive pieces, given by their token counts, into windows of at most `max_tokens`.
///
/// Consecutive windows share up to `overlap_tokens` of whole pieces, so that a thought at a border is whole in one of them.
/// The windows cover every piece, start in ascending order, and none lies within another. A piece that is longer than
/// `max_tokens` stands alone (and the model will cut it).
pub fn split_windows(token_counts: &[usize], max_tokens: usize, overlap_tokens: usize) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < token_counts.len() {
        let (mut end, mut tokens) = (start + 1, token_counts[start]);
        while end < token_counts.len() && tokens + token_counts[end] <= max_tokens {
            tokens += token_counts[end];
            end += 1;
        }
        windows.push(start..end);
        if end == token_counts.len() {
            break;
        }
        // Step back over whole pieces, yet leave room for at least the next new one.
        let (mut next, mut shared) = (end, 0);
        while next > start + 1 {
            let with = shared + token_counts[next - 1];
            if with > overlap_tokens || with + token_counts[end] > max_tokens {
                break;
            }
            shared = with;
            next -= 1;
        }
        start = next;
    }
    windows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_share_the_border() {
        assert_eq!(split_windows(&[4, 4, 4, 4], 8, 4), [0..2, 1..3, 2..4]);
        assert_eq!(split_windows(&[4, 4, 4, 4], 8, 0), [0..2, 2..4]);
        assert_eq!(split_windows(&[20, 1, 1], 8, 4), [0..1, 1..3]);
        assert!(split_windows(&[], 8, 4).is_empty());
    }

    proptest! {
        #[test]
        fn windows_cover_everything_fit_and_go_forward(
            counts in prop::collection::vec(0usize..30, 0..200), max in 1usize..64, overlap in 0usize..64,
        ) {
            let windows = split_windows(&counts, max, overlap);
            let mut covered = 0;
            for pair in windows.windows(2) {
                prop_assert!(pair[0].start < pair[1].start && pair[0].end < pair[1].end);
                let shared: usize = counts[pair[1].start.min(pair[0].end)..pair[0].end].iter().sum();
                prop_assert!(shared <= overlap);
            }
            for window in &windows {
                prop_assert!(window.start <= covered && !window.is_empty());
                covered = window.end;
                prop_assert!(window.len() == 1 || counts[window.clone()].iter().sum::<usize>() <= max);
            }
            prop_assert_eq!(covered, counts.len());
        }
    }
}
