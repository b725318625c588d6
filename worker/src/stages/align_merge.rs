//! Alignment: words to the scenes they are spoken in, and the first run becomes visible.
//! Reads: words, scenes, what people have corrected. Writes: words' scenes, scene texts with their search form, the visible run. Again: rows replaced.

pub use heimdex_db::moments::align::assign;
use heimdex_db::{
    moments::{align::align, edits, scenes, transcript},
    runs,
};

use crate::stage::{Job, Outcome, StageContext, StageError};

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    edits::apply(&mut tx, job.run_id, false).await?;
    cx.commit(tx).await?;
    let scene_rows = scenes::list(cx.db(), job.run_id).await?;
    let words = transcript::words(cx.db(), job.run_id).await?;
    if scene_rows.is_empty() {
        return Err(StageError::missing("the list of scenes"));
    }
    let (assigned, texts) = align(&scene_rows, &words);

    let mut tx = cx.fenced_tx().await?;
    transcript::assign(&mut tx, job.run_id, &assigned).await?;
    scenes::set_texts(&mut tx, job.run_id, job.subject.language.as_deref(), &texts).await?;
    runs::show_first(&mut tx, job.run_id, job.video_id).await?;
    cx.commit(tx).await?;
    Ok(if words.is_empty() { Outcome::nothing("no words") } else { Outcome::done() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_on_a_boundary_goes_by_its_middle() {
        let ends = [1000, 2000];
        assert_eq!(
            assign(&[(700, 1200), (800, 1200), (900, 1400), (1990, 2500), (5000, 6000)], &ends),
            [0, 1, 1, 1, 1]
        );
    }

    proptest! {
        #[test]
        fn each_word_has_one_scene_and_order_is_kept(
            lengths in prop::collection::vec(1_i64..5000, 1..40),
            words in prop::collection::vec((0_i64..120_000, 0_i64..3000), 0..200),
        ) {
            let ends: Vec<i64> = lengths.iter().scan(0, |at, length| { *at += length; Some(*at) }).collect();
            let mut words: Vec<_> = words.into_iter().map(|(start, length)| (start, start + length)).collect();
            words.sort_unstable();
            let before = ends.clone();
            let places = assign(&words, &ends);
            prop_assert_eq!(places.len(), words.len());
            prop_assert!(places.iter().all(|place| *place < ends.len()));
            prop_assert!(places.is_sorted());
            prop_assert_eq!(before, ends);
        }

        #[test]
        fn words_that_do_not_overlap_are_where_their_middle_is(
            lengths in prop::collection::vec(1_i64..5000, 1..40),
            gaps in prop::collection::vec((0_i64..500, 0_i64..1500), 0..100),
        ) {
            let ends: Vec<i64> = lengths.iter().scan(0, |at, length| { *at += length; Some(*at) }).collect();
            let mut at = 0;
            let words: Vec<_> = gaps.into_iter().map(|(gap, length)| { let start = at + gap; at = start + length; (start, at) }).collect();
            for ((start, end), place) in words.iter().zip(assign(&words, &ends)) {
                let midpoint = start + (end - start) / 2;
                let from = if place == 0 { 0 } else { ends[place - 1] };
                prop_assert!(from <= midpoint && (midpoint < ends[place] || place == ends.len() - 1));
            }
        }
    }
}
