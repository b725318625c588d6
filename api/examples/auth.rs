//! For `scripts/bench auth`.
//!
//! `auth serve-unchecked SUBJECT`: the API's own layers around `GET /users/me` with the same database reads, and no check of
//! any token: whose profile it is was said when it was started. It exists here only, in no program that is installed.
//!
//! `auth load URL TOKEN CONNECTIONS SECONDS`: asks for the URL over and over on kept connections and prints how often it was
//! answered with 200, as JSON. The same program loads everybody.

use std::{
    env,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use axum::{Json, Router, extract::State, routing::get};
use heimdex_api::{
    AppState,
    config::Config,
    error::{ApiError, Code},
    router,
    routes::users::Me,
    start,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The API's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve-unchecked", subject, session] => serve(subject.parse()?, session.parse()?).await,
        ["load", url, token, connections, seconds] => {
            load(url, token, connections.parse()?, Duration::from_secs(seconds.parse()?)).await
        }
        _ => bail!("usage: auth serve-unchecked SUBJECT SESSION | auth load URL TOKEN CONNECTIONS SECONDS"),
    }
}

/// Whose profile is shown.
#[derive(Clone, Copy)]
struct Shown {
    subject: Uuid,
    session: Uuid,
}

async fn serve(subject: Uuid, session: Uuid) -> anyhow::Result<()> {
    let config = Config::from_env()?;
    let listener = TcpListener::bind(config.bind).await?;
    let stopping = CancellationToken::new();
    let state = start::prepare(config, stopping.clone()).await?;
    let shown = Shown { subject, session };
    let app = Router::new().route("/users/me", get(async move |state: State<AppState>| me(state, shown).await));
    let app = router::dress(app, state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            let _ = tokio::signal::ctrl_c().await;
            stopping.cancel();
        })
        .await?;
    Ok(())
}

/// What `Caller` reads and `GET /users/me` answers.
async fn me(State(state): State<AppState>, shown: Shown) -> Result<Json<Me>, ApiError> {
    match state.callers.find((shown.subject, Some(shown.session))).await? {
        Some((user, true)) => Ok(Json(user.into())),
        _ => Err(ApiError::new(Code::NotFound)),
    }
}

async fn load(url: &str, token: &str, connections: usize, time: Duration) -> anyhow::Result<()> {
    let url: url::Url = url.parse()?;
    let host = format!("{}:{}", url.host_str().context("no host")?, url.port().context("no port")?);
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\naccept: application/json\r\n\r\n",
        url.path()
    );
    // Once aside: the first request makes connections and fills caches.
    one_connection(&host, &request, Instant::now() + Duration::from_millis(500)).await?;
    let began = Instant::now();
    let all = (0..connections).map(|_| {
        let (host, request) = (host.clone(), request.clone());
        tokio::spawn(async move { one_connection(&host, &request, began + time).await })
    });
    let mut latencies = Vec::new();
    for connection in all.collect::<Vec<_>>() {
        latencies.extend(connection.await??);
    }
    let wall_s = began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    ensure!(!latencies.is_empty(), "nothing was answered");
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 1000].as_secs_f64() * 1000.0;
    println!(
        "{{\"requests\":{},\"wall_s\":{wall_s},\"per_second\":{},\"p50_ms\":{},\"p99_ms\":{}}}",
        latencies.len(),
        latencies.len() as f64 / wall_s,
        at(500),
        at(990)
    );
    Ok(())
}

/// One request after the other until the time is over; how long each took.
async fn one_connection(host: &str, request: &str, until: Instant) -> anyhow::Result<Vec<Duration>> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.into_split();
    let (mut reading, mut head, mut took) = (BufReader::new(reading), Vec::new(), Vec::new());
    while Instant::now() < until {
        let sent = Instant::now();
        writing.write_all(request.as_bytes()).await?;
        let body = read_head(&mut reading, &mut head).await?;
        let mut body = reading.take(body);
        tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
        reading = body.into_inner();
        took.push(sent.elapsed());
    }
    Ok(took)
}

/// Reads up to the blank line, and returns the body's length. Everybody here answers with a Content-Length.
async fn read_head(reading: &mut (impl AsyncBufReadExt + Unpin), head: &mut Vec<u8>) -> anyhow::Result<u64> {
    head.clear();
    while !head.ends_with(b"\r\n\r\n") {
        let line = reading.read_until(b'\n', head).await?;
        ensure!(line > 0, "the connection was closed");
        ensure!(head.len() <= 16 << 10, "an endless head");
    }
    let text = std::str::from_utf8(head)?;
    ensure!(text.starts_with("HTTP/1.1 200"), "not answered with 200: {}", text.lines().next().unwrap_or_default());
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| name.eq_ignore_ascii_case("content-length").then_some(value))
        .context("no content-length")?;
    Ok(length.trim().parse()?)
}
