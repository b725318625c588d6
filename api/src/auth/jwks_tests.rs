//! A project's key endpoint on its bad days.

use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::State as Shared,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::*;

#[derive(Clone, Debug)]
enum Answer {
    Keys(Vec<&'static str>),
    Empty,
    Huge,
    Endless,
    Redirect,
    Error,
    NotJson,
    NotAKeySet,
    /// Until it is told to go on.
    Hangs,
}

struct Project {
    answer: StdMutex<Answer>,
    asked: AtomicUsize,
    go_on: Notify,
}

impl Project {
    fn says(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Two Ed25519 keys (RFC 8037, appendix A, and one more).
fn jwk(kid: &str) -> Value {
    let x = match kid {
        "b" => "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
        _ => "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    };
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x, "use": "sig", "alg": "EdDSA" })
}

async fn answer(Shared(project): Shared<Arc<Project>>) -> Response {
    project.asked.fetch_add(1, Ordering::SeqCst);
    let answer = project.answer.lock().unwrap().clone();
    let keys = |kids: &[&str]| axum::Json(json!({ "keys": kids.iter().map(|kid| jwk(kid)).collect::<Vec<_>>() }));
    match answer {
        Answer::Keys(kids) => keys(&kids).into_response(),
        Answer::Empty => keys(&[]).into_response(),
        Answer::Huge => format!("{{\"keys\":[],\"x\":\"{}\"}}", "y".repeat(MAX_BYTES)).into_response(),
        Answer::Endless => {
            Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>("y".repeat(64 << 10))))
                .into_response()
        }
        // To a set with the attacker's key.
        Answer::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/evil")]).into_response(),
        Answer::Error => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::NotJson => "<html>".into_response(),
        Answer::NotAKeySet => axum::Json(json!({ "keys": { "a": 1 } })).into_response(),
        Answer::Hangs => {
            project.go_on.notified().await;
            keys(&["a", "b"]).into_response()
        }
    }
}

/// No pauses between fetches, and nothing stays fresh: every look may fetch.
const RESTLESS: Timing = Timing {
    fresh: Duration::ZERO,
    stale_at_most: Duration::from_secs(3600),
    between_fetches: Duration::ZERO,
    between_first_fetches: Duration::ZERO,
    deadline: Duration::from_secs(30),
};

async fn project(first: Answer, timing: Timing) -> (Arc<Project>, Arc<Jwks>) {
    let project = Arc::new(Project { answer: StdMutex::new(first), asked: AtomicUsize::new(0), go_on: Notify::new() });
    let router = Router::new()
        .route("/jwks", get(answer))
        .route("/evil", get(async || axum::Json(json!({ "keys": [jwk("evil")] }))))
        .with_state(Arc::clone(&project));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (project, Arc::new(Jwks::new(url, timing).unwrap()))
}

#[tokio::test]
async fn a_bad_answer_neither_empties_the_set_nor_lasts() {
    let bad = [
        Answer::Empty,
        Answer::Huge,
        Answer::Endless,
        Answer::Redirect,
        Answer::Error,
        Answer::NotJson,
        Answer::NotAKeySet,
    ];
    for bad in bad {
        let (project, jwks) = project(Answer::Keys(vec!["a"]), RESTLESS).await;
        let mark = jwks.find("a").await.unwrap().unwrap().mark;
        project.says(bad.clone());
        // An unknown id waits for the fetch, which brings nothing; it is still only unknown.
        for kid in ["b", "evil"] {
            assert!(jwks.find(kid).await.unwrap().is_none(), "{bad:?}");
        }
        assert!(jwks.find("a").await.unwrap().is_some() && jwks.still_has(&mark), "{bad:?}");
        project.says(Answer::Keys(vec!["a", "b"]));
        assert!(jwks.find("b").await.unwrap().is_some(), "after {bad:?}");
    }
}

#[tokio::test]
async fn a_hanging_endpoint_keeps_nobody_with_a_known_key_waiting() {
    let (project, jwks) = project(Answer::Keys(vec!["a"]), RESTLESS).await;
    let mark = jwks.find("a").await.unwrap().unwrap().mark;
    project.says(Answer::Hangs);
    let unknown = tokio::spawn({
        let jwks = Arc::clone(&jwks);
        async move { jwks.find("b").await }
    });
    while project.asked() < 2 {
        tokio::task::yield_now().await;
    }
    // Whatever hangs, these answer: the test would not end otherwise.
    for _ in 0..100 {
        assert!(jwks.find("a").await.unwrap().is_some() && jwks.still_has(&mark));
    }
    assert_eq!(project.asked(), 2, "one fetch at a time");
    project.says(Answer::Keys(vec!["a", "b"]));
    project.go_on.notify_one();
    assert!(unknown.await.unwrap().unwrap().is_some(), "who waited gets the new key");
}

#[tokio::test]
async fn a_dead_endpoint_is_waited_for_only_as_long_as_the_deadline() {
    let timing = Timing { deadline: Duration::from_millis(50), ..RESTLESS };
    let (project, jwks) = project(Answer::Keys(vec!["a"]), timing).await;
    jwks.find("a").await.unwrap().unwrap();
    project.says(Answer::Hangs);
    assert!(jwks.find("b").await.unwrap().is_none());
    assert!(jwks.find("a").await.unwrap().is_some());
    // Nothing listens any more.
    let nowhere = Arc::new(Jwks::new("http://127.0.0.1:1/jwks".parse().unwrap(), timing).unwrap());
    assert!(matches!(nowhere.find("a").await, Err(Unavailable::Unreachable)));
}

#[tokio::test]
async fn random_key_ids_fetch_once() {
    let patient = Timing { fresh: Duration::from_secs(600), between_fetches: Duration::from_secs(600), ..RESTLESS };
    let (project, jwks) = project(Answer::Keys(vec!["a"]), patient).await;
    let all = futures::future::join_all((0..200).map(|n| {
        let jwks = Arc::clone(&jwks);
        async move { jwks.find(&format!("random-{n}")).await }
    }))
    .await;
    assert!(all.iter().all(|found| matches!(found, Ok(None))));
    for _ in 0..50 {
        assert!(jwks.find("another").await.unwrap().is_none() && jwks.find("a").await.unwrap().is_some());
    }
    assert_eq!(project.asked(), 1);
}

#[tokio::test]
async fn a_revoked_key_stops_counting_and_so_does_another_key_of_its_name() {
    let (project, jwks) = project(Answer::Keys(vec!["a", "b"]), RESTLESS).await;
    let a = jwks.find("a").await.unwrap().unwrap().mark;
    let b = jwks.find("b").await.unwrap().unwrap().mark;
    project.says(Answer::Keys(vec!["b"]));
    assert!(jwks.find("wait for the fetch").await.unwrap().is_none());
    assert!(!jwks.still_has(&a) && jwks.still_has(&b));
    assert!(jwks.find("a").await.unwrap().is_none());
    // The same name over other bytes.
    let mut other = jwk("a");
    other["kid"] = json!("b");
    let renamed = KeySet::from_jwks(&serde_json::to_vec(&json!({ "keys": [other] })).unwrap()).unwrap();
    assert!(renamed.get("b").is_some() && !renamed.holds(&b));
}

#[tokio::test]
async fn stale_keys_are_believed_for_a_while_only() {
    let (project, jwks) = project(Answer::Keys(vec!["a"]), Timing { stale_at_most: Duration::ZERO, ..RESTLESS }).await;
    // Too old as soon as it is there.
    assert!(matches!(jwks.find("a").await, Err(Unavailable::Unreachable)));
    project.says(Answer::Error);
    assert!(matches!(jwks.find("a").await, Err(Unavailable::Unreachable)));
}

#[tokio::test]
async fn a_project_that_signs_with_its_secret_alone_is_told_from_one_that_is_away() {
    let (project, jwks) = project(Answer::Error, RESTLESS).await;
    assert!(matches!(jwks.find("a").await, Err(Unavailable::Unreachable)));
    project.says(Answer::Empty);
    assert!(matches!(jwks.find("a").await, Err(Unavailable::NoPublicKeys)));
    project.says(Answer::Keys(vec!["a"]));
    assert!(jwks.find("a").await.unwrap().is_some());
}
