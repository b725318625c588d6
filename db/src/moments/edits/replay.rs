//! Corrections, applied to what another run has recognised. Its sentences may begin and end elsewhere, so a correction finds its
//! words by their times.

use serde::{Deserialize, Serialize};

use super::retime::{Spoken, retime};

/// What was recognised, where a person has corrected it: kept with the segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Original {
    pub(super) text: String,
    /// `[start_ms, end_ms, text, probability]`
    pub(super) words: Vec<(i64, i64, String, f32)>,
}

impl Original {
    pub(super) fn new(text: &str, words: &[Spoken]) -> Self {
        let words = words.iter().map(|w| (w.start_ms, w.end_ms, w.text.clone(), w.probability)).collect();
        Self { text: text.to_owned(), words }
    }

    pub(super) fn spoken(&self) -> Vec<Spoken> {
        let word = |(start_ms, end_ms, text, probability): &(i64, i64, String, f32)| Spoken {
            start_ms: *start_ms,
            end_ms: *end_ms,
            text: text.clone(),
            probability: *probability,
        };
        self.words.iter().map(word).collect()
    }
}

/// A sentence of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) segment_no: i32,
    pub(super) start_ms: i64,
    pub(super) text: String,
    pub(super) words: Vec<Spoken>,
    /// `None` where nobody has corrected it.
    pub(super) original: Option<Original>,
}

/// A correction of what is said between two times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Correction {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// `None`: as it was recognised.
    pub(super) text: Option<String>,
}

/// Applies corrections in their order; answers with the places of the lines that are no longer what they were. Applying them
/// again changes nothing.
pub(super) fn replay(lines: &mut [Line], corrections: &[Correction]) -> Vec<usize> {
    let mut changed = Vec::new();
    for correction in corrections {
        changed.extend(match &correction.text {
            Some(text) => write(lines, correction, text),
            None => restore(lines, correction),
        });
    }
    changed.sort_unstable();
    changed.dedup();
    changed
}

fn write(lines: &mut [Line], at: &Correction, text: &str) -> Vec<usize> {
    let within = |word: &Spoken| is_within(at, middle(word));
    let touched: Vec<usize> = (0..lines.len()).filter(|&place| lines[place].words.iter().any(within)).collect();
    let mut heard: Vec<Spoken> = Vec::new();
    for &place in &touched {
        heard.extend(lines[place].words.iter().filter(|&word| within(word)).cloned());
    }
    let said: String = heard.iter().map(|word| word.text.as_str()).collect();
    if touched.is_empty() || said.split_whitespace().eq(text.split_whitespace()) {
        return Vec::new();
    }
    let mut share: Vec<Vec<Spoken>> = vec![Vec::new(); touched.len()];
    for word in retime(&heard, text, (at.start_ms, at.end_ms)) {
        // The line that has begun when it is said.
        let begun = touched.iter().take_while(|&&place| lines[place].start_ms <= middle(&word)).count();
        share[begun.saturating_sub(1)].push(word);
    }
    for (&place, new) in touched.iter().zip(share) {
        let line = &mut lines[place];
        line.original.get_or_insert_with(|| Original::new(&line.text, &line.words));
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for word in line.words.drain(..).filter(|word| !within(word)) {
            if middle(&word) < at.start_ms { before.push(word) } else { after.push(word) }
        }
        before.extend(new);
        before.extend(after);
        line.words = before;
        line.text = text_of(&line.words);
    }
    touched
}

fn restore(lines: &mut [Line], at: &Correction) -> Vec<usize> {
    let mut restored = Vec::new();
    for (place, line) in lines.iter_mut().enumerate() {
        let Some(original) = line
            .original
            .take_if(|original| original.words.iter().any(|(start, end, ..)| is_within(at, start + (end - start) / 2)))
        else {
            continue;
        };
        line.words = original.spoken();
        line.text = original.text;
        restored.push(place);
    }
    restored
}

pub(super) fn text_of(words: &[Spoken]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<String>().trim().to_owned()
}

fn middle(word: &Spoken) -> i64 {
    word.start_ms + (word.end_ms - word.start_ms) / 2
}

fn is_within(at: &Correction, ms: i64) -> bool {
    (at.start_ms..at.end_ms.max(at.start_ms + 1)).contains(&ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(segment_no: i32, start_ms: i64, words: &[&str]) -> Line {
        let words: Vec<Spoken> = (0..)
            .zip(words)
            .map(|(n, word)| Spoken {
                start_ms: start_ms + n * 500,
                end_ms: start_ms + n * 500 + 500,
                text: format!(" {word}"),
                probability: 0.5,
            })
            .collect();
        Line { segment_no, start_ms, text: text_of(&words), words, original: None }
    }

    fn correction(start_ms: i64, end_ms: i64, text: Option<&str>) -> Correction {
        Correction { start_ms, end_ms, text: text.map(ToOwned::to_owned) }
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_correction_finds_its_words_in_longer_sentences() {
        // What was one sentence from 1.0 to 2.0 s is now the middle of a longer one.
        let mut lines = vec![line(0, 0, &["So", "it", "wuz", "the", "best"])];
        let was = lines.clone();
        let all = [correction(1000, 2000, Some("was the very"))];
        assert_eq!(replay(&mut lines, &all), [0]);
        assert_eq!(texts(&lines), ["So it was the very best"]);
        assert_eq!(lines[0].words.last(), was[0].words.last(), "what is beside it stays");
        assert_eq!(lines[0].original.as_ref().map(|original| original.text.as_str()), Some("So it wuz the best"));
        assert_eq!(replay(&mut lines, &all), [0_usize; 0], "again: nothing");
        assert_eq!(replay(&mut lines, &[correction(1000, 2000, None)]), [0]);
        assert_eq!(lines, was, "taken back");
    }

    #[test]
    fn a_correction_over_two_sentences_gives_each_its_part() {
        let mut lines = vec![line(0, 0, &["It", "wuz"]), line(1, 1000, &["teh", "best"])];
        assert_eq!(replay(&mut lines, &[correction(0, 2000, Some("It was the best"))]), [0, 1]);
        assert_eq!(texts(&lines), ["It was", "the best"]);
    }

    #[test]
    fn where_nothing_was_recognised_or_all_was_right_nothing_is_done() {
        let mut lines = vec![line(0, 0, &["It", "was"])];
        let was = lines.clone();
        assert!(
            replay(&mut lines, &[correction(0, 1000, Some("It was")), correction(9000, 9900, Some("rain"))]).is_empty()
        );
        assert!(replay(&mut lines, &[correction(0, 1000, None)]).is_empty());
        assert_eq!(lines, was);
    }
}
