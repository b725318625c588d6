//! Meaning: what is said in each scene, as vectors.
//! Reads: words with their scenes. Writes: text windows with vectors. Again: rows replaced.

use std::{ops::Range, sync::Arc};

use heimdex_db::{
    moments::{
        scenes::{self, Scene},
        transcript::{self, Word},
        windows::{self, NewWindow},
    },
    runs,
    vectors::{self, VectorKind},
};
use heimdex_models::{TextEmbedder, text::split_windows};

use super::{blocking, no_model};
use crate::{
    models::ModelFailure,
    stage::{Job, Outcome, StageContext, StageError},
};

/// Some twenty seconds of speech: longer windows fit the model, but blur what is found in them.
const MAX_TOKENS: usize = 96;
const OVERLAP_TOKENS: usize = 24;
/// Longer than a breath.
const PAUSE_MS: i64 = 700;
/// How much of a sentence outside of its scene is looked at, on each side. One that is longer is left as it was cut.
const REST_WORDS: usize = 24;
/// Windows embedded between two looks at whether to go on.
const BATCH: usize = 64;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let models = cx.models();
    let (Some(embedder), Some(model)) = (models.text().await?, models.text.as_ref()) else {
        return no_model(cx, job, "text").await;
    };
    vectors::ensure_model(cx.db(), VectorKind::Text, model.id(), embedder.dimension()).await?;
    let scene_rows = scenes::list(cx.db(), job.run_id).await?;
    let words = transcript::words(cx.db(), job.run_id).await?;
    let rows = embed_all(cx, &embedder, split(&embedder, &scene_rows, &words)?).await?;

    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, "text", Some(&model.label())).await?;
    windows::replace(&mut tx, job.run_id, job.owner_id, model.id(), &rows).await?;
    cx.commit(tx).await?;
    Ok(if rows.is_empty() { Outcome::nothing("no words") } else { Outcome::done() })
}

/// A window that has no vector yet.
pub(crate) struct Split {
    pub window: NewWindow,
    /// The whole sentences that it is made of, where the scene has only a part of them.
    whole: Option<String>,
    /// When the words are said on which its vector hangs, in milliseconds.
    reach: (i64, i64),
}

impl Split {
    /// Whether another vector may be due because other words are said at a time.
    pub(crate) fn hangs_on(&self, (start_ms, end_ms): (i64, i64)) -> bool {
        self.reach.0 <= end_ms && start_ms <= self.reach.1
    }
}

/// What is said in each scene, in windows.
pub(crate) fn split(embedder: &TextEmbedder, scene_rows: &[Scene], words: &[Word]) -> Result<Vec<Split>, StageError> {
    let (mut rows, mut at) = (Vec::new(), 0);
    for scene in scene_rows {
        // Words are in order, and so are their scenes.
        let first = at;
        at += words[first..].iter().take_while(|word| word.scene_id == Some(scene.scene_id)).count();
        let spoken = &words[first..at];
        for (range, ordinal) in cut(embedder, spoken)?.into_iter().zip(0..) {
            let among_all = first + range.start..first + range.end;
            let reach = reach(words, &among_all);
            let whole = sentences(words, among_all);
            let whole = (whole.len() > range.len()).then(|| text_of(&words[whole]));
            let own = &spoken[range];
            let window = NewWindow {
                scene_id: scene.scene_id,
                ordinal,
                start_ms: own.first().map_or(scene.start_ms, |word| word.start_ms),
                end_ms: own.iter().map(|word| word.end_ms).max().unwrap_or(scene.end_ms),
                text: text_of(own),
                vector: Vec::new(),
            };
            rows.push(Split { window, whole, reach });
        }
    }
    Ok(rows)
}

/// Gives windows their vectors.
pub(crate) async fn embed_all(
    cx: &StageContext,
    embedder: &Arc<TextEmbedder>,
    mut rows: Vec<Split>,
) -> Result<Vec<NewWindow>, StageError> {
    let all = rows.len();
    for from in (0..all).step_by(BATCH) {
        if cx.cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        let until = (from + BATCH).min(all);
        let own = rows[from..until].iter().map(|row| row.window.text.clone());
        let whole = rows[from..until].iter().filter_map(|row| row.whole.clone());
        let mut vectors = embed(Arc::clone(embedder), own.chain(whole).collect()).await?;
        let mut of_wholes = vectors.split_off(until - from).into_iter();
        for (row, vector) in rows[from..until].iter_mut().zip(vectors) {
            row.window.vector = match row.whole.is_some().then(|| of_wholes.next()).flatten() {
                Some(whole) => between(&vector, &whole),
                None => vector,
            };
        }
        cx.progress_between(5, 95, until, all);
    }
    Ok(rows.into_iter().map(|row| row.window).collect())
}

fn text_of(words: &[Word]) -> String {
    let text: String = words.iter().map(|word| word.text.as_str()).collect();
    text.trim().to_owned()
}

/// A range of words, and the rest of the sentences that it begins and ends in: a cut in mid-sentence leaves fragments on both sides that
/// mean little, or something else. A sentence ends with its mark, with a pause, or where it has gone on for too long.
fn sentences(words: &[Word], range: Range<usize>) -> Range<usize> {
    let is_between = |n: usize| {
        let (Some(before), Some(after)) = (n.checked_sub(1).and_then(|n| words.get(n)), words.get(n)) else {
            return true;
        };
        before.text.trim_end().ends_with(['.', '!', '?', '。', '！', '？', '…'])
            || after.start_ms - before.end_ms > PAUSE_MS
    };
    if range.is_empty() {
        return range;
    }
    let start = (range.start.saturating_sub(REST_WORDS)..=range.start).rev().find(|&n| is_between(n));
    let end = (range.end..=range.end + REST_WORDS).find(|&n| is_between(n));
    start.unwrap_or(range.start)..end.unwrap_or(range.end)
}

/// When the words are said of which [`sentences`] may look at some. What is said first or last may have been cut off there.
fn reach(words: &[Word], range: &Range<usize>) -> (i64, i64) {
    let start =
        range.start.checked_sub(REST_WORDS + 1).and_then(|n| words.get(n)).map_or(i64::MIN, |word| word.start_ms);
    let end = words.get(range.end + REST_WORDS).map_or(i64::MAX, |word| word.end_ms);
    (start, end)
}

/// The direction in the middle: what is said here counts as much as the sentence that it is a part of.
fn between(own: &[f32], whole: &[f32]) -> Vec<f32> {
    let sum: Vec<f32> = own.iter().zip(whole).map(|(a, b)| a + b).collect();
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    // Opposite vectors have no middle.
    if length < 1e-3 { own.to_vec() } else { sum.into_iter().map(|value| value / length).collect() }
}

/// Windows of consecutive words, by how many tokens each word is.
fn cut(embedder: &TextEmbedder, words: &[Word]) -> Result<Vec<Range<usize>>, StageError> {
    let counts: Result<Vec<_>, _> =
        // Of a text by itself the count includes the two special tokens.
        words.iter().map(|word| embedder.count_tokens(word.text.trim()).map(|n| n.saturating_sub(2))).collect();
    let most = MAX_TOKENS.min(embedder.max_tokens().saturating_sub(2));
    Ok(split_windows(&counts.map_err(ModelFailure::from)?, most, OVERLAP_TOKENS))
}

async fn embed(embedder: Arc<TextEmbedder>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, StageError> {
    blocking(move || {
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        Ok(embedder.embed(&texts).map_err(ModelFailure::from)?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A word every half second; `/` is a pause of a second.
    fn said(text: &str) -> Vec<Word> {
        let (mut words, mut at) = (Vec::new(), 0);
        for text in text.split(' ') {
            if text == "/" {
                at += 1000;
                continue;
            }
            let word_no = i32::try_from(words.len()).unwrap();
            let (start_ms, end_ms, text) = (at, at + 400, format!(" {text}"));
            words.push(Word { word_no, segment_no: 0, start_ms, end_ms, text, probability: 1.0, scene_id: None });
            at += 500;
        }
        words
    }

    #[test]
    fn a_fragment_belongs_to_its_sentence() {
        let words = said("It rains. A thin layer of pebbles keeps the slugs away. Then / no mark here / end");
        let text = |range: Range<usize>| text_of(&words[sentences(&words, range)]);
        assert_eq!(text(2..5), "A thin layer of pebbles keeps the slugs away.");
        assert_eq!(text(5..11), "A thin layer of pebbles keeps the slugs away.");
        assert_eq!(text(0..2), "It rains.");
        assert_eq!(text(1..3), "It rains. A thin layer of pebbles keeps the slugs away.");
        assert_eq!(text(13..14), "no mark here");
        let endless = said(&"word ".repeat(200).trim_end().replace("word", "and"));
        assert_eq!(sentences(&endless, 100..110), 100..110, "a sentence without an end stays as it was cut");
    }

    proptest! {
        #[test]
        fn what_is_said_out_of_reach_changes_no_sentence(marks in prop::collection::vec(0_u8..8, 80..120), at in 0_usize..120, other in 0_usize..120) {
            let text: Vec<_> = marks.iter().map(|mark| if *mark == 0 { "end." } else { "word" }).collect();
            let mut words = said(&text.join(" "));
            let (at, other) = (at % words.len(), other % words.len());
            let (start, end) = reach(&words, &(at..at + 1));
            let before = sentences(&words, at..at + 1);
            prop_assume!(words[other].end_ms < start || words[other].start_ms > end);
            words[other].text = if words[other].text == " end." { " word".into() } else { " end.".into() };
            prop_assert_eq!(sentences(&words, at..at + 1), before);
        }

        #[test]
        fn nothing_is_lost_and_little_is_added(marks in prop::collection::vec(0_u8..8, 1..120), a in 0_usize..120, b in 0_usize..120) {
            let text: Vec<_> = marks.iter().map(|mark| match mark { 0 => "end.", 1 => "/ word", _ => "word" }).collect();
            let words = said(&text.join(" "));
            let (start, end) = (a.min(b).min(words.len()), a.max(b).min(words.len()));
            let whole = sentences(&words, start..end);
            prop_assert!(whole.start <= start && whole.end >= end && whole.end <= words.len());
            prop_assert!(start - whole.start <= REST_WORDS && whole.end - end <= REST_WORDS);
        }

        #[test]
        fn the_middle_has_length_one_and_is_near_both(a in prop::collection::vec(-1.0_f32..1.0, 8), b in prop::collection::vec(-1.0_f32..1.0, 8)) {
            let unit = |v: &[f32]| { let l = v.iter().map(|x| x * x).sum::<f32>().sqrt(); v.iter().map(|x| x / l).collect::<Vec<_>>() };
            prop_assume!(a.iter().any(|x| x.abs() > 0.1) && b.iter().any(|x| x.abs() > 0.1));
            let (a, b) = (unit(&a), unit(&b));
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let middle = between(&a, &b);
            prop_assert!((dot(&middle, &middle) - 1.0).abs() < 1e-4);
            prop_assert!(dot(&middle, &a) >= dot(&a, &b) - 1e-4);
        }
    }
}
