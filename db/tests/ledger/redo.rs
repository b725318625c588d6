//! A redo is a run of its own, which inherits what is not done again.

use heimdex_db::{
    DbError, JobState, RunId, Stage,
    ledger::{self, FailureKind, RunReason},
    people,
};
use serde_json::json;

use crate::story::Story;

#[tokio::test]
async fn while_a_reindex_runs_or_fails_the_video_stays_indexed_with_what_it_had() {
    let story = Story::begin().await;
    let first = story.start(RunReason::Initial).await;
    sqlx::query("UPDATE runs SET state = 'completed'").execute(story.pool()).await.unwrap();
    sqlx::query("UPDATE videos SET state = 'indexed', current_run_id = $1")
        .bind(first.0)
        .execute(story.pool())
        .await
        .unwrap();
    let second = story.start(RunReason::Reprocess).await;
    let mut tx = story.pool().begin().await.unwrap();
    assert!(matches!(
        ledger::start_run(&mut tx, story.video, RunReason::Reprocess, json!({})).await,
        Err(DbError::Conflict("run_active"))
    ));
    tx.rollback().await.unwrap();

    let attempt = story.attempt(second, Stage::UploadValidate).await;
    story.fail(&attempt, FailureKind::Rejected).await;
    assert_eq!(story.video().await, ("indexed".into(), None));
}

/// Rows of every table that belongs to a run, as if every kind of model had been there.
const FINDINGS: &str = "
    INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, motion, transition, text, language, text_tsv,
                        thumbnail_key, thumbnail_large_key, keyframe_ms, image_vec, image_model, affect)
        VALUES ($1, $2, $3, $4, 0, 0, 4000, 0.5, 'start', 'rain', 'en', to_tsvector('rain'), 'small', 'large', 900, '[1,2]', 'clip', '{}');
    INSERT INTO transcript_segments VALUES ($1, 0, $3, 0, 900, 'rain', -0.1, 0.2, 1.1, 0);
    INSERT INTO transcript_words VALUES ($1, 0, 0, 0, 900, ' rain', 0.9, $2);
    INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
        VALUES ($1, $2, $4, 0, 0, 900, 'rain', '[3,4]', 'minilm');
    INSERT INTO frames VALUES ($1, $2, 900, $4, 'jpeg', 16, 9, 1, 0.5, 7, true, '[1,2]', 'clip');
    INSERT INTO screen_texts (run_id, scene_id, owner_id, start_ms, end_ms, text, confidence, box) VALUES ($1, $2, $4, 0, 900, 'EXIT', 0.8, '[]');
    INSERT INTO scene_tags VALUES ($1, $2, 'weather', 0.7, 'image', $4);
    INSERT INTO sound_curves VALUES ($1, $4, '{-20}', '{NULL}', '{0}');
    INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model, cover_key, similarity)
        VALUES ($1, 1, $2, $4, 900, 900, 1, 2, 0.9, '[5]', 'sface', 'face', 0.6);
    INSERT INTO face_detections (run_id, scene_id, owner_id, at_ms, track_no, box, quality) VALUES ($1, $2, $4, 900, 1, '{}', 0.9)";

/// Every row that belongs to a run, by table, without the run and ids of its own.
async fn findings(story: &Story, run: RunId) -> Vec<(String, serde_json::Value)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'run_id' AND table_name NOT IN ('runs', 'jobs', 'scene_people') ORDER BY 1",
    )
    .fetch_all(story.pool())
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT to_jsonb(t) - ARRAY['run_id', 'window_id', 'text_id', 'detection_id'] FROM {table} t WHERE run_id = $1"
        );
        let rows: Vec<serde_json::Value> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(run.0).fetch_all(story.pool()).await.unwrap();
        assert!(rows.len() < 2);
        found.push((table, rows.into_iter().next().unwrap_or_default()));
    }
    found
}

#[tokio::test]
async fn a_redo_that_inherits_faces_takes_turns_with_who_decides_whose_they_are() {
    let story = Story::begin().await;
    let mut deciding = story.pool().begin().await.unwrap();
    people::lock(&mut deciding, story.owner).await.unwrap();
    let redo = async |stage: Stage| {
        let mut tx = story.pool().begin().await.unwrap();
        sqlx::query("SET LOCAL lock_timeout = '50ms'").execute(&mut *tx).await.unwrap();
        let begun = ledger::redo_stages(&mut tx, story.video, &[stage]).await;
        tx.rollback().await.unwrap();
        begun
    };
    let waiting = redo(Stage::EmbedText).await;
    assert!(matches!(&waiting, Err(error) if error.is_busy()), "{waiting:?}");
    // One that looks for faces again copies none.
    redo(Stage::UploadValidate).await.unwrap();
}

#[tokio::test]
async fn a_redo_inherits_every_row_of_the_stages_that_are_not_redone() {
    let story = Story::begin().await;
    let base = story.start(RunReason::Initial).await;
    let scene = heimdex_db::SceneId::derive(story.video, 0, 4000);
    let ids = [base.0, scene.0, story.video.0, story.owner.0].map(|id| format!("'{id}'"));
    let sql = (1..=4).fold(FINDINGS.to_owned(), |sql, n| sql.replace(&format!("${n}"), &ids[n - 1]));
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(story.pool()).await.unwrap();
    sqlx::raw_sql("UPDATE runs SET state = 'completed', language = 'en', models = '{\"asr\": \"tiny\"}'")
        .execute(story.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE videos SET state = 'indexed', current_run_id = $1")
        .bind(base.0)
        .execute(story.pool())
        .await
        .unwrap();
    let whole = findings(&story, base).await;
    assert!(whole.iter().all(|(_, row)| row.is_object()), "a table without a row in this story: {whole:?}");

    let redo = async |stage| {
        let mut tx = story.pool().begin().await.unwrap();
        let (run, again) = ledger::redo_stages(&mut tx, story.video, &[stage]).await.unwrap();
        tx.commit().await.unwrap();
        let found = findings(&story, run).await;
        for &stage in Stage::ALL {
            let expected = if again.contains(&stage) { JobState::Pending } else { JobState::Completed };
            assert_eq!(story.state(run, stage).await.0, expected, "{stage}");
        }
        // Only what needs nothing that is redone is handed out.
        let ready: Vec<Stage> =
            sqlx::query_scalar("SELECT stage FROM jobs WHERE run_id = $1 AND ready AND state = 'pending'")
                .bind(run.0)
                .fetch_all(story.pool())
                .await
                .unwrap();
        assert_eq!(ready, again[..1], "{again:?}");
        let mut tx = story.pool().begin().await.unwrap();
        ledger::cancel_run(&mut tx, run).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(story.video().await, ("indexed".into(), None), "as it was");
        found
    };
    assert_eq!(redo(Stage::Commit).await, whole);
    assert!(redo(Stage::UploadValidate).await.iter().all(|(_, row)| row.is_null()));

    // Redoing the speech keeps what was seen, and nothing of what was said.
    let seen = redo(Stage::AsrFast).await;
    let row = |table: &str| &seen.iter().find(|(name, _)| name == table).unwrap().1;
    assert!(row("transcript_words").is_null() && row("text_windows").is_null() && row("scene_tags").is_null());
    assert_eq!((&row("scenes")["text"], &row("scenes")["affect"]), (&json!(""), &json!(null)));
    assert_eq!((&row("scenes")["thumbnail_key"], &row("scenes")["image_model"]), (&json!("small"), &json!("clip")));
    assert!(
        row("frames").is_object()
            && row("face_tracks").is_object()
            && row("face_detections").is_object()
            && row("screen_texts").is_object()
    );

    // Redoing the pictures keeps what was said, but not where.
    let heard = redo(Stage::SceneDetect).await;
    let row = |table: &str| &heard.iter().find(|(name, _)| name == table).unwrap().1;
    assert_eq!(
        (&row("transcript_words")["text"], &row("transcript_words")["scene_id"]),
        (&json!(" rain"), &json!(null))
    );
    assert!(row("scenes").is_null() && row("frames").is_null());
}
