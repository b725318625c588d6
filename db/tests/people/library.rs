//! What the stories of people are told with: a library whose faces are vectors in a plane.

use heimdex_db::{
    PersonId, PgConnection, RunId, SceneId, UserId, VideoId,
    audit::By,
    people::{self, Consent, Edit, Thresholds, Verdict},
    runs,
};
use heimdex_testing::TestDb;
use sqlx::PgPool;

/// Faces less than 37° apart are of one person.
pub const SAME: Thresholds = Thresholds { same: 0.8, margin: 0.05 };
pub const MODEL: &str = "faces-of-the-tests";

/// A person and what the pipeline made of their videos.
pub struct Library {
    db: TestDb,
    pub owner: UserId,
}

/// A face in a video: in which of its scenes of ten seconds, in which half of the picture, at which angle.
#[derive(Clone, Copy)]
pub struct Face {
    pub scene: i64,
    pub left: bool,
    pub degrees: f32,
}

pub fn face(scene: i64, degrees: f32) -> Face {
    Face { scene, left: true, degrees }
}

fn vector(degrees: f32) -> String {
    let (sin, cos) = degrees.to_radians().sin_cos();
    format!("[{cos},{sin}]")
}

pub fn consent() -> Consent {
    Consent { note: "by mail, in May".into() }
}

pub async fn user(pool: &PgPool) -> UserId {
    sqlx::query_scalar("INSERT INTO users (email) VALUES ('a@example.org') RETURNING user_id")
        .fetch_one(pool)
        .await
        .unwrap()
}

impl Library {
    pub async fn new() -> Self {
        let db = TestDb::new().await.unwrap();
        let owner = user(db.pool()).await;
        Self { db, owner }
    }

    pub fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    pub async fn video(&self) -> VideoId {
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
    pub async fn run(&self, video: VideoId, faces: &[Face]) -> RunId {
        self.run_of(video, faces, MODEL).await
    }

    pub async fn run_of(&self, video: VideoId, faces: &[Face], model: &str) -> RunId {
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
                "INSERT INTO face_detections (run_id, scene_id, owner_id, at_ms, track_no, box, quality)
                 VALUES ($1, $2, $3, $4, $5, jsonb_build_object('x', $6::float8, 'y', 0.2, 'width', 0.2, 'height', 0.3), 0.9)",
            )
            .bind(run)
            .bind(scene_id(video, face.scene))
            .bind(self.owner)
            .bind(face.scene * 10_000 + 1000)
            .bind(number)
            .bind(x)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        run
    }

    pub async fn show(&self, video: VideoId, run: RunId) {
        let mut tx = self.pool().begin().await.unwrap();
        runs::publish(&mut tx, run, video).await.unwrap();
        runs::drop_replaced(&mut tx, run, video).await.unwrap();
        sqlx::query("UPDATE runs SET state = 'completed' WHERE run_id = $1").bind(run).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn identify(&self, run: RunId) {
        let mut tx = self.pool().begin().await.unwrap();
        people::identify(&mut tx, self.owner, run, &SAME).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A video with these faces, indexed and visible.
    pub async fn indexed(&self, faces: &[Face]) -> (VideoId, RunId) {
        let video = self.video().await;
        let run = self.index_again(video, faces).await;
        (video, run)
    }

    pub async fn index_again(&self, video: VideoId, faces: &[Face]) -> RunId {
        let run = self.run(video, faces).await;
        self.identify(run).await;
        self.show(video, run).await;
        run
    }

    /// Whose the faces of a run are, in order.
    pub async fn whose(&self, run: RunId) -> Vec<Option<PersonId>> {
        sqlx::query_scalar("SELECT person_id FROM face_tracks WHERE run_id = $1 ORDER BY track_no")
            .bind(run)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    pub async fn tx(&self) -> heimdex_db::Tx {
        self.pool().begin().await.unwrap()
    }

    pub async fn person(&self, name: &str, photos: &[f32]) -> PersonId {
        let mut tx = self.tx().await;
        let by = By::command();
        let person = people::create(&mut tx, self.owner, name, Some(&consent()), &by).await.unwrap();
        for &degrees in photos {
            accept(&mut tx, self.owner, person, degrees, MODEL).await;
        }
        tx.commit().await.unwrap();
        person
    }

    pub async fn name(&self, cluster: PersonId, name: &str) {
        let mut tx = self.tx().await;
        let edit = Edit { display_name: Some(name.into()), consent: Some(consent()) };
        people::edit(&mut tx, self.owner, cluster, &edit, &By::command()).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn clusters(&self) -> i64 {
        self.count("SELECT count(*) FROM face_profiles WHERE display_name IS NULL").await
    }

    pub async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(self.pool()).await.unwrap()
    }
}

pub fn scene_id(video: VideoId, scene: i64) -> SceneId {
    SceneId::derive(video, scene * 10_000, scene * 10_000 + 10_000)
}

/// A photo that was sent, checked and found good.
pub async fn accept(tx: &mut PgConnection, owner: UserId, person: PersonId, degrees: f32, model: &str) {
    let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: person };
    people::add_photo(tx, owner, &new, &By::command()).await.unwrap();
    let photo = people::to_check(&mut *tx, new.photo_id).await.unwrap().unwrap();
    let (sin, cos) = degrees.to_radians().sin_cos();
    let verdict = Verdict::Accepted { model: model.into(), vector: vec![cos, sin], quality: 0.9 };
    assert!(people::set_verdict(tx, &photo, Some("p/x.jpg"), &verdict).await.unwrap());
}
