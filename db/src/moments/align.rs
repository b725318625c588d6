//! Words to the scenes they are spoken in.

use sqlx::PgConnection;

use super::{
    scenes::{self, Scene, SceneText},
    transcript::{self, Word},
};
use crate::{
    error::DbError,
    ids::{RunId, SceneId},
};

/// For each word `(start, end)` the scene that holds its midpoint. Scenes follow each other and are given by their ends;
/// what lies past the last belongs to the last. A word never goes back behind its predecessor's scene, so that the order
/// of words is that of scenes even where times overlap.
pub fn assign(words: &[(i64, i64)], scene_ends: &[i64]) -> Vec<usize> {
    let last = scene_ends.len().saturating_sub(1);
    let mut least = 0;
    words
        .iter()
        .map(|(start, end)| {
            let midpoint = start + (end - start) / 2;
            least = scene_ends.partition_point(|end| *end <= midpoint).min(last).max(least);
            least
        })
        .collect()
}

/// The scene of each word by its number, and the text of each scene. There is at least one scene.
pub fn align(scenes: &[Scene], words: &[Word]) -> (Vec<(i32, SceneId)>, Vec<SceneText>) {
    let ends: Vec<_> = scenes.iter().map(|scene| scene.end_ms).collect();
    let times: Vec<_> = words.iter().map(|word| (word.start_ms, word.end_ms)).collect();
    let places = assign(&times, &ends);
    let mut texts = vec![String::new(); scenes.len()];
    for (word, &place) in words.iter().zip(&places) {
        texts[place].push_str(&word.text);
    }
    let assigned = words.iter().zip(&places).map(|(word, &place)| (word.word_no, scenes[place].scene_id)).collect();
    let texts = scenes
        .iter()
        .zip(texts)
        .map(|(scene, text)| SceneText { scene_id: scene.scene_id, text: text.trim().to_owned() })
        .collect();
    (assigned, texts)
}

/// Aligns a run again whose words have changed; only what comes out otherwise than before is written.
pub(super) async fn again(connection: &mut PgConnection, run: RunId, language: Option<&str>) -> Result<(), DbError> {
    let scene_rows = scenes::list(&mut *connection, run).await?;
    let words = transcript::words(&mut *connection, run).await?;
    if scene_rows.is_empty() {
        return Ok(());
    }
    let (assigned, texts) = align(&scene_rows, &words);
    let moved: Vec<_> = assigned
        .into_iter()
        .zip(&words)
        .filter(|((_, scene), word)| word.scene_id != Some(*scene))
        .map(|(place, _)| place)
        .collect();
    transcript::assign(&mut *connection, run, &moved).await?;
    let changed: Vec<_> =
        texts.into_iter().zip(&scene_rows).filter(|(new, old)| new.text != old.text).map(|(new, _)| new).collect();
    scenes::set_texts(connection, run, language, &changed).await
}
