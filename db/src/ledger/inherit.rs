//! What a run that redoes some stages takes over from the run before: the rows of the others.
//!
//! The objects those rows name are not copied. They stay where the stage that made them put them, under the older run's
//! prefix, for as long as a row refers to them ([`crate::moments::objects_in_use`]).

use sqlx::PgConnection;

use crate::{error::DbError, ids::RunId, stage::Stage};

/// Copies from `base` to `run` what the stages that are not done `again` have written. `again` holds, with each stage, all
/// that depend on it ([`crate::stage::redo_of`]), so that nothing copied refers to something that is not.
pub(super) async fn inherit(
    connection: &mut PgConnection,
    base: RunId,
    run: RunId,
    again: &[Stage],
) -> Result<(), DbError> {
    let kept = |stage: Stage| !again.contains(&stage);
    // Stages that are redone write over their part of these.
    sqlx::query!(
        "UPDATE runs r SET models = b.models, language = b.language FROM runs b WHERE r.run_id = $1 AND b.run_id = $2",
        run.0,
        base.0
    )
    .execute(&mut *connection)
    .await?;
    if kept(Stage::AudioExtract) {
        sqlx::query!(
            "INSERT INTO sound_curves (run_id, owner_id, loudness_lufs, pitch_hz, voiced)
             SELECT $1, owner_id, loudness_lufs, pitch_hz, voiced FROM sound_curves WHERE run_id = $2",
            run.0,
            base.0
        )
        .execute(&mut *connection)
        .await?;
    }
    if kept(Stage::SceneDetect) {
        copy_scenes(connection, base, run, again).await?;
    }
    if kept(Stage::AsrFast) {
        copy_transcript(connection, base, run, kept(Stage::AlignMerge)).await?;
    }
    if kept(Stage::EmbedText) {
        sqlx::query!(
            "INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
             SELECT $1, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model FROM text_windows
             WHERE run_id = $2 ORDER BY window_id",
            run.0,
            base.0
        )
        .execute(&mut *connection)
        .await?;
    }
    if kept(Stage::VisionSampleFrames) {
        sqlx::query!(
            "INSERT INTO screen_texts (run_id, scene_id, owner_id, start_ms, end_ms, text, confidence, box)
             SELECT $1, scene_id, owner_id, start_ms, end_ms, text, confidence, box FROM screen_texts WHERE run_id = $2 ORDER BY text_id",
            run.0,
            base.0
        )
        .execute(&mut *connection)
        .await?;
    }
    if kept(Stage::VisionAffectTags) {
        sqlx::query!(
            "INSERT INTO scene_tags (run_id, scene_id, owner_id, tag, score, source)
             SELECT $1, scene_id, owner_id, tag, score, source FROM scene_tags WHERE run_id = $2",
            run.0,
            base.0
        )
        .execute(&mut *connection)
        .await?;
    }
    if kept(Stage::FacesEnrollMatch) {
        sqlx::query!(
            "INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model,
                 cover_key, person_id, similarity, expression)
             SELECT $1, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model,
                 cover_key, person_id, similarity, expression FROM face_tracks WHERE run_id = $2",
            run.0,
            base.0
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!(
            "INSERT INTO face_detections (run_id, scene_id, owner_id, at_ms, track_no, box, quality)
             SELECT $1, scene_id, owner_id, at_ms, track_no, box, quality FROM face_detections WHERE run_id = $2",
            run.0,
            base.0
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Scenes and frames, each with what the later stages that are kept have added to them.
async fn copy_scenes(connection: &mut PgConnection, base: RunId, run: RunId, again: &[Stage]) -> Result<(), DbError> {
    let kept = |stage: Stage| !again.contains(&stage);
    sqlx::query!(
        "INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, motion, transition,
                             text, language, text_tsv, thumbnail_key, thumbnail_large_key, keyframe_ms, image_vec, image_model, affect)
         SELECT $1, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, motion, transition,
                CASE WHEN $3 THEN text ELSE '' END, CASE WHEN $3 THEN language END, CASE WHEN $3 THEN text_tsv ELSE '' END,
                CASE WHEN $4 THEN thumbnail_key END, CASE WHEN $4 THEN thumbnail_large_key END, CASE WHEN $4 THEN keyframe_ms END,
                CASE WHEN $5 THEN image_vec END, CASE WHEN $5 THEN image_model END, CASE WHEN $6 THEN affect END
         FROM scenes WHERE run_id = $2",
        run.0,
        base.0,
        kept(Stage::AlignMerge),
        kept(Stage::VisionSampleFrames),
        kept(Stage::VisionEmbedFrames),
        kept(Stage::VisionAffectTags)
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO frames (run_id, scene_id, at_ms, owner_id, object_key, width, height, sharpness, brightness, phash, saturation, warmth, sampled, image_vec, image_model)
         SELECT $1, scene_id, at_ms, owner_id, object_key, width, height, sharpness, brightness, phash, saturation, warmth, sampled AND $3,
                CASE WHEN $4 THEN image_vec END, CASE WHEN $4 THEN image_model END
         FROM frames WHERE run_id = $2",
        run.0,
        base.0,
        kept(Stage::VisionSampleFrames),
        kept(Stage::VisionEmbedFrames)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Segments and words; to which scene a word belongs only where the alignment is kept too.
async fn copy_transcript(connection: &mut PgConnection, base: RunId, run: RunId, aligned: bool) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO transcript_segments (run_id, segment_no, video_id, start_ms, end_ms, text, avg_logprob, no_speech_prob, compression_ratio, temperature, original)
         SELECT $1, segment_no, video_id, start_ms, end_ms, text, avg_logprob, no_speech_prob, compression_ratio, temperature, original
         FROM transcript_segments WHERE run_id = $2",
        run.0,
        base.0
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO transcript_words (run_id, word_no, segment_no, start_ms, end_ms, text, probability, scene_id)
         SELECT $1, word_no, segment_no, start_ms, end_ms, text, probability, CASE WHEN $3 THEN scene_id END
         FROM transcript_words WHERE run_id = $2",
        run.0,
        base.0,
        aligned
    )
    .execute(connection)
    .await?;
    Ok(())
}
