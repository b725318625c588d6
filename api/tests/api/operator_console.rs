//! What an operator sees: the work of everybody, why it fails, and nothing of what videos hold.

use heimdex_db::{
    AttemptId, JobId, Stage, VideoId,
    ledger::{self, Failure, FailureKind, LEASE},
};
use serde_json::{Value, json};

use crate::{
    events::Events,
    support::{App, Person, said},
};

/// The job of a stage in the newest run of a video.
pub async fn job(app: &App, video: VideoId, stage: Stage) -> JobId {
    sqlx::query_scalar(
        "SELECT j.job_id FROM jobs j JOIN runs r USING (run_id) WHERE j.video_id = $1 AND j.stage = $2
         ORDER BY r.created_at DESC LIMIT 1",
    )
    .bind(video)
    .bind(stage)
    .fetch_one(app.db.pool())
    .await
    .unwrap()
}

/// A video of somebody that is being indexed anew.
pub async fn indexing(app: &App, owner: &Person, title: &str) -> VideoId {
    let video = said(app, owner, title, &[(0, 1000, "rain")]).await;
    owner.post(&format!("/videos/{video}/reprocess"), json!({})).await.assert_status(202);
    video
}

/// Its first stage is tried and fails for good, as a worker would write it. Returns that job.
pub async fn fails(app: &App, video: VideoId) -> JobId {
    let job_id = job(app, video, Stage::UploadValidate).await;
    let attempt = ledger::begin(app.db.pool(), job_id.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap();
    let failure = Failure {
        kind: FailureKind::Rejected,
        code: "no_video_track".into(),
        message: "There is no picture in this file.".into(),
        chain: "opening the source: stream 0: no decoder".into(),
        stats: json!({ "cpu_s": 1.5 }),
    };
    let mut tx = app.db.pool().begin().await.unwrap();
    ledger::fail(&mut tx, &attempt.expect("the stage is ready"), &failure).await.unwrap();
    tx.commit().await.unwrap();
    job_id
}

/// One stage of `/admin/queues`.
pub fn stage<'a>(queues: &'a Value, name: &str) -> &'a Value {
    queues["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == name).unwrap()
}

#[tokio::test]
async fn the_console_is_for_operators_with_a_session() {
    let app = App::start().await;
    let (eve, olga) = (app.user("eve").await, app.operator("olga").await);
    let made = olga.post("/users/me/tokens", json!({ "name": "script", "scopes": ["read"] })).await;
    let token = made.assert_status(201).body["token"].as_str().unwrap().to_owned();
    let id = uuid::Uuid::new_v4();
    let reads =
        ["queues", "workers", "jobs", "failures", "videos", "storage", "events"].map(|page| ("GET", page.to_owned()));
    let others = [
        ("GET", format!("jobs/{id}")),
        ("POST", format!("jobs/{id}/retry")),
        ("POST", format!("jobs/{id}/cancel")),
        ("POST", "failures/panic/retry".to_owned()),
        ("POST", "stages/asr_fast/pause".to_owned()),
        ("POST", "stages/asr_fast/resume".to_owned()),
        ("PUT", format!("videos/{id}/priority")),
    ];
    for (method, page) in reads.iter().chain(&others) {
        let path = format!("/admin/{page}");
        let body = (*method != "GET").then(|| json!({}));
        eve.call(method, &path, body.clone()).await.assert_problem(403, "forbidden");
        app.anonymous(method, &path, body.as_ref()).await.assert_problem(401, "unauthenticated");
        app.call(method, &path, Some(&token), body.as_ref()).await.assert_problem(403, "insufficient_scope");
    }
    for (_, page) in reads.iter().filter(|(_, page)| page != "events") {
        olga.get(&format!("/admin/{page}")).await.assert_status(200);
    }
    assert_eq!(olga.get("/admin/queues").await.body["stages"].as_array().unwrap().len(), 12);
    olga.get(&format!("/admin/jobs/{id}")).await.assert_problem(404, "not_found");
    for wrong in [
        "jobs?state=x",
        "jobs?stage=x",
        "jobs?limit=0",
        "jobs?cursor=x",
        "jobs?video_id=x",
        "videos?state=x",
        "storage?cursor=x",
    ] {
        assert_eq!(olga.get(&format!("/admin/{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_graph_says_what_waits_runs_and_is_done() {
    let app = App::start().await;
    let (ann, olga) = (app.user("ann").await, app.operator("olga").await);
    let video = indexing(&app, &ann, "Rain").await;
    let queues = olga.get("/admin/queues").await.body;
    assert_eq!(stage(&queues, "align_merge")["needs"], json!(["asr_fast", "scene_detect"]));
    let first = stage(&queues, "upload_validate");
    assert_eq!((&first["waiting"], &first["running"], &first["paused"]), (&json!(1), &json!(0), &json!(false)));
    assert!(first["oldest_waiting_at"].is_string());
    assert_eq!(stage(&queues, "commit")["blocked"], 1);

    let id = job(&app, video, Stage::UploadValidate).await;
    let attempt = ledger::begin(app.db.pool(), id.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap().unwrap();
    assert_eq!(stage(&olga.get("/admin/queues").await.body, "upload_validate")["running"], 1);
    let mut tx = app.db.pool().begin().await.unwrap();
    ledger::complete(&mut tx, &attempt, None, json!({})).await.unwrap();
    tx.commit().await.unwrap();
    let queues = olga.get("/admin/queues").await.body;
    let first = stage(&queues, "upload_validate");
    assert_eq!((&first["running"], &first["done_1m"], &first["done_60m"]), (&json!(0), &json!(1), &json!(1)));
    assert_eq!(stage(&queues, "scene_detect")["waiting"], 1);
}

#[tokio::test]
async fn a_failure_is_told_at_once_with_its_reason_and_everything_that_was_tried() {
    let app = App::start().await;
    let (ann, olga) = (app.user("ann").await, app.operator("olga").await);
    let video = indexing(&app, &ann, "A secret title").await;
    let mut stream = Events::open(&olga, "/admin/events").await;
    assert_eq!(stream.named("snapshot").await["stages"].as_array().unwrap().len(), 12);
    let failed = fails(&app, video).await;
    loop {
        let told = stream.named("job").await;
        if told["state"] == "failed" {
            assert_eq!((&told["stage"], &told["error_code"]), (&json!("upload_validate"), &json!("no_video_track")));
            break;
        }
    }

    let failures = olga.get("/admin/failures").await;
    let group = &failures.assert_status(200).body["items"][0];
    assert_eq!((&group["code"], &group["count"]), (&json!("no_video_track"), &json!(1)));
    assert_eq!((&group["places"], &group["job_id"]), (&json!(["upload_validate"]), &json!(failed)));
    assert_eq!(group["message"], "There is no picture in this file.");
    assert_eq!(group["chain"], "opening the source: stream 0: no decoder");

    let story = olga.get(&format!("/admin/jobs/{failed}")).await.body;
    assert_eq!((&story["job"]["state"], &story["job"]["owner_email"]), (&json!("failed"), &json!("ann@example.org")));
    assert_eq!(story["run"].as_array().unwrap().len(), 12);
    assert_eq!(
        (&story["run"][0]["stage"], &story["run"][1]["state"]),
        (&json!("upload_validate"), &json!("cancelled"))
    );
    let attempt = &story["attempts"][0];
    assert_eq!((&attempt["worker"], &attempt["state"]), (&json!("worker-1"), &json!("failed")));
    assert!(attempt["finished_at"].is_string() && attempt["stats"]["cpu_s"] == 1.5);

    let listed = |query: &str| {
        let path = format!("/admin/jobs?{query}");
        let olga = &olga;
        async move { olga.get(&path).await.assert_status(200).body["items"].as_array().unwrap().len() }
    };
    assert_eq!(listed("state=failed").await, 1);
    assert_eq!(listed(&format!("video_id={video}&stage=commit&state=cancelled")).await, 1);
    assert_eq!(listed("worker=worker-1&code=no_video_track").await, 1);
    assert_eq!(listed("worker=worker-2").await, 0);
    assert_eq!(listed(&format!("owner_id={}", uuid::Uuid::new_v4())).await, 0);
    assert_eq!(listed("since=2100-01-01T00:00:00Z").await, 0);

    // By pages, each job once.
    let (mut seen, mut path) = (Vec::new(), "/admin/jobs?limit=5".to_owned());
    loop {
        let page = olga.get(&path).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|job| job["job_id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/admin/jobs?limit=5&cursor={cursor}");
    }
    assert_eq!(seen.len(), 12);
    seen.dedup();
    assert_eq!(seen.len(), 12);

    // Nothing an operator reads says what the video is called.
    let timeline = format!("jobs/{failed}");
    for page in ["failures", "jobs", "videos", "storage", "audit", timeline.as_str()] {
        assert!(!olga.get(&format!("/admin/{page}")).await.text.contains("secret title"), "{page}");
    }

    // Once a newer run is made, the failure is history.
    ann.post(&format!("/videos/{video}/reprocess"), json!({})).await.assert_status(202);
    assert_eq!(olga.get("/admin/failures").await.body["items"], json!([]));
    olga.post(&format!("/admin/jobs/{failed}/retry"), json!({})).await.assert_problem(409, "conflict");
}

#[tokio::test]
async fn workers_say_that_they_are_there_and_what_they_do() {
    let app = App::start().await;
    let (ann, olga) = (app.user("ann").await, app.operator("olga").await);
    let mut stream = Events::open(&olga, "/admin/events").await;
    let mut worker = heimdex_db::workers::Worker {
        name: "worker-1".into(),
        host: "box".into(),
        pid: 7,
        version: "1.0.0".into(),
        stages: vec![Stage::UploadValidate],
    };
    heimdex_db::workers::heartbeat(app.db.pool(), &worker).await.unwrap();
    assert_eq!(stream.named("operations").await["what"], "workers");
    let video = indexing(&app, &ann, "Rain").await;
    let id = job(&app, video, Stage::UploadValidate).await;
    ledger::begin(app.db.pool(), id.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap().unwrap();
    let seen = olga.get("/admin/workers").await.body["items"][0].clone();
    assert_eq!((&seen["name"], &seen["pid"], &seen["alive"]), (&json!("worker-1"), &json!(7), &json!(true)));
    assert_eq!(seen["stages"], json!(["upload_validate"]));
    assert_eq!((&seen["doing"][0]["name"], &seen["doing"][0]["attempt"]), (&json!("upload_validate"), &json!(1)));

    sqlx::query("UPDATE workers SET heartbeat_at = now() - interval '1 minute', started_at = now() - interval '1 day'")
        .execute(app.db.pool())
        .await
        .unwrap();
    assert_eq!(olga.get("/admin/workers").await.body["items"][0]["alive"], false);
    // Under its name comes another process: since now, and with its own version.
    (worker.pid, worker.version) = (8, "1.1.0".into());
    heimdex_db::workers::heartbeat(app.db.pool(), &worker).await.unwrap();
    let back = olga.get("/admin/workers").await.body["items"][0].clone();
    assert_eq!((&back["pid"], &back["version"], &back["alive"]), (&json!(8), &json!("1.1.0"), &json!(true)));
    assert_eq!(back["started_at"], back["heartbeat_at"]);
}

#[tokio::test]
async fn videos_users_and_storage_are_counted_over_everybody() {
    let app = App::start().await;
    let (ann, ben, olga) = (app.user("ann").await, app.user("ben").await, app.operator("olga").await);
    for title in ["Rain", "Sun"] {
        said(&app, &ann, title, &[(0, 1000, "rain")]).await;
    }
    let bens = said(&app, &ben, "Mine", &[(0, 2000, "mine")]).await;
    ben.announce(1000).await;
    let first = olga.get("/admin/videos?limit=3").await.assert_status(200).body.clone();
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = olga.get(&format!("/admin/videos?limit=3&cursor={cursor}")).await.body;
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next_cursor"]), (1, &Value::Null));
    let indexed = olga.get(&format!("/admin/videos?state=indexed&video_id={bens}")).await.body;
    assert_eq!(
        (&indexed["items"][0]["owner_email"], &indexed["items"][0]["size_bytes"]),
        (&json!("ben@example.org"), &json!(10))
    );
    assert_eq!(indexed["items"][0]["run_state"], "completed");

    let users = olga.get("/admin/users?q=ben").await.body;
    let usage = &users["items"][0];
    assert_eq!(
        (&usage["video_count"], &usage["duration_ms"], &usage["uploads_today"]),
        (&json!(2), &json!(2000), &json!(1))
    );

    let storage = olga.get("/admin/storage?limit=1").await.body;
    assert_eq!(
        (&storage["original_bytes"], &storage["uploading_bytes"], &storage["video_count"]),
        (&json!(30), &json!(1000), &json!(3))
    );
    assert!(
        storage["database_bytes"].as_i64().unwrap() > 1_000_000 && storage["tables"].as_array().unwrap().len() == 20
    );
    assert_eq!(
        (&storage["owners"][0]["email"], &storage["owners"][0]["original_bytes"]),
        (&json!("ann@example.org"), &json!(20))
    );
    let next =
        olga.get(&format!("/admin/storage?limit=1&cursor={}", storage["next_cursor"].as_str().unwrap())).await.body;
    assert_eq!((&next["owners"][0]["email"], &next["next_cursor"]), (&json!("ben@example.org"), &Value::Null));
}
