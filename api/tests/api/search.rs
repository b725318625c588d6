//! Finding the moment.

use heimdex_db::{
    RunId, UserId,
    search::{Candidate, hits},
};
use heimdex_models::{Registry, TextEmbedder};
use serde_json::{Value, json};

use crate::support::{App, Person, embed, said, scene_of, written};

const MODEL: &str = "all-minilm-l6-v2";

fn texts(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|hit| hit["text"].as_str().unwrap()).collect()
}

async fn library(app: &App, owner: &Person) -> heimdex_db::VideoId {
    let video = said(
        app,
        owner,
        "A tale",
        &[
            (0, 6000, "Here we are at last, and it was the worst of times."),
            (6000, 12_000, "Now listen. It was the best of times, it really was."),
            (12_000, 20_000, "The spring of hope and the winter of despair"),
        ],
    )
    .await;
    said(
        app,
        owner,
        "The kitchen",
        &[
            (0, 9000, "Chop the onions and fry them in butter"),
            (9000, 15_000, "Let the soup simmer for an hour"),
            (15_000, 20_000, ""),
        ],
    )
    .await;
    video
}

#[tokio::test]
async fn a_spoken_sentence_is_found_with_its_second() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = library(&app, &ann).await;
    let answer =
        ann.post("/search", json!({ "query": "it was the best of times" })).await.assert_status(200).body.clone();
    let hit = &answer["items"][0];
    assert_eq!(hit["scene_id"], json!(scene_of(video, 6000, 12_000)));
    // Eleven words in six seconds: "It" is the third.
    assert_eq!(hit["at_ms"], 6000 + 2 * 545);
    let text = hit["text"].as_str().unwrap();
    let marked: Vec<&str> = hit["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| &text[span["start"].as_u64().unwrap() as usize..span["end"].as_u64().unwrap() as usize])
        .collect();
    assert!(marked.contains(&"best") && marked.contains(&"times"), "{marked:?}");
    assert_eq!(
        (&hit["video_title"], &hit["matches"][0]["channel"], &hit["matches"][0]["rank"]),
        (&json!("A tale"), &json!("words"), &json!(1))
    );
    let statuses: Vec<_> = answer["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["channel"].as_str().unwrap(), c["status"].as_str().unwrap()))
        .collect();
    let (ok, skipped) = ("ok", "skipped");
    assert_eq!(
        statuses,
        [
            ("words", ok),
            ("meaning", skipped),
            ("seen", skipped),
            ("written", ok),
            ("tagged", ok),
            ("who", skipped),
            ("titled", ok)
        ]
    );
}

#[tokio::test]
async fn what_is_meant_is_found_without_its_words() {
    let folder = std::env::var("HEIMDEX_MODELS_DIR").expect("HEIMDEX_MODELS_DIR names the fetched models");
    let app = App::start_with(|name| match name {
        "HEIMDEX_TEXT_MODEL" => Some(MODEL.into()),
        "HEIMDEX_DICTIONARY" => Some("words-in-english".into()),
        "HEIMDEX_MODELS_DIR" => Some(folder.clone()),
        _ => None,
    })
    .await;
    let ann = app.user("ann").await;
    let video = library(&app, &ann).await;
    let model = TextEmbedder::load(&Registry::open(&folder).unwrap().get(MODEL).unwrap(), 1).unwrap();
    embed(app.db.pool(), &model, MODEL).await;
    loop {
        let ready = app.anonymous("GET", "/health/ready", None).await;
        let checks = &ready.body["checks"];
        if ready.status == 200 && checks["dictionary"] == "ok" {
            break;
        }
        assert!(checks["text_model"] == "loading" || checks["dictionary"] == "loading", "{checks}");
        tokio::task::yield_now().await;
    }
    let answer = ann.post("/search", json!({ "query": "cooking a meal" })).await.body;
    assert!(texts(&answer)[0].contains("onions") || texts(&answer)[0].contains("soup"), "{answer}");
    assert_eq!(answer["items"][0]["matches"][0]["channel"], "meaning");
    // Both channels agree on the spoken sentence.
    let answer = ann.post("/search", json!({ "query": "it was the best of times" })).await.body;
    assert_eq!(answer["items"][0]["scene_id"], json!(scene_of(video, 6000, 12_000)));
    assert_eq!(answer["items"][0]["matches"].as_array().unwrap().len(), 2);
    // As alike as letters at random, which are in no dictionary: those find nothing.
    for (query, found) in [("the hungry cook", true), ("htwy cumrf", false)] {
        let answer = ann.post("/search", json!({ "query": query, "channels": ["meaning"] })).await.body;
        assert_eq!(!texts(&answer).is_empty(), found, "{query}: {answer}");
        assert!(answer["channels"][0]["candidates"].as_u64().unwrap() > 0, "{query}: {answer}");
    }
    // The model reads English only; the dictionary reads the rest to it.
    for (query, said) in
        [("la soupe bout une heure", "soup"), ("die Hoffnung des Frühlings", "hope"), ("タマネギとバター", "onions")]
    {
        let answer = ann.post("/search", json!({ "query": query, "channels": ["meaning"] })).await.body;
        assert!(texts(&answer).first().is_some_and(|text| text.contains(said)), "{query}: {answer}");
    }
    // Weights decide; a channel left out is not asked.
    let answer = ann.post("/search", json!({ "query": "soup", "channels": ["meaning"] })).await.body;
    assert_eq!(answer["channels"].as_array().unwrap().len(), 1);
    // The nearest neighbour of the soup is in the same kitchen.
    let soup = answer["items"][0]["scene_id"].as_str().unwrap();
    let similar = ann.get(&format!("/scenes/{soup}/similar")).await.assert_status(200).body.clone();
    assert!(texts(&similar)[0].contains("onions"), "{similar}");
    let silent: uuid::Uuid =
        sqlx::query_scalar("SELECT scene_id FROM scenes WHERE text = ''").fetch_one(app.db.pool()).await.unwrap();
    ann.get(&format!("/scenes/{silent}/similar")).await.assert_problem(409, "no_vectors");
}

#[tokio::test]
async fn what_is_written_on_screen_is_found_where_it_is_first_read() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "A walk", &[(0, 9000, ""), (9000, 20_000, "and here we turn left")]).await;
    let hall = scene_of(video, 0, 9000);
    written(&app, &ann, video, hall, (3000, 5000), "HEIMDEX SAMPLE 42 %").await;
    written(&app, &ann, video, hall, (6000, 9000), "Zürich Hauptbahnhof").await;
    let street = scene_of(video, 9000, 20_000);
    written(&app, &ann, video, street, (12_000, 20_000), "상하이 국제공항 上海浦东国际机场").await;

    let find = async |query: &str| ann.post("/search", json!({ "query": query, "channels": ["written"] })).await.body;
    // A part of a word, in any case; what `LIKE` takes for itself; languages without spaces; one letter.
    for (query, scene, at_ms) in [
        ("mdex samp", hall, 3000),
        ("42 %", hall, 3000),
        ("ZÜRICH", hall, 6000),
        ("国际", street, 12_000),
        ("국제", street, 12_000),
        ("机", street, 12_000),
    ] {
        let answer = find(query).await;
        assert_eq!(answer["items"].as_array().unwrap().len(), 1, "{query}: {answer}");
        let hit = &answer["items"][0];
        assert_eq!((&hit["scene_id"], &hit["at_ms"]), (&json!(scene), &json!(at_ms)), "{query}");
        let matched = &hit["matches"][0];
        assert_eq!((&matched["channel"], &matched["at_ms"]), (&json!("written"), &json!(at_ms)));
        assert_eq!(matched["box"], json!([[0.25, 0.5], [0.75, 0.5], [0.75, 0.625], [0.25, 0.625]]));
    }
    // A question that has most of a sign's words, in whatever form.
    let answer = find("where are samples of heimdex").await;
    assert_eq!(answer["items"][0]["matches"][0]["quote"], "HEIMDEX SAMPLE 42 %", "{answer}");
    // Misspelt or misread: nearly that. Something else altogether: nothing.
    let answer = find("Hauptbanhof").await;
    assert_eq!(answer["items"][0]["at_ms"], 6000, "{answer}");
    assert!(answer["items"][0]["matches"][0]["detail"].as_str().unwrap().contains("nearly"), "{answer}");
    for query in ["umbrella", "a man in a car", "43 %"] {
        assert_eq!(find(query).await["items"], json!([]), "{query}");
    }
    // Of a sign with several lines each word may be misspelt; a word that is like one of them says nothing.
    written(&app, &ann, video, street, (13_000, 20_000), "Stable rules").await;
    written(&app, &ann, video, street, (13_000, 20_000), "No smoking").await;
    let answer = find("stabel rules no smokng").await;
    assert_eq!(answer["items"][0]["scene_id"], json!(street), "{answer}");
    assert!(answer["items"][0]["matches"][0]["detail"].as_str().unwrap().contains("nearly"), "{answer}");
    for query in ["smoked salmon sandwiches", "tables chairs carpets"] {
        assert_eq!(find(query).await["items"], json!([]), "{query}");
    }
    // Where it is both said and shown, the player jumps to what is said.
    written(&app, &ann, video, street, (15_000, 20_000), "turn left").await;
    let answer = ann.post("/search", json!({ "query": "turn left" })).await.body;
    assert_eq!(answer["items"][0]["scene_id"], json!(street));
    assert_eq!(answer["items"][0]["at_ms"], 9000 + 3 * 2200);
    assert_eq!(answer["items"][0]["matches"].as_array().unwrap().len(), 2);

    // The scene says what can be read in it, and where.
    let scene = ann.get(&format!("/scenes/{hall}")).await.assert_status(200).body.clone();
    let texts: Vec<_> =
        scene["on_screen"].as_array().unwrap().iter().map(|text| text["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["HEIMDEX SAMPLE 42 %", "Zürich Hauptbahnhof"]);
    let first = &scene["on_screen"][0];
    assert_eq!((&first["start_ms"], &first["end_ms"], &first["confidence"]), (&json!(3000), &json!(5000), &json!(0.5)));
    assert_eq!(first["box"], json!([[0.25, 0.5], [0.75, 0.5], [0.75, 0.625], [0.25, 0.625]]));
    let list = ann.get(&format!("/videos/{video}/scenes")).await.assert_status(200).body.clone();
    assert_eq!(list["items"][0], scene);
    // Nobody else's.
    let bob = app.user("bob").await;
    let answer = bob.post("/search", json!({ "query": "heimdex", "channels": ["written"] })).await.body;
    assert_eq!(answer["items"], json!([]));
}

#[tokio::test]
async fn the_player_jumps_to_the_sign_that_is_quoted() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = said(&app, &ann, "A journey", &[(0, 9000, "")]).await;
    let hall = scene_of(video, 0, 9000);
    written(&app, &ann, video, hall, (1000, 2000), "Platform tickets").await;
    written(&app, &ann, video, hall, (6000, 8000), "Departures from platform nine").await;
    let asked = json!({ "query": "platform nine departures", "channels": ["written"] });
    let answer = ann.post("/search", asked).await.assert_status(200).body.clone();
    assert_eq!(answer["items"][0]["matches"][0]["quote"], "Departures from platform nine", "{answer}");
    assert_eq!(answer["items"][0]["at_ms"], 6000, "{answer}");
}

#[tokio::test]
async fn a_video_is_found_by_what_it_is_called() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let video = said(&app, &ann, "Trams of Lisbon", &[(0, 9000, "we are late"), (9000, 20_000, "up the hill")]).await;
    library(&app, &ann).await;
    let find = async |query: &str| ann.post("/search", json!({ "query": query })).await.assert_status(200).body.clone();
    // By stems, and every scene of it alike.
    let answer = find("tram lisbon").await;
    let scenes: Vec<_> = answer["items"].as_array().unwrap().iter().map(|hit| hit["video_id"].clone()).collect();
    assert_eq!(scenes, [json!(video), json!(video)], "{answer}");
    assert_eq!(answer["items"][0]["matches"][0]["channel"], "titled");
    // Said in it, that scene comes first.
    let answer = find("hill trams lisbon").await;
    assert_eq!(answer["items"][0]["scene_id"], json!(scene_of(video, 9000, 20_000)), "{answer}");
    // One word of several says little, and nobody sees another's titles.
    assert_eq!(find("a tram in Melbourne").await["items"], json!([]));
    let bob = app.user("bob").await;
    assert_eq!(bob.post("/search", json!({ "query": "tram lisbon" })).await.body["items"], json!([]));
}

#[tokio::test]
async fn among_many_videos_of_one_name_the_one_that_is_asked_for_is_found() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let first = said(&app, &ann, "Lisbon, day 1", &[(0, 9000, "we are late")]).await;
    for day in 2..=25 {
        said(&app, &ann, &format!("Lisbon, day {day}"), &[(0, 9000, "we are late")]).await;
    }
    let asked = json!({ "query": "lisbon", "channels": ["titled"], "filters": { "video_ids": [first] } });
    let answer = ann.post("/search", asked).await.assert_status(200).body.clone();
    assert_eq!(answer["items"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["items"][0]["video_id"], json!(first));
}

#[tokio::test]
async fn a_long_video_leaves_others_of_its_name_their_places() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let many: Vec<(i64, i64, &str)> = (0..220).map(|n| (n * 1000, n * 1000 + 1000, "on")).collect();
    let long = said(&app, &ann, "Trams, all day", &many).await;
    let short = said(&app, &ann, "Trams by night", &[(0, 9000, "home")]).await;
    let asked = json!({ "query": "trams", "channels": ["titled"], "per_video": 1, "limit": 2 });
    let answer = ann.post("/search", asked).await.assert_status(200).body.clone();
    let mut videos: Vec<_> = answer["items"].as_array().unwrap().iter().map(|hit| hit["video_id"].clone()).collect();
    videos.sort_by_key(ToString::to_string);
    let mut expected = [json!(long), json!(short)];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(videos, expected, "{answer}");
}

#[tokio::test]
async fn any_query_at_all_is_answered() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    library(&app, &ann).await;
    for query in [
        "\"best of",
        "best -worst",
        "best or spring",
        "'; DROP TABLE videos; --",
        "%",
        "_",
        "\\",
        "a & b | !c <-> (",
        "best\u{0}times",
        "\u{1b}[31mbest",
        ":*",
        "times:*",
        "\u{e000}best\u{e001}",
        "🎬",
        "民地",
        "   best   ",
        "-best",
        "\"\"",
        "or or or",
        &"long ".repeat(2000),
        &"x".repeat(10_240),
    ] {
        let reply = ann.post("/search", json!({ "query": query })).await;
        assert!(matches!(reply.status, 200 | 400), "{query:?}: {}", reply.text);
    }
    ann.post("/search", json!({ "query": " \u{7} " })).await.assert_problem(400, "invalid_request");
    ann.post("/search", json!({ "query": "a", "channels": ["smell"] })).await.assert_problem(400, "invalid_request");
    ann.post("/search", json!({ "query": "a", "weights": { "words": -1 } }))
        .await
        .assert_problem(400, "invalid_request");
    ann.post("/search", json!({ "query": "a", "limit": 51 })).await.assert_problem(400, "invalid_request");
    ann.post("/search", json!({ "query": "a", "cursor": "nonsense" })).await.assert_problem(400, "invalid_cursor");
    // Words within words, and what is left out.
    assert_eq!(texts(&ann.post("/search", json!({ "query": "nion" })).await.body).len(), 1);
    assert!(
        !texts(&ann.post("/search", json!({ "query": "times -worst" })).await.body)
            .iter()
            .any(|text| text.contains("worst"))
    );
}

#[tokio::test]
async fn a_word_that_is_left_out_marks_no_other() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = library(&app, &ann).await;
    let (pool, scene_id) = (app.db.pool(), scene_of(video, 6000, 12_000));
    let (run_id, owner): (RunId, UserId) = sqlx::query_as("SELECT run_id, owner_id FROM scenes WHERE scene_id = $1")
        .bind(scene_id)
        .fetch_one(pool)
        .await
        .unwrap();
    let found = [Candidate { run_id, scene_id, video_id: video, score: 1.0 }];
    let cases: [(&str, &[&str]); 4] =
        [("times -worst", &[" times,"]), ("best -worst times", &[" best", " times,"]), ("-worst", &[]), ("the", &[])];
    for (query, marked) in cases {
        let rows = hits(pool, owner, query, &found).await.unwrap();
        let words: Vec<_> = rows[0].words.iter().filter(|word| word.matches).map(|word| word.text.as_str()).collect();
        assert_eq!(words, marked, "{query}");
    }
}

#[tokio::test]
async fn scenes_alike_that_take_too_long_are_to_be_asked_for_again() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let video = library(&app, &ann).await;
    sqlx::query(
        "INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
         SELECT run_id, scene_id, owner_id, 0, start_ms, end_ms, text, '[1,0]', 'of-the-tests' FROM scenes",
    )
    .execute(app.db.pool())
    .await
    .unwrap();
    let similar = format!("/scenes/{}/similar?by=said", scene_of(video, 0, 6000));
    let mut held = app.db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE text_windows IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let late = ann.get(&similar).await;
    late.assert_problem(503, "unavailable");
    assert_eq!(late.header("retry-after"), "2");
    held.rollback().await.unwrap();
    assert_eq!(ann.get(&similar).await.assert_status(200).body["items"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_completion_that_would_come_too_late_does_not_hold_up_the_others() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    library(&app, &ann).await;
    let mut held = app.db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE search_log IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let suggestions = ann.get("/search/suggest?q=kit").await.assert_status(200).body.clone();
    assert_eq!(suggestions["items"], json!([{ "text": "The kitchen", "kind": "title" }]));
    held.rollback().await.unwrap();
}

#[tokio::test]
async fn a_video_that_is_indexed_again_meanwhile_stays_on_its_page() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let scenes: Vec<(i64, i64, &str)> = (0..4).map(|n| (n * 1000, n * 1000 + 1000, "an umbrella")).collect();
    let videos = [said(&app, &ann, "Monday", &scenes).await, said(&app, &ann, "Tuesday", &scenes).await];
    let page = async |cursor: &Value| {
        let asked = json!({ "query": "umbrella", "limit": 4, "per_video": 100, "cursor": cursor });
        ann.post("/search", asked).await.assert_status(200).body.clone()
    };
    let first = page(&Value::Null).await;
    for video in videos {
        let again = RunId::new();
        for statement in [
            "INSERT INTO runs (run_id, video_id, reason, state, language, visible_at) VALUES ($1, $2, 'reprocess', 'completed', 'en', now() + interval '1 second')",
            "INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, text, language, text_tsv)
             SELECT $1, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, text, language, text_tsv FROM scenes WHERE video_id = $2",
            "UPDATE videos SET current_run_id = $1 WHERE video_id = $2",
        ] {
            sqlx::query(statement).bind(again).bind(video).execute(app.db.pool()).await.unwrap();
        }
    }
    let second = page(&first["next_cursor"]).await;
    let mut seen: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|hit| hit["scene_id"].as_str().unwrap().to_owned())
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 8, "{second}");
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_and_no_video_fills_the_first() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let many: Vec<(i64, i64, String)> =
        (0..30).map(|n| (n * 1000, n * 1000 + 1000, format!("rain number {n}"))).collect();
    let many: Vec<(i64, i64, &str)> = many.iter().map(|(a, b, text)| (*a, *b, text.as_str())).collect();
    said(&app, &ann, "Much rain", &many).await;
    said(&app, &ann, "Little rain", &[(0, 2000, "some rain and much more that has nothing to do with it at all")])
        .await;
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = ann
            .post("/search", json!({ "query": "rain", "limit": 7, "per_video": 3, "cursor": cursor }))
            .await
            .assert_status(200)
            .body
            .clone();
        if seen.is_empty() {
            let titles: Vec<_> = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .take(4)
                .map(|hit| hit["video_title"].as_str().unwrap().to_owned())
                .collect();
            assert!(titles.contains(&"Little rain".to_owned()), "{titles:?}");
            // Indexed meanwhile; not part of this search.
            said(&app, &ann, "New rain", &[(0, 1000, "rain rain rain")]).await;
        }
        seen.extend(page["items"].as_array().unwrap().iter().map(|hit| hit["scene_id"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), count), (31, 31));
}

#[tokio::test]
async fn filters_narrow_a_search() {
    let app = App::start().await;
    let ann = app.enterprise("ann").await;
    let tale = library(&app, &ann).await;
    let search = async |filters: Value| {
        ann.post("/search", json!({ "query": "the", "filters": filters })).await.assert_status(200).body["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(search(json!({})).await >= 4);
    assert_eq!(search(json!({ "video_ids": [tale] })).await, 3);
    assert_eq!(search(json!({ "languages": ["de"] })).await, 0);
    assert!(search(json!({ "languages": ["EN"] })).await >= 4);
    assert_eq!(search(json!({ "created_before": "2020-01-01T00:00:00Z" })).await, 0);
    assert_eq!(search(json!({ "min_duration_s": 21.0 })).await, 0);
    ann.patch(&format!("/videos/{tale}"), json!({ "tags": ["books"] })).await.assert_status(200);
    assert_eq!(search(json!({ "tags": ["books"] })).await, 3);
}

#[tokio::test]
async fn searches_are_counted_and_suggestions_are_not() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    library(&app, &ann).await;
    let me = ann.get("/users/me").await.body["user_id"].as_str().unwrap().to_owned();
    sqlx::query("INSERT INTO quota_usage (user_id, kind, window_start, used) SELECT $1::uuid, 'searches', date_trunc('minute', now()) + n * interval '1 minute', 60 FROM generate_series(0, 1) n")
        .bind(&me).execute(app.db.pool()).await.unwrap();
    let reply = ann.post("/search", json!({ "query": "times" })).await;
    reply.assert_problem(429, "rate_limited");
    assert_eq!((&reply.body["limit"], &reply.body["remaining"]), (&json!(60), &json!(0)));
    let suggestions = ann.get("/search/suggest?q=bes").await.assert_status(200).body.clone();
    assert_eq!(suggestions["items"][0], json!({ "text": "best of times, it really was", "kind": "spoken" }));
    assert_eq!(
        ann.get("/search/suggest?q=kit").await.body["items"][0],
        json!({ "text": "The kitchen", "kind": "title" })
    );
    assert_eq!(ann.get("/search/suggest?q=%00").await.body["items"], json!([]));
}
