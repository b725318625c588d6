//! Versions of videos for browsers, made on demand by real workers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::{PATIENCE, Uploaded, World, media, until};
use heimdex_db::{keys, proxies};

async fn ask(world: &World, video: Uploaded) {
    let mut tx = world.pool().begin().await.unwrap();
    proxies::request(&mut tx, video.owner_id, video.video_id).await.unwrap();
    tx.commit().await.unwrap();
}

/// `(state, error code)` of the newest task, once it has ended.
async fn outcome(world: &World, video: Uploaded) -> (String, Option<String>) {
    until("the proxy's task has ended", PATIENCE, async || {
        sqlx::query_as::<_, (String, Option<String>)>(
            "SELECT state::text, error_code FROM tasks WHERE kind = 'make_proxy' AND video_id = $1
             AND state NOT IN ('pending', 'running') ORDER BY created_at DESC LIMIT 1",
        )
        .bind(video.video_id)
        .fetch_optional(world.pool())
        .await
        .ok()?
    })
    .await
}

#[tokio::test]
async fn a_video_browsers_cannot_play_gets_a_version_they_can_and_both_go_together() {
    let world = World::new().await;
    let video = world.upload(media::old_fashioned()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let pixels: Option<String> = sqlx::query_scalar("SELECT pixel_format FROM video_metadata WHERE video_id = $1")
        .bind(video.video_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(pixels.as_deref(), Some("yuv420p"));
    assert!(world.store.head(&keys::proxy(video.video_id)).await.unwrap().is_none(), "not before somebody asks");

    ask(&world, video).await;
    assert_eq!(outcome(&world, video).await, ("completed".into(), None));
    let found = proxies::find(world.pool(), video.owner_id, video.video_id).await.unwrap();
    assert_eq!(found.object_key, Some(keys::proxy(video.video_id)));
    let bytes = world.object(&keys::proxy(video.video_id)).await;
    assert_eq!(&bytes[4..8], b"ftyp");
    // Asked again by somebody whose answer crossed ours: nothing is made twice.
    ask(&world, video).await;
    assert_eq!(outcome(&world, video).await.0, "completed");
    assert_eq!(worker.terminate().await, Some(0));
    assert!(world.scratch_files().is_empty(), "{:?}", world.scratch_files());

    let delete = "UPDATE videos SET state = 'deleted', deleted_at = now(), purge_after = now(), state_before_delete = 'indexed' WHERE video_id = $1";
    sqlx::query(delete).bind(video.video_id).execute(world.pool()).await.unwrap();
    // A part of an upload that never was completed lies there too.
    world.store.create_multipart(&keys::source(video.video_id), "video/mp4").await.unwrap();
    let _worker = world.worker("two").start();
    until("the video is gone", PATIENCE, async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .ok()?;
        (left == 0).then_some(())
    })
    .await;
    assert!(world.store.list(&keys::video_prefix(video.video_id)).await.unwrap().is_empty());
    assert_eq!(world.store.abort_multiparts(&keys::video_prefix(video.video_id)).await.unwrap(), 0, "none is open");
}

#[tokio::test]
async fn a_decoder_that_crashes_fails_the_version_and_not_the_video() {
    let world = World::new().await;
    let video = world.upload(media::old_fashioned()).await;
    let worker = world.worker("one").fault("make_proxy:child_crash").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    ask(&world, video).await;
    // Its retries are the ledger's, and their time need not be waited for.
    until("its attempts are used up", PATIENCE, async || {
        sqlx::query("UPDATE tasks SET run_at = now() WHERE kind = 'make_proxy' AND state = 'pending'")
            .execute(world.pool())
            .await
            .ok()?;
        let failed: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tasks WHERE kind = 'make_proxy' AND state = 'failed'")
                .fetch_one(world.pool())
                .await
                .ok()?;
        (failed == 1).then_some(())
    })
    .await;
    assert_eq!(outcome(&world, video).await, ("failed".into(), Some("decoder_crashed".into())));
    world.video_becomes(video, &["indexed"]).await;
    worker.terminate().await;
}
