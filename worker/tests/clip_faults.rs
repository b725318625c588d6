//! What becomes of a clip when its worker dies, when the object storage is away, and when what it is cut from goes meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use chrono::{TimeDelta, Utc};
use common::{PATIENCE, World, media, until};
use heimdex_db::{
    ClipId, JobState, UserId, VideoId,
    audit::By,
    clips::{self, ClipRow, NewClip},
    keys, users,
};

/// Asks for two seconds of a video.
async fn ask(world: &World, owner: UserId, video: VideoId) -> ClipId {
    let expires_at = Utc::now() + TimeDelta::hours(1);
    let part = NewClip { start_ms: 500, end_ms: 2500, exact: false, for_share: false, expires_at };
    let mut tx = world.pool().begin().await.unwrap();
    let clip = clips::request(&mut tx, owner, video, &part).await.unwrap();
    tx.commit().await.unwrap();
    clip
}

async fn row(world: &World, owner: UserId, video: VideoId, clip: ClipId) -> ClipRow {
    clips::find(world.pool(), owner, video, clip).await.unwrap()
}

async fn is_ready(world: &World, owner: UserId, video: VideoId, clip: ClipId) -> String {
    until("the clip is ready", PATIENCE, async || row(world, owner, video, clip).await.object_key).await
}

/// Where clips of the video lie.
async fn objects(world: &World, video: VideoId) -> Vec<String> {
    world.store.list(&format!("{}clips/", keys::video_prefix(video))).await.unwrap()
}

/// State and note of the newest task that cuts, once it has ended.
async fn ended(world: &World) -> (String, Option<String>) {
    until("the cut has ended", PATIENCE, async || {
        sqlx::query_as::<_, (String, Option<String>)>(
            "SELECT state::text, note FROM tasks WHERE kind = 'cut_clip' AND state NOT IN ('pending', 'running')
             ORDER BY created_at DESC LIMIT 1",
        )
        .fetch_optional(world.pool())
        .await
        .ok()?
    })
    .await
}

/// Attempts that count, code and chain of the task that cuts, once it waits for what is out of reach.
async fn waits(world: &World) -> (i32, String, String) {
    until("the cut waits for the object storage", PATIENCE, async || {
        sqlx::query_as::<_, (i32, String, String)>(
            "SELECT attempts, error_code, error_chain FROM tasks WHERE kind = 'cut_clip' AND state = 'pending' AND error_code IS NOT NULL",
        )
        .fetch_optional(world.pool())
        .await
        .ok()?
    })
    .await
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(worker, state)| ((*worker).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn a_clip_whose_worker_is_killed_before_its_row_is_written_is_there_once() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let first = world.worker("first").fault("cut_clip:pause:stored").start();
    let clip = ask(&world, owner, video).await;
    world.marked().await;
    assert_eq!(objects(&world, video).await.len(), 1, "sent, and no row says so");
    let second = world.worker("second").start();
    world.joins("second").await;
    first.kill().await;
    let key = is_ready(&world, owner, video, clip).await;
    assert_eq!(ended(&world).await, ("completed".into(), None));
    assert_eq!(world.task_attempts("cut_clip").await, pairs(&[("first", "lost"), ("second", "completed")]));
    assert_eq!(objects(&world, video).await, std::slice::from_ref(&key));
    let found = row(&world, owner, video, clip).await;
    assert_eq!(found.size_bytes, Some(i64::try_from(world.object(&key).await.len()).unwrap()));
    // Asked again it is this one, and nobody has anything to do.
    assert_eq!(ask(&world, owner, video).await, clip);
    second.terminate().await;
}

#[tokio::test]
async fn a_clip_that_kills_every_worker_ends_and_says_so() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let clip = ask(&world, owner, video).await;
    sqlx::query("UPDATE tasks SET max_attempts = 2").execute(world.pool()).await.unwrap();
    for name in ["first", "second"] {
        let mut worker = world.worker(name).fault("cut_clip:abort:stored").start();
        tokio::time::timeout(PATIENCE, worker.child.wait()).await.expect("it dies").expect("a status");
    }
    let survivor = world.worker("survivor").start();
    assert_eq!(ended(&world).await.0, "failed");
    assert_eq!(world.task_attempts("cut_clip").await, pairs(&[("first", "lost"), ("second", "lost")]));
    let found = row(&world, owner, video, clip).await;
    assert_eq!((found.state, found.error_code.as_deref()), (Some(JobState::Failed), Some("worker_lost")));
    assert!(found.error_message.is_some_and(|sentence| sentence.ends_with('.')));
    // What they had sent goes with the row.
    sqlx::query("UPDATE clips SET expires_at = now() - interval '1 second'").execute(world.pool()).await.unwrap();
    assert_eq!(clips::expire(world.pool()).await.unwrap(), 1);
    until("nothing is left of it", PATIENCE, async || objects(&world, video).await.is_empty().then_some(())).await;
    survivor.terminate().await;
}

#[tokio::test]
async fn a_clip_that_is_over_before_another_worker_takes_it_up_leaves_nothing() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let clip = ask(&world, owner, video).await;
    // Its row and object were removed, and only then a worker put it, and died.
    sqlx::query("DELETE FROM clips").execute(world.pool()).await.unwrap();
    world.store.put_bytes(&keys::clip(video, clip), vec![1], "video/mp4").await.unwrap();
    let half_sent = world.store.create_multipart(&keys::clip(video, clip), "video/mp4").await.unwrap();
    let worker = world.worker("one").start();
    assert_eq!(ended(&world).await, ("completed".into(), Some("expired".into())));
    assert_eq!(objects(&world, video).await, Vec::<String>::new());
    assert!(world.store.list_parts(&keys::clip(video, clip), &half_sent).await.is_err(), "the upload is still open");
    worker.terminate().await;
}

#[tokio::test]
async fn a_video_that_is_deleted_while_its_clip_is_cut_keeps_none() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let worker = world.worker("one").fault("cut_clip:hold:stored").start();
    let clip = ask(&world, owner, video).await;
    world.marked().await;
    let state = async |statement: &'static str| {
        sqlx::query(statement).bind(video).execute(world.pool()).await.unwrap();
    };
    state("UPDATE videos SET state = 'deleted', deleted_at = now(), purge_after = now() + interval '1 day', state_before_delete = 'indexed' WHERE video_id = $1").await;
    std::fs::remove_file(world.mark()).unwrap();
    assert_eq!(ended(&world).await, ("completed".into(), Some("expired".into())));
    assert_eq!(objects(&world, video).await, Vec::<String>::new());
    assert!(clips::find(world.pool(), owner, video, clip).await.is_err());

    // The video comes back: the clip that was given up says so, and asked for again it is made.
    state("UPDATE videos SET state = 'indexed', deleted_at = NULL, purge_after = NULL, state_before_delete = NULL WHERE video_id = $1").await;
    let given_up = row(&world, owner, video, clip).await;
    assert_eq!((given_up.object_key, given_up.state), (None, Some(JobState::Completed)));
    let again = ask(&world, owner, video).await;
    assert_ne!(again, clip);
    let key = is_ready(&world, owner, video, again).await;
    assert_eq!(objects(&world, video).await, [key]);
    worker.terminate().await;
}

#[tokio::test]
async fn an_account_that_is_deleted_while_its_clip_is_cut_leaves_no_object() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let worker = world.worker("one").fault("cut_clip:hold:middle").start();
    ask(&world, owner, video).await;
    world.marked().await;
    let mut tx = world.pool().begin().await.unwrap();
    users::bury(&mut tx, owner, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    until("the account is purged", PATIENCE, async || {
        let left: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM videos) + (SELECT count(*) FROM tasks WHERE kind = 'cut_clip')",
        )
        .fetch_one(world.pool())
        .await
        .ok()?;
        (left == 0).then_some(())
    })
    .await;
    // Only now the clip is sent.
    std::fs::remove_file(world.mark()).unwrap();
    until("the cut has found itself unwanted", PATIENCE, async || worker.log().contains("attempt lost").then_some(()))
        .await;
    assert_eq!(world.store.list(&keys::video_prefix(video)).await.unwrap(), Vec::<String>::new());
    worker.terminate().await;
}

#[tokio::test]
async fn what_a_dead_worker_put_after_a_purge_is_looked_for_once_more() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::silent()).await;
    sqlx::query("UPDATE videos SET state = 'deleted', deleted_at = now(), purge_after = now() - interval '1 second'")
        .execute(world.pool())
        .await
        .unwrap();
    let worker = world.worker("one").start();
    let later = "SELECT count(*) FROM tasks WHERE kind = 'delete_objects' AND run_at > now() + interval '50 minutes'";
    until("the video is purged", PATIENCE, async || {
        let planned: i64 = sqlx::query_scalar(later).fetch_one(world.pool()).await.ok()?;
        (planned == 1).then_some(())
    })
    .await;
    // Whoever did not know put this.
    world.store.put_bytes(&keys::poster(video), vec![1], "image/webp").await.unwrap();
    let half_sent = world.store.create_multipart(&keys::proxy(video), "video/mp4").await.unwrap();
    sqlx::query("UPDATE tasks SET run_at = now() WHERE kind = 'delete_objects'").execute(world.pool()).await.unwrap();
    until("it is gone", PATIENCE, async || {
        world.store.list(&keys::video_prefix(video)).await.ok()?.is_empty().then_some(())
    })
    .await;
    assert!(world.store.list_parts(&keys::proxy(video), &half_sent).await.is_err(), "the upload is still open");
    worker.terminate().await;
}

#[tokio::test]
async fn a_clip_waits_for_a_storage_that_has_too_much_to_do_while_it_is_sent() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let worker = world.worker("one").fault("cut_clip:hold:middle").start();
    let clip = ask(&world, owner, video).await;
    world.marked().await;
    world.s3_wire.busy();
    std::fs::remove_file(world.mark()).unwrap();
    let (attempts, code, chain) = waits(&world).await;
    assert_eq!((attempts, code.as_str()), (0, "outage"), "{chain}");
    assert!(chain.contains("503"), "{chain}");
    let found = row(&world, owner, video, clip).await;
    assert!(matches!(found.state, Some(JobState::Pending | JobState::Running)) && found.object_key.is_none());
    world.s3_wire.mend();
    let key = is_ready(&world, owner, video, clip).await;
    assert_eq!(objects(&world, video).await, [key]);
    let attempts = world.task_attempts("cut_clip").await;
    assert_eq!((attempts[0].1.as_str(), attempts.last().unwrap().1.as_str()), ("outage", "completed"), "{attempts:?}");
    worker.terminate().await;
}

#[tokio::test]
async fn a_clip_whose_source_stays_out_of_reach_ends_after_an_hour_and_says_why() {
    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let video = world.kept(owner, media::spoken()).await;
    let worker = world.worker("one").start();
    world.joins("one").await;
    world.s3_wire.cut();
    let clip = ask(&world, owner, video).await;
    assert_eq!(waits(&world).await.1, "outage");
    // An hour later.
    sqlx::query("UPDATE tasks SET outage_since = now() - interval '61 minutes' WHERE kind = 'cut_clip'")
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(ended(&world).await.0, "failed");
    let found = row(&world, owner, video, clip).await;
    assert_eq!((found.state, found.error_code.as_deref()), (Some(JobState::Failed), Some("outage")));
    assert!(found.error_message.unwrap().contains("object storage"));
    assert!(world.scratch_files().is_empty(), "{:?}", world.scratch_files());
    // Asked for once the storage is back, it is made.
    world.s3_wire.mend();
    let again = ask(&world, owner, video).await;
    assert_ne!(again, clip);
    is_ready(&world, owner, video, again).await;
    worker.terminate().await;
}
