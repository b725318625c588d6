//! Captions from words: WebVTT (W3C, <https://www.w3.org/TR/webvtt1/>) and SubRip.
//!
//! A cue has at most two lines of 42 characters and lasts at most seven seconds, as is usual in broadcasting.

use std::fmt::Write;

const LINE_CHARS: usize = 42;
const CUE_CHARS: usize = 2 * LINE_CHARS;
const CUE_MS: i64 = 7_000;
/// A silence this long ends a cue.
const GAP_MS: i64 = 1_500;

/// A word with its times. `text` has its leading space where there is one.
#[derive(Clone, Copy, Debug)]
pub struct TimedWord<'a> {
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: &'a str,
    /// Words of different segments are never in one cue.
    pub segment_no: i32,
}

/// A caption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
}

/// Puts words together to captions.
pub fn cues<'a>(words: impl IntoIterator<Item = TimedWord<'a>>) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    let mut last: Option<(i32, i64)> = None;
    for word in words {
        let continues = match (cues.last(), last) {
            (Some(cue), Some((segment_no, end_ms))) => {
                segment_no == word.segment_no
                    && word.start_ms - end_ms < GAP_MS
                    && word.end_ms - cue.start_ms <= CUE_MS
                    && cue.text.chars().count() + word.text.chars().count() <= CUE_CHARS
                    && !(ends_sentence(&cue.text) && cue.text.chars().count() >= LINE_CHARS)
            }
            _ => false,
        };
        match cues.last_mut() {
            Some(cue) if continues => {
                cue.text.push_str(word.text);
                cue.end_ms = cue.end_ms.max(word.end_ms);
            }
            _ => {
                cues.push(Cue {
                    start_ms: word.start_ms,
                    end_ms: word.end_ms,
                    text: word.text.trim_start().to_owned(),
                });
            }
        }
        last = Some((word.segment_no, word.end_ms));
    }
    // Players drop cues that last no time, and readers of SubRip expect them not to overlap.
    for index in 0..cues.len() {
        let next = cues.get(index + 1).map(|cue| cue.start_ms);
        let cue = &mut cues[index];
        cue.end_ms = cue.end_ms.max(cue.start_ms + 1);
        if let Some(next) = next.filter(|next| *next > cue.start_ms) {
            cue.end_ms = cue.end_ms.min(next);
        }
    }
    cues.retain(|cue| !cue.text.trim().is_empty());
    cues
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '?', '!', '。', '？', '！'])
}

/// As WebVTT.
pub fn webvtt(cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    for (index, cue) in cues.iter().enumerate() {
        let text = wrap(&cue.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (start, end) = (clock(cue.start_ms, '.'), clock(cue.end_ms, '.'));
        let _ = write!(out, "\n{}\n{start} --> {end}\n{text}\n", index + 1);
    }
    out
}

/// As SubRip.
pub fn subrip(cues: &[Cue]) -> String {
    let mut out = String::new();
    for (index, cue) in cues.iter().enumerate() {
        let (start, end) = (clock(cue.start_ms, ','), clock(cue.end_ms, ','));
        let _ = write!(out, "{}\n{start} --> {end}\n{}\n\n", index + 1, wrap(&cue.text).replace("-->", "->"));
    }
    out
}

/// `00:00:00.000`
pub fn clock(ms: i64, point: char) -> String {
    let ms = ms.max(0);
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{h:02}:{m:02}:{s:02}{point}{:03}", ms % 1000)
}

/// Breaks a caption in two lines of about the same length when it is too long for one.
fn wrap(text: &str) -> String {
    let text = text.trim();
    let length = text.chars().count();
    if length <= LINE_CHARS {
        return text.to_owned();
    }
    let place = text
        .char_indices()
        .enumerate()
        .filter(|(_, (_, c))| *c == ' ')
        .min_by_key(|(nth, _)| nth.abs_diff(length / 2))
        .map(|(_, (at, _))| at);
    match place {
        Some(at) => format!("{}\n{}", &text[..at], text[at..].trim_start()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, segment_no: i32) -> Vec<TimedWord<'_>> {
        let mut at = 0;
        text.split_inclusive(' ')
            .map(|word| {
                at += 400;
                TimedWord { start_ms: at - 400, end_ms: at - 50, text: word, segment_no }
            })
            .collect()
    }

    #[test]
    fn a_long_sentence_becomes_cues_of_two_short_lines() {
        let text = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.";
        let cues = cues(words(text, 0));
        assert!(cues.len() >= 2);
        for cue in &cues {
            assert!(cue.end_ms - cue.start_ms <= CUE_MS);
            assert!(wrap(&cue.text).lines().all(|line| line.chars().count() <= 50), "{cue:?}");
        }
        let together: String = cues.iter().map(|cue| format!("{} ", cue.text.trim())).collect();
        assert_eq!(together.trim(), text);
    }

    #[test]
    fn markup_is_not_markup_in_a_caption() {
        let cues = [Cue { start_ms: 3_661_001, end_ms: 3_662_000, text: "a <b> & c --> d".into() }];
        let expected = "WEBVTT\n\n1\n01:01:01.001 --> 01:01:02.000\na &lt;b&gt; &amp; c --&gt; d\n";
        assert_eq!(webvtt(&cues), expected);
        assert_eq!(subrip(&cues), "1\n01:01:01,001 --> 01:01:02,000\na <b> & c -> d\n\n");
    }

    #[test]
    fn nothing_said_is_an_empty_file_and_not_a_broken_one() {
        assert_eq!(webvtt(&cues([])), "WEBVTT\n");
        assert_eq!(subrip(&cues([])), "");
    }

    #[test]
    fn a_cue_always_lasts() {
        let word = TimedWord { start_ms: 5, end_ms: 5, text: " Oh", segment_no: 0 };
        assert_eq!(cues([word]), [Cue { start_ms: 5, end_ms: 6, text: "Oh".into() }]);
    }
}
