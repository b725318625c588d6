//! The words of a visible run.

use serde_json::Value;
use sqlx::PgExecutor;

use crate::{
    error::DbError,
    ids::{RunId, UserId, VideoId},
};

/// The run that is visible and what it was made with.
#[derive(Clone, Debug)]
pub struct VisibleRun {
    pub run_id: RunId,
    pub language: Option<String>,
    /// `{kind: model id}`
    pub models: Value,
    /// `{name: object key}`
    pub artifacts: Value,
}

/// `Ok(None)` while nothing of the video is visible yet; `NotFound` if it is not this owner's.
pub async fn visible_run(
    db: impl PgExecutor<'_>,
    owner: UserId,
    video: VideoId,
) -> Result<Option<VisibleRun>, DbError> {
    let row = sqlx::query!(
        r#"SELECT r.run_id AS "run_id?: RunId", r.language AS "language?", r.models AS "models?", r.artifacts AS "artifacts?"
           FROM videos v LEFT JOIN runs r ON r.run_id = v.current_run_id
           WHERE v.video_id = $1 AND v.owner_id = $2 AND v.state <> 'deleted'"#,
        video.0,
        owner.0
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)?;
    Ok(row.run_id.map(|run_id| VisibleRun {
        run_id,
        language: row.language,
        models: row.models.unwrap_or_default(),
        artifacts: row.artifacts.unwrap_or_default(),
    }))
}

#[derive(Clone, Debug)]
pub struct SegmentRow {
    pub segment_no: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    /// A person has corrected it.
    pub edited: bool,
}

#[derive(Clone, Debug)]
pub struct WordRow {
    pub segment_no: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    /// With its leading space where there is one.
    pub text: String,
    pub probability: f32,
}

/// Segments of a run of this owner's, in order.
pub async fn segments(db: impl PgExecutor<'_>, owner: UserId, run: RunId) -> Result<Vec<SegmentRow>, DbError> {
    Ok(sqlx::query_as!(
        SegmentRow,
        r#"SELECT t.segment_no, t.start_ms, t.end_ms, t.text, t.original IS NOT NULL AS "edited!"
           FROM transcript_segments t JOIN videos v USING (video_id)
           WHERE t.run_id = $1 AND v.owner_id = $2 ORDER BY t.segment_no"#,
        run.0,
        owner.0
    )
    .fetch_all(db)
    .await?)
}

/// Words of a run of this owner's, in order.
pub async fn words(db: impl PgExecutor<'_>, owner: UserId, run: RunId) -> Result<Vec<WordRow>, DbError> {
    Ok(sqlx::query_as!(
        WordRow,
        "SELECT w.segment_no, w.start_ms, w.end_ms, w.text, w.probability
         FROM transcript_words w JOIN runs r USING (run_id) JOIN videos v ON v.video_id = r.video_id
         WHERE w.run_id = $1 AND v.owner_id = $2 ORDER BY w.word_no",
        run.0,
        owner.0
    )
    .fetch_all(db)
    .await?)
}
