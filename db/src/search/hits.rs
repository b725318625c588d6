//! What a hit is shown with.

use sqlx::PgExecutor;

use super::{Candidate, places};
use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId, VideoId},
};

/// A found scene with its video and what is said in it.
#[derive(Clone, Debug)]
pub struct HitRow {
    pub run_id: RunId,
    pub scene_id: SceneId,
    pub video_id: VideoId,
    pub video_title: String,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// `text` with U+E000 before and U+E001 after each word that matches.
    pub marked: String,
    pub thumbnail_key: Option<String>,
    /// In the order of speaking.
    pub words: Vec<HitWord>,
}

/// A spoken word of a found scene.
#[derive(Clone, Debug)]
pub struct HitWord {
    pub start_ms: i64,
    pub text: String,
    /// Shares a stem with the query.
    pub matches: bool,
}

/// Loads what is shown of found scenes, in no order. The query marks the matching words.
pub async fn hits(
    db: impl PgExecutor<'_>,
    owner: UserId,
    query: &str,
    found: &[Candidate],
) -> Result<Vec<HitRow>, DbError> {
    let (runs, scenes) = places(found);
    let rows = sqlx::query!(
        r#"SELECT s.run_id AS "run_id: RunId", s.scene_id AS "scene_id: SceneId", s.video_id AS "video_id: VideoId", v.title AS video_title,
                  s.start_ms, s.end_ms, s.text, s.thumbnail_key,
                  ts_headline('english', s.text, websearch_to_tsquery('english', $4) || websearch_to_tsquery('simple', $4),
                      'HighlightAll=true, StartSel="' || U&'\E000' || '", StopSel="' || U&'\E001' || '"') AS "marked!",
                  spoken.starts AS "starts!", spoken.texts AS "texts!", spoken.matches AS "matches!"
           FROM unnest($2::uuid[], $3::uuid[]) AS f (run_id, scene_id)
           -- Any of the words, but none that the query leaves out: `querytree` drops those, and is 'T' or empty when no word is left.
           CROSS JOIN (SELECT NULLIF(NULLIF(replace(querytree(websearch_to_tsquery('english', $4)), ' & ', ' | '), 'T'), '')::tsquery) AS wanted (words)
           JOIN scenes s USING (run_id, scene_id) JOIN videos v ON v.video_id = s.video_id
           CROSS JOIN LATERAL (
               SELECT COALESCE(array_agg(w.start_ms ORDER BY w.word_no), '{}') AS starts, COALESCE(array_agg(w.text ORDER BY w.word_no), '{}') AS texts,
                      COALESCE(array_agg(COALESCE(to_tsvector('english', w.text) @@ wanted.words, false) ORDER BY w.word_no), '{}') AS matches
               FROM transcript_words w WHERE w.run_id = s.run_id AND w.scene_id = s.scene_id) AS spoken
           WHERE s.owner_id = $1 AND v.owner_id = $1 AND v.state <> 'deleted'"#,
        owner.0,
        &runs,
        &scenes,
        query
    )
    .fetch_all(db)
    .await?;
    let hit_words = |starts: Vec<i64>, texts: Vec<String>, matches: Vec<bool>| {
        let words = starts.into_iter().zip(texts).zip(matches);
        words.map(|((start_ms, text), matches)| HitWord { start_ms, text, matches }).collect()
    };
    Ok(rows
        .into_iter()
        .map(|row| HitRow {
            run_id: row.run_id,
            scene_id: row.scene_id,
            video_id: row.video_id,
            video_title: row.video_title,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            text: row.text,
            marked: row.marked,
            thumbnail_key: row.thumbnail_key,
            words: hit_words(row.starts, row.texts, row.matches),
        })
        .collect())
}
