//! Who is there, told with vectors in a plane: how alike two faces are is the angle between them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use heimdex_db::{
    DbError, PersonId, PgConnection, RunId, SceneId, UserId, VideoId,
    audit::By,
    keys, maintenance,
    people::{self, Consent, Edit, FaceAt, Thresholds, Verdict},
    runs,
};
use heimdex_testing::TestDb;
use sqlx::PgPool;
use uuid::Uuid;

/// Faces less than 37° apart are of one person.
const SAME: Thresholds = Thresholds { same: 0.8, margin: 0.05 };
const MODEL: &str = "faces-of-the-tests";

struct Library {
    db: TestDb,
    owner: UserId,
}

/// A face in a video: in which of its scenes of ten seconds, in which half of the picture, at which angle.
#[derive(Clone, Copy)]
struct Face {
    scene: i64,
    left: bool,
    degrees: f32,
}

fn face(scene: i64, degrees: f32) -> Face {
    Face { scene, left: true, degrees }
}

fn vector(degrees: f32) -> String {
    let (sin, cos) = degrees.to_radians().sin_cos();
    format!("[{cos},{sin}]")
}

fn consent() -> Consent {
    Consent { note: "by mail, in May".into() }
}

async fn user(pool: &PgPool) -> UserId {
    sqlx::query_scalar("INSERT INTO users (email) VALUES ('a@example.org') RETURNING user_id")
        .fetch_one(pool)
        .await
        .unwrap()
}

impl Library {
    async fn new() -> Self {
        let db = TestDb::new().await.unwrap();
        let owner = user(db.pool()).await;
        Self { db, owner }
    }

    fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    async fn video(&self) -> VideoId {
        sqlx::query_scalar(
            "INSERT INTO videos (owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count)
             VALUES ($1, 'Rain', 'indexed', 'a.mp4', 'video/mp4', 1, 1, 1) RETURNING video_id",
        )
        .bind(self.owner)
        .fetch_one(self.pool())
        .await
        .unwrap()
    }

    /// An indexing of a video that found these faces, as `faces_enroll_match` leaves it before anybody is identified.
    async fn run(&self, video: VideoId, faces: &[Face]) -> RunId {
        self.run_of(video, faces, MODEL).await
    }

    async fn run_of(&self, video: VideoId, faces: &[Face], model: &str) -> RunId {
        let mut tx = self.pool().begin().await.unwrap();
        let run: RunId = sqlx::query_scalar(
            "INSERT INTO runs (video_id, reason, state) VALUES ($1, 'initial', 'running') RETURNING run_id",
        )
        .bind(video)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        for scene in 0..3 {
            sqlx::query("INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)")
                .bind(run)
                .bind(scene_id(video, scene))
                .bind(video)
                .bind(self.owner)
                .bind(i32::try_from(scene).unwrap())
                .bind(scene * 10_000)
                .bind(scene * 10_000 + 10_000)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        for (number, face) in (0_i32..).zip(faces) {
            let x = if face.left { 0.1 } else { 0.6 };
            sqlx::query(
                "INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model, cover_key)
                 VALUES ($1, $2, $3, $4, $5, $5 + 4000, 5, 10, 0.9, $6::text::vector, $7, $8)",
            )
            .bind(run)
            .bind(number)
            .bind(scene_id(video, face.scene))
            .bind(self.owner)
            .bind(face.scene * 10_000 + 1000)
            .bind(vector(face.degrees))
            .bind(model)
            .bind(format!("v/{video}/r/{run}/faces/{number}.jpg"))
            .execute(&mut *tx)
            .await
            .unwrap();
            sqlx::query(
                "INSERT INTO face_detections (run_id, scene_id, owner_id, at_ms, track_no, box, quality, face_vec, face_model)
                 VALUES ($1, $2, $3, $4, $5, jsonb_build_object('x', $6::float8, 'y', 0.2, 'width', 0.2, 'height', 0.3), 0.9, $7::text::vector, $8)",
            )
            .bind(run)
            .bind(scene_id(video, face.scene))
            .bind(self.owner)
            .bind(face.scene * 10_000 + 1000)
            .bind(number)
            .bind(x)
            .bind(vector(face.degrees))
            .bind(model)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        run
    }

    async fn show(&self, video: VideoId, run: RunId) {
        let mut tx = self.pool().begin().await.unwrap();
        runs::publish(&mut tx, run, video).await.unwrap();
        runs::drop_replaced(&mut tx, run, video).await.unwrap();
        sqlx::query("UPDATE runs SET state = 'completed' WHERE run_id = $1").bind(run).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn identify(&self, run: RunId) {
        let mut tx = self.pool().begin().await.unwrap();
        people::identify(&mut tx, self.owner, run, &SAME).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A video with these faces, indexed and visible.
    async fn indexed(&self, faces: &[Face]) -> (VideoId, RunId) {
        let video = self.video().await;
        let run = self.index_again(video, faces).await;
        (video, run)
    }

    async fn index_again(&self, video: VideoId, faces: &[Face]) -> RunId {
        let run = self.run(video, faces).await;
        self.identify(run).await;
        self.show(video, run).await;
        run
    }

    /// Whose the faces of a run are, in order.
    async fn whose(&self, run: RunId) -> Vec<Option<PersonId>> {
        sqlx::query_scalar("SELECT person_id FROM face_tracks WHERE run_id = $1 ORDER BY track_no")
            .bind(run)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    async fn tx(&self) -> heimdex_db::Tx {
        self.pool().begin().await.unwrap()
    }

    async fn person(&self, name: &str, photos: &[f32]) -> PersonId {
        let mut tx = self.tx().await;
        let by = By::command();
        let person = people::create(&mut tx, self.owner, name, Some(&consent()), &by).await.unwrap();
        for &degrees in photos {
            accept(&mut tx, self.owner, person, degrees, MODEL).await;
        }
        tx.commit().await.unwrap();
        person
    }

    async fn name(&self, cluster: PersonId, name: &str) {
        let mut tx = self.tx().await;
        let edit = Edit { display_name: Some(name.into()), consent: Some(consent()) };
        people::edit(&mut tx, self.owner, cluster, &edit, &By::command()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn clusters(&self) -> i64 {
        self.count("SELECT count(*) FROM face_profiles WHERE display_name IS NULL").await
    }

    async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(self.pool()).await.unwrap()
    }
}

fn scene_id(video: VideoId, scene: i64) -> SceneId {
    SceneId::derive(video, scene * 10_000, scene * 10_000 + 10_000)
}

/// A photo that was sent, checked and found good.
async fn accept(tx: &mut PgConnection, owner: UserId, person: PersonId, degrees: f32, model: &str) {
    let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: person };
    people::add_photo(tx, owner, &new, &By::command()).await.unwrap();
    let photo = people::to_check(&mut *tx, new.photo_id).await.unwrap().unwrap();
    let (sin, cos) = degrees.to_radians().sin_cos();
    let verdict = Verdict::Accepted { model: model.into(), vector: vec![cos, sin], quality: 0.9 };
    assert!(people::set_verdict(tx, &photo, Some("p/x.jpg"), &verdict).await.unwrap());
}

#[tokio::test]
async fn an_enrolled_person_is_found_and_nobody_else_is_taken_for_them() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let ben = library.person("Ben", &[90.0, 100.0]).await;
    let (video, run) = library.indexed(&[face(0, 5.0), face(1, 95.0), face(2, 180.0), face(2, 50.0)]).await;
    let whose = library.whose(run).await;
    assert_eq!((whose[0], whose[1]), (Some(ann), Some(ben)));
    let known = [Some(ann), Some(ben), None];
    assert!(!known.contains(&whose[2]) && !known.contains(&whose[3]), "{whose:?}");
    let scenes = people::scenes_of(library.pool(), library.owner, ann, None, 10).await.unwrap();
    assert_eq!(scenes.iter().map(|s| s.scene_id).collect::<Vec<_>>(), [scene_id(video, 0)]);
    assert!((scenes[0].share - 0.5).abs() < 1e-6, "five of ten pictures");
    assert!(scenes[0].tracks[0].similarity.unwrap() > 0.99);
}

#[tokio::test]
async fn one_photo_is_not_enough_and_no_consent_is_no_photo() {
    let library = Library::new().await;
    library.person("Ann", &[0.0]).await;
    let (_, run) = library.indexed(&[face(0, 0.0)]).await;
    assert_eq!(library.clusters().await, 1);
    let mut tx = library.tx().await;
    let shy = people::create(&mut tx, library.owner, "Shy", None, &By::command()).await.unwrap();
    let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: shy };
    let refused = people::add_photo(&mut tx, library.owner, &new, &By::command()).await;
    assert!(matches!(refused, Err(DbError::Conflict("consent_required"))), "{refused:?}");
    let cluster = library.whose(run).await[0].unwrap();
    let edit = Edit { display_name: Some("Ann too".into()), consent: None };
    let refused = people::edit(&mut tx, library.owner, cluster, &edit, &By::command()).await;
    assert!(matches!(refused, Err(DbError::Conflict("consent_required"))), "{refused:?}");
}

#[tokio::test]
async fn unknown_faces_become_clusters_over_the_library_and_go_with_their_last_video() {
    let library = Library::new().await;
    let (_, first) = library.indexed(&[face(0, 0.0), face(1, 8.0), face(2, 120.0)]).await;
    let (second_video, second) = library.indexed(&[face(0, 4.0), face(1, 240.0)]).await;
    let (one, two) = (library.whose(first).await, library.whose(second).await);
    assert_eq!((one[0], one[0]), (one[1], two[0]));
    assert!(one[0] != one[2] && two[1] != one[0] && two[1] != one[2]);
    assert_eq!(library.clusters().await, 3);
    sqlx::query("UPDATE videos SET state = 'deleted', purge_after = now() - interval '1 second' WHERE video_id = $1")
        .bind(second_video)
        .execute(library.pool())
        .await
        .unwrap();
    let mut tx = library.tx().await;
    assert!(maintenance::purge_video(&mut tx, second_video).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(library.clusters().await, 2);
}

#[tokio::test]
async fn doing_it_again_and_indexing_again_give_the_same() {
    let library = Library::new().await;
    library.person("Ann", &[0.0, 10.0]).await;
    let faces = [face(0, 2.0), face(0, 100.0), face(1, 110.0), face(1, 200.0), face(2, 30.0), face(2, 131.0)];
    let (video, run) = library.indexed(&faces).await;
    library.indexed(&[face(0, 105.0), face(1, 300.0)]).await;
    let all = "SELECT track_no, person_id, similarity FROM face_tracks WHERE run_id = $1 ORDER BY 1";
    let read = async |run: RunId| -> Vec<(i32, Option<Uuid>, Option<f32>)> {
        sqlx::query_as(all).bind(run).fetch_all(library.pool()).await.unwrap()
    };
    let before = read(run).await;
    library.identify(run).await;
    library.identify(run).await;
    assert_eq!(read(run).await, before);
    let again = library.index_again(video, &faces).await;
    let people = |rows: Vec<(i32, Option<Uuid>, Option<f32>)>| rows.into_iter().map(|row| row.1).collect::<Vec<_>>();
    assert_eq!(people(read(again).await), people(before));
}

#[tokio::test]
async fn an_attempt_that_died_after_its_commit_leaves_no_second_cluster() {
    let library = Library::new().await;
    let (video, run) = library.indexed(&[face(0, 0.0)]).await;
    let before = library.whose(run).await;
    // The stage replaces its rows and identifies once more.
    sqlx::query("UPDATE face_tracks SET person_id = NULL, similarity = NULL WHERE run_id = $1")
        .bind(run)
        .execute(library.pool())
        .await
        .unwrap();
    library.identify(run).await;
    assert_eq!((library.whose(run).await, library.clusters().await), (before, 1));
    library.show(video, run).await;
}

#[tokio::test]
async fn a_named_cluster_is_known_by_its_faces_in_videos_to_come() {
    let library = Library::new().await;
    let (video, run) = library.indexed(&[face(0, 0.0), face(1, 20.0)]).await;
    let cluster = library.whose(run).await[0].unwrap();
    library.name(cluster, "Ann").await;
    let (_, other) = library.indexed(&[face(0, 40.0), face(1, 90.0)]).await;
    assert_eq!(library.whose(other).await[0], Some(cluster), "20° from the nearest face of hers");
    assert_ne!(library.whose(other).await[1], Some(cluster));
    // Another indexing, with another model: the faces are hers still, and she is known by them in its space.
    let newer = library.run_of(video, &[face(0, 200.0), face(1, 210.0)], "another-model").await;
    library.identify(newer).await;
    library.show(video, newer).await;
    assert_eq!(library.whose(newer).await, [Some(cluster), Some(cluster)]);
    let third = library.run_of(library.video().await, &[face(0, 205.0)], "another-model").await;
    library.identify(third).await;
    assert_eq!(library.whose(third).await, [Some(cluster)]);
}

#[tokio::test]
async fn vectors_of_different_models_are_never_compared() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let video = library.video().await;
    let run = library.run_of(video, &[face(0, 0.0)], "another-model").await;
    library.identify(run).await;
    library.show(video, run).await;
    assert_ne!(library.whose(run).await[0], Some(ann));
    let (_, mine) = library.indexed(&[face(0, 90.0)]).await;
    let theirs = library.run_of(library.video().await, &[face(0, 90.0)], "another-model").await;
    library.identify(theirs).await;
    assert_ne!(library.whose(mine).await, library.whose(theirs).await);
    assert_eq!(
        people::fitting_runs(library.pool(), library.owner, ann, MODEL, SAME.same, None, 10)
            .await
            .unwrap()
            .iter()
            .filter(|r| r.1)
            .count(),
        0
    );
}

#[tokio::test]
async fn what_was_refused_stays_refused_for_that_face_alone() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    // Twins, side by side.
    let twins = [face(0, 0.0), Face { scene: 0, left: false, degrees: 5.0 }, face(1, 3.0)];
    let (video, run) = library.indexed(&twins).await;
    assert_eq!(library.whose(run).await, [Some(ann); 3]);
    let mut tx = library.tx().await;
    let right = FaceAt { scene_id: scene_id(video, 0), track_no: Some(1) };
    people::reject(&mut tx, library.owner, ann, right).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [Some(ann), None, Some(ann)]);
    library.identify(run).await;
    let after = library.whose(run).await;
    assert_eq!((after[0], after[2]), (Some(ann), Some(ann)));
    assert!(after[1].is_some() && after[1] != Some(ann), "somebody else: {after:?}");
    // In another run, with its tracks in another order.
    let mut turned = twins;
    turned.reverse();
    let again = library.index_again(video, &turned).await;
    assert_eq!(library.whose(again).await, [Some(ann), after[1], Some(ann)]);
    // Asked again about a face that is not hers any more.
    let mut tx = library.tx().await;
    let gone = FaceAt { scene_id: scene_id(video, 0), track_no: Some(1) };
    assert!(matches!(people::reject(&mut tx, library.owner, ann, gone).await, Err(DbError::NotFound)));
}

#[tokio::test]
async fn merges_and_splits_survive_another_indexing() {
    let library = Library::new().await;
    let faces = [face(0, 0.0), face(1, 60.0), face(2, 120.0), face(2, 5.0)];
    let (video, run) = library.indexed(&faces[..3]).await;
    let whose = library.whose(run).await;
    let (front, side, other) = (whose[0].unwrap(), whose[1].unwrap(), whose[2].unwrap());
    library.name(front, "Ann").await;
    let mut tx = library.tx().await;
    people::merge(&mut tx, library.owner, front, &[side], &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [Some(front), Some(front), Some(other)]);
    let again = library.index_again(video, &faces[..3]).await;
    assert_eq!(library.whose(again).await, [Some(front), Some(front), Some(other)]);

    let mut tx = library.tx().await;
    let at = FaceAt { scene_id: scene_id(video, 1), track_no: None };
    let split = people::split(&mut tx, library.owner, front, &[at], &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    let again = library.index_again(video, &faces[..3]).await;
    assert_eq!(library.whose(again).await, [Some(front), Some(split), Some(other)]);
    // The part that was split off is a person who can be named.
    library.name(split, "Ben").await;
    let (_, third) = library.indexed(&[face(0, 62.0), face(1, 2.0)]).await;
    assert_eq!(library.whose(third).await, [Some(split), Some(front)]);
}

#[tokio::test]
async fn what_is_decided_while_a_video_is_indexed_again_outlives_its_commit() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let faces = [face(0, 0.0), face(1, 5.0)];
    let (video, _) = library.indexed(&faces).await;
    let newer = library.run(video, &faces).await;
    library.identify(newer).await;
    assert_eq!(library.whose(newer).await, [Some(ann); 2]);
    // The owner sees the run before it, and decides about that one.
    let mut tx = library.tx().await;
    let at = |scene| FaceAt { scene_id: scene_id(video, scene), track_no: None };
    let split = people::split(&mut tx, library.owner, ann, &[at(0)], &By::command()).await.unwrap();
    people::reject(&mut tx, library.owner, ann, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    library.show(video, newer).await;
    let asked = async |run: RunId| -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM tasks WHERE kind = 'match_person' AND payload ->> 'run_id' = $1")
            .bind(run.to_string())
            .fetch_one(library.pool())
            .await
            .unwrap()
    };
    assert_eq!(asked(newer).await, 1, "its faces are decided again");
    library.identify(newer).await;
    let whose = library.whose(newer).await;
    assert_eq!(whose[0], Some(split));
    assert!(whose[1].is_some() && whose[1] != Some(ann), "{whose:?}");
    // Where nothing was decided, nothing is asked for.
    let last = library.index_again(video, &faces).await;
    assert_eq!(asked(last).await, 0);
}

#[tokio::test]
async fn a_name_and_a_consent_may_come_from_different_people_and_no_name_comes_without() {
    let library = Library::new().await;
    let (_, run) = library.indexed(&[face(0, 0.0), face(1, 60.0)]).await;
    let whose = library.whose(run).await;
    let (one, other) = (whose[0].unwrap(), whose[1].unwrap());
    let by = By::command();
    let mut tx = library.tx().await;
    let shy = people::create(&mut tx, library.owner, "Shy", None, &by).await.unwrap();
    tx.commit().await.unwrap();
    for (into, from) in [(shy, one), (one, shy)] {
        let mut tx = library.tx().await;
        let refused = people::merge(&mut tx, library.owner, into, &[from], &by).await;
        assert!(matches!(refused, Err(DbError::Conflict("consent_required"))), "{refused:?}");
        tx.rollback().await.unwrap();
    }
    let mut tx = library.tx().await;
    let agreed = Edit { display_name: None, consent: Some(consent()) };
    people::edit(&mut tx, library.owner, other, &agreed, &by).await.unwrap();
    people::merge(&mut tx, library.owner, one, &[other, shy], &by).await.unwrap();
    tx.commit().await.unwrap();
    let row = people::find(library.pool(), library.owner, one).await.unwrap();
    assert_eq!((row.display_name.as_deref(), row.consent_note), (Some("Shy"), Some(consent().note)));
    assert!(people::consent_of(library.pool(), library.owner, one).await.unwrap().is_some());
}

#[tokio::test]
async fn a_copy_that_a_check_may_have_made_goes_with_its_photo() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[]).await;
    let mut sent = Vec::new();
    // Each is rejected without a verdict: its row knows what was sent, and of no copy.
    for _ in 0..11 {
        let mut tx = library.tx().await;
        let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: ann };
        people::add_photo(&mut tx, library.owner, &new, &By::command()).await.unwrap();
        tx.commit().await.unwrap();
        sqlx::query("UPDATE tasks SET state = 'failed' WHERE kind = 'check_photo'")
            .execute(library.pool())
            .await
            .unwrap();
        sent.push(keys::sent_photo(library.owner, ann, new.photo_id));
    }
    let removed = async || -> String {
        sqlx::query_scalar("SELECT string_agg(payload::text, ' ') FROM tasks WHERE kind = 'delete_objects'")
            .fetch_one(library.pool())
            .await
            .unwrap()
    };
    let (first, last) = (keys::checked_photo(&sent[0]), keys::checked_photo(&sent[10]));
    let now = removed().await;
    assert!(now.contains(&first) && !now.contains(&last), "the oldest made room: {now}");
    let mut tx = library.tx().await;
    people::delete(&mut tx, library.owner, ann, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(removed().await.contains(&last));
}

#[tokio::test]
async fn two_named_people_are_one_only_when_the_owner_says_so() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let anna = library.person("Anna", &[1.0, 11.0]).await;
    let (_, run) = library.indexed(&[face(0, 5.0)]).await;
    let whose = library.whose(run).await[0];
    assert!(whose != Some(ann) && whose != Some(anna), "neither is ahead of the other");
    assert_eq!(library.count("SELECT count(*) FROM face_profiles WHERE display_name IS NOT NULL").await, 2);
    let mut tx = library.tx().await;
    people::merge(&mut tx, library.owner, ann, &[anna], &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    library.identify(run).await;
    assert_eq!(library.whose(run).await, [Some(ann)]);
    assert_eq!(people::photos(library.pool(), library.owner, ann).await.unwrap().len(), 4);
}

#[tokio::test]
async fn two_indexings_at_once_make_one_cluster() {
    let library = Library::new().await;
    let mut runs = Vec::new();
    for _ in 0..6 {
        let video = library.video().await;
        let run = library.run(video, &[face(0, 0.0)]).await;
        // As a first run is, from `align_merge` on.
        let mut tx = library.tx().await;
        runs::show_first(&mut tx, run, video).await.unwrap();
        tx.commit().await.unwrap();
        runs.push(run);
    }
    futures_join(&library, &runs).await;
    assert_eq!(library.clusters().await, 1);
}

async fn futures_join(library: &Library, runs: &[RunId]) {
    let mut all = tokio::task::JoinSet::new();
    for &run in runs {
        let (pool, owner) = (library.pool().clone(), library.owner);
        all.spawn(async move {
            let mut tx = pool.begin().await.unwrap();
            people::identify(&mut tx, owner, run, &SAME).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn enrolling_and_indexing_at_once_lose_nobody() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0]).await;
    let video = library.video().await;
    let run = library.run(video, &[face(0, 0.0)]).await;
    let mut indexing = library.tx().await;
    people::identify(&mut indexing, library.owner, run, &SAME).await.unwrap();
    // The second photo is accepted while the indexing has not committed: it waits for it.
    let (pool, owner) = (library.pool().clone(), library.owner);
    let enrolling = tokio::spawn(async move {
        let mut tx = pool.begin().await.unwrap();
        accept(&mut tx, owner, ann, 10.0, MODEL).await;
        tx.commit().await.unwrap();
    });
    runs::show_first(&mut indexing, run, video).await.unwrap();
    indexing.commit().await.unwrap();
    enrolling.await.unwrap();
    // The task that the enrolment asked for sees the run.
    let fits = people::fitting_runs(library.pool(), library.owner, ann, MODEL, SAME.same, None, 10).await.unwrap();
    assert_eq!(fits, [(run, true)]);
    assert_eq!(library.count("SELECT count(*) FROM tasks WHERE kind = 'match_person' AND state = 'pending'").await, 1);
}

#[tokio::test]
async fn deleting_a_person_leaves_no_vector_of_theirs_and_touches_nobody_else() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let ben = library.person("Ben", &[90.0, 100.0]).await;
    let (_, run) = library.indexed(&[face(0, 5.0), face(1, 95.0)]).await;
    let mut tx = library.tx().await;
    people::delete(&mut tx, library.owner, ann, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [None, Some(ben)]);
    assert_eq!(library.count("SELECT count(*) FROM face_photos").await, 2);
    assert_eq!(library.count("SELECT count(*) FROM face_tracks WHERE face_vec IS NULL AND cover_key IS NULL").await, 1);
    assert_eq!(library.count("SELECT count(*) FROM face_detections WHERE face_vec IS NOT NULL").await, 1);
    let removed: String =
        sqlx::query_scalar("SELECT string_agg(payload::text, ' ') FROM tasks WHERE kind = 'delete_objects'")
            .fetch_one(library.pool())
            .await
            .unwrap();
    assert!(removed.contains(&format!("p/{}/{ann}/", library.owner)) && removed.contains("/faces/0.jpg"), "{removed}");
    assert!(!removed.contains("/faces/1.jpg"), "{removed}");
    // Without a vector nobody can be found in it again.
    library.identify(run).await;
    assert_eq!(library.whose(run).await, [None, Some(ben)]);
}

#[tokio::test]
async fn another_owners_people_and_faces_do_not_exist() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let (video, run) = library.indexed(&[face(0, 5.0)]).await;
    let eve = user(library.pool()).await;
    let by = By::command();
    let mut tx = library.tx().await;
    let at = FaceAt { scene_id: scene_id(video, 0), track_no: None };
    let edit = Edit { display_name: Some("Eve".into()), consent: None };
    assert!(matches!(people::find(&mut *tx, eve, ann).await, Err(DbError::NotFound)));
    assert!(matches!(people::edit(&mut tx, eve, ann, &edit, &by).await, Err(DbError::NotFound)));
    assert!(matches!(people::delete(&mut tx, eve, ann, &by).await, Err(DbError::NotFound)));
    assert!(matches!(people::reject(&mut tx, eve, ann, at).await, Err(DbError::NotFound)));
    assert!(matches!(people::split(&mut tx, eve, ann, &[at], &by).await, Err(DbError::NotFound)));
    let hers = people::create(&mut tx, eve, "Eve", Some(&consent()), &by).await.unwrap();
    assert!(matches!(people::merge(&mut tx, eve, hers, &[ann], &by).await, Err(DbError::NotFound)));
    assert!(matches!(people::merge(&mut tx, eve, ann, &[hers], &by).await, Err(DbError::NotFound)));
    assert!(people::identify(&mut tx, eve, run, &SAME).await.is_ok_and(|found| found == people::Identified::default()));
    assert!(people::in_scenes(&mut *tx, eve, run, None).await.unwrap().is_empty());
    assert!(people::photos(&mut *tx, eve, ann).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [Some(ann)]);
}

#[tokio::test]
async fn a_face_in_one_picture_of_many_is_not_somebody_in_the_scene() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let (_, run) = library.indexed(&[face(0, 5.0)]).await;
    let in_it = async || people::scenes_of(library.pool(), library.owner, ann, None, 10).await.unwrap().len();
    assert_eq!(in_it().await, 1);
    sqlx::query("UPDATE face_tracks SET faces = 1, frames = 10, end_ms = start_ms WHERE run_id = $1")
        .bind(run)
        .execute(library.pool())
        .await
        .unwrap();
    assert_eq!(in_it().await, 0);
    // One of two pictures is half of the scene.
    sqlx::query("UPDATE face_tracks SET frames = 2 WHERE run_id = $1").bind(run).execute(library.pool()).await.unwrap();
    assert_eq!(in_it().await, 1);
}

#[tokio::test]
async fn a_check_that_fails_for_good_does_not_leave_the_photo_waiting() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[]).await;
    let mut tx = library.tx().await;
    let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: ann };
    people::add_photo(&mut tx, library.owner, &new, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query("UPDATE tasks SET state = 'failed' WHERE kind = 'check_photo'").execute(library.pool()).await.unwrap();
    let photos = people::photos(library.pool(), library.owner, ann).await.unwrap();
    assert_eq!((photos[0].state.as_str(), photos[0].code.as_deref()), ("rejected", Some("not_checked")));
}

#[tokio::test]
async fn ten_photos_are_enough_however_many_are_sent_at_once() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[]).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..14 {
        let (pool, owner) = (library.pool().clone(), library.owner);
        all.spawn(async move {
            let mut tx = pool.begin().await.unwrap();
            let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: ann };
            let added = people::add_photo(&mut tx, owner, &new, &By::command()).await;
            tx.commit().await.unwrap();
            match added {
                Ok(_) => true,
                Err(DbError::Conflict("too_many_photos")) => false,
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    let mut taken = 0;
    while let Some(added) = all.join_next().await {
        taken += i32::from(added.unwrap());
    }
    assert_eq!(taken, 10);
}
