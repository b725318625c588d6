//! What was found in a video, written by the stages. Every function replaces what an earlier attempt left, so that running
//! a stage again gives the same rows; callers fence their transaction first (`crate::ledger::fence`).

pub mod align;
pub mod edits;
pub mod faces;
pub mod frames;
pub mod image_vectors;
pub mod metadata;
pub mod scenes;
pub mod screen_texts;
pub mod sound;
pub mod tags;
pub mod transcript;
pub mod windows;

use std::collections::HashSet;

use sqlx::PgExecutor;

use crate::{error::DbError, ids::VideoId};

/// Keys of all objects that rows about a video refer to, whichever run made them: a run that redoes some stages goes on using
/// the pictures of the one before.
pub async fn objects_in_use(db: impl PgExecutor<'_>, video_id: VideoId) -> Result<HashSet<String>, DbError> {
    let keys = sqlx::query_scalar!(
        r#"WITH own AS (SELECT run_id, artifacts FROM runs WHERE video_id = $1)
           SELECT key AS "key!" FROM (
               SELECT f.object_key AS key FROM frames f JOIN own USING (run_id)
               UNION ALL SELECT s.thumbnail_key FROM scenes s WHERE s.video_id = $1
               UNION ALL SELECT s.thumbnail_large_key FROM scenes s WHERE s.video_id = $1
               UNION ALL SELECT t.cover_key FROM face_tracks t JOIN own USING (run_id)
               UNION ALL SELECT a.value FROM own, jsonb_each_text(own.artifacts) a
           ) AS named WHERE key IS NOT NULL"#,
        video_id.0
    )
    .fetch_all(db)
    .await?;
    Ok(keys.into_iter().collect())
}
