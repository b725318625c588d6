//! What a hit is shown with.

use sqlx::PgExecutor;
use uuid::Uuid;

use super::Candidate;
use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId, VideoId},
};

/// A found scene with its video.
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
}

/// Loads what is shown of found scenes, in no order. The query marks the matching words.
pub async fn hits(
    db: impl PgExecutor<'_>,
    owner: UserId,
    query: &str,
    found: &[Candidate],
) -> Result<Vec<HitRow>, DbError> {
    let (runs, scenes) = keys(found);
    Ok(sqlx::query_as!(
        HitRow,
        r#"SELECT s.run_id AS "run_id: RunId", s.scene_id AS "scene_id: SceneId", s.video_id AS "video_id: VideoId", v.title AS video_title,
                  s.start_ms, s.end_ms, s.text, s.thumbnail_key,
                  ts_headline('english', s.text, websearch_to_tsquery('english', $4) || websearch_to_tsquery('simple', $4),
                      'HighlightAll=true, StartSel="' || U&'\E000' || '", StopSel="' || U&'\E001' || '"') AS "marked!"
           FROM unnest($2::uuid[], $3::uuid[]) AS f (run_id, scene_id)
           JOIN scenes s USING (run_id, scene_id) JOIN videos v ON v.video_id = s.video_id
           WHERE s.owner_id = $1 AND v.owner_id = $1 AND v.state <> 'deleted'"#,
        owner.0,
        &runs,
        &scenes,
        query
    )
    .fetch_all(db)
    .await?)
}

/// A spoken word of a found scene.
#[derive(Clone, Debug)]
pub struct HitWord {
    pub run_id: RunId,
    pub scene_id: SceneId,
    pub start_ms: i64,
    pub text: String,
    /// Shares a stem with the query.
    pub matches: bool,
}

/// The spoken words of found scenes, in order.
pub async fn hit_words(
    db: impl PgExecutor<'_>,
    owner: UserId,
    query: &str,
    found: &[Candidate],
) -> Result<Vec<HitWord>, DbError> {
    let (runs, scenes) = keys(found);
    Ok(sqlx::query_as!(
        HitWord,
        r#"SELECT w.run_id AS "run_id: RunId", w.scene_id AS "scene_id!: SceneId", w.start_ms, w.text,
                  COALESCE(to_tsvector('english', w.text) @@
                      NULLIF(replace(websearch_to_tsquery('english', $4)::text, ' & ', ' | '), '')::tsquery, false) AS "matches!"
           FROM unnest($2::uuid[], $3::uuid[]) AS f (run_id, scene_id)
           JOIN transcript_words w USING (run_id, scene_id) JOIN scenes s USING (run_id, scene_id)
           WHERE s.owner_id = $1 ORDER BY w.run_id, w.word_no"#,
        owner.0,
        &runs,
        &scenes,
        query
    )
    .fetch_all(db)
    .await?)
}

fn keys(found: &[Candidate]) -> (Vec<Uuid>, Vec<Uuid>) {
    found.iter().map(|c| (c.run_id.0, c.scene_id.0)).unzip()
}
