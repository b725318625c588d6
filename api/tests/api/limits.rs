//! How much of something a person may have, and how long it stays.

use chrono::Utc;
use heimdex_db::{UserId, clips, search, shares};
use serde_json::{Value, json};

use crate::support::{App, Person, said};

async fn count(app: &App, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(app.db.pool()).await.unwrap()
}

async fn me(person: &Person) -> UserId {
    person.get("/users/me").await.body["user_id"].as_str().unwrap().parse().unwrap()
}

/// The refusal of somebody who has enough of it, in a sentence.
#[track_caller]
fn assert_enough(problem: &Value, conflict: &str, at_most: i64) {
    assert_eq!(problem["conflict"], conflict, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(&at_most.to_string()), "{problem}");
}

#[tokio::test]
async fn a_person_has_two_hundred_clips_at_most_however_many_are_asked_for_at_once() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = said(&app, &ann, "Rain", &[(0, 60_000, "rain")]).await;
    sqlx::query(
        "INSERT INTO clips (clip_id, owner_id, video_id, start_ms, end_ms, exact, task_id, expires_at)
         SELECT gen_random_uuid(), $1, $2, n, n + 1000, false, gen_random_uuid(), now() + interval '1 day' FROM generate_series(1, 197) n",
    )
    .bind(me(&ann).await)
    .bind(video)
    .execute(app.db.pool())
    .await
    .unwrap();
    let path = format!("/videos/{video}/clips");
    let replies = futures::future::join_all(
        (0..8).map(|n| ann.post(&path, json!({ "start_ms": 10_000 + n * 1000, "end_ms": 20_000 + n * 1000 }))),
    )
    .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 202).count(), 3);
    for reply in replies.iter().filter(|reply| reply.status != 202) {
        assert_enough(&reply.assert_problem(409, "conflict").body, "too_many_clips", clips::MAX_LIVE);
    }
    // Another person has their own, and what is over makes room.
    let bens = said(&app, &ben, "Wind", &[(0, 60_000, "wind")]).await;
    ben.post(&format!("/videos/{bens}/clips"), json!({ "start_ms": 0, "end_ms": 1000 })).await.assert_status(202);
    sqlx::query("UPDATE clips SET expires_at = now() - interval '1 second' WHERE start_ms = 1")
        .execute(app.db.pool())
        .await
        .unwrap();
    ann.post(&path, json!({ "start_ms": 40_000, "end_ms": 41_000 })).await.assert_status(202);
    ann.post(&path, json!({ "start_ms": 50_000, "end_ms": 51_000 })).await.assert_problem(409, "conflict");
}

#[tokio::test]
async fn a_clip_is_half_an_hour_long_at_most_and_lies_in_its_video() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = said(&app, &ann, "A day", &[(0, 2 * 3_600_000, "rain")]).await;
    let path = format!("/videos/{video}/clips");
    let ask = async |start: i64, end: i64| ann.post(&path, json!({ "start_ms": start, "end_ms": end })).await;
    ask(0, 30 * 60_000).await.assert_status(202);
    for (start, end, code) in [
        (0, 30 * 60_000 + 1, "too_long"),
        (0, 199, "out_of_range"),
        (1000, 1000, "out_of_range"),
        (2000, 1000, "out_of_range"),
        (-1, 1000, "out_of_range"),
        (2 * 3_600_000, 2 * 3_600_000 + 1000, "out_of_range"),
        (i64::MAX, i64::MIN, "out_of_range"),
    ] {
        let refused = ask(start, end).await;
        assert_eq!(refused.assert_problem(400, "invalid_request").body["errors"][0]["code"], code, "{start} to {end}");
    }
    ann.post(&path, json!({ "start_ms": 0, "end_ms": 1e300 })).await.assert_problem(400, "invalid_json");
    ben.post(&path, json!({ "start_ms": 0, "end_ms": 1000 })).await.assert_problem(404, "not_found");
    assert_eq!(count(&app, "SELECT count(*) FROM clips").await, 1);
}

#[tokio::test]
async fn a_person_shares_a_hundred_moments_at_most_and_what_ended_is_forgotten_after_a_month() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "Rain", &[(0, 60_000, "rain")]).await;
    sqlx::query(
        "INSERT INTO shares (owner_id, video_id, token_hash, start_ms, end_ms, expires_at)
         SELECT $1, $2, int4send(n), n, n + 1000, now() + interval '1 day' FROM generate_series(1, 98) n",
    )
    .bind(me(&ann).await)
    .bind(video)
    .execute(app.db.pool())
    .await
    .unwrap();
    let path = format!("/videos/{video}/shares");
    let replies =
        futures::future::join_all((0..6).map(|n| ann.post(&path, json!({ "start_ms": n * 1000, "end_ms": 30_000 }))))
            .await;
    let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(made.len(), 2);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_enough(&reply.assert_problem(409, "conflict").body, "too_many_shares", shares::MAX_LIVE);
    }
    assert_eq!(count(&app, "SELECT count(*) FROM clips").await, 2, "a refused share cuts nothing");
    ann.delete(&format!("{path}/{}", made[0].body["share_id"].as_str().unwrap())).await.assert_status(204);
    ann.post(&path, json!({ "start_ms": 0, "end_ms": 1000 })).await.assert_status(201);

    sqlx::query("UPDATE shares SET expires_at = now() - n * interval '1 day' FROM (VALUES (1, 29), (2, 31)) AS ago (start_ms, n) WHERE shares.start_ms = ago.start_ms")
        .execute(app.db.pool())
        .await
        .unwrap();
    assert_eq!(shares::forget_over(app.db.pool()).await.unwrap(), 1);
    assert_eq!(count(&app, "SELECT count(*) FROM shares WHERE start_ms = 1").await, 1);
    sqlx::query("UPDATE shares SET revoked_at = now() - interval '31 days' WHERE revoked_at IS NOT NULL")
        .execute(app.db.pool())
        .await
        .unwrap();
    assert_eq!(shares::forget_over(app.db.pool()).await.unwrap(), 1);
}

#[tokio::test]
async fn the_history_keeps_the_newest_searches_and_no_other_persons_are_touched() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    for person in [&ben, &ann] {
        sqlx::query(
            "INSERT INTO search_log (user_id, query, hits, took_ms) SELECT $1, 'old ' || n, 0, 0 FROM generate_series(1, 5200) n",
        )
        .bind(me(person).await)
        .execute(app.db.pool())
        .await
        .unwrap();
    }
    ann.post("/search", json!({ "query": "rain" })).await.assert_status(200);
    // With one of them the older ones go.
    for _ in 0..50 {
        search::record(app.db.pool(), me(&ann).await, "wind", 0, 0).await.unwrap();
    }
    let kept = async |person: &Person| -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM search_log WHERE user_id = $1")
            .bind(me(person).await)
            .fetch_one(app.db.pool())
            .await
            .unwrap()
    };
    let left = kept(&ann).await;
    assert!((search::KEPT_SEARCHES..search::KEPT_SEARCHES + 52).contains(&left), "{left}");
    assert_eq!(kept(&ben).await, 5200);
    let history = ann.get("/searches/history?limit=3").await.assert_status(200).body.clone();
    let queries: Vec<_> = history["items"].as_array().unwrap().iter().map(|item| &item["query"]).collect();
    assert_eq!(queries, [&json!("wind"), &json!("rain"), &json!("old 5200")]);
}

#[tokio::test]
async fn an_account_takes_what_it_shares_along_at_once() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let video = said(&app, &ann, "Rain", &[(0, 60_000, "rain")]).await;
    let made = ann.post(&format!("/videos/{video}/shares"), json!({ "start_ms": 0, "end_ms": 1000 })).await;
    let link = format!("/shares/{}", made.assert_status(201).body["token"].as_str().unwrap());
    let clip = ann.post(&format!("/videos/{video}/clips"), json!({ "start_ms": 0, "end_ms": 1000 })).await;
    let expires: chrono::DateTime<Utc> = clip.assert_status(202).body["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(expires <= Utc::now() + chrono::TimeDelta::hours(24));
    ben.get(&link).await.assert_status(200);
    ann.delete("/users/me").await.assert_status(202);
    ben.get(&link).await.assert_problem(404, "not_found");
}
