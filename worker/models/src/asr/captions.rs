//! From the words of a 30 s piece to segments a person can read: a sentence, or less when it is long or interrupted.

use super::words::TimedWord;

/// A pause of this length ends a segment.
const PAUSE_S: f64 = 1.0;
/// Beyond this a segment ends at its next comma, and beyond [`HARD_LIMIT_S`] after any word.
const SOFT_LIMIT_S: f64 = 6.0;
const HARD_LIMIT_S: f64 = 10.0;

/// Cuts words into runs, in order and without loss.
pub(crate) fn cut(words: Vec<TimedWord>) -> Vec<Vec<TimedWord>> {
    let mut runs: Vec<Vec<TimedWord>> = Vec::new();
    for word in words {
        match runs.last_mut() {
            Some(run) if !ends_before(run, &word) => run.push(word),
            _ => runs.push(vec![word]),
        }
    }
    runs
}

fn ends_before(run: &[TimedWord], next: &TimedWord) -> bool {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return false };
    let text = last.text.trim_end_matches(['"', '\'', '”', '’', ')', ']', '」', '』']);
    let length_s = next.end_s - first.start_s;
    next.start_s - last.end_s >= PAUSE_S
        || text.ends_with(['.', '!', '?', '。', '！', '？', '…'])
        || (length_s > SOFT_LIMIT_S && text.ends_with([',', ';', ':', '，', '、', '；', '：']))
        || length_s > HARD_LIMIT_S
}
