//! Tags and affect of each scene.
//! Reads: image vectors, words, sound curve, faces, on-screen text. Writes: scene tags, affect. Again: rows replaced.

use std::{collections::HashMap, sync::Arc};

use heimdex_db::{
    SceneId,
    moments::{
        frames::{self, Frame},
        scenes::{self, Scene},
        sound,
        tags::{self, SceneTag},
        transcript::{self, Word},
    },
    runs,
};
use heimdex_models::{TextEmbedder, tags::Vocabulary};
use serde_json::Value;

use super::{align_merge, blocking};
use crate::{
    affect::{self, Valence, Video},
    evidence::evidence,
    models::ModelFailure,
    stage::{Job, Outcome, StageContext, StageError},
};

/// Sentences embedded between two looks at whether to go on.
const BATCH: usize = 64;
/// Tags of one scene.
const MOST_TAGS: usize = 12;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let (db, run_id) = (cx.db(), job.run_id);
    let scene_rows = scenes::list(db, run_id).await?;
    let frame_rows = frames::list(db, run_id).await?;
    let words = transcript::words(db, run_id).await?;
    let curve = sound::find(db, run_id).await?;
    let expressions = tags::expressions(db, run_id).await?;
    let by_scene = spoken(&scene_rows, &words);
    let valences = valences(cx, &by_scene).await?;
    cx.progress(60);

    let video = Video::new(curve.as_ref(), &words);
    let mut affects = Vec::with_capacity(scene_rows.len());
    for ((scene, own), text_valence) in scene_rows.iter().zip(&by_scene).zip(valences) {
        let pictures: Vec<_> = frame_rows.iter().filter(|frame| frame.scene_id == scene.scene_id).collect();
        let expression = affect::expression(expressions.iter().filter(|track| track.scene_id == scene.scene_id));
        let facts = affect::Facts { text_valence, expression, ..affect::facts(&video, scene, own, &pictures) };
        let affect = affect::affect(&facts).map(serde_json::to_value).transpose();
        affects.push((scene.scene_id, affect.map_err(|error| StageError::transient("affect", error))?));
    }
    let (tag_rows, note) = tag(cx, job, &scene_rows, &frame_rows).await?;
    write(cx, job, &tag_rows, &affects).await?;
    Ok(note.map_or_else(Outcome::done, Outcome::nothing))
}

/// The words of each scene. Told by time as `align_merge` does, which may not have come to it yet.
fn spoken<'a>(scene_rows: &[Scene], words: &'a [Word]) -> Vec<Vec<&'a Word>> {
    let ends: Vec<_> = scene_rows.iter().map(|scene| scene.end_ms).collect();
    let times: Vec<_> = words.iter().map(|word| (word.start_ms, word.end_ms)).collect();
    let mut by_scene = vec![Vec::new(); scene_rows.len()];
    if !scene_rows.is_empty() {
        for (word, place) in words.iter().zip(align_merge::assign(&times, &ends)) {
            by_scene[place].push(word);
        }
    }
    by_scene
}

/// Valence of what is said in each scene: the mean over its sentences, by their words. `None` for all without a text model.
async fn valences(cx: &StageContext, by_scene: &[Vec<&Word>]) -> Result<Vec<Option<f64>>, StageError> {
    let mut texts: Vec<(usize, usize, String)> = Vec::new();
    for (scene, own) in by_scene.iter().enumerate() {
        for sentence in own.chunk_by(|a, b| a.segment_no == b.segment_no) {
            let text: String = sentence.iter().map(|word| word.text.as_str()).collect();
            texts.push((scene, sentence.len(), text.trim().to_owned()));
        }
    }
    let none = vec![None; by_scene.len()];
    if texts.is_empty() {
        return Ok(none);
    }
    let Some(embedder) = cx.models().text().await? else { return Ok(none) };
    let axis = Arc::clone(&embedder);
    let valence = Arc::new(blocking(move || Ok(Valence::new(&axis).map_err(ModelFailure::from)?)).await?);
    let mut sums = vec![(0.0, 0.0); by_scene.len()];
    for (batch, chunk) in texts.chunks(BATCH).enumerate() {
        if cx.cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        let found = measure(&embedder, &valence, chunk.iter().map(|(_, _, text)| text.clone()).collect()).await?;
        for ((scene, words, _), value) in chunk.iter().zip(found) {
            sums[*scene].0 += f64::from(value) * *words as f64;
            sums[*scene].1 += *words as f64;
        }
        cx.progress_between(5, 60, batch * BATCH, texts.len());
    }
    Ok(sums.into_iter().map(|(sum, words)| (words > 0.0).then(|| sum / words)).collect())
}

async fn measure(
    embedder: &Arc<TextEmbedder>,
    valence: &Arc<Valence>,
    texts: Vec<String>,
) -> Result<Vec<f32>, StageError> {
    let (embedder, valence) = (Arc::clone(embedder), Arc::clone(valence));
    blocking(move || {
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        Ok(valence.of(&embedder, &texts).map_err(ModelFailure::from)?)
    })
    .await
}

/// Tags of every scene, with a note where pictures could not be asked.
async fn tag(
    cx: &StageContext,
    job: &Job,
    scene_rows: &[Scene],
    frame_rows: &[Frame],
) -> Result<(Vec<SceneTag>, Option<&'static str>), StageError> {
    let Some(vocabulary) = cx.models().vocabulary.clone() else { return Ok((Vec::new(), Some("no tags"))) };
    let (seen, note) = seen(cx, job, frame_rows).await?;
    let faces: HashMap<_, _> = tags::faces(cx.db(), job.run_id).await?.into_iter().map(|f| (f.scene_id, f)).collect();
    let written: HashMap<_, _> = tags::written(cx.db(), job.run_id).await?.into_iter().collect();
    let mut rows = Vec::new();
    for scene in scene_rows {
        let pictures: Vec<_> = frame_rows.iter().filter(|frame| frame.scene_id == scene.scene_id).collect();
        let told = evidence(scene, &pictures, faces.get(&scene.scene_id), written.get(&scene.scene_id).copied());
        let told = told.into_iter().map(|e| (e.tag.to_owned(), e.score, e.source));
        let shown = seen.get(&scene.scene_id).into_iter().flatten().map(|(tag, score)| (tag.clone(), *score, "image"));
        rows.extend(
            surest(&vocabulary, told.chain(shown).collect()).into_iter().map(|(tag, score, source)| SceneTag {
                scene_id: scene.scene_id,
                tag,
                score,
                source: source.to_owned(),
            }),
        );
    }
    Ok((rows, note))
}

type Found = (String, f32, &'static str);

/// Each tag once, by its surest source; only those of the vocabulary, and no more than a scene should carry.
fn surest(vocabulary: &Vocabulary, mut found: Vec<Found>) -> Vec<Found> {
    found.retain(|(tag, ..)| vocabulary.has(tag));
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)).then(a.2.cmp(b.2)));
    let mut once: Vec<Found> = Vec::new();
    for one in found {
        if !once.iter().any(|(tag, ..)| *tag == one.0) {
            once.push(one);
        }
    }
    once.truncate(MOST_TAGS);
    once
}

/// Tags and scores that the pictures' vectors give each scene, and why there are none.
async fn seen(
    cx: &StageContext,
    job: &Job,
    frame_rows: &[Frame],
) -> Result<(HashMap<SceneId, Vec<(String, f32)>>, Option<&'static str>), StageError> {
    let Some((model, scorer)) = cx.models().tag_scorer().await? else {
        return Ok((HashMap::new(), Some("no image model")));
    };
    // Vectors of another model, kept by a run that did not embed again, are in a space that this one's prompts are not in.
    let mut chosen: HashMap<SceneId, usize> = HashMap::new();
    for frame in frame_rows.iter().filter(|frame| frame.sampled) {
        *chosen.entry(frame.scene_id).or_default() += 1;
    }
    let mut by_scene: HashMap<SceneId, Vec<Vec<f32>>> = HashMap::new();
    for frame in tags::frame_vectors(cx.db(), job.run_id).await?.into_iter().filter(|frame| frame.model == model) {
        by_scene.entry(frame.scene_id).or_default().push(frame.vector);
    }
    let tagged = blocking(move || {
        let tags = |scene: &SceneId, pictures: Vec<Vec<f32>>| {
            let blank = chosen.get(scene).map_or(0, |all| all.saturating_sub(pictures.len()));
            let pictures: Vec<_> = pictures.iter().map(Vec::as_slice).collect();
            scorer.tags(&pictures, blank).into_iter().map(|(tag, score)| (tag.to_owned(), score)).collect::<Vec<_>>()
        };
        Ok(by_scene.into_iter().map(|(scene, pictures)| (scene, tags(&scene, pictures))).collect())
    })
    .await?;
    Ok((tagged, None))
}

async fn write(
    cx: &StageContext,
    job: &Job,
    tag_rows: &[SceneTag],
    affects: &[(SceneId, Option<Value>)],
) -> Result<(), StageError> {
    let vocabulary = cx.models().vocabulary.as_ref().map(|vocabulary| format!("tags@{}", vocabulary.version));
    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, "affect", Some(affect::VERSION)).await?;
    runs::set_model(&mut tx, job.run_id, "tags", vocabulary.as_deref()).await?;
    tags::replace(&mut tx, job.run_id, job.owner_id, tag_rows).await?;
    tags::set_affect(&mut tx, job.run_id, affects).await?;
    cx.commit(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_two_findings_give_stands_once_by_the_surer() {
        let vocabulary = Vocabulary::built_in().unwrap();
        let found = |tag: &str, score, source| (tag.to_owned(), score, source);
        let given = vec![
            found("person", 0.5, "image"),
            found("person", 0.9, "faces"),
            found("car", 0.6, "image"),
            found("unheard-of", 1.0, "image"),
        ];
        assert_eq!(surest(&vocabulary, given), [found("person", 0.9, "faces"), found("car", 0.6, "image")]);
        let many = vocabulary.tags.iter().map(|tag| found(&tag.id, 0.5, "image")).collect();
        assert_eq!(surest(&vocabulary, many).len(), MOST_TAGS);
    }
}
