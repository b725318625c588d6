//! Naming people: photos, clusters of unknown faces, and where they are seen. The worker's part is played by the tests.

use heimdex_db::{
    PersonId, PhotoId, SceneId, VideoId,
    people::{self, Thresholds, Verdict},
    store::{S3Config, Store},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Person, Reply, said, scene_of};

const SAME: Thresholds = Thresholds { same: 0.8, margin: 0.05 };
const MODEL: &str = "faces-of-the-tests";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0 nobody looks at it here";

async fn app() -> App {
    App::start_with(|name| (name == "FEATURE_FACES").then(|| "true".into())).await
}

async fn me(person: &Person) -> heimdex_db::UserId {
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
            r#"INSERT INTO face_detections (run_id, track_no, scene_id, owner_id, face_model, at_ms, box, quality)
               SELECT run_id, track_no, scene_id, owner_id, face_model, start_ms + 1000, '{"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}', 0.9
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

/// Keys of all photos in the object storage.
async fn objects(app: &App) -> Vec<String> {
    let endpoint: url::Url = app.s3.endpoint().parse().unwrap();
    let store = Store::new(&S3Config {
        endpoint: endpoint.clone(),
        public_endpoint: endpoint,
        region: app.s3.region().to_owned(),
        bucket: app.s3.bucket().to_owned(),
        access_key_id: app.s3.access_key_id().to_owned(),
        secret_access_key: app.s3.secret_access_key().to_owned().into(),
    });
    store.list("p/").await.unwrap()
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

#[tokio::test]
async fn a_friend_is_enrolled_with_three_photos_and_found_in_what_was_indexed_before() {
    let app = app().await;
    let ann = app.user("ann").await;
    let video = seen(&app, &ann, "Holiday", [0.0, 120.0]).await;
    let person = ann
        .post("/people", json!({ "display_name": " Minji ", "consent": true, "consent_note": "asked her on 3 May" }))
        .await
        .assert_status(201)
        .body
        .clone();
    assert_eq!(
        (&person["display_name"], &person["state"], &person["photos_missing"]),
        (&json!("Minji"), &json!("enrolling"), &json!(3))
    );
    assert_eq!((&person["is_matched"], &person["consent"]["note"]), (&json!(false), &json!("asked her on 3 May")));
    let minji = id(&person);
    let sent = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), None).await;
    sent.assert_status(202);
    assert_eq!((&sent.body["state"], &sent.body["url"]), (&json!("checking"), &Value::Null));
    for kind in ["image/png", "image/webp"] {
        send(&ann, &minji, kind, JPEG.to_vec(), None).await.assert_status(202);
    }
    worker_accepts(&app, &ann, 3.0).await;
    let person = ann.get(&format!("/people/{minji}")).await.assert_status(200).body.clone();
    assert_eq!(
        (&person["state"], &person["photos_accepted"], &person["scenes"]),
        (&json!("enrolled"), &json!(3), &json!(1))
    );
    assert!(person["photos"][0]["url"].as_str().unwrap().contains("X-Amz-Expires=600"));
    assert!(person["cover_url"].as_str().unwrap().contains("/v/x/cover.jpg"));
    let scenes = ann.get(&format!("/people/{minji}/scenes")).await.assert_status(200).body.clone();
    assert_eq!(scenes["items"][0]["scene_id"], json!(scene_of(video, 0, 10_000)));
    assert_eq!((scenes["items"].as_array().unwrap().len(), &scenes["next_cursor"]), (1, &Value::Null));

    // Scenes say who is in them; the other one has somebody without a name.
    let all = ann.get(&format!("/videos/{video}/scenes")).await.body;
    assert_eq!(all["items"][0]["people"], json!([{ "person_id": minji, "display_name": "Minji", "share": 0.5 }]));
    assert_eq!(all["items"][1]["people"][0]["display_name"], Value::Null);
    let one = ann.get(&format!("/scenes/{}", scene_of(video, 0, 10_000))).await.body;
    assert_eq!(one["people"], all["items"][0]["people"]);
    // The person's list names people first.
    let list = ann.get("/people").await.assert_status(200).body.clone();
    let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|p| p["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["enrolled", "unknown"]);
    assert_eq!(ann.get("/people?kind=unknown").await.body["items"].as_array().unwrap().len(), 1);
    ann.get("/people?kind=friends").await.assert_problem(400, "invalid_request");
    assert_eq!(
        (app.noted("person_made").await, app.noted("consent_recorded").await, app.noted("person_photo_added").await),
        (1, 1, 3)
    );
}

#[tokio::test]
async fn of_two_of_one_family_the_one_who_is_named_is_shown() {
    let app = app().await;
    let ann = app.enterprise("ann").await;
    let video = seen(&app, &ann, "Holiday", [0.0, 120.0]).await;
    enrolled(&app, &ann, "Zoë Müller", 3.0).await;
    enrolled(&app, &ann, "Max Müller", 121.0).await;
    // Max comes into Zoë's scene, and is seen better.
    let mut tx = app.db.pool().begin().await.unwrap();
    for statement in [
        "UPDATE face_tracks SET scene_id = $1 WHERE scene_id = $2",
        "UPDATE face_detections SET scene_id = $1, quality = 0.99 WHERE scene_id = $2",
    ] {
        sqlx::query(statement)
            .bind(scene_of(video, 0, 10_000))
            .bind(scene_of(video, 10_000, 20_000))
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    for (query, shown) in [("zoe muller", "Zoë Müller"), ("max", "Max Müller"), ("maxim and zoe", "Zoë Müller")] {
        let answer =
            ann.post("/search", json!({ "query": query, "channels": ["who"] })).await.assert_status(200).body.clone();
        assert_eq!(answer["items"][0]["matches"][0]["quote"], shown, "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_search_for_a_name_finds_the_person() {
    let app = app().await;
    let ann = app.enterprise("ann").await;
    let video = seen(&app, &ann, "Holiday", [0.0, 120.0]).await;
    let zoe = enrolled(&app, &ann, "Zoë Müller", 3.0).await;
    let ben = enrolled(&app, &ann, "민지", 121.0).await;
    let found = async |query: &str| {
        let answer =
            ann.post("/search", json!({ "query": query, "channels": ["who"] })).await.assert_status(200).body.clone();
        answer["items"].as_array().unwrap().iter().map(|hit| hit["scene_id"].clone()).collect::<Vec<_>>()
    };
    let (first, second) = (json!(scene_of(video, 0, 10_000)), json!(scene_of(video, 10_000, 20_000)));
    for query in ["zoe muller", "ZOË MÜLLER crying", "is zoe there?", "zoë's dog"] {
        assert_eq!(found(query).await, std::slice::from_ref(&first), "{query}");
    }
    assert_eq!(found("민지가 우는 장면").await, std::slice::from_ref(&second));
    // Whose face it is, and where.
    let answer = ann.post("/search", json!({ "query": "zoe muller", "channels": ["who"] })).await.body;
    let matched = &answer["items"][0]["matches"][0];
    assert_eq!(matched["quote"], "Zoë Müller", "{answer}");
    assert!(
        matched["at_ms"].is_i64() && matched["box"].as_array().is_some_and(|corners| corners.len() == 4),
        "{answer}"
    );
    for query in ["zo", "zoetrope", "mullers", "nobody"] {
        assert_eq!(found(query).await, Vec::<Value>::new(), "{query}");
    }
    // With the words that are said: the scene that has both comes first.
    let both = ann.post("/search", json!({ "query": "zoe raining" })).await.body;
    assert_eq!(both["items"][0]["scene_id"], first);
    assert!(both["items"][0]["matches"].as_array().unwrap().iter().any(|m| m["channel"] == "who"));
    let filtered = async |people: Value| {
        ann.post("/search", json!({ "query": "raining sun", "filters": { "people": people } }))
            .await
            .assert_status(200)
            .body["items"]
            .clone()
    };
    assert_eq!(filtered(json!([ben])).await[0]["scene_id"], second);
    assert_eq!(filtered(json!([zoe])).await.as_array().unwrap().len(), 1);
    assert_eq!(filtered(json!([Uuid::new_v4()])).await, json!([]));
    // Another person's name finds nothing of hers.
    let eve = app.user("eve").await;
    assert_eq!(eve.post("/search", json!({ "query": "zoe" })).await.body["items"], json!([]));
    assert_eq!(
        eve.post("/search", json!({ "query": "raining", "filters": { "people": [zoe] } })).await.body["items"],
        json!([])
    );
}

#[tokio::test]
async fn an_unknown_face_gets_a_name_with_consent() {
    let app = app().await;
    let ann = app.user("ann").await;
    seen(&app, &ann, "One", [0.0, 100.0]).await;
    let unknown = ann.get("/people?kind=unknown").await.body["items"].clone();
    assert_eq!(unknown.as_array().unwrap().len(), 2);
    // Either: they are listed by how often they are seen, and both are seen once.
    let cluster = id(&unknown[0]);
    ann.patch(&format!("/people/{cluster}"), json!({ "display_name": "Ben" }))
        .await
        .assert_problem(422, "consent_required");
    ann.patch(&format!("/people/{cluster}"), json!({ "display_name": "Ben", "consent": true }))
        .await
        .assert_problem(400, "invalid_request");
    send(&ann, &cluster, "image/jpeg", JPEG.to_vec(), None).await.assert_problem(422, "consent_required");
    let named = ann
        .patch(
            &format!("/people/{cluster}"),
            json!({ "display_name": "Ben", "consent": true, "consent_note": "he asked me to" }),
        )
        .await
        .assert_status(200)
        .body
        .clone();
    assert_eq!(
        (&named["state"], &named["is_matched"], &named["photos_missing"]),
        (&json!("enrolled"), &json!(true), &json!(0))
    );
    // Whichever he is, he is known by that face in the next video.
    seen(&app, &ann, "Two", [10.0, 110.0]).await;
    let scenes = ann.get(&format!("/people/{cluster}/scenes")).await.body;
    assert_eq!(scenes["items"].as_array().unwrap().len(), 2, "{scenes}");
    ann.patch(&format!("/people/{cluster}"), json!({ "consent": false })).await.assert_problem(400, "invalid_request");
    let renamed = ann.patch(&format!("/people/{cluster}"), json!({ "display_name": "Benjamin" })).await;
    assert_eq!(renamed.assert_status(200).body["display_name"], "Benjamin");
    assert_eq!(app.noted("person_named").await, 1);
}

#[tokio::test]
async fn what_the_owner_knows_better_counts() {
    let app = app().await;
    let ann = app.user("ann").await;
    let video = seen(&app, &ann, "One", [0.0, 4.0]).await;
    let minji = enrolled(&app, &ann, "Minji", 2.0).await;
    let scenes =
        async |person: &str| ann.get(&format!("/people/{person}/scenes")).await.body["items"].as_array().unwrap().len();
    assert_eq!(scenes(&minji).await, 2);
    let second = json!({ "scene_id": scene_of(video, 10_000, 20_000) });
    ann.post(&format!("/people/{minji}/reject"), second.clone()).await.assert_status(204);
    assert_eq!(scenes(&minji).await, 1);
    ann.post(&format!("/people/{minji}/reject"), second.clone()).await.assert_problem(404, "not_found");
    worker_matches(&app, &ann).await;
    assert_eq!(scenes(&minji).await, 1);
    let unknown = id(&ann.get("/people?kind=unknown").await.body["items"][0]);
    let merged = ann.post(&format!("/people/{minji}/merge"), json!({ "from": [unknown] })).await;
    assert_eq!(merged.assert_status(200).body["scenes"], 2);
    ann.get(&format!("/people/{unknown}")).await.assert_problem(404, "not_found");
    let split = ann.post(&format!("/people/{minji}/split"), json!({ "faces": [second] })).await;
    assert_eq!((&split.assert_status(201).body["state"], &split.body["scenes"]), (&json!("unknown"), &json!(1)));
    worker_matches(&app, &ann).await;
    assert_eq!(scenes(&minji).await, 1);
    ann.post(&format!("/people/{minji}/merge"), json!({ "from": [minji] }))
        .await
        .assert_problem(400, "invalid_request");
    ann.post(&format!("/people/{minji}/merge"), json!({ "from": [] })).await.assert_problem(400, "invalid_request");
    ann.post(&format!("/people/{minji}/split"), json!({ "faces": [] })).await.assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn merging_is_no_way_round_the_consent() {
    let app = app().await;
    let ann = app.user("ann").await;
    seen(&app, &ann, "One", [0.0, 100.0]).await;
    let shy = id(&ann.post("/people", json!({ "display_name": "Shy" })).await.assert_status(201).body);
    let unknown = id(&ann.get("/people?kind=unknown").await.body["items"][0]);
    for (into, from) in [(&shy, &unknown), (&unknown, &shy)] {
        ann.post(&format!("/people/{into}/merge"), json!({ "from": [from] }))
            .await
            .assert_problem(422, "consent_required");
    }
    assert_eq!(ann.get("/people").await.body["items"].as_array().unwrap().len(), 3, "nothing was done");
}

#[tokio::test]
async fn whoever_meets_an_indexing_is_told_to_come_back() {
    let app = app().await;
    let ann = app.user("ann").await;
    let minji = id(&ann.post("/people", json!({ "display_name": "Minji" })).await.assert_status(201).body);
    let mut indexing = app.db.pool().begin().await.unwrap();
    people::lock(&mut indexing, me(&ann).await).await.unwrap();
    let renamed = ann.patch(&format!("/people/{minji}"), json!({ "display_name": "Min-ji" })).await;
    renamed.assert_problem(503, "unavailable");
    assert_eq!(renamed.header("retry-after"), "3");
    // Looking needs no turn.
    ann.get(&format!("/people/{minji}")).await.assert_status(200);
    indexing.rollback().await.unwrap();
    ann.patch(&format!("/people/{minji}"), json!({ "display_name": "Min-ji" })).await.assert_status(200);
}

#[tokio::test]
async fn photos_that_cannot_be_are_refused_at_the_door() {
    let app = app().await;
    let ann = app.user("ann").await;
    let made = ann.post("/people", json!({ "display_name": "Minji" })).await;
    let shy = id(&made.assert_status(201).body);
    send(&ann, &shy, "image/jpeg", JPEG.to_vec(), None).await.assert_problem(422, "consent_required");
    ann.patch(&format!("/people/{shy}"), json!({ "consent": true, "consent_note": "signed" })).await.assert_status(200);
    send(&ann, &shy, "image/gif", JPEG.to_vec(), None).await.assert_problem(415, "unsupported_media_type");
    send(&ann, &shy, "application/json", b"{}".to_vec(), None).await.assert_problem(415, "unsupported_media_type");
    send(&ann, &shy, "image/jpeg", Vec::new(), None).await.assert_problem(400, "invalid_request");
    send(&ann, &shy, "image/jpeg", vec![0; 10 << 20], None).await.assert_status(202);
    send(&ann, &shy, "image/jpeg", vec![0; (10 << 20) + 1], None).await.assert_problem(413, "body_too_large");
    for _ in 0..9 {
        send(&ann, &shy, "image/jpeg", JPEG.to_vec(), None).await.assert_status(202);
    }
    send(&ann, &shy, "image/jpeg", JPEG.to_vec(), None).await.assert_problem(409, "too_many_photos");
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM face_photos").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(kept, 10);
    ann.post("/people", json!({ "display_name": " " })).await.assert_problem(400, "invalid_request");
    ann.post("/people", json!({ "display_name": "x", "consent": true })).await.assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_photo_sent_twice_with_one_key_is_one_photo() {
    let app = app().await;
    let ann = app.user("ann").await;
    let body = json!({ "display_name": "Minji", "consent": true, "consent_note": "signed" });
    let minji = id(&ann.post("/people", body).await.assert_status(201).body);
    let first = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), Some("one")).await;
    let second = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), Some("one")).await;
    assert_eq!(first.assert_status(202).body, second.assert_status(202).body);
    send(&ann, &minji, "image/jpeg", b"another".to_vec(), Some("one"))
        .await
        .assert_problem(422, "idempotency_key_reused");
    let list = ann.get(&format!("/people/{minji}/photos")).await.assert_status(200).body.clone();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let keys = objects(&app).await;
    assert_eq!(keys.len(), 1, "what was sent again was not kept: {keys:?}");
}

#[tokio::test]
async fn a_rejected_photo_says_why_on_the_stream_and_can_be_deleted() {
    let app = app().await;
    let ann = app.user("ann").await;
    let body = json!({ "display_name": "Minji", "consent": true, "consent_note": "signed" });
    let minji = id(&ann.post("/people", body).await.assert_status(201).body);
    let mut stream = ann.request("GET", "/events").send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: snapshot") {
        heard.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    let photo = send(&ann, &minji, "image/jpeg", JPEG.to_vec(), None).await.assert_status(202).body["photo_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut tx = app.db.pool().begin().await.unwrap();
    let waiting = people::to_check(&mut *tx, photo.parse().unwrap()).await.unwrap().unwrap();
    let verdict = Verdict::Rejected { code: "no_face".into(), message: "No face was found in this photo.".into() };
    people::set_verdict(&mut tx, &waiting, None, &verdict).await.unwrap();
    tx.commit().await.unwrap();
    while !heard.contains("event: photo") {
        heard.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(heard.contains(&photo) && heard.contains("no_face"), "{heard}");
    let listed = ann.get(&format!("/people/{minji}/photos")).await.body["items"][0].clone();
    assert_eq!(
        (&listed["state"], &listed["code"], &listed["url"]),
        (&json!("rejected"), &json!("no_face"), &Value::Null)
    );
    assert!(listed["message"].as_str().unwrap().ends_with('.'));
    ann.delete(&format!("/people/{minji}/photos/{photo}")).await.assert_status(204);
    ann.delete(&format!("/people/{minji}/photos/{photo}")).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn deleting_a_person_is_for_good_and_for_them_alone() {
    let app = app().await;
    let ann = app.user("ann").await;
    let video = seen(&app, &ann, "One", [0.0, 120.0]).await;
    let (minji, ben) = (enrolled(&app, &ann, "Minji", 2.0).await, enrolled(&app, &ann, "Ben", 121.0).await);
    ann.delete(&format!("/people/{minji}")).await.assert_status(204);
    ann.get(&format!("/people/{minji}")).await.assert_problem(404, "not_found");
    ann.delete(&format!("/people/{minji}")).await.assert_problem(404, "not_found");
    let scenes = ann.get(&format!("/videos/{video}/scenes")).await.body["items"].clone();
    assert_eq!((&scenes[0]["people"], &scenes[1]["people"][0]["person_id"]), (&json!([]), &json!(ben)));
    let vectors: i64 = sqlx::query_scalar("SELECT count(*) FROM face_photos WHERE person_id = $1")
        .bind(PersonId(minji.parse().unwrap()))
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!((vectors, app.noted("person_deleted").await), (0, 1));
    let named: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE to_jsonb(audit_events)::text LIKE '%Minji%'")
            .fetch_one(app.db.pool())
            .await
            .unwrap();
    assert_eq!(named, 0, "the history outlives her name");
}

#[tokio::test]
async fn switched_off_there_are_no_people() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    assert_eq!(ann.get("/config").await.body["features"]["faces"], false);
    let video = seen(&app, &ann, "One", [0.0, 120.0]).await;
    let someone = Uuid::new_v4();
    for (method, path) in [
        ("GET", "/people".to_owned()),
        ("POST", "/people".to_owned()),
        ("GET", format!("/people/{someone}")),
        ("DELETE", format!("/people/{someone}")),
        ("GET", format!("/people/{someone}/scenes")),
        ("POST", format!("/people/{someone}/photos")),
    ] {
        ann.call(method, &path, Some(json!({ "display_name": "x" }))).await.assert_problem(404, "feature_off");
    }
    assert_eq!(ann.get(&format!("/videos/{video}/scenes")).await.body["items"][0]["people"], json!([]));
    let answer =
        ann.post("/search", json!({ "query": "minji", "channels": ["who"] })).await.assert_status(200).body.clone();
    assert_eq!((&answer["channels"][0]["status"], &answer["items"]), (&json!("skipped"), &json!([])));
}

#[tokio::test]
async fn pages_of_people_and_of_their_scenes_neither_repeat_nor_skip() {
    let app = app().await;
    let ann = app.enterprise("ann").await;
    for n in 0..4_u8 {
        seen(&app, &ann, "One", [f32::from(n), 80.0 + 45.0 * f32::from(n)]).await;
    }
    for name in ["b", "C", "a"] {
        ann.post("/people", json!({ "display_name": name })).await.assert_status(201);
    }
    let walk = async |path: &str| {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ann.get(&format!("{path}?limit=2{cursor}")).await.assert_status(200).body.clone();
            all.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    };
    let people = walk("/people").await;
    let names: Vec<_> = people.iter().filter_map(|p| p["display_name"].as_str()).collect();
    assert_eq!(names, ["a", "b", "C"]);
    let unknown: Vec<_> = people[3..].iter().map(|p| p["scenes"].as_i64().unwrap()).collect();
    assert_eq!(unknown[0], 4);
    assert_eq!(unknown.iter().sum::<i64>(), 8);
    let scenes = walk(&format!("/people/{}/scenes", id(&people[3]))).await;
    let mut ids: Vec<SceneId> = scenes.iter().map(|s| s["scene_id"].as_str().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((scenes.len(), ids.len()), (4, 4));
}
