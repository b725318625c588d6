//! Segments and words of the speech, written by `asr_fast`; `align_merge` adds each word's scene.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::{RunId, SceneId, VideoId},
};

/// A row of `transcript_segments`; its number is its place in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub segment_no: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    pub text: String,
    pub avg_logprob: Option<f32>,
    pub no_speech_prob: Option<f32>,
    pub compression_ratio: Option<f32>,
    pub temperature: Option<f32>,
}

/// A row of `transcript_words`; its number counts through the whole video.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub word_no: i32,
    pub segment_no: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    /// As written, with its leading space where there is one.
    pub text: String,
    pub probability: f32,
    pub scene_id: Option<SceneId>,
}

/// Replaces the transcript of a run. Words come without a scene.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    video_id: VideoId,
    segments: &[Segment],
    words: &[Word],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM transcript_words WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM transcript_segments WHERE run_id = $1", run_id as RunId)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        r#"INSERT INTO transcript_segments
               (run_id, video_id, segment_no, start_ms, end_ms, text, avg_logprob, no_speech_prob, compression_ratio, temperature)
           SELECT $1, $2, * FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::real[], $8::real[], $9::real[], $10::real[])"#,
        run_id as RunId,
        video_id as VideoId,
        &segments.iter().map(|s| s.segment_no).collect::<Vec<_>>(),
        &segments.iter().map(|s| s.start_ms).collect::<Vec<_>>(),
        &segments.iter().map(|s| s.end_ms).collect::<Vec<_>>(),
        &segments.iter().map(|s| s.text.clone()).collect::<Vec<_>>(),
        &segments.iter().map(|s| s.avg_logprob).collect::<Vec<_>>() as &[Option<f32>],
        &segments.iter().map(|s| s.no_speech_prob).collect::<Vec<_>>() as &[Option<f32>],
        &segments.iter().map(|s| s.compression_ratio).collect::<Vec<_>>() as &[Option<f32>],
        &segments.iter().map(|s| s.temperature).collect::<Vec<_>>() as &[Option<f32>]
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO transcript_words (run_id, word_no, segment_no, start_ms, end_ms, text, probability)
         SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::real[])",
        run_id as RunId,
        &words.iter().map(|w| w.word_no).collect::<Vec<_>>(),
        &words.iter().map(|w| w.segment_no).collect::<Vec<_>>(),
        &words.iter().map(|w| w.start_ms).collect::<Vec<_>>(),
        &words.iter().map(|w| w.end_ms).collect::<Vec<_>>(),
        &words.iter().map(|w| w.text.clone()).collect::<Vec<_>>(),
        &words.iter().map(|w| w.probability).collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says which scene each word belongs to: `(word_no, scene)`.
pub async fn assign(connection: &mut PgConnection, run_id: RunId, scenes: &[(i32, SceneId)]) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE transcript_words w SET scene_id = given.scene_id
         FROM unnest($2::int[], $3::uuid[]) AS given (word_no, scene_id)
         WHERE w.run_id = $1 AND w.word_no = given.word_no",
        run_id as RunId,
        &scenes.iter().map(|(word_no, _)| *word_no).collect::<Vec<_>>(),
        &scenes.iter().map(|(_, scene)| scene.0).collect::<Vec<Uuid>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The segments of a run, in order.
pub async fn segments(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<Segment>, DbError> {
    Ok(sqlx::query_as!(
        Segment,
        "SELECT segment_no, start_ms, end_ms, text, avg_logprob, no_speech_prob, compression_ratio, temperature
         FROM transcript_segments WHERE run_id = $1 ORDER BY segment_no",
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}

/// The words of a run, in order.
pub async fn words(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Vec<Word>, DbError> {
    Ok(sqlx::query_as!(
        Word,
        r#"SELECT word_no, segment_no, start_ms, end_ms, text, probability, scene_id AS "scene_id: SceneId"
           FROM transcript_words WHERE run_id = $1 ORDER BY word_no"#,
        run_id as RunId
    )
    .fetch_all(db)
    .await?)
}
