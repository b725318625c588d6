//! What a worker does when things go wrong, with real processes that are really killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::time::Duration;

use common::{PATIENCE, Uploaded, World, media, snapshot, until};
use heimdex_db::{AttemptId, JobId, Stage, ledger};

/// A killed worker's stage must be in other hands within this time.
const TAKEOVER: Duration = Duration::from_secs(15);

/// Kills the worker when the stage has written everything but is not yet completed: the worst moment. Another takes over,
/// and nothing can be told from a run that was left alone.
async fn killed_in(stage: Stage) {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let first = world.worker("first").fault(format!("{stage}:pause:end")).start();
    world.marked().await;
    let second = world.worker("second").start();
    world.joins("second").await;
    first.kill().await;
    until(&format!("another worker takes {stage} over"), TAKEOVER, async || {
        (world.attempts(video, stage).await.len() == 2).then_some(())
    })
    .await;
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let attempts = world.attempts(video, stage).await;
    let expected =
        [("first", "lost"), ("second", "completed")].map(|(worker, state)| (worker.to_owned(), state.to_owned()));
    assert_eq!(attempts, expected);

    let undisturbed = world.upload(media::spoken()).await;
    world.video_becomes(undisturbed, &["indexed"]).await;
    world.at_rest(undisturbed).await;
    snapshot::assert_same(&snapshot::of(&world, video).await, &snapshot::of(&world, undisturbed).await);
    second.terminate().await;
    assert!(world.scratch_files().is_empty(), "{:?}", world.scratch_files());
}

macro_rules! killed_in_each_stage {
    ($($name:ident: $stage:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            killed_in(Stage::$stage).await;
        }
    )+};
}

killed_in_each_stage! {
    killed_in_upload_validate: UploadValidate,
    killed_in_audio_extract: AudioExtract,
    killed_in_asr_fast: AsrFast,
    killed_in_scene_detect: SceneDetect,
    killed_in_align_merge: AlignMerge,
    killed_in_embed_text: EmbedText,
    killed_in_vision_sample_frames: VisionSampleFrames,
    killed_in_vision_embed_frames: VisionEmbedFrames,
    killed_in_vision_affect_tags: VisionAffectTags,
    killed_in_faces_enroll_match: FacesEnrollMatch,
    killed_in_sidecar_build: SidecarBuild,
    killed_in_commit: Commit,
}

#[tokio::test]
async fn a_stage_that_kills_its_worker_three_times_fails_the_video_with_a_reason() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    for (number, name) in [(1, "first"), (2, "second"), (3, "third")] {
        let mut worker = world.worker(name).fault("scene_detect:abort").start();
        world.attempt_begins(video, Stage::SceneDetect, number).await;
        tokio::time::timeout(PATIENCE, worker.child.wait()).await.expect("it dies").expect("a status");
    }
    let survivor = world.worker("survivor").start();
    world.video_becomes(video, &["failed"]).await;
    assert_eq!(world.attempts(video, Stage::SceneDetect).await.len(), 3, "no fourth attempt");
    let (code, message): (String, String) =
        sqlx::query_as("SELECT failure_code, failure_message FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert_eq!(code, "worker_lost");
    assert!(!message.is_empty());
    survivor.terminate().await;
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_not_a_lost_worker() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let worker = world.worker("one").fault("align_merge:panic").start();
    world.video_becomes(video, &["failed"]).await;
    let attempts = world.attempts(video, Stage::AlignMerge).await;
    assert_eq!(attempts, vec![("one".to_owned(), "failed".to_owned()); 3]);
    assert_eq!(world.job(video, Stage::AlignMerge).await.2.as_deref(), Some("panic"));
    worker.terminate().await;
}

#[tokio::test]
async fn a_decoder_that_hangs_is_ended_and_its_neighbours_do_not_notice() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").fault("scene_detect:child_hang_once").start();
    world.video_becomes(video, &["indexed"]).await;
    let attempts: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT a.state, a.error_code FROM job_attempts a JOIN jobs j USING (job_id)
         WHERE j.run_id = $1 AND j.stage = 'scene_detect' ORDER BY a.number",
    )
    .bind(video.run_id)
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(attempts, [("failed".to_owned(), Some("decoder_hung".to_owned())), ("completed".to_owned(), None)]);
    for stage in [Stage::UploadValidate, Stage::AudioExtract, Stage::AsrFast] {
        assert_eq!(world.attempts(video, stage).await, [("one".to_owned(), "completed".to_owned())], "{stage}");
    }
    worker.terminate().await;
}

#[tokio::test]
async fn a_decoder_that_always_crashes_fails_its_video_and_not_the_worker() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("one").fault("scene_detect:child_crash").start();
    world.video_becomes(video, &["failed"]).await;
    assert_eq!(world.job(video, Stage::SceneDetect).await.2.as_deref(), Some("decoder_crashed"));
    assert_eq!(world.attempts(video, Stage::SceneDetect).await, vec![("one".to_owned(), "failed".to_owned()); 3]);
    assert_eq!(world.attempts(video, Stage::AudioExtract).await, [("one".to_owned(), "completed".to_owned())]);
    until("scratch space is empty", PATIENCE, async || world.scratch_files().is_empty().then_some(())).await;
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test]
async fn writes_of_an_attempt_that_lost_its_job_are_refused() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let job_id: JobId = sqlx::query_scalar("SELECT job_id FROM jobs WHERE run_id = $1 AND stage = 'upload_validate'")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    let stale = ledger::begin(world.pool(), job_id.into(), AttemptId::new(), "ghost", Duration::from_millis(1))
        .await
        .unwrap()
        .expect("an attempt");
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;
    let mut tx = world.pool().begin().await.unwrap();
    let refused = ledger::fence(&mut tx, &stale).await;
    assert!(matches!(refused, Err(heimdex_db::DbError::LostLease)), "{refused:?}");
    let refused = ledger::complete(&mut tx, &stale, None, serde_json::json!({})).await;
    assert!(matches!(refused, Err(heimdex_db::DbError::LostLease)), "{refused:?}");
    assert_eq!(world.attempts(video, Stage::UploadValidate).await[0], ("ghost".to_owned(), "lost".to_owned()));
    worker.terminate().await;
}

/// A worker that is stopped for longer than its lease wakes up and must not disturb the one that took over.
#[tokio::test]
async fn a_worker_that_was_asleep_finds_its_stage_taken() {
    let world = World::new().await;
    let video = world.upload(media::spoken()).await;
    let sleeper = world.worker("sleeper").stages(&[Stage::UploadValidate, Stage::AudioExtract, Stage::AsrFast]).start();
    world.attempt_begins(video, Stage::AsrFast, 1).await;
    sleeper.signal("STOP").await;
    let other = world.worker("other").start();
    world.attempt_begins(video, Stage::AsrFast, 2).await;
    sleeper.signal("CONT").await;
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    let attempts = world.attempts(video, Stage::AsrFast).await;
    assert_eq!(attempts[0], ("sleeper".to_owned(), "lost".to_owned()));
    assert_eq!(attempts.last().map(|last| last.1.as_str()), Some("completed"));
    assert_eq!(attempts.len(), 2);
    sleeper.terminate().await;
    other.terminate().await;
}

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_hands_back_what_it_does() {
    let world = World::new().await;
    let video = world.upload(media::silent()).await;
    let leaving = world.worker("leaving").fault("align_merge:hang").with("HEIMDEX_WORKER_GRACE_S", "1").start();
    world.attempt_begins(video, Stage::AlignMerge, 1).await;
    // A model that is being loaded when the grace ends is waited for no longer, and its stage is found as that of a lost worker.
    until("the pictures are done", PATIENCE, async || {
        (world.job(video, Stage::VisionAffectTags).await.0 == "completed").then_some(())
    })
    .await;
    assert_eq!(leaving.terminate().await, Some(0));
    let staying = world.worker("staying").start();
    world.video_becomes(video, &["indexed"]).await;
    let attempts = world.attempts(video, Stage::AlignMerge).await;
    let expected = [("leaving", "released"), ("staying", "completed")]
        .map(|(worker, state)| (worker.to_owned(), state.to_owned()));
    assert_eq!(attempts, expected);
    assert_eq!(world.attempts_spent(video).await, 0, "handing back spends no attempt");
    staying.terminate().await;
}

#[tokio::test]
async fn a_paused_stage_takes_nothing_until_it_is_resumed() {
    let world = World::new().await;
    world.pause(Stage::AlignMerge, true).await;
    let video = world.upload(media::silent()).await;
    let worker = world.worker("one").start();
    until("everything before it is done", PATIENCE, async || {
        let job = |stage| world.job(video, stage);
        let done = job(Stage::AsrFast).await.0 == "completed" && job(Stage::FacesEnrollMatch).await.0 == "completed";
        done.then_some(())
    })
    .await;
    assert_eq!(world.job(video, Stage::AlignMerge).await.0, "pending");
    assert!(world.attempts(video, Stage::AlignMerge).await.is_empty());
    world.pause(Stage::AlignMerge, false).await;
    world.video_becomes(video, &["indexed"]).await;
    worker.terminate().await;
}

#[tokio::test]
async fn a_stage_that_is_paused_while_it_runs_finishes_and_takes_nothing_new() {
    let world = World::new().await;
    let running = world.upload(media::spoken()).await;
    let worker = world.worker("one").start();
    world.attempt_begins(running, Stage::SceneDetect, 1).await;
    world.pause(Stage::SceneDetect, true).await;
    let held = world.upload(media::silent()).await;
    world.video_becomes(running, &["indexed"]).await;
    assert_eq!(world.attempts_spent(running).await, 0, "what ran was left alone");
    until("the other way through the graph is done", PATIENCE, async || {
        (world.job(held, Stage::AsrFast).await.0 == "completed").then_some(())
    })
    .await;
    assert_eq!(world.job(held, Stage::SceneDetect).await.0, "pending");
    assert!(world.attempts(held, Stage::SceneDetect).await.is_empty());
    // The switch is in the table: a worker that comes later finds it there.
    worker.terminate().await;
    let later = world.worker("two").start();
    world.pause(Stage::SceneDetect, false).await;
    world.video_becomes(held, &["indexed"]).await;
    later.terminate().await;
}

/// Everything waits while the wire is cut, and goes on by itself; no attempt is spent.
async fn survives(cut: impl Fn(&World), mend: impl Fn(&World), away: Duration) {
    let world = World::new().await;
    let worker = world.worker("one").start();
    let videos: Vec<Uploaded> = [world.upload(media::spoken()).await, world.upload(media::spoken()).await].into();
    world.attempt_begins(videos[0], Stage::SceneDetect, 1).await;
    cut(&world);
    // The length of the outage is the story; there is nothing to wait for.
    tokio::time::sleep(away).await;
    mend(&world);
    for &video in &videos {
        world.video_becomes(video, &["indexed"]).await;
        world.at_rest(video).await;
        assert_eq!(world.attempts_spent(video).await, 0, "an outage spends no attempt");
        let lost: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM job_attempts a JOIN jobs j USING (job_id) WHERE j.run_id = $1 AND a.state IN ('lost', 'failed')",
        )
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
        assert_eq!(lost, 0, "an outage loses no attempt");
    }
    snapshot::assert_same(&snapshot::of(&world, videos[0]).await, &snapshot::of(&world, videos[1]).await);
    worker.terminate().await;
}

#[tokio::test]
async fn postgres_away_for_a_minute() {
    survives(|world| world.pg_wire.cut(), |world| world.pg_wire.mend(), Duration::from_secs(60)).await;
}

#[tokio::test]
async fn postgres_restarted() {
    survives(|world| world.pg_wire.cut(), |world| world.pg_wire.mend(), Duration::from_secs(2)).await;
}

#[tokio::test]
async fn object_storage_away_for_a_minute() {
    survives(|world| world.s3_wire.cut(), |world| world.s3_wire.mend(), Duration::from_secs(60)).await;
}
