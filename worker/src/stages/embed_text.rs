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
    let mut rows = split(&embedder, &scene_rows, &words)?;
    embed_all(cx, &embedder, &mut rows).await?;

    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, "text", Some(&model.label())).await?;
    windows::replace(&mut tx, job.run_id, job.owner_id, model.id(), &rows).await?;
    cx.commit(tx).await?;
    Ok(if rows.is_empty() { Outcome::nothing("no words") } else { Outcome::done() })
}

/// What is said in each scene, in windows that have no vectors yet.
pub(crate) fn split(
    embedder: &TextEmbedder,
    scene_rows: &[Scene],
    words: &[Word],
) -> Result<Vec<NewWindow>, StageError> {
    let mut rows: Vec<NewWindow> = Vec::new();
    for scene in scene_rows {
        let spoken: Vec<_> = words.iter().filter(|word| word.scene_id == Some(scene.scene_id)).collect();
        for (range, ordinal) in cut(embedder, &spoken)?.into_iter().zip(0..) {
            let own = &spoken[range];
            let text: String = own.iter().map(|word| word.text.as_str()).collect();
            rows.push(NewWindow {
                scene_id: scene.scene_id,
                ordinal,
                start_ms: own.first().map_or(scene.start_ms, |word| word.start_ms),
                end_ms: own.iter().map(|word| word.end_ms).max().unwrap_or(scene.end_ms),
                text: text.trim().to_owned(),
                vector: Vec::new(),
            });
        }
    }
    Ok(rows)
}

/// Gives windows their vectors.
pub(crate) async fn embed_all(
    cx: &StageContext,
    embedder: &Arc<TextEmbedder>,
    rows: &mut [NewWindow],
) -> Result<(), StageError> {
    let all = rows.len();
    for from in (0..all).step_by(BATCH) {
        if cx.cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        let until = (from + BATCH).min(all);
        let texts: Vec<_> = rows[from..until].iter().map(|row| row.text.clone()).collect();
        let vectors = embed(Arc::clone(embedder), texts).await?;
        for (row, vector) in rows[from..until].iter_mut().zip(vectors) {
            row.vector = vector;
        }
        cx.progress_between(5, 95, until, all);
    }
    Ok(())
}

/// Windows of consecutive words, by how many tokens each word is.
fn cut(embedder: &TextEmbedder, words: &[&Word]) -> Result<Vec<Range<usize>>, StageError> {
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
