//! Naming people: photos, clusters of unknown faces, and where they are seen. The worker's part is played by the tests.

mod by_ear;
mod finding;
mod knowing;
mod photos;

use heimdex_db::{
    PhotoId, UserId, VideoId,
    people::{self, Thresholds, Verdict},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Person, Reply, said, scene_of};

const SAME: Thresholds = Thresholds { same: 0.8, margin: 0.05 };
const MODEL: &str = "faces-of-the-tests";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0 nobody looks at it here";

async fn me(person: &Person) -> UserId {
    person.get("/users/me").await.body["user_id"].as_str().unwrap().parse().unwrap()
}

fn vector(degrees: f32) -> Vec<f32> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    vec![cos, sin]
}

/// A video of two scenes with a face in each, as the pipeline leaves it.
async fn seen(app: &App, owner: &Person, title: &str, degrees: [f32; 2]) -> VideoId {
    let video = said(app, owner, title, &[(0, 10_000, "it was raining"), (10_000, 20_000, "then the sun came")]).await;
    let (user, pool) = (me(owner).await, app.db.pool());
    let mut tx = pool.begin().await.unwrap();
    let run = sqlx::query_scalar("SELECT current_run_id FROM videos WHERE video_id = $1")
        .bind(video)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    for (number, degrees) in (0_i32..).zip(degrees) {
        let start = i64::from(number) * 10_000;
        sqlx::query(
            "INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_vec, face_model, cover_key)
             VALUES ($1, $2, $3, $4, $5, $5 + 4000, 5, 10, 0.9, $6::text::vector, $7, 'v/x/cover.jpg')",
        )
        .bind(run)
        .bind(number)
        .bind(scene_of(video, start, start + 10_000))
        .bind(user)
        .bind(start)
        .bind(format!("{:?}", vector(degrees)))
        .bind(MODEL)
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query(
            r#"INSERT INTO face_detections (run_id, track_no, scene_id, owner_id, at_ms, box, quality)
               SELECT run_id, track_no, scene_id, owner_id, start_ms + 1000, '{"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}', 0.9
               FROM face_tracks WHERE run_id = $1 AND track_no = $2"#,
        )
        .bind(run)
        .bind(number)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    people::identify(&mut tx, user, run, &SAME).await.unwrap();
    tx.commit().await.unwrap();
    video
}

/// What the worker's tasks do: every waiting photo is found good and at this angle, then everybody is looked for.
async fn worker_accepts(app: &App, owner: &Person, degrees: f32) {
    let (user, pool) = (me(owner).await, app.db.pool());
    let waiting: Vec<Uuid> =
        sqlx::query_scalar("SELECT photo_id FROM face_photos WHERE owner_id = $1 AND state = 'checking'")
            .bind(user)
            .fetch_all(pool)
            .await
            .unwrap();
    let mut tx = pool.begin().await.unwrap();
    for photo in waiting {
        let photo = people::to_check(&mut *tx, PhotoId(photo)).await.unwrap().unwrap();
        let verdict = Verdict::Accepted { model: MODEL.into(), vector: vector(degrees), quality: 0.8 };
        people::set_verdict(&mut tx, &photo, Some("p/copy.jpg"), &verdict).await.unwrap();
    }
    tx.commit().await.unwrap();
    worker_matches(app, owner).await;
}

async fn worker_matches(app: &App, owner: &Person) {
    let (user, pool) = (me(owner).await, app.db.pool());
    let runs: Vec<Uuid> =
        sqlx::query_scalar("SELECT current_run_id FROM videos WHERE owner_id = $1 AND current_run_id IS NOT NULL")
            .bind(user)
            .fetch_all(pool)
            .await
            .unwrap();
    let mut tx = pool.begin().await.unwrap();
    for run in runs {
        people::identify(&mut tx, user, run.into(), &SAME).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn send(owner: &Person, person: &str, kind: &str, bytes: Vec<u8>, key: Option<&str>) -> Reply {
    let mut request =
        owner.request("POST", &format!("/people/{person}/photos")).header("content-type", kind).body(bytes);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    Reply::read(request.send().await.unwrap()).await
}

fn id(value: &Value) -> String {
    value["person_id"].as_str().unwrap_or_else(|| panic!("nobody: {value}")).to_owned()
}

async fn enrolled(app: &App, owner: &Person, name: &str, degrees: f32) -> String {
    let made =
        owner.post("/people", json!({ "display_name": name, "consent": true, "consent_note": "asked her" })).await;
    let person = id(&made.assert_status(201).body);
    for _ in 0..3 {
        send(owner, &person, "image/jpeg", JPEG.to_vec(), None).await.assert_status(202);
    }
    worker_accepts(app, owner, degrees).await;
    person
}
