//! The door: who is let in, what a browser is told, what a slow or greedy client gets.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use heimdex_s3_server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::server::{BUCKET, client, code, minutes, server, server_with};

#[tokio::test]
async fn only_the_key_pair_opens_anything() {
    let server = server().await;
    server.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let anonymous = reqwest::get(format!("{}/{BUCKET}/k", server.endpoint)).await.unwrap();
    assert_eq!(anonymous.status(), 403);
    let wrong = client(&server.endpoint, "ann", "guess");
    assert_eq!(code(wrong.get_object().bucket(BUCKET).key("k").send().await), "SignatureDoesNotMatch");

    let yesterday = std::time::SystemTime::now() - Duration::from_secs(86_400);
    let expired =
        PresigningConfig::builder().start_time(yesterday).expires_in(Duration::from_secs(60)).build().unwrap();
    let url = server.s3.get_object().bucket(BUCKET).key("k").presigned(expired).await.unwrap();
    assert_eq!(reqwest::get(url.uri()).await.unwrap().status(), 403);
    let url = server.s3.get_object().bucket(BUCKET).key("k").presigned(minutes(5)).await.unwrap();
    assert_eq!(reqwest::get(url.uri()).await.unwrap().status(), 200);
    let for_another_key = url.uri().replace("/k?", "/l?");
    assert_eq!(reqwest::get(for_another_key).await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_browser_is_told_what_it_may_send() {
    let server = server().await;
    let ask = |origin: &'static str| {
        reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, format!("{}/{BUCKET}/k", server.endpoint))
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type")
            .send()
    };
    let allowed = ask("https://app.example").await.unwrap();
    assert_eq!(allowed.status(), 200);
    assert_eq!(allowed.headers()["access-control-allow-origin"], "https://app.example");
    assert!(allowed.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    assert!(!ask("https://evil.example").await.unwrap().headers().contains_key("access-control-allow-origin"));
    assert_eq!(reqwest::get(format!("{}/.heimdex/live", server.endpoint)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_client_that_dawdles_is_cut_off_and_leaves_nothing() {
    let limits = Limits {
        header_timeout: Duration::from_millis(200),
        body_idle_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = server_with(limits).await;
    let address = server.endpoint.trim_start_matches("http://").to_owned();

    let mut headers = tokio::net::TcpStream::connect(&address).await.unwrap();
    headers.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut answer = Vec::new();
    headers.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));

    let url = server.s3.put_object().bucket(BUCKET).key("slow").presigned(minutes(5)).await.unwrap();
    let path = url.uri().strip_prefix(&server.endpoint).unwrap();
    let mut body = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000\r\n\r\nten bytes!");
    body.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    body.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(code(server.s3.head_object().bucket(BUCKET).key("slow").send().await), "NotFound");
    assert_eq!(std::fs::read_dir(server.folder.path().join("drafts")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let server = server_with(Limits { max_put_bytes: 1000, ..Limits::default() }).await;
    let put = server.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from(vec![0; 1001])).send().await;
    assert_eq!(code(put), "EntityTooLarge");
    server.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from(vec![0; 1000])).send().await.unwrap();
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let server = server().await;
    // The first server has bound its port, but may still be opening the folder.
    server.s3.head_bucket().bucket(BUCKET).send().await.unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let config = heimdex_s3_server::Config {
        root: server.folder.path().to_owned(),
        access_key_id: "a".to_owned(),
        secret_access_key: "b".to_owned(),
        bucket: BUCKET.to_owned(),
        cors_origins: heimdex_s3_server::CorsOrigins::Any,
        durable: false,
        limits: Limits::default(),
    };
    let second = heimdex_s3_server::serve(listener, config, std::future::pending()).await;
    assert!(second.unwrap_err().to_string().contains("served by another process"));
}
