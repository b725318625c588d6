//! An indexed video without a worker: rows as the stages write them.

use heimdex_db::{PgPool, RunId, SceneId, VideoId};
use uuid::Uuid;

use super::{App, Person};

/// Runs a statement with its parameters.
macro_rules! insert {
    ($into:expr, $statement:literal, $($value:expr),+ $(,)?) => {
        sqlx::query($statement)$(.bind($value))+.execute($into).await.unwrap()
    };
}

/// A scene: where it begins, where it ends, what is said.
pub type Said<'a> = (i64, i64, &'a str);

/// An indexed video in which this is said. Words are spread evenly over their scene.
pub async fn said(app: &App, owner: &Person, title: &str, scenes: &[Said<'_>]) -> VideoId {
    let pool = app.db.pool();
    let (video, run) = (VideoId::new(), RunId::new());
    let me = owner.get("/users/me").await.body;
    let owner: Uuid = me["user_id"].as_str().unwrap().parse().unwrap();
    let length = scenes.iter().map(|s| s.1).max().unwrap_or(0);
    let mut tx = pool.begin().await.unwrap();
    insert!(
        &mut *tx,
        "INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes,
                             size_bytes, part_size_bytes, part_count, current_run_id, indexed_at)
         VALUES ($1, $2, $3, 'indexed', 'a.mp4', 'video/mp4', 10, 10, 10, 1, $4, now())",
        video,
        owner,
        title,
        run
    );
    insert!(
        &mut *tx,
        "INSERT INTO runs (run_id, video_id, reason, state, language, models, visible_at)
         VALUES ($1, $2, 'initial', 'completed', 'en', '{\"asr\": \"whisper-tiny.en\"}', now())",
        run,
        video
    );
    insert!(
        &mut *tx,
        "INSERT INTO video_metadata (video_id, container, duration_ms, width, height, fps, video_codec, audio_codec,
                                     audio_tracks)
         VALUES ($1, 'mov', $2, 1280, 720, 30, 'h264', 'aac', '[{}]')",
        video,
        length
    );
    let mut word_no = 0;
    for (ordinal, (start, end, text)) in (0_i32..).zip(scenes) {
        let scene = scene_of(video, *start, *end);
        insert!(
            &mut *tx,
            "INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, text, language, text_tsv)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'en', to_tsvector('english', $8) || to_tsvector('simple', $8))",
            run,
            scene,
            video,
            owner,
            ordinal,
            start,
            end,
            text
        );
        insert!(
            &mut *tx,
            "INSERT INTO transcript_segments (run_id, segment_no, video_id, start_ms, end_ms, text)
             VALUES ($1, $2, $3, $4, $5, $6)",
            run,
            ordinal,
            video,
            start,
            end,
            text
        );
        let words: Vec<&str> = text.split_whitespace().collect();
        let step = (end - start) / i64::try_from(words.len().max(1)).unwrap();
        for (place, word) in (0_i64..).zip(&words) {
            insert!(
                &mut *tx,
                "INSERT INTO transcript_words (run_id, word_no, segment_no, start_ms, end_ms, text, probability, scene_id)
                 VALUES ($1, $2, $3, $4, $5, $6, 0.5, $7)",
                run,
                word_no,
                ordinal,
                start + place * step,
                start + place * step + step,
                format!(" {word}"),
                scene
            );
            word_no += 1;
        }
    }
    tx.commit().await.unwrap();
    video
}

/// This can be read in a scene of [`said`] for so long.
pub async fn written(
    app: &App,
    owner: &Person,
    video: VideoId,
    scene: SceneId,
    (start_ms, end_ms): (i64, i64),
    text: &str,
) {
    let me = owner.get("/users/me").await.body;
    let owner: Uuid = me["user_id"].as_str().unwrap().parse().unwrap();
    insert!(
        app.db.pool(),
        "INSERT INTO screen_texts (run_id, scene_id, owner_id, start_ms, end_ms, text, confidence, box)
         SELECT current_run_id, $2, $3, $4, $5, $6, 0.5, '[[0.25, 0.5], [0.75, 0.5], [0.75, 0.625], [0.25, 0.625]]'
         FROM videos WHERE video_id = $1",
        video,
        scene,
        owner,
        start_ms,
        end_ms,
        text
    );
}

/// The id of a scene of [`said`].
pub fn scene_of(video: VideoId, start_ms: i64, end_ms: i64) -> SceneId {
    SceneId::derive(video, start_ms, end_ms)
}

/// Embeds what is said in every scene with the real model, as `embed_text` does.
pub async fn embed(pool: &PgPool, model: &heimdex_models::TextEmbedder, id: &str) {
    heimdex_db::vectors::ensure_model(pool, heimdex_db::vectors::VectorKind::Text, id, model.dimension())
        .await
        .unwrap();
    let scenes: Vec<(Uuid, Uuid, Uuid, i64, i64, String)> =
        sqlx::query_as("SELECT run_id, scene_id, owner_id, start_ms, end_ms, text FROM scenes WHERE text <> ''")
            .fetch_all(pool)
            .await
            .unwrap();
    for (run, scene, owner, start, end, text) in scenes {
        let vector = model.embed(&[&text]).unwrap().remove(0);
        insert!(
            pool,
            "INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
             VALUES ($1, $2, $3, 0, $4, $5, $6, $7::text::vector, $8)",
            run,
            scene,
            owner,
            start,
            end,
            &text,
            format!("{vector:?}"),
            id
        );
    }
}
