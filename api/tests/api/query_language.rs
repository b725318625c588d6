//! Operators in a query: what they narrow, what they leave out, and what is said of a mistake.

use heimdex_db::VideoId;
use serde_json::{Value, json};

use crate::support::{App, Person, Reply, said, scene_of, written};

async fn ask(person: &Person, query: &str) -> Value {
    person.post("/search", json!({ "query": query, "limit": 50 })).await.assert_status(200).body.clone()
}

/// Title and second of each hit.
fn found(answer: &Value) -> Vec<String> {
    let name =
        |hit: &Value| format!("{} {}", hit["video_title"].as_str().unwrap(), hit["start_ms"].as_i64().unwrap() / 1000);
    answer["items"].as_array().unwrap().iter().map(name).collect()
}

async fn tag(app: &App, video: VideoId, (start_ms, end_ms): (i64, i64), tag: &str) {
    sqlx::query(
        "INSERT INTO scene_tags (run_id, owner_id, scene_id, tag, score, source)
         SELECT run_id, owner_id, scene_id, $2, 0.9, 'image' FROM scenes WHERE scene_id = $1",
    )
    .bind(scene_of(video, start_ms, end_ms))
    .bind(tag)
    .execute(app.db.pool())
    .await
    .unwrap();
}

/// Somebody who is enrolled and seen in these scenes.
async fn person(app: &App, owner: &Person, name: &str, scenes: &[(VideoId, i64, i64)]) {
    let made =
        owner.post("/people", json!({ "display_name": name, "consent": true, "consent_note": "asked them" })).await;
    let person: uuid::Uuid = made.assert_status(201).body["person_id"].as_str().unwrap().parse().unwrap();
    for &(video, start_ms, end_ms) in scenes {
        sqlx::query(
            "INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_model, person_id)
             SELECT s.run_id, (SELECT count(*)::integer FROM face_tracks t WHERE t.run_id = s.run_id), s.scene_id, s.owner_id,
                    s.start_ms, s.start_ms + 2000, 5, 10, 0.9, 'faces-of-the-tests', $2
             FROM scenes s WHERE s.scene_id = $1",
        )
        .bind(scene_of(video, start_ms, end_ms))
        .bind(person)
        .execute(app.db.pool())
        .await
        .unwrap();
    }
}

async fn made_on(app: &App, video: VideoId, day: &str) {
    sqlx::query("UPDATE videos SET created_at = $2::text::timestamptz WHERE video_id = $1")
        .bind(video)
        .bind(format!("{day}T12:00:00Z"))
        .execute(app.db.pool())
        .await
        .unwrap();
}

const OFF: (i64, i64) = (0, 10_000);
const RADIO: (i64, i64) = (10_000, 20_000);
const EXIT: (i64, i64) = (20_000, 30_000);
const CAKE: (i64, i64) = (0, 40_000);
const DANCE: (i64, i64) = (40_000, 90_000);

/// A drive in January, half a minute long, and a party in February, in Korean as far as anybody knows.
async fn library(app: &App, owner: &Person) {
    let drive = said(
        app,
        owner,
        "Drive",
        &[
            (OFF.0, OFF.1, "good morning and off we go"),
            (RADIO.0, RADIO.1, "there is music on the radio"),
            (EXIT.0, EXIT.1, ""),
        ],
    )
    .await;
    let party = said(
        app,
        owner,
        "Party",
        &[(CAKE.0, CAKE.1, "happy birthday to you"), (DANCE.0, DANCE.1, "turn the music down")],
    )
    .await;
    made_on(app, drive, "2026-01-15").await;
    made_on(app, party, "2026-02-10").await;
    sqlx::query("UPDATE runs SET language = 'ko (assumed)' WHERE video_id = $1")
        .bind(party)
        .execute(app.db.pool())
        .await
        .unwrap();
    owner.patch(&format!("/videos/{party}"), json!({ "tags": ["Family"] })).await.assert_status(200);
    for (scene, name) in [(OFF, "car"), (RADIO, "car"), (RADIO, "night")] {
        tag(app, drive, scene, name).await;
    }
    written(app, owner, drive, scene_of(drive, EXIT.0, EXIT.1), (23_000, 25_000), "EXIT 42 %").await;
    written(app, owner, party, scene_of(party, DANCE.0, DANCE.1), (41_000, 60_000), "Exit through the gift shop").await;
    person(app, owner, "Minji", &[(drive, OFF.0, OFF.1), (party, CAKE.0, CAKE.1)]).await;
    person(app, owner, "Ben", &[(party, CAKE.0, CAKE.1)]).await;
}

#[tokio::test]
async fn operators_alone_list_what_passes_the_newest_video_first() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    library(&app, &ann).await;
    let (drive, party) = (vec!["Drive 0", "Drive 10", "Drive 20"], vec!["Party 0", "Party 40"]);
    for (query, scenes) in [
        ("tag:car", vec!["Drive 0", "Drive 10"]),
        ("tag:car TAG:\"Night\"", vec!["Drive 10"]),
        ("tag:family", party.clone()),
        ("person:minji", vec!["Party 0", "Drive 0"]),
        ("person:min", vec!["Party 0", "Drive 0"]),
        ("person:Minji person:Ben", vec!["Party 0"]),
        ("text:exit", vec!["Party 40", "Drive 20"]),
        ("text:\"42 %\"", vec!["Drive 20"]),
        ("text:exit text:gift", vec!["Party 40"]),
        ("said:music", vec!["Party 40", "Drive 10"]),
        ("said:radios", vec!["Drive 10"]),
        ("said:\"good morning\"", vec!["Drive 0"]),
        ("said:\"morning good\"", vec![]),
        ("title:RIV", drive.clone()),
        ("after:2026-02", party.clone()),
        ("before:2026-02-01", drive.clone()),
        ("after:2026-01-15 before:2026-01-16", drive.clone()),
        ("after:2026 before:2026", vec![]),
        ("duration:<60", drive.clone()),
        ("duration:<30s", vec![]),
        ("duration:30..30", drive.clone()),
        ("duration:>1m", party.clone()),
        ("lang:KO", party.clone()),
        ("lang:ko lang:en", vec![]),
        // Left out.
        ("tag:car -tag:night", vec!["Drive 0"]),
        ("-person:minji", vec!["Party 40", "Drive 10", "Drive 20"]),
        ("-text:exit", vec!["Party 0", "Drive 0", "Drive 10"]),
        ("-music", vec!["Party 0", "Drive 0", "Drive 20"]),
        ("-\"good morning\" -said:music", vec!["Party 0", "Drive 20"]),
        ("-title:party", drive.clone()),
        ("-after:2026-02", drive.clone()),
        ("-before:2026-02", party.clone()),
        ("-duration:<60", party.clone()),
        ("-lang:ko", drive.clone()),
    ] {
        assert_eq!(found(&ask(&ann, query).await), scenes, "{query}");
    }
    // Together with the filters of the request.
    let body = json!({ "query": "said:music", "filters": { "languages": ["en"] } });
    assert_eq!(found(&ann.post("/search", body).await.assert_status(200).body), ["Drive 10"]);
}

#[tokio::test]
async fn somebody_is_found_by_their_family_name_and_by_a_name_that_is_misspelt() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    let video = said(&app, &ann, "Interview", &[(0, 10_000, ""), (10_000, 20_000, ""), (20_000, 30_000, "")]).await;
    person(&app, &ann, "Theo Marsh", &[(video, 20_000, 30_000)]).await;
    person(&app, &ann, "Eileen Collins", &[(video, 0, 10_000)]).await;
    person(&app, &ann, "Colin Firth", &[(video, 10_000, 20_000)]).await;
    let (eileen, colin) = (vec!["Interview 0"], vec!["Interview 10"]);
    for (query, scenes) in [
        ("person:collins", &eileen),
        ("person:\"colin firth\"", &colin),
        ("person:fir", &colin),
        ("Elieen Colins", &eileen),
        ("eileen colins in the orange suit", &eileen),
    ] {
        assert_eq!(found(&ask(&ann, query).await), *scenes, "{query}");
    }
    // A part of a word is no name's beginning.
    let nobody = ann.post("/search", json!({ "query": "person:irth" })).await.assert_status(200).body.clone();
    assert_eq!(found(&nobody), [""; 0]);
    for query in ["a collie in a tub", "new running shoes for the marathon"] {
        assert_eq!(found(&ask(&ann, query).await), [""; 0], "{query}");
    }
}

#[tokio::test]
async fn words_beside_operators_are_looked_for_in_what_passes() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    library(&app, &ann).await;
    for (query, scenes) in [
        ("music tag:car", vec!["Drive 10"]),
        ("tag:car music", vec!["Drive 10"]),
        ("music -radio", vec!["Party 40"]),
        ("music -title:party", vec!["Drive 10"]),
        ("\"happy birthday\" person:ben person:minji", vec!["Party 0"]),
        ("birthday -person:ben", vec![]),
        ("gift after:2026-02 said:music", vec!["Party 40"]),
    ] {
        assert_eq!(found(&ask(&ann, query).await), scenes, "{query}");
    }
    // What looks like an operator and is none, or is in quotes, is text.
    for query in ["http://music", "note: music", "\"tag:\" music"] {
        assert_eq!(ask(&ann, query).await["parsed"]["operators"], json!([]), "{query}");
    }
}

#[tokio::test]
async fn the_player_jumps_to_the_text_or_the_word_that_was_asked_for() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    library(&app, &ann).await;
    let times = async |query: &str| {
        ask(&ann, query).await["items"].as_array().unwrap().iter().map(|hit| hit["at_ms"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(times("text:exit").await, [json!(41_000), json!(23_000)]);
    // The third of four words in fifty seconds, the third of six in ten.
    assert_eq!(times("said:music").await, [json!(40_000 + 2 * 12_500), json!(10_000 + 2 * 1666)]);
    assert_eq!(times("said:music text:exit").await, [json!(41_000)]);
    assert_eq!(times("tag:night").await, [json!(10_000)]);
    let hit = ask(&ann, "said:music tag:car").await["items"][0].clone();
    assert_eq!(hit["highlights"], json!([{ "start": 9, "end": 14 }]));
    assert_eq!((&hit["matches"][0]["channel"], &hit["matches"][0]["rank"]), (&json!("filters"), &json!(1)));
}

#[tokio::test]
async fn the_answer_says_how_the_query_was_understood() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    library(&app, &ann).await;
    let answer = ask(&ann, " 🎬 music\tTAG:car   -person:\"Ben\" after:2026").await;
    assert_eq!(answer["query"], "🎬 music TAG:car -person:\"Ben\" after:2026");
    assert_eq!(
        answer["parsed"],
        json!({
            "text": "🎬 music tag:car -person:Ben after:2026-01-01",
            "free": "🎬 music",
            "operators": [
                { "key": "tag", "value": "car", "excluded": false, "column": 10, "column_end": 17 },
                { "key": "person", "value": "Ben", "excluded": true, "column": 20, "column_end": 33 },
                { "key": "after", "value": "2026-01-01", "excluded": false, "column": 34, "column_end": 44 },
            ],
        })
    );
    assert_eq!((found(&answer), &answer["notes"]), (vec!["Drive 10".to_owned()], &json!([])));
    // The canonical text asks for the same.
    let again = ask(&ann, answer["parsed"]["text"].as_str().unwrap()).await;
    assert_eq!((found(&again), &again["parsed"]["text"]), (found(&answer), &answer["parsed"]["text"]));
    // Operators alone have no channels but one report.
    let answer = ask(&ann, "tag:car").await;
    assert_eq!(
        (&answer["channels"][0]["channel"], &answer["channels"][0]["status"], &answer["channels"][0]["candidates"]),
        (&json!("filters"), &json!("ok"), &json!(2))
    );
}

#[tokio::test]
async fn a_name_that_nobody_has_is_a_note_and_no_error() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    library(&app, &ann).await;
    let answer = ask(&ann, "music person:Zoe person:Zoe").await;
    assert_eq!(found(&answer), Vec::<String>::new());
    let note = json!({ "code": "unknown_person", "value": "Zoe", "detail": "Nobody called \"Zoe\" is enrolled." });
    assert_eq!(answer["notes"], json!([note]));
    let answer = ask(&ann, "tag:spaceship").await;
    assert_eq!((found(&answer), &answer["notes"][0]["code"]), (vec![], &json!("unknown_tag")));
    // Nobody can be left out, and is.
    let answer = ask(&ann, "-person:Zoe -tag:spaceship tag:night").await;
    assert_eq!((found(&answer).len(), answer["notes"].as_array().unwrap().len()), (1, 2));
    // Operators all hold.
    let answer = ask(&ann, "tag:car or tag:night").await;
    assert_eq!((found(&answer), &answer["notes"][0]["code"]), (vec!["Drive 10".to_owned()], &json!("stray_or")));

    let without = App::start().await;
    let ben = without.user("ben").await;
    said(&without, &ben, "Rain", &[(0, 4000, "it was raining")]).await;
    let answer = ask(&ben, "person:Minji").await;
    assert_eq!((found(&answer), &answer["notes"][0]["code"]), (vec![], &json!("people_off")));
}

#[tokio::test]
async fn a_mistake_is_shown_with_its_columns() {
    let app = App::with_faces().await;
    let ann = app.user("ann").await;
    let (operators, paste) = ("tag:a ".repeat(500), "x".repeat(10_240));
    for (query, code, column, column_end) in [
        ("tag:", "empty_value", 1, 5),
        ("💃 tag: car", "empty_value", 3, 7),
        ("비 오는 날 duration:short", "invalid_duration", 17, 22),
        ("rain after:2026-13", "invalid_date", 12, 19),
        ("rain -before:\"last week\"", "invalid_date", 14, 25),
        ("lang:korean", "invalid_language", 6, 12),
        ("said:!", "invalid_value", 6, 7),
        (operators.trim_end(), "too_long", 1001, 3000),
        (&operators[..600], "too_many_operators", 193, 198),
        (paste.as_str(), "too_long", 1001, 10_241),
    ] {
        let reply: Reply = ann.post("/search", json!({ "query": query })).await;
        reply.assert_problem(400, "invalid_request");
        let error = &reply.body["errors"][0];
        assert_eq!((&error["field"], &error["code"]), (&json!("query"), &json!(code)), "{}", reply.text);
        assert_eq!(
            (&reply.body["column"], &reply.body["column_end"]),
            (&json!(column), &json!(column_end)),
            "{}",
            reply.text
        );
    }
    // A mistake is not counted and not remembered.
    let searches: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM search_log) + (SELECT count(*) FROM quota_usage WHERE kind = 'searches')",
    )
    .fetch_one(app.db.pool())
    .await
    .unwrap();
    assert_eq!(searches, 0);
}

#[tokio::test]
async fn pages_of_a_list_neither_repeat_nor_skip_whatever_happens_meanwhile() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    let scenes: Vec<(i64, i64, &str)> = (0..10).map(|n| (n * 1000, n * 1000 + 1000, "rain")).collect();
    said(&app, &ann, "Rain in spring", &scenes).await;
    said(&app, &ann, "Rain in summer", &scenes).await;
    let newest = said(&app, &ann, "Rain in autumn", &scenes).await;
    let (mut listed, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let body = json!({ "query": "title:rain -title:winter", "limit": 7, "per_video": 1, "cursor": cursor });
        let page = ann.post("/search", body).await.assert_status(200).body.clone();
        listed.extend(found(&page));
        cursor = page["next_cursor"].clone();
        pages += 1;
        if pages == 1 {
            // The scene at which the page ended goes, and a video comes that was not there when the list was asked for.
            ann.delete(&format!("/videos/{newest}")).await.assert_status(204);
            said(&app, &ann, "Rain at last", &scenes).await;
        }
        if cursor.is_null() {
            break;
        }
    }
    let wanted = [("Rain in autumn", 7), ("Rain in summer", 10), ("Rain in spring", 10)];
    let wanted: Vec<String> =
        wanted.into_iter().flat_map(|(title, scenes)| (0..scenes).map(move |n| format!("{title} {n}"))).collect();
    assert_eq!((listed, pages), (wanted, 4));
    // A cursor belongs to its query.
    let first = ann.post("/search", json!({ "query": "title:rain", "limit": 7 })).await.body;
    let body = json!({ "query": "title:rain tag:a", "cursor": first["next_cursor"] });
    ann.post("/search", body).await.assert_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn another_persons_people_tags_and_texts_never_match() {
    let app = App::with_faces().await;
    let (ann, ben) = (app.enterprise("ann").await, app.enterprise("ben").await);
    library(&app, &ann).await;
    let queries = [
        "person:minji",
        "tag:car",
        "tag:family",
        "text:exit",
        "said:music",
        "title:drive",
        "-nothing",
        "-person:minji",
        "-tag:car",
        "duration:>0",
        "after:2026",
        "music -radio",
    ];
    for query in queries {
        let answer = ask(&ben, query).await;
        assert_eq!(answer["items"], json!([]), "{query}");
        let knows = answer["notes"].as_array().unwrap().is_empty();
        assert_eq!(knows, !query.contains("person:") && !query.contains("tag:"), "{query}");
    }
    // His own Minji is somebody else.
    let video = said(&app, &ben, "Office", &[(0, 4000, "no music here")]).await;
    tag(&app, video, (0, 4000), "desk").await;
    person(&app, &ben, "Minji", &[(video, 0, 4000)]).await;
    for query in ["person:minji", "said:music", "-text:exit", "-nothing", "music -radio"] {
        assert_eq!(found(&ask(&ben, query).await), ["Office 0"], "{query}");
    }
    assert_eq!(found(&ask(&ben, "tag:car").await), Vec::<String>::new());
    assert_eq!(found(&ask(&ann, "person:minji").await), ["Party 0", "Drive 0"]);
}

#[tokio::test]
async fn whatever_is_asked_there_is_an_answer_or_a_mistake_of_the_query() {
    let app = App::with_faces().await;
    let ann = app.enterprise("ann").await;
    library(&app, &ann).await;
    let values = [
        "%",
        "_",
        "\\",
        "'; DROP TABLE videos; --",
        "\u{0}",
        "a\u{0}b",
        "\u{1b}[31m",
        "\u{202e}الموسيقى\u{202c}",
        "🎬👨‍👩‍👧",
        "음악",
        "音乐",
        ":*",
        "a & !b | (",
        "<->",
        "$1",
        "{}",
        "\u{e000}x\u{e001}",
        "\u{feff}",
        "-",
    ];
    let keys = ["person", "tag", "text", "said", "title", "after", "duration", "lang"];
    let quoted =
        keys.iter().flat_map(|key| values.iter().map(move |value| format!("-{key}:\"{value}\" {key}:\"{value}\"")));
    let long = "x".repeat(980);
    let others = [
        "tag:car ".repeat(32),
        "tag:car ".repeat(500),
        (0..32).map(|n| format!("-text:a{n} ")).collect(),
        format!("rain {}", "-person:min ".repeat(31)),
        "\"".repeat(1000),
        "-".repeat(1000),
        ":".repeat(1000),
        "tag:car".repeat(140),
        format!("said:{long}"),
        format!("person:\"{long}"),
        "x".repeat(10_240),
        "tag:car \"the rest of it".to_owned(),
        "said:\"music".to_owned(),
        "after:0000 before:9999-12-31".to_owned(),
        "duration:<0 duration:>=999999999.999".to_owned(),
        "or tag:car or".to_owned(),
    ];
    for query in quoted.chain(others) {
        let reply = ann.post("/search", json!({ "query": query })).await;
        assert!(matches!(reply.status, 200 | 400), "{query:?}: {}", reply.text);
    }
    assert_eq!(found(&ask(&ann, "-nothing").await).len(), 5);
}
