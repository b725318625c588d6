//! Uploads in parts: in any order, any part again, and finished only with what was really stored.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::server::{BUCKET, Server, bytes, code, minutes, server};

const PART_BYTES: usize = 5 << 20;

async fn begin(server: &Server, key: &str) -> String {
    let begun =
        server.s3.create_multipart_upload().bucket(BUCKET).key(key).content_type("video/mp4").send().await.unwrap();
    begun.upload_id().unwrap().to_owned()
}

async fn send_part(server: &Server, key: &str, id: &str, number: i32, body: Vec<u8>) -> String {
    let part = server.s3.upload_part().bucket(BUCKET).key(key).upload_id(id).part_number(number);
    part.body(ByteStream::from(body)).send().await.unwrap().e_tag().unwrap().to_owned()
}

fn named(parts: &[(i32, &str)]) -> CompletedMultipartUpload {
    let parts = parts.iter().map(|(number, etag)| CompletedPart::builder().part_number(*number).e_tag(*etag).build());
    CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build()
}

#[tokio::test]
async fn parts_come_in_any_order_and_one_twice() {
    let server = server().await;
    let id = begin(&server, "v/source").await;
    let last = send_part(&server, "v/source", &id, 3, bytes(1000, 3)).await;
    send_part(&server, "v/source", &id, 1, bytes(PART_BYTES, 99)).await;
    let second = send_part(&server, "v/source", &id, 2, bytes(PART_BYTES, 2)).await;
    let first = send_part(&server, "v/source", &id, 1, bytes(PART_BYTES, 1)).await;

    let listed = server.s3.list_parts().bucket(BUCKET).key("v/source").upload_id(&id).send().await.unwrap();
    let seen: Vec<_> =
        listed.parts().iter().map(|p| (p.part_number().unwrap(), p.e_tag().unwrap(), p.size().unwrap())).collect();
    assert_eq!(seen, [(1, &*first, PART_BYTES as i64), (2, &*second, PART_BYTES as i64), (3, &*last, 1000)]);
    let page = server.s3.list_parts().bucket(BUCKET).key("v/source").upload_id(&id).max_parts(2).send().await.unwrap();
    assert_eq!((page.parts().len(), page.is_truncated(), page.next_part_number_marker()), (2, Some(true), Some("2")));

    let uploads = server.s3.list_multipart_uploads().bucket(BUCKET).prefix("v/").send().await.unwrap();
    assert_eq!(uploads.uploads()[0].upload_id(), Some(&*id));
    assert_eq!(uploads.uploads()[0].key(), Some("v/source"));

    let complete = |parts| {
        server.s3.complete_multipart_upload().bucket(BUCKET).key("v/source").upload_id(&id).multipart_upload(parts)
    };
    let done = complete(named(&[(1, &first), (2, &second), (3, &last)])).send().await.unwrap();
    assert!(done.e_tag().unwrap().trim_matches('"').ends_with("-3"));
    let got = server.s3.get_object().bucket(BUCKET).key("v/source").send().await.unwrap();
    assert_eq!(got.content_type(), Some("video/mp4"));
    let whole = [bytes(PART_BYTES, 1), bytes(PART_BYTES, 2), bytes(1000, 3)].concat();
    assert!(got.body.collect().await.unwrap().to_vec() == whole);

    assert_eq!(code(complete(named(&[(1, &first)])).send().await), "NoSuchUpload");
    assert!(server.s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap().uploads().is_empty());
    assert_eq!(std::fs::read_dir(server.folder.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn finishing_with_parts_that_are_not_there_finishes_nothing() {
    let server = server().await;
    let id = begin(&server, "k").await;
    let first = send_part(&server, "k", &id, 1, bytes(PART_BYTES, 1)).await;
    let small = send_part(&server, "k", &id, 2, bytes(10, 2)).await;
    let last = send_part(&server, "k", &id, 3, bytes(10, 3)).await;
    let complete = |parts| {
        server.s3.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(&id).multipart_upload(parts).send()
    };

    assert_eq!(code(complete(named(&[(1, &last)])).await), "InvalidPart");
    assert_eq!(code(complete(named(&[(1, &first), (4, &last)])).await), "InvalidPart");
    assert_eq!(code(complete(named(&[(3, &last), (1, &first)])).await), "InvalidPartOrder");
    assert_eq!(code(complete(named(&[(1, &first), (2, &small), (3, &last)])).await), "EntityTooSmall");
    assert_eq!(code(server.s3.head_object().bucket(BUCKET).key("k").send().await), "NotFound");
    complete(named(&[(1, &first), (3, &last)])).await.unwrap();
    let head = server.s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.content_length(), Some(PART_BYTES as i64 + 10));
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let server = server().await;
    let id = begin(&server, "k").await;
    send_part(&server, "k", &id, 1, bytes(100, 1)).await;
    let abort = || server.s3.abort_multipart_upload().bucket(BUCKET).key("k").upload_id(&id).send();
    abort().await.unwrap();
    assert_eq!(code(abort().await), "NoSuchUpload");
    let late = server.s3.upload_part().bucket(BUCKET).key("k").upload_id(&id).part_number(2);
    assert_eq!(code(late.body(ByteStream::from_static(b"x")).send().await), "NoSuchUpload");
    assert_eq!(std::fs::read_dir(server.folder.path().join("uploads")).unwrap().count(), 0);
    let of_other_key = begin(&server, "other").await;
    let abort = server.s3.abort_multipart_upload().bucket(BUCKET).key("k").upload_id(of_other_key).send().await;
    assert_eq!(code(abort), "NoSuchUpload");
}

#[tokio::test]
async fn a_browser_sends_parts_with_presigned_urls() {
    let server = server().await;
    let id = begin(&server, "k").await;
    let part = server.s3.upload_part().bucket(BUCKET).key("k").upload_id(&id).part_number(1);
    let url = part.presigned(minutes(5)).await.unwrap();
    let put = reqwest::Client::new().put(url.uri()).header("origin", "https://app.example").body(bytes(500, 1));
    let put = put.send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert!(put.headers()["access-control-expose-headers"].to_str().unwrap().contains("etag"));
    let etag = put.headers()["etag"].to_str().unwrap().to_owned();
    let complete = server.s3.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(&id);
    complete.multipart_upload(named(&[(1, &etag)])).send().await.unwrap();
    let url = server.s3.get_object().bucket(BUCKET).key("k").presigned(minutes(5)).await.unwrap();
    let got = reqwest::Client::new().get(url.uri()).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!(got.status(), 206);
    assert_eq!(got.headers()["content-range"], "bytes 10-19/500");
    assert_eq!(got.headers()["accept-ranges"], "bytes");
    assert_eq!(got.bytes().await.unwrap().to_vec(), bytes(500, 1)[10..20]);
}
