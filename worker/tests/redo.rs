//! Indexing again, in part: a redo of any stage gives what indexing everything gives.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::collections::BTreeMap;

use common::{PATIENCE, Uploaded, World, media, snapshot, until};
use heimdex_db::{Stage, stage::redo_of};
use serde_json::Value;

async fn visible_run(world: &World, video: Uploaded) -> heimdex_db::RunId {
    sqlx::query_scalar("SELECT current_run_id FROM videos WHERE video_id = $1")
        .bind(video.video_id)
        .fetch_one(world.pool())
        .await
        .unwrap()
}

/// Everything that was found: the history of how apart.
async fn findings(world: &World, video: Uploaded) -> BTreeMap<String, Value> {
    let mut found = snapshot::of(world, video).await;
    found.retain(|name, _| !name.starts_with("jobs ") && !name.starts_with("run "));
    found
}

#[tokio::test]
async fn redoing_any_stage_gives_what_doing_everything_gives() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let whole = findings(&world, video).await;
    for &stage in Stage::ALL {
        let again = world.redo(video, &[stage]).await;
        until(&format!("the redo of {stage} is visible"), PATIENCE, async || {
            let state: String = sqlx::query_scalar("SELECT state::text FROM videos WHERE video_id = $1")
                .bind(video.video_id)
                .fetch_one(world.pool())
                .await
                .ok()?;
            assert_eq!(state, "indexed", "it stays indexed meanwhile");
            (visible_run(&world, video).await == again.run_id).then_some(())
        })
        .await;
        world.at_rest(again).await;
        for &other in Stage::ALL {
            let (state, note, _) = world.job(again, other).await;
            let inherited = note.as_deref() == Some("inherited");
            assert_eq!(
                (state.as_str(), inherited),
                ("completed", !redo_of(&[stage]).contains(&other)),
                "{stage}: {other}"
            );
        }
        snapshot::assert_same(&findings(&world, again).await, &whole);
    }
    worker.terminate().await;
}

#[tokio::test]
async fn a_redo_that_fails_leaves_the_video_as_it_was() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let before = findings(&world, video).await;
    worker.terminate().await;

    let again = world.redo(video, &[Stage::EmbedText]).await;
    let failing = world.worker("two").fault("sidecar_build:panic").start();
    until("the redo has failed", PATIENCE, async || {
        let state: String = sqlx::query_scalar("SELECT state::text FROM runs WHERE run_id = $1")
            .bind(again.run_id)
            .fetch_one(world.pool())
            .await
            .ok()?;
        (state == "failed").then_some(())
    })
    .await;
    failing.terminate().await;
    assert_eq!(visible_run(&world, video).await, video.run_id);
    snapshot::assert_same(&findings(&world, video).await, &before);

    // The next one succeeds, and clears away what the failed one left.
    let worker = world.worker("three").start();
    let third = world.redo(video, &[Stage::Commit]).await;
    world.is_shown(third).await;
    snapshot::assert_same(&findings(&world, third).await, &before);
    worker.terminate().await;
}
