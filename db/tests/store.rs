//! Object storage that does not answer, or says that it has too much to do, is waited for: no call takes that for a refusal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::path::Path;

use heimdex_db::store::{S3Config, Store, StoreError, StoredPart};
use heimdex_testing::{TestS3, Wire};

/// A store behind a wire.
async fn wired() -> (TestS3, Wire, Store) {
    let s3 = TestS3::start().await.unwrap();
    let wire = Wire::to(s3.endpoint().trim_start_matches("http://").to_owned()).await;
    let endpoint: url::Url = format!("http://127.0.0.1:{}", wire.port()).parse().unwrap();
    let store = Store::new(&S3Config { endpoint: endpoint.clone(), public_endpoint: endpoint, ..s3.config() });
    (s3, wire, store)
}

/// Every kind of call, and whether it says that waiting may help.
async fn assert_away(store: &Store, state: &str) {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    // Nothing gets there.
    let target = Path::new("/nowhere/target");
    let keys = ["k".to_owned()];
    let part = StoredPart { part_number: 1, etag: "\"e\"".into(), size_bytes: 4 };
    // Side by side, since each is tried three times; boxed, since a call of S3 is a large future.
    let (put, put_file, get, get_file, head, list, delete, delete_keys, delete_prefix, open, done, abort, bucket) = tokio::join!(
        Box::pin(store.put_bytes("k", b"rain".to_vec(), "text/plain")),
        Box::pin(store.put_file("k", file, "text/plain")),
        Box::pin(store.get_bytes("k", 10)),
        Box::pin(store.get_file("k", target, 10)),
        Box::pin(store.head("k")),
        Box::pin(store.list("")),
        Box::pin(store.delete("k")),
        Box::pin(store.delete_keys(&keys)),
        Box::pin(store.delete_prefix("k")),
        Box::pin(store.create_multipart("k", "text/plain")),
        Box::pin(store.complete_multipart("k", "u", std::slice::from_ref(&part))),
        Box::pin(store.abort_multipart("k", "u")),
        Box::pin(store.ensure_bucket()),
    );
    let answers: [(&str, Option<StoreError>); 13] = [
        ("put_bytes", put.err()),
        ("put_file", put_file.err()),
        ("get_bytes", get.err()),
        ("get_file", get_file.err()),
        ("head", head.err()),
        ("list", list.err()),
        ("delete", delete.err()),
        ("delete_keys", delete_keys.err()),
        ("delete_prefix", delete_prefix.err()),
        ("create_multipart", open.err()),
        ("complete_multipart", done.err()),
        ("abort_multipart", abort.err()),
        ("ensure_bucket", bucket.err()),
    ];
    for (call, error) in answers {
        assert!(error.as_ref().is_some_and(StoreError::is_outage), "{state}: {call}: {error:?}");
    }
}

#[tokio::test]
async fn a_storage_that_is_away_or_has_too_much_to_do_is_waited_for() {
    let (_s3, wire, store) = wired().await;
    store.put_bytes("k", b"rain".to_vec(), "text/plain").await.unwrap();
    wire.busy();
    assert_away(&store, "busy").await;
    wire.cut();
    assert_away(&store, "cut").await;
    wire.mend();
    assert_eq!(store.get_bytes("k", 10).await.unwrap(), b"rain", "and nothing was lost");
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_no_outage() {
    let (s3, wire, store) = wired().await;
    assert_eq!(store.head("nothing").await.unwrap(), None);
    assert!(matches!(store.get_bytes("nothing", 10).await, Err(StoreError::NotFound(_))));
    let endpoint: url::Url = format!("http://127.0.0.1:{}", wire.port()).parse().unwrap();
    let stranger = Store::new(&S3Config {
        endpoint: endpoint.clone(),
        public_endpoint: endpoint,
        secret_access_key: "guessed".to_owned().into(),
        ..s3.config()
    });
    for error in [stranger.head("k").await.unwrap_err(), stranger.get_bytes("k", 10).await.unwrap_err()] {
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    }
}
