//! A worker whose scratch space runs out: the stage says why and is tried again, nothing is left lying, others go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::{Announced, PATIENCE, Uploaded, WorkerProcess, World, media, until};

/// A world with a worker that has so much disk; `None` where a test cannot have a disk of its own.
async fn with_disk(bytes: u64) -> Option<(World, WorkerProcess)> {
    let world = World::new().await;
    let worker = world.worker("one").on_a_disk_of(bytes).await?.start();
    Some((world, worker))
}

async fn fails_for_want_of_room(world: &World, video: Uploaded, code: &str) {
    world.video_becomes(video, &["failed"]).await;
    let (found, message): (String, String) =
        sqlx::query_as("SELECT failure_code, failure_message FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert_eq!(found, code);
    assert!(message.contains("room"), "{message}");
    let attempts: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT a.state, a.error_code FROM job_attempts a JOIN jobs j USING (job_id)
         WHERE j.run_id = $1 AND j.state = 'failed' ORDER BY a.number",
    )
    .bind(video.run_id)
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(attempts, vec![("failed".to_owned(), Some(code.to_owned())); 3], "tried again, then given up");
}

#[tokio::test]
async fn a_source_that_does_not_fit_is_given_up_and_others_are_indexed() {
    let Some((world, worker)) = with_disk(4 << 20).await else { return };
    let owner = world.owner("enterprise").await;
    let large = media::bytes("large.mkv", &vec![7; 6 << 20]);
    let too_large = world.upload_as(owner, &large, &Announced::of(&large)).await;
    let small = world.upload_as(owner, media::silent(), &Announced::of(media::silent())).await;
    fails_for_want_of_room(&world, too_large, "disk_full").await;
    world.video_becomes(small, &["indexed"]).await;
    world.at_rest(small).await;
    until("scratch space is empty", PATIENCE, async || worker.scratch_files(&world).is_empty().then_some(())).await;
    assert_eq!(worker.terminate().await, Some(0));
}

/// The source fits, but not what a decoder makes of it.
#[tokio::test]
async fn a_decoder_that_fills_the_disk_says_so() {
    let size = std::fs::metadata(media::spoken()).unwrap().len();
    let Some((world, worker)) = with_disk(size + (96 << 10)).await else { return };
    let video = world.upload(media::spoken()).await;
    fails_for_want_of_room(&world, video, "disk_full").await;
    until("scratch space is empty", PATIENCE, async || worker.scratch_files(&world).is_empty().then_some(())).await;
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test]
async fn the_bound_on_scratch_space_holds_and_others_are_indexed() {
    let world = World::new().await;
    let worker = world.worker("one").with("HEIMDEX_SCRATCH_MAX_BYTES", (64 << 20).to_string()).start();
    let owner = world.owner("enterprise").await;
    let large = media::bytes("large.mkv", &vec![7; 65 << 20]);
    let too_large = world.upload_as(owner, &large, &Announced::of(&large)).await;
    let small = world.upload_as(owner, media::silent(), &Announced::of(media::silent())).await;
    fails_for_want_of_room(&world, too_large, "scratch_full").await;
    world.video_becomes(small, &["indexed"]).await;
    world.at_rest(small).await;
    until("scratch space is empty", PATIENCE, async || world.scratch_files().is_empty().then_some(())).await;
    assert_eq!(worker.terminate().await, Some(0));
}
