//! Finding moments by a picture.

use heimdex_media::pictures::{Rgb, encode_jpeg};
use serde_json::{Value, json};

use crate::{
    seen::{CAT, COFFEE, CONSE, Models, TINY, found},
    support::{App, Person, Reply, said, scene_of},
};

fn jpeg(rgb: &[u8]) -> Vec<u8> {
    encode_jpeg(&Rgb { width: 128, height: 128, data: rgb.to_vec() }, 92).unwrap()
}

async fn send(person: &Person, query: &str, mime_type: &str, bytes: Vec<u8>) -> Reply {
    let request = person.request("POST", &format!("/search/image{query}"));
    Reply::read(request.header("content-type", mime_type).body(bytes).send().await.unwrap()).await
}

async fn looks_like(person: &Person, query: &str, rgb: &[u8]) -> Value {
    send(person, query, "image/jpeg", jpeg(rgb)).await.assert_status(200).body.clone()
}

#[tokio::test]
async fn a_picture_finds_the_scenes_that_look_like_it() {
    let models = Models::new();
    let app = models.app(CONSE).await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "At home", &[(0, 6000, ""), (6000, 12_000, ""), (12_000, 15_000, "")]).await;
    models.show(&app, CONSE, video, (0, 6000), CAT).await;
    models.show(&app, CONSE, video, (6000, 12_000), COFFEE).await;
    let cat = scene_of(video, 0, 6000).to_string();

    let answer = looks_like(&ann, "", CAT).await;
    assert_eq!(found(&answer), [cat.as_str()]);
    let hit = &answer["items"][0];
    assert_eq!((&hit["matches"][0]["channel"], &hit["matches"][0]["rank"]), (&json!("seen"), &json!(1)));
    assert_eq!((&hit["at_ms"], &hit["matches"][0]["at_ms"]), (&json!(4000), &json!(4000)), "where it is seen best");
    assert_eq!((&answer["channels"][0]["channel"], &answer["channels"][0]["status"]), (&json!("seen"), &json!("ok")));
    assert_eq!((&answer["query"], &answer["notes"], &answer["next_cursor"]), (&json!(""), &json!([]), &Value::Null));

    // Operators narrow it; other words are said to be left out.
    assert_eq!(found(&looks_like(&ann, "?q=title:home+lang:en", CAT).await), [cat.as_str()]);
    assert!(found(&looks_like(&ann, "?q=title:office", CAT).await).is_empty());
    assert!(found(&looks_like(&ann, "?q=-title:home", CAT).await).is_empty());
    let answer = looks_like(&ann, "?q=sleeping+title:home", CAT).await;
    assert_eq!((found(&answer).len(), &answer["notes"][0]["code"]), (1, &json!("words_beside_picture")));
    let reply = send(&ann, "?q=after:soon", "image/jpeg", jpeg(CAT)).await;
    assert_eq!(reply.assert_problem(400, "invalid_request").body["column"], 7);

    // Nothing of it is kept, and nobody else's is found.
    assert_eq!(ann.get("/searches/history").await.body["items"], json!([]));
    let eve = app.user("eve").await;
    assert!(found(&looks_like(&eve, "", CAT).await).is_empty());
}

#[tokio::test]
async fn pages_go_on_with_the_same_picture_only_and_a_video_says_what_it_holds_back() {
    let models = Models::new();
    let app = models.app(TINY).await;
    let ann = app.enterprise("ann").await;
    let red = [255, 0, 0].repeat(128 * 128);
    let scenes: Vec<(i64, i64, &str)> = (0..5).map(|n| (n * 1000, n * 1000 + 1000, "")).collect();
    let many = said(&app, &ann, "Much red", &scenes).await;
    for (start, end, _) in &scenes {
        models.show(&app, TINY, many, (*start, *end), &red).await;
    }
    let one = said(&app, &ann, "Some red", &[(0, 1000, "")]).await;
    models.show(&app, TINY, one, (0, 1000), &red).await;

    let first = looks_like(&ann, "?limit=3&per_video=2", &red).await;
    let titles: Vec<_> = first["items"].as_array().unwrap().iter().map(|hit| &hit["video_title"]).collect();
    assert_eq!(titles.iter().filter(|title| **title == "Much red").count(), 2, "{titles:?}");
    for hit in first["items"].as_array().unwrap() {
        assert_eq!(hit["more_in_video"], if hit["video_title"] == "Much red" { 3 } else { 0 });
    }
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = looks_like(&ann, &format!("?limit=3&per_video=2&cursor={cursor}"), &red).await;
    let mut all = [found(&first), found(&rest)].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), &rest["next_cursor"]), (6, &Value::Null));
    let blue = [0, 0, 255].repeat(128 * 128);
    let other = send(&ann, &format!("?limit=3&per_video=2&cursor={cursor}"), "image/jpeg", jpeg(&blue)).await;
    other.assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn what_is_no_picture_is_refused_with_a_reason_and_hurts_nobody() {
    let models = Models::new();
    let app = models.app(TINY).await;
    let ann = app.enterprise("ann").await;
    let video = said(&app, &ann, "Red", &[(0, 1000, "")]).await;
    let red = [255, 0, 0].repeat(128 * 128);
    models.show(&app, TINY, video, (0, 1000), &red).await;

    send(&ann, "", "image/gif", b"GIF89a".to_vec()).await.assert_problem(415, "unsupported_media_type");
    send(&ann, "", "image/png", Vec::new()).await.assert_problem(400, "invalid_request");
    let large = send(&ann, "", "image/png", vec![0; (10 << 20) + 1]).await;
    assert_eq!(large.assert_problem(413, "body_too_large").body["limit_bytes"], 10 << 20);
    for (bytes, code) in [
        (b"Dear diary, this is not a picture.".to_vec(), "not_a_picture"),
        (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "not_a_picture"),
        (jpeg(&red)[..40].to_vec(), "picture_damaged"),
    ] {
        let reply = send(&ann, "", "image/jpeg", bytes).await;
        assert_eq!(reply.assert_problem(400, "invalid_request").body["errors"][0]["code"], code);
    }
    // The next one is well.
    assert_eq!(found(&looks_like(&ann, "", &red).await).len(), 1);
}

#[tokio::test]
async fn searches_by_picture_are_counted_and_without_a_model_there_are_none() {
    let models = Models::new();
    let app = models.app(TINY).await;
    let ann = app.user("ann").await;
    let me = ann.get("/users/me").await.body["user_id"].as_str().unwrap().to_owned();
    sqlx::query("INSERT INTO quota_usage (user_id, kind, window_start, used) SELECT $1::uuid, 'searches', date_trunc('minute', now()) + n * interval '1 minute', 60 FROM generate_series(0, 1) n")
        .bind(&me).execute(app.db.pool()).await.unwrap();
    send(&ann, "", "image/jpeg", jpeg(CAT)).await.assert_problem(429, "rate_limited");

    let blind = App::start().await;
    let ben = blind.user("ben").await;
    send(&ben, "", "image/jpeg", jpeg(CAT)).await.assert_problem(409, "no_image_model");
    // An empty library is no fault.
    let eve = app.user("eve").await;
    assert!(found(&looks_like(&eve, "", CAT).await).is_empty());
}
