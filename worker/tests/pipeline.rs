//! The whole pipeline on real media, with the real models, database and object storage.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::collections::BTreeSet;

use common::{World, media, snapshot};
use heimdex_db::{ClipId, Stage, VideoId, keys};
use serde_json::Value;

#[tokio::test]
async fn a_video_goes_in_and_its_moments_are_found() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;

    for &stage in Stage::ALL {
        let (state, note, _) = world.job(video, stage).await;
        assert_eq!(state, "completed", "{stage}");
        let expected = match stage {
            Stage::FacesEnrollMatch => Some("faces off"),
            _ => None,
        };
        assert_eq!(note.as_deref(), expected, "{stage}");
        assert_eq!(world.attempts(video, stage).await, [("one".to_owned(), "completed".to_owned())]);
    }

    let scenes: Vec<(i64, i64, String, Option<String>)> =
        sqlx::query_as("SELECT start_ms, end_ms, text, thumbnail_key FROM scenes WHERE run_id = $1 ORDER BY ordinal")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .unwrap();
    let starts: Vec<_> = scenes.iter().map(|scene| scene.0).collect();
    assert_eq!(starts, [0, 3000, 6000]);
    assert!(scenes.windows(2).all(|pair| pair[0].1 == pair[1].0), "no gaps");
    assert!(scenes[0].2.to_lowercase().contains("best of times"), "{scenes:?}");
    for (_, _, _, thumbnail) in &scenes {
        assert!(world.store.head(thumbnail.as_deref().unwrap()).await.unwrap().is_some());
    }

    // What was said is found, by stem and as it is, in the visible run.
    let hits: Vec<i32> = sqlx::query_scalar(
        "SELECT s.ordinal FROM scenes s JOIN videos v ON v.current_run_id = s.run_id
         WHERE v.video_id = $1 AND s.text_tsv @@ websearch_to_tsquery('english', 'best times')",
    )
    .bind(video.video_id)
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(hits, [0]);
    let (windows, dimensions): (i64, i32) =
        sqlx::query_as("SELECT count(*), min(vector_dims(text_vec)) FROM text_windows WHERE run_id = $1")
            .bind(video.run_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert!(windows >= 1);
    assert_eq!(dimensions, 384);

    let (artifacts, models, language): (Value, Value, Option<String>) =
        sqlx::query_as("SELECT artifacts, models, language FROM runs WHERE run_id = $1")
            .bind(video.run_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    let names: BTreeSet<_> = artifacts.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["sidecar", "sprite", "sprite_vtt", "srt", "vtt"]));
    assert!(models["asr"].as_str().unwrap().starts_with("whisper-tiny.en@"));
    assert!(models["image"].as_str().unwrap().starts_with("efficientnet-lite0-conse@"));
    assert_eq!(language.as_deref(), Some("en (assumed)"));
    let sidecar = world.object(artifacts["sidecar"].as_str().unwrap()).await;
    let sidecar: Value = serde_json::from_slice(&sidecar).unwrap();
    assert_eq!(sidecar["schema"], "heimdex.sidecar/1");
    assert_eq!(sidecar["scenes"].as_array().unwrap().len(), 3);
    let vtt = world.object(artifacts["vtt"].as_str().unwrap()).await;
    assert!(String::from_utf8(vtt).unwrap().starts_with("WEBVTT\n\n1\n00:00:0"));

    // Intermediates are gone: the sound, and the pictures that were not chosen.
    assert!(world.store.head(&keys::artifact(video.video_id, video.run_id, "audio.flac")).await.unwrap().is_none());
    let pictures =
        world.store.list(&format!("{}frames/", keys::run_prefix(video.video_id, video.run_id))).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM frames WHERE run_id = $1 AND sampled")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(pictures.len(), usize::try_from(rows).unwrap());
    assert!(rows >= 3);

    assert_eq!(worker.terminate().await, Some(0));
    assert!(world.scratch_files().is_empty(), "{:?}", world.scratch_files());
}

#[tokio::test]
async fn the_same_file_gives_the_same_findings() {
    let world = World::new().await;
    let first = world.upload(media::spoken()).await;
    let second = world.upload(media::spoken()).await;
    let _worker = world.worker("one").start();
    for video in [first, second] {
        world.video_becomes(video, &["indexed"]).await;
    }
    world.at_rest(first).await;
    world.at_rest(second).await;
    snapshot::assert_same(&snapshot::of(&world, first).await, &snapshot::of(&world, second).await);
}

#[tokio::test]
async fn a_single_silent_shot_is_one_scene_without_text() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let _worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    assert_eq!(world.job(video, Stage::AudioExtract).await.1.as_deref(), Some("no audio"));
    assert_eq!(world.job(video, Stage::AsrFast).await.1.as_deref(), Some("no audio"));
    assert_eq!(world.job(video, Stage::AlignMerge).await.1.as_deref(), Some("no words"));
    assert_eq!(world.job(video, Stage::EmbedText).await.1.as_deref(), Some("no words"));
    let scenes: Vec<(i64, String)> = sqlx::query_as("SELECT end_ms, text FROM scenes WHERE run_id = $1")
        .bind(video.run_id)
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(scenes, [(2000, String::new())]);
}

#[tokio::test]
async fn a_deleted_video_is_purged_with_all_that_belongs_to_it() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let delete = "UPDATE videos SET state = 'deleted', deleted_at = now(), purge_after = now(), state_before_delete = 'indexed' WHERE video_id = $1";
    sqlx::query(delete).bind(video.video_id).execute(world.pool()).await.unwrap();
    worker.terminate().await;
    // Sweeping is the first thing a worker does.
    let _worker = world.worker("two").start();
    common::until("the video is gone", common::PATIENCE, async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .ok()?;
        (left == 0).then_some(())
    })
    .await;
    assert!(world.store.list(&keys::video_prefix(video.video_id)).await.unwrap().is_empty());
    common::until("the purge is written down", common::PATIENCE, async || {
        let state: String = sqlx::query_scalar("SELECT state::text FROM tasks WHERE kind = 'purge_video'")
            .fetch_one(world.pool())
            .await
            .ok()?;
        (state == "completed").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_deleted_account_leaves_a_tombstone_and_nothing_else() {
    let world = World::new().await;
    let pool = world.pool();
    let owner = world.owner("free").await;
    let [stored, open] = [VideoId::new(), VideoId::new()];
    let upload_id = world.store.create_multipart(&keys::source(open), "video/mp4").await.unwrap();
    for (video, upload) in [(stored, None), (open, Some(&upload_id))] {
        sqlx::query(
            "INSERT INTO videos (video_id, owner_id, title, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count, upload_id)
             VALUES ($1, $2, 'Rain', 'a.mp4', 'video/mp4', 1, 1, 1, $3)",
        )
        .bind(video)
        .bind(owner)
        .bind(upload)
        .execute(pool)
        .await
        .unwrap();
    }
    let clip = ClipId::new();
    for key in [
        keys::source(stored),
        keys::poster(stored),
        keys::clip(stored, clip),
        keys::people_prefix(owner) + "ben/1.jpg",
        keys::people_prefix(owner) + "ben/2.sent",
    ] {
        world.store.put_bytes(&key, vec![1], "image/webp").await.unwrap();
    }
    sqlx::query(
        r#"WITH ben AS (INSERT INTO face_profiles (owner_id, display_name) VALUES ($1, 'Ben') RETURNING person_id),
              photo AS (INSERT INTO face_photos (person_id, owner_id, state, object_key, face_vec, face_model)
                        SELECT person_id, $1, 'accepted', 'p/ben/1.jpg', '[1]', 'test' FROM ben),
              token AS (INSERT INTO api_tokens (user_id, name, token_hash, scopes) VALUES ($1, 'script', 'x', '{read}')),
              clip AS (INSERT INTO clips (clip_id, owner_id, video_id, start_ms, end_ms, exact, for_share, task_id, object_key, expires_at)
                       VALUES ($3, $1, $2, 0, 1000, true, true, gen_random_uuid(), $4, now() + interval '1 day') RETURNING clip_id),
              share AS (INSERT INTO shares (owner_id, video_id, token_hash, start_ms, end_ms, expires_at, clip_id)
                        SELECT $1, $2, 'y', 0, 1000, now() + interval '1 day', clip_id FROM clip),
              kept AS (INSERT INTO saved_searches (user_id, name, request) VALUES ($1, 'Rain', '{"query": "rain"}')),
              edit AS (INSERT INTO video_edits (video_id, user_id, kind, start_ms, end_ms, payload)
                       VALUES ($2, $1, 'segment_text', 0, 1000, '{"text": "rain"}'))
         INSERT INTO search_log (user_id, query, hits, took_ms) VALUES ($1, 'rain', 0, 0)"#,
    )
    .bind(owner)
    .bind(stored)
    .bind(clip)
    .bind(keys::clip(stored, clip))
    .execute(pool)
    .await
    .unwrap();
    let mut tx = pool.begin().await.unwrap();
    heimdex_db::users::bury(&mut tx, owner, &heimdex_db::audit::By::command()).await.unwrap();
    tx.commit().await.unwrap();
    let _worker = world.worker("one").start();
    common::until("the account is purged", common::PATIENCE, async || {
        let state: String = sqlx::query_scalar("SELECT state::text FROM tasks WHERE kind = 'purge_account'")
            .fetch_one(pool)
            .await
            .ok()?;
        (state == "completed").then_some(())
    })
    .await;
    for prefix in [keys::video_prefix(stored), keys::video_prefix(open), "p/".to_owned()] {
        assert_eq!(world.store.list(&prefix).await.unwrap(), Vec::<String>::new());
    }
    assert!(world.store.list_parts(&keys::source(open), &upload_id).await.is_err(), "the upload is still open");
    for (table, owner_column) in [
        ("videos", "owner_id"),
        ("face_profiles", "owner_id"),
        ("face_photos", "owner_id"),
        ("search_log", "user_id"),
        ("saved_searches", "user_id"),
        ("shares", "owner_id"),
        ("clips", "owner_id"),
        ("video_edits", "user_id"),
        ("api_tokens", "user_id"),
    ] {
        let left: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {owner_column} = $1")))
                .bind(owner)
                .fetch_one(pool)
                .await
                .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let history: Vec<String> = sqlx::query_scalar("SELECT action FROM audit_events WHERE subject_id = $1")
        .bind(owner)
        .fetch_all(pool)
        .await
        .unwrap();
    assert_eq!(history, ["account_deleted"]);
}
