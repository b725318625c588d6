//! Where in a scene to jump, and what to highlight.

use serde::Serialize;
use utoipa::ToSchema;

/// A part of a text, in UTF-16 code units, as browsers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Reads spans from a text in which U+E000 and U+E001 stand around each match. Spans that touch across a blank are one.
/// A text that has these characters of itself gets none.
pub fn spans(text: &str, marked: &str) -> Vec<Span> {
    if text.contains([OPEN, CLOSE]) {
        return Vec::new();
    }
    let (mut at, mut open, mut spans) = (0, None, Vec::<Span>::new());
    for c in marked.chars() {
        match c {
            OPEN => open = Some(at),
            CLOSE => {
                if let Some(start) = open.take() {
                    match spans.last_mut() {
                        Some(last) if last.end + 1 == start => last.end = at,
                        _ => spans.push(Span { start, end: at }),
                    }
                }
            }
            c => at += c.len_utf16(),
        }
    }
    spans
}

/// A spoken word, in the order of speaking.
#[derive(Clone, Debug)]
pub struct Spoken<'a> {
    pub start_ms: i64,
    pub text: &'a str,
    /// Shares a stem with the query.
    pub matches: bool,
}

/// Where the query is spoken: the start of the longest run of words that says a part of the query word for word (two words
/// at least), else the first word that shares a stem with it. `None` if neither is there.
pub fn moment(query: &str, words: &[Spoken<'_>]) -> Option<i64> {
    let wanted: Vec<String> = query.split_whitespace().flat_map(plain).collect();
    // A written word may be several ("well-known") or none ("—").
    let spoken: Vec<(String, i64)> =
        words.iter().flat_map(|word| plain(word.text).map(|text| (text, word.start_ms)).collect::<Vec<_>>()).collect();
    let mut best: Option<(usize, i64)> = None;
    // From the end: how long the run is that begins with a spoken word and each of the wanted ones is one more than that of the two
    // words behind them. Of equal ones the first is the last that is seen.
    let mut runs = vec![0; wanted.len() + 1];
    for (said, at) in spoken.iter().rev() {
        for (skip, want) in wanted.iter().enumerate() {
            let run = if said == want { runs[skip + 1] + 1 } else { 0 };
            runs[skip] = run;
            if run >= 2 && best.is_none_or(|(length, _)| run >= length) {
                best = Some((run, *at));
            }
        }
    }
    best.map(|(_, at)| at).or_else(|| words.iter().find(|word| word.matches).map(|word| word.start_ms))
}

/// Lowercase words without punctuation.
fn plain(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_matches('\'').to_lowercase())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<Spoken<'_>> {
        text.split(' ')
            .enumerate()
            .map(|(i, text)| Spoken { start_ms: 100 * i as i64, text, matches: text.starts_with("best") })
            .collect()
    }

    #[test]
    fn the_players_jump_is_to_the_phrase_not_to_its_rarest_word() {
        let words = said("Well, it was the worst of times, It was the best of times. best");
        assert_eq!(moment("it was the best of times", &words), Some(700));
        assert_eq!(moment("\"Best  of TIMES\"", &words), Some(1000));
    }

    #[test]
    fn of_equal_phrases_the_first_counts() {
        assert_eq!(moment("so it goes", &said("and so it was, so it was, and it goes on")), Some(100));
        assert_eq!(moment("so it goes", &said("so it was and so it goes, so it goes")), Some(400));
    }

    #[test]
    fn a_word_said_for_hours_and_asked_for_at_length_takes_no_time() {
        let (words, query) = ("you ".repeat(20_000), "you ".repeat(500));
        let began = std::time::Instant::now();
        assert_eq!(moment(&query, &said(words.trim())), Some(0));
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn without_a_phrase_the_first_related_word_counts() {
        let words = said("the very best and the bestest");
        assert_eq!(moment("besting", &words), Some(200));
        assert_eq!(moment("nothing alike", &said("so it goes")), None);
    }

    #[test]
    fn spans_are_counted_as_browsers_count() {
        let text = "😀 best of times";
        assert_eq!(
            spans(text, "😀 \u{e000}best\u{e001} of \u{e000}times\u{e001}"),
            [Span { start: 3, end: 7 }, Span { start: 11, end: 16 }]
        );
        assert_eq!(spans("a b", "\u{e000}a\u{e001} \u{e000}b\u{e001}"), [Span { start: 0, end: 3 }]);
        assert_eq!(spans("a\u{e000}", "\u{e000}a\u{e001}\u{e000}"), []);
    }
}
