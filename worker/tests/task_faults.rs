//! Corrections and matching through killed and sleeping workers, and through what people do meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::{PATIENCE, Uploaded, World, faces, media, until};
use heimdex_db::{
    DbError, PersonId, RunId, Stage, UserId,
    audit::By,
    keys,
    moments::{edits, edits::SegmentEdit, transcript},
    people::{self, Consent},
};

/// The run's last line.
async fn last_line(world: &World, run: RunId) -> transcript::Segment {
    transcript::segments(world.pool(), run).await.unwrap().pop().unwrap()
}

/// Says what the last line of a run really is.
async fn correct(world: &World, video: Uploaded, text: &str) -> Result<(), DbError> {
    let line = last_line(world, video.run_id).await;
    let edit = SegmentEdit { run_id: video.run_id, segment_no: line.segment_no, was: &line.text, text: Some(text) };
    let mut tx = world.pool().begin().await.unwrap();
    edits::edit(&mut tx, video.owner_id, video.video_id, &edit, &By::command()).await?;
    tx.commit().await.unwrap();
    Ok(())
}

/// Nothing is left to do for corrections.
async fn all_applied(world: &World) {
    until("the corrections are applied", PATIENCE, async || {
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM tasks WHERE kind = 'apply_edits' AND state IN ('pending', 'running')",
        )
        .fetch_one(world.pool())
        .await
        .ok()?;
        (left == 0).then_some(())
    })
    .await;
}

/// Everything that hangs on the words says this and not that; no window is there twice or without a vector.
async fn assert_all_say(world: &World, video: Uploaded, right: &str, wrong: &str) {
    for file in ["captions.vtt", "captions.srt", "sidecar.json"] {
        let text = String::from_utf8(world.object(&keys::artifact(video.video_id, video.run_id, file)).await).unwrap();
        assert!(text.contains(right) && !text.contains(wrong), "{file}: {text}");
    }
    let windows: Vec<(String, bool)> = sqlx::query_as(
        "SELECT text, text_vec IS NOT NULL FROM text_windows WHERE run_id = $1 ORDER BY start_ms, ordinal",
    )
    .bind(video.run_id)
    .fetch_all(world.pool())
    .await
    .unwrap();
    let said = windows.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
    assert!(said.contains(right) && !said.contains(wrong), "{windows:?}");
    assert!(windows.iter().all(|(_, has_vector)| *has_vector), "{windows:?}");
    let twice: i64 = sqlx::query_scalar(
        "SELECT count(*) - count(DISTINCT (scene_id, start_ms, end_ms, text)) FROM text_windows WHERE run_id = $1",
    )
    .bind(video.run_id)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(twice, 0, "{windows:?}");
}

/// An indexed video, and nobody at work.
async fn indexed(world: &World) -> Uploaded {
    let video = world.upload(media::spoken()).await;
    let worker = world.worker("indexer").start();
    world.video_becomes(video, &["indexed"]).await;
    world.at_rest(video).await;
    worker.terminate().await;
    video
}

#[tokio::test]
async fn corrections_survive_a_killed_worker_and_one_that_is_made_meanwhile_is_not_lost() {
    let world = World::new().await;
    let video = indexed(&world).await;
    let first = world.worker("first").fault("apply_edits:pause:middle").start();
    correct(&world, video, "a mauve zeppelin").await.unwrap();
    world.marked().await;
    let second = world.worker("second").start();
    world.joins("second").await;
    // The first is still at the one before.
    correct(&world, video, "a crimson zeppelin").await.unwrap();
    first.kill().await;
    until("another worker takes it up", PATIENCE, async || {
        let attempts = world.task_attempts("apply_edits").await;
        attempts.contains(&("first".to_owned(), "lost".to_owned())).then_some(())
    })
    .await;
    all_applied(&world).await;
    assert_all_say(&world, video, "crimson", "mauve").await;
    let failed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM tasks WHERE kind = 'apply_edits' AND state <> 'completed'")
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert_eq!(failed, 0);
    second.terminate().await;
}

/// Files have no lock that a row could hold: what a sleeper puts when it wakes up lies over what is newer, until somebody mends it.
#[tokio::test]
async fn files_of_a_worker_that_was_asleep_do_not_stay_over_newer_ones() {
    let world = World::new().await;
    let video = indexed(&world).await;
    let sleeper = world.worker("sleeper").fault("apply_edits:hold:middle").start();
    correct(&world, video, "a mauve zeppelin").await.unwrap();
    world.marked().await;
    sleeper.signal("STOP").await;
    let other = world.worker("other").start();
    all_applied(&world).await;
    correct(&world, video, "a crimson zeppelin").await.unwrap();
    all_applied(&world).await;
    assert_all_say(&world, video, "crimson", "mauve").await;
    // It wakes up with old files in its hands, and puts them.
    std::fs::remove_file(world.mark()).unwrap();
    sleeper.signal("CONT").await;
    until("it has found its work taken", PATIENCE, async || sleeper.log().contains("attempt lost").then_some(())).await;
    all_applied(&world).await;
    assert_all_say(&world, video, "crimson", "mauve").await;
    sleeper.terminate().await;
    other.terminate().await;
}

#[tokio::test]
async fn what_is_corrected_while_a_video_is_indexed_again_is_in_what_comes_of_it() {
    let world = World::new().await;
    let video = indexed(&world).await;
    // Held when the new run's words have met the corrections that there were, which were none.
    let worker = world.worker("two").fault("align_merge:hold:end").start();
    let again = world.redo(video, &[Stage::AsrFast]).await;
    world.marked().await;
    correct(&world, video, "a mauve zeppelin").await.unwrap();
    std::fs::remove_file(world.mark()).unwrap();
    world.is_shown(again).await;
    assert_all_say(&world, again, "mauve", "crimson").await;
    // Who still looks at the run before is told, and changes nothing.
    let edit =
        SegmentEdit { run_id: video.run_id, segment_no: 0, was: "whatever it was", text: Some("a crimson zeppelin") };
    let mut tx = world.pool().begin().await.unwrap();
    let refused = edits::edit(&mut tx, video.owner_id, video.video_id, &edit, &By::command()).await;
    assert!(matches!(refused, Err(DbError::Conflict("transcript_changed"))), "{refused:?}");
    drop(tx);
    assert_all_say(&world, again, "mauve", "crimson").await;
    worker.terminate().await;
}

/// A person who is known by two photos, as checks leave them.
async fn known(world: &World, owner: UserId, vector: &[f32], model: &str) -> PersonId {
    let mut tx = world.pool().begin().await.unwrap();
    let consent = Consent { note: "by mail".into() };
    let person = people::create(&mut tx, owner, "Minji", Some(&consent), &By::command()).await.unwrap();
    for n in 0..2 {
        sqlx::query(
            "INSERT INTO face_photos (person_id, owner_id, state, object_key, face_vec, face_model, quality)
             VALUES ($1, $2, 'accepted', $3, $4::text::vector, $5, 0.9)",
        )
        .bind(person)
        .bind(owner)
        .bind(format!("p/{owner}/{person}/{n}.jpg"))
        .bind(format!("{vector:?}"))
        .bind(model)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    person
}

#[tokio::test]
async fn a_person_is_found_everywhere_and_once_though_the_worker_is_killed_half_way() {
    use heimdex_models::{FaceAnalyzer, Registry};

    let world = World::new().await;
    let owner = world.owner("enterprise").await;
    let models = std::env::var("HEIMDEX_MODELS_DIR").unwrap();
    let analyzer = FaceAnalyzer::load(&Registry::open(&models).unwrap().get("blazeface-dlib").unwrap(), 1).unwrap();
    let unit = |at: usize| (0..analyzer.dimension()).map(|n| if n == at { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
    let (theirs, other) = (unit(0), unit(1));
    for _ in 0..5 {
        faces::seen(&world, owner, &[&theirs, &other], analyzer.id()).await;
    }
    let person = known(&world, owner, &theirs, analyzer.id()).await;
    let mut tx = world.pool().begin().await.unwrap();
    people::lock(&mut tx, owner).await.unwrap();
    people::request_match(&mut tx, owner, person).await.unwrap();
    tx.commit().await.unwrap();

    let start = |name: &str| world.worker(name).with("FEATURE_FACES", "true");
    let first = start("first").fault("match_person:pause:middle").start();
    world.marked().await;
    let found = async || people::scenes_of(world.pool(), owner, person, None, 100).await.unwrap();
    assert_eq!(found().await.len(), 1, "one of five videos is decided");
    let second = start("second").start();
    world.joins("second").await;
    first.kill().await;
    until("the whole library is looked through", PATIENCE, async || {
        let state: String = sqlx::query_scalar("SELECT state::text FROM tasks WHERE kind = 'match_person'")
            .fetch_one(world.pool())
            .await
            .ok()?;
        (state == "completed").then_some(())
    })
    .await;
    assert_eq!(found().await.iter().map(|scene| scene.ordinal).collect::<Vec<_>>(), [0; 5], "each video once");
    let attempts = world.task_attempts("match_person").await;
    assert_eq!(attempts.iter().map(|(_, state)| state.as_str()).collect::<Vec<_>>(), ["lost", "completed"]);
    // The other one of all five videos is one cluster: deciding a run twice makes nobody twice.
    let (people, clusters): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE display_name IS NULL) FROM face_profiles WHERE owner_id = $1",
    )
    .bind(owner)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!((people, clusters), (2, 1));
    let whose: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT person_id) FROM face_tracks WHERE owner_id = $1 AND person_id IS NOT NULL AND person_id <> $2",
    )
    .bind(owner)
    .bind(person)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(whose, 1);
    second.terminate().await;
}
