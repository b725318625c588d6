//! Parts of videos, cut by real workers and removed when their time is over.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use chrono::{TimeDelta, Utc};
use common::{PATIENCE, World, media, until};
use heimdex_db::{
    clips::{self, NewClip},
    keys,
};

#[tokio::test]
async fn a_part_is_cut_and_its_object_goes_when_its_time_is_over() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    for exact in [false, true] {
        let part = NewClip {
            start_ms: 500,
            end_ms: 1500,
            exact,
            for_share: false,
            expires_at: Utc::now() + TimeDelta::hours(1),
        };
        let mut tx = world.pool().begin().await.unwrap();
        let clip = clips::request(&mut tx, video.owner_id, video.video_id, &part).await.unwrap();
        tx.commit().await.unwrap();
        let key = until("the clip is there", PATIENCE, async || {
            clips::find(world.pool(), video.owner_id, video.video_id, clip).await.ok()?.object_key
        })
        .await;
        assert_eq!(key, keys::clip(video.video_id, clip));
        assert_eq!(&world.object(&key).await[4..8], b"ftyp");
    }
    sqlx::query("UPDATE clips SET expires_at = now() - interval '1 second'").execute(world.pool()).await.unwrap();
    // A worker sweeps when it starts.
    worker.terminate().await;
    let worker = world.worker("two").start();
    until("the objects are gone", PATIENCE, async || {
        let prefix = format!("{}clips/", keys::video_prefix(video.video_id));
        world.store.list(&prefix).await.ok()?.is_empty().then_some(())
    })
    .await;
    assert!(world.store.head(&keys::source(video.video_id)).await.unwrap().is_some(), "the source stays");
    worker.terminate().await;
}
