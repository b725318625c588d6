//! The S3 server when its disk is full: it says so, and nothing is there by half.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use heimdex_db::store::{S3Config, Store, StoreError};
use heimdex_testing::{Server, on_a_small_disk, program};

const MIB: usize = 1 << 20;

/// PUT by a client that looks for an answer only when it has said everything, as many do: it must not be cut off.
fn say_all_then_listen(url: &url::Url, body: &[u8]) -> String {
    let address = url.socket_addrs(|| None).unwrap()[0];
    let mut connection = TcpStream::connect(address).unwrap();
    let target = &url[url::Position::BeforePath..];
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = on_a_small_disk(&program("heimdex-s3").unwrap(), folder.path(), 16 << 20).await;
    let Some(command) = disk else { return };
    let root = folder.path().to_str().unwrap();
    let variables = [
        ("S3_ACCESS_KEY_ID", "ann"),
        ("S3_SECRET_ACCESS_KEY", "secret"),
        ("S3_BUCKET", "videos"),
        ("HEIMDEX_S3_BIND", "127.0.0.1:0"),
        ("HEIMDEX_S3_ROOT", root),
    ];
    let server = Server::start(command, &variables).await.unwrap();
    let endpoint: url::Url = format!("http://{}", server.address()).parse().unwrap();
    let store = Store::new(&S3Config {
        endpoint: endpoint.clone(),
        public_endpoint: endpoint,
        region: "us-east-1".into(),
        bucket: "videos".into(),
        access_key_id: "ann".into(),
        secret_access_key: "secret".to_owned().into(),
    });
    let is_full = |outcome: Result<(), StoreError>| outcome.unwrap_err().code() == Some("StorageFull");

    store.put_bytes("small", vec![1; 2 * MIB], "video/mp4").await.unwrap();
    assert!(is_full(store.put_bytes("large", vec![2; 20 * MIB], "video/mp4").await));
    assert_eq!(store.head("large").await.unwrap(), None);
    assert!(is_full(store.put_bytes("small", vec![3; 20 * MIB], "video/mp4").await));
    let kept = tempfile::NamedTempFile::new().unwrap();
    store.get_file("small", kept.path(), 4 << 20).await.unwrap();
    assert_eq!(std::fs::read(kept.path()).unwrap(), vec![1; 2 * MIB], "what was there stays");
    assert_eq!(store.list("").await.unwrap(), ["small"]);
    // What was refused has given its room back.
    store.put_bytes("other", vec![4; 2 * MIB], "video/mp4").await.unwrap();
    store.delete("other").await.unwrap();

    // Two parts fit, a copy of them does not: they stay, and can be put together when there is room.
    let upload = store.create_multipart("film", "video/mp4").await.unwrap();
    let http = reqwest::Client::new();
    for part in [1_i32, 2] {
        let bytes = vec![u8::try_from(part).unwrap(); 5 * MIB];
        let ttl = std::time::Duration::from_secs(60);
        let url = store.presign_part("film", &upload, part, 5 << 20, ttl).await.unwrap();
        let sent = http.put(url).body(bytes).send().await.unwrap();
        assert_eq!(sent.status(), 200);
    }
    let url = store.presign_part("film", &upload, 3, 5 << 20, std::time::Duration::from_secs(60)).await.unwrap();
    let answer = tokio::task::spawn_blocking(move || say_all_then_listen(&url, &vec![3; 5 * MIB])).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 507 "), "{answer}");
    let parts = store.list_parts("film", &upload).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.part_number).collect::<Vec<_>>(), [1, 2]);
    assert!(is_full(store.complete_multipart("film", &upload, &parts).await));
    assert_eq!(store.head("film").await.unwrap(), None);
    assert_eq!(store.list_parts("film", &upload).await.unwrap(), parts);
    store.abort_multipart("film", &upload).await.unwrap();
    store.put_bytes("afterwards", vec![5; 8 * MIB], "video/mp4").await.unwrap();
}
