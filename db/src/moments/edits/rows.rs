//! The lines of a run, read and written.

use serde_json::{Value, json};
use sqlx::{PgConnection, types::Json};

use super::{
    KIND,
    replay::{Line, Original},
    retime::Spoken,
};
use crate::{
    error::DbError,
    ids::{RunId, UserId, VideoId},
};

/// A segment with its words.
pub(super) struct Segment {
    pub(super) line: Line,
    pub(super) end_ms: i64,
}

/// One segment of a run that the caller has locked.
pub(super) async fn segment(db: &mut PgConnection, run: RunId, segment_no: i32) -> Result<Segment, DbError> {
    let row = sqlx::query!(
        r#"SELECT start_ms, end_ms, text, original AS "original: Json<Original>" FROM transcript_segments WHERE run_id = $1 AND segment_no = $2"#,
        run.0,
        segment_no
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    let words = sqlx::query_as!(
        Spoken,
        "SELECT start_ms, end_ms, text, probability FROM transcript_words WHERE run_id = $1 AND segment_no = $2 ORDER BY word_no",
        run.0,
        segment_no
    )
    .fetch_all(db)
    .await?;
    let original = row.original.map(|Json(original)| original);
    Ok(Segment {
        line: Line { segment_no, start_ms: row.start_ms, text: row.text, words, original },
        end_ms: row.end_ms,
    })
}

/// All lines of a run, in order.
pub(super) async fn lines(db: &mut PgConnection, run: RunId) -> Result<Vec<Line>, DbError> {
    let mut lines: Vec<Line> = sqlx::query!(
        r#"SELECT segment_no, start_ms, text, original AS "original: Json<Original>" FROM transcript_segments WHERE run_id = $1 ORDER BY segment_no"#,
        run.0
    )
    .fetch_all(&mut *db)
    .await?
    .into_iter()
    .map(|row| Line {
        segment_no: row.segment_no,
        start_ms: row.start_ms,
        text: row.text,
        words: Vec::new(),
        original: row.original.map(|Json(original)| original),
    })
    .collect();
    let words = sqlx::query!(
        "SELECT segment_no, start_ms, end_ms, text, probability FROM transcript_words WHERE run_id = $1 ORDER BY word_no",
        run.0
    )
    .fetch_all(db)
    .await?;
    for word in words {
        if let Ok(place) = lines.binary_search_by_key(&word.segment_no, |line| line.segment_no) {
            lines[place].words.push(Spoken {
                start_ms: word.start_ms,
                end_ms: word.end_ms,
                text: word.text,
                probability: word.probability,
            });
        }
    }
    Ok(lines)
}

/// Writes lines with their words, which then belong to no scene. Numbers of words keep counting through the whole video.
pub(super) async fn write(db: &mut PgConnection, run: RunId, lines: &[&Line]) -> Result<(), DbError> {
    let numbers: Vec<i32> = lines.iter().map(|line| line.segment_no).collect();
    let originals: Vec<Option<Value>> =
        lines.iter().map(|line| line.original.as_ref().map(|original| json!(original))).collect();
    sqlx::query!(
        "UPDATE transcript_segments s SET text = given.text, original = given.original
         FROM unnest($2::int[], $3::text[], $4::jsonb[]) AS given (segment_no, text, original)
         WHERE s.run_id = $1 AND s.segment_no = given.segment_no",
        run.0,
        &numbers,
        &lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>(),
        &originals as &[Option<Value>]
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM transcript_words WHERE run_id = $1 AND segment_no = ANY($2)", run.0, &numbers)
        .execute(&mut *db)
        .await?;
    // Far below every number in use, until all are counted anew.
    let words: Vec<(i32, i32, &Spoken)> = lines
        .iter()
        .flat_map(|line| line.words.iter().map(|word| (line.segment_no, word)))
        .zip(i32::MIN..)
        .map(|((segment_no, word), word_no)| (word_no, segment_no, word))
        .collect();
    sqlx::query!(
        "INSERT INTO transcript_words (run_id, word_no, segment_no, start_ms, end_ms, text, probability)
         SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::real[])",
        run.0,
        &words.iter().map(|(word_no, ..)| *word_no).collect::<Vec<_>>(),
        &words.iter().map(|(_, segment_no, _)| *segment_no).collect::<Vec<_>>(),
        &words.iter().map(|(.., word)| word.start_ms).collect::<Vec<_>>(),
        &words.iter().map(|(.., word)| word.end_ms).collect::<Vec<_>>(),
        &words.iter().map(|(.., word)| word.text.clone()).collect::<Vec<_>>(),
        &words.iter().map(|(.., word)| word.probability).collect::<Vec<_>>()
    )
    .execute(&mut *db)
    .await?;
    count_anew(db, run).await
}

/// In two steps, since a number may be taken while another is still to be moved.
async fn count_anew(db: &mut PgConnection, run: RunId) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE transcript_words w SET word_no = -1 - counted.place
         FROM (SELECT word_no, (row_number() OVER (ORDER BY segment_no, word_no) - 1)::integer AS place
               FROM transcript_words WHERE run_id = $1) AS counted
         WHERE w.run_id = $1 AND w.word_no = counted.word_no AND w.word_no <> counted.place",
        run.0
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("UPDATE transcript_words SET word_no = -1 - word_no WHERE run_id = $1 AND word_no < 0", run.0)
        .execute(db)
        .await?;
    Ok(())
}

/// Keeps a correction with the video, in the place of earlier ones of the same stretch; without a text, that there is none any
/// more, for runs that were begun before.
pub(super) async fn remember(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    (start_ms, end_ms): (i64, i64),
    text: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query!(
        "DELETE FROM video_edits WHERE video_id = $1 AND kind = $2 AND start_ms + end_ms BETWEEN 2 * $3::bigint AND 2 * $4::bigint",
        video.0,
        KIND,
        start_ms,
        end_ms
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO video_edits (video_id, user_id, kind, start_ms, end_ms, payload, created_at) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())",
        video.0,
        owner.0,
        KIND,
        start_ms,
        end_ms,
        json!({ "text": text })
    )
    .execute(db)
    .await?;
    Ok(())
}
