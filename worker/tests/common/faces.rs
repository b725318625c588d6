//! Tracks as `faces_enroll_match` leaves them, for stories that need no pictures.

use heimdex_db::{RunId, SceneId, UserId, VideoId};

use super::World;

/// A video with one track in each of as many scenes of a second, as the stage leaves them: nobody's yet.
pub async fn seen(world: &World, owner: UserId, vectors: &[&[f32]], model: &str) -> VideoId {
    let (video, run) = (VideoId::new(), RunId::new());
    let mut tx = world.pool().begin().await.unwrap();
    sqlx::query(
        "INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count, current_run_id)
         VALUES ($1, $2, 'Seen', 'indexed', 'a.mp4', 'video/mp4', 1, 1, 1, $3)",
    )
    .bind(video)
    .bind(owner)
    .bind(run)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query("INSERT INTO runs (run_id, video_id, reason, state) VALUES ($1, $2, 'initial', 'completed')")
        .bind(run)
        .bind(video)
        .execute(&mut *tx)
        .await
        .unwrap();
    for (n, vector) in (0_i32..).zip(vectors) {
        let start = i64::from(n) * 1000;
        sqlx::query(
            "WITH scene AS (INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms)
                            VALUES ($1, $2, $3, $4, $5, $6, $6 + 1000) RETURNING scene_id)
             INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model)
             SELECT $1, $5, scene_id, $4, $6, $6 + 1000, 1, 1, 0.9, $7::text::vector, $8 FROM scene",
        )
        .bind(run)
        .bind(SceneId::derive(video, start, start + 1000))
        .bind(video)
        .bind(owner)
        .bind(n)
        .bind(start)
        .bind(format!("{vector:?}"))
        .bind(model)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    video
}
