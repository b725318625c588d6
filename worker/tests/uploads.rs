//! Uploads that nobody completes: what S3 holds of them does not stay.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::{PATIENCE, World, until};
use heimdex_db::{UserId, VideoId, keys, uploads};

/// An upload of which a part has been sent; it began this many hours ago.
async fn begun(world: &World, owner: UserId, hours: i32) -> VideoId {
    let video = VideoId::new();
    let upload = world.store.create_multipart(&keys::source(video), "video/mp4").await.unwrap();
    sqlx::query(
        "INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count,
                             upload_id, created_at)
         VALUES ($1, $2, 'A video', 'uploading', 'a.mp4', 'video/mp4', 10, 5242880, 1, $3, now() - make_interval(hours => $4))",
    )
    .bind(video)
    .bind(owner)
    .bind(upload)
    .bind(hours)
    .execute(world.pool())
    .await
    .unwrap();
    video
}

async fn is_open(world: &World, video: VideoId, upload: &str) -> bool {
    world.store.list_parts(&keys::source(video), upload).await.is_ok()
}

#[tokio::test]
async fn an_upload_that_is_aborted_or_abandoned_leaves_nothing_open() {
    let world = World::new().await;
    let owner = world.owner("free").await;
    let (aborted, abandoned, fresh) =
        (begun(&world, owner, 1).await, begun(&world, owner, 25).await, begun(&world, owner, 1).await);
    let mut open = Vec::new();
    for video in [aborted, abandoned, fresh] {
        let upload: String = sqlx::query_scalar("SELECT upload_id FROM videos WHERE video_id = $1")
            .bind(video)
            .fetch_one(world.pool())
            .await
            .unwrap();
        assert!(is_open(&world, video, &upload).await);
        open.push((video, upload));
    }
    let mut tx = world.pool().begin().await.unwrap();
    uploads::abort(&mut tx, owner, aborted).await.unwrap();
    tx.commit().await.unwrap();

    let worker = world.worker("one").start();
    for (video, upload) in &open[..2] {
        until("S3 has forgotten it", PATIENCE, async || (!is_open(&world, *video, upload).await).then_some(())).await;
    }
    assert!(is_open(&world, fresh, &open[2].1).await, "the one that goes on is left alone");
    let left: Vec<(VideoId, String)> = sqlx::query_as("SELECT video_id, state::text FROM videos ORDER BY created_at")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(left, [(abandoned, "failed".to_owned()), (fresh, "uploading".to_owned())]);
    worker.terminate().await;
}
