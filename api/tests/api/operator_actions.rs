//! What an operator does, each once however often it is pressed, and all of it in the history.

use heimdex_db::{
    AttemptId, Stage, VideoId,
    ledger::{self, LEASE},
};
use serde_json::{Value, json};

use crate::{
    events::Events,
    operator_console::{fails, indexing, job, stage},
    support::{App, Person},
};

/// The targets of the lines of the history with this action, newest first.
async fn history(operator: &Person, action: &str) -> Vec<Value> {
    let page = operator.get(&format!("/admin/audit?action={action}")).await;
    page.assert_status(200).body["items"].as_array().unwrap().iter().map(|line| line["target"].clone()).collect()
}

#[tokio::test]
async fn two_operators_who_press_retry_at_once_make_one_retry() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let (olga, otto) = (app.operator("olga").await, app.operator("otto").await);
    let video = indexing(&app, &ann, "Rain").await;
    let failed = fails(&app, video).await;
    let path = format!("/admin/jobs/{failed}/retry");
    let (one, two) = tokio::join!(olga.post(&path, json!({})), otto.post(&path, json!({})));
    let retried = [&one, &two].map(|reply| reply.assert_status(200).body["retried"] == true);
    assert_eq!(retried.iter().filter(|yes| **yes).count(), 1);
    assert_eq!(history(&olga, "run_retried").await, [json!(failed)]);
    let story = olga.get(&format!("/admin/jobs/{failed}")).await.body;
    assert_eq!((&story["job"]["state"], &story["job"]["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(story["run"].as_array().unwrap().iter().filter(|job| job["state"] == "pending").count(), 12);
    // What was tried before stays to be read.
    assert_eq!(story["attempts"][0]["error_code"], "no_video_track");
    assert_eq!(ledger::push_due(app.db.pool()).await.unwrap(), 1);
    let again = ledger::begin(app.db.pool(), failed.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap();
    assert_eq!(again.unwrap().number, 2);
}

#[tokio::test]
async fn what_cannot_be_retried_says_why() {
    let app = App::start().await;
    let (ann, olga) = (app.user("ann").await, app.operator("olga").await);
    let video = indexing(&app, &ann, "Rain").await;
    let first = job(&app, video, Stage::UploadValidate).await;
    let attempt =
        ledger::begin(app.db.pool(), first.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap().unwrap();
    let mut tx = app.db.pool().begin().await.unwrap();
    ledger::complete(&mut tx, &attempt, None, json!({})).await.unwrap();
    tx.commit().await.unwrap();
    let done = olga.post(&format!("/admin/jobs/{first}/retry"), json!({})).await;
    assert_eq!(done.assert_problem(409, "conflict").body["conflict"], "job_completed");
    olga.post(&format!("/admin/jobs/{first}/retry"), json!({ "from_here": true }))
        .await
        .assert_problem(409, "run_active");

    let cancelled = olga.post(&format!("/admin/jobs/{first}/cancel"), json!({})).await;
    assert_eq!(cancelled.assert_status(200).body["cancelled"], true);
    let again = olga.post(&format!("/admin/jobs/{first}/cancel"), json!({})).await;
    assert_eq!(again.assert_status(200).body["cancelled"], false);
    assert_eq!(history(&olga, "run_cancelled").await, [json!(first)]);

    // From the stage that was completed: it and what depends on it, at once.
    let from = olga.post(&format!("/admin/jobs/{first}/retry"), json!({ "from_here": true })).await;
    assert_eq!(from.assert_status(200).body["stages"].as_array().unwrap().len(), 12);
    assert_eq!(stage(&olga.get("/admin/queues").await.body, "upload_validate")["waiting"], 1);

    fails(&app, video).await;
    let ended = olga.post(&format!("/admin/jobs/{first}/cancel"), json!({})).await;
    assert_eq!(ended.assert_problem(409, "conflict").body["conflict"], "run_ended");
    ann.delete(&format!("/videos/{video}")).await;
    let gone = olga.post(&format!("/admin/jobs/{first}/retry"), json!({})).await;
    assert_eq!(gone.assert_problem(409, "conflict").body["conflict"], "video_deleted");
    let unknown = uuid::Uuid::new_v4();
    olga.post(&format!("/admin/jobs/{unknown}/retry"), json!({})).await.assert_problem(404, "not_found");
    olga.post(&format!("/admin/jobs/{unknown}/cancel"), json!({})).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn all_failures_of_a_kind_are_retried_together() {
    let app = App::start().await;
    let (ann, ben, olga) = (app.user("ann").await, app.user("ben").await, app.operator("olga").await);
    for owner in [&ann, &ben] {
        let video = indexing(&app, owner, "Rain").await;
        fails(&app, video).await;
    }
    sqlx::query("INSERT INTO tasks (kind, state, error_code, finished_at) VALUES ('send_mail', 'failed', 'no_video_track', now())")
        .execute(app.db.pool())
        .await
        .unwrap();
    let group = olga.get("/admin/failures").await.body["items"][0].clone();
    assert_eq!(
        (&group["count"], &group["tasks"], &group["places"]),
        (&json!(3), &json!(1), &json!(["send_mail", "upload_validate"]))
    );
    let other = olga.post("/admin/failures/panic/retry", json!({})).await;
    assert_eq!(other.assert_status(200).body, json!({ "retried": 0, "skipped": 0, "more": false }));
    let all = olga.post("/admin/failures/no_video_track/retry", json!({})).await;
    assert_eq!(all.assert_status(200).body, json!({ "retried": 3, "skipped": 0, "more": false }));
    let nothing_left = olga.post("/admin/failures/no_video_track/retry", json!({})).await;
    assert_eq!(nothing_left.assert_status(200).body["retried"], 0);
    assert_eq!(olga.get("/admin/failures").await.body["items"], json!([]));
    assert_eq!((history(&olga, "run_retried").await.len(), history(&olga, "task_retried").await.len()), (2, 1));
}

#[tokio::test]
async fn a_paused_stage_holds_new_work_lets_running_work_finish_and_says_so() {
    let app = App::start().await;
    let (ann, olga) = (app.user("ann").await, app.operator("olga").await);
    let (running, waiting) = (indexing(&app, &ann, "Rain").await, indexing(&app, &ann, "Sun").await);
    let begin = async |video: VideoId| {
        let id = job(&app, video, Stage::UploadValidate).await;
        ledger::begin(app.db.pool(), id.into(), AttemptId::new(), "worker-1", LEASE).await.unwrap()
    };
    let attempt = begin(running).await.unwrap();
    let mut stream = Events::open(&olga, "/admin/events").await;
    let paused = olga.post("/admin/stages/upload_validate/pause", json!({})).await;
    assert_eq!(paused.assert_status(200).body, json!({ "stage": "upload_validate", "paused": true, "changed": true }));
    assert_eq!(stream.named("operations").await["what"], "stages");
    let again = olga.post("/admin/stages/upload_validate/pause", json!({})).await;
    assert_eq!(again.assert_status(200).body["changed"], false);
    let queues = olga.get("/admin/queues").await.body;
    let queue = stage(&queues, "upload_validate");
    assert_eq!((&queue["paused"], &queue["changed_by"]), (&json!(true), &json!("olga@example.org")));
    assert!(begin(waiting).await.is_none(), "new work is held");
    let mut tx = app.db.pool().begin().await.unwrap();
    ledger::complete(&mut tx, &attempt, None, json!({})).await.expect("what runs goes on");
    tx.commit().await.unwrap();
    let resumed = olga.post("/admin/stages/upload_validate/resume", json!({})).await;
    assert_eq!(resumed.assert_status(200).body["changed"], true);
    assert!(begin(waiting).await.is_some());
    assert_eq!(history(&olga, "stage_paused").await, [json!("upload_validate")]);
    assert_eq!(history(&olga, "stage_resumed").await, [json!("upload_validate")]);
    olga.post("/admin/stages/sleeping/pause", json!({})).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_video_is_put_first_with_the_messages_that_wait() {
    let app = App::start().await;
    let (ann, olga) = (app.user("ann").await, app.operator("olga").await);
    let video = indexing(&app, &ann, "Rain").await;
    let path = format!("/admin/videos/{video}/priority");
    assert_eq!(olga.put(&path, json!({ "priority": 7 })).await.assert_status(200).body["priority"], 7);
    let message: i32 =
        sqlx::query_scalar("SELECT max(priority) FROM apalis.jobs").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(message, 7);
    let listed = olga.get(&format!("/admin/videos?video_id={video}")).await.body;
    assert_eq!(listed["items"][0]["priority"], 7);
    // The same again is no change.
    olga.put(&path, json!({ "priority": 7 })).await.assert_status(200);
    assert_eq!(history(&olga, "priority_set").await, [json!(video)]);
    olga.put(&path, json!({ "priority": 10 })).await.assert_problem(400, "invalid_request");
    fails(&app, video).await;
    let refused = olga.put(&path, json!({ "priority": 1 })).await;
    assert_eq!(refused.assert_problem(409, "conflict").body["conflict"], "no_run_active");
    let unknown = format!("/admin/videos/{}/priority", uuid::Uuid::new_v4());
    olga.put(&unknown, json!({ "priority": 1 })).await.assert_problem(404, "not_found");
}
