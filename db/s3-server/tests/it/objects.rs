//! Objects: stored whole, read in ranges, listed in pages, kept apart.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::server::{BUCKET, bytes, code, server};

#[tokio::test]
async fn what_is_put_is_got_with_its_headers() {
    let server = server().await;
    let body = bytes(3_000_000, 1);
    let put = server
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("u/ä b/source.mp4")
        .content_type("video/mp4")
        .content_disposition("inline")
        .metadata("sha", "x1")
        .body(ByteStream::from(body.clone()))
        .send()
        .await
        .unwrap();
    let got = server.s3.get_object().bucket(BUCKET).key("u/ä b/source.mp4").send().await.unwrap();
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!(got.content_type(), Some("video/mp4"));
    assert_eq!(got.content_disposition(), Some("inline"));
    assert_eq!(got.accept_ranges(), Some("bytes"));
    assert_eq!(got.metadata().unwrap()["sha"], "x1");
    assert_eq!(got.body.collect().await.unwrap().to_vec(), body);

    let head = server.s3.head_object().bucket(BUCKET).key("u/ä b/source.mp4").send().await.unwrap();
    assert_eq!(head.content_length(), Some(3_000_000));
    assert_eq!(head.accept_ranges(), Some("bytes"));

    let middle = server
        .s3
        .get_object()
        .bucket(BUCKET)
        .key("u/ä b/source.mp4")
        .range("bytes=1000000-1000009")
        .send()
        .await
        .unwrap();
    assert_eq!(middle.content_range(), Some("bytes 1000000-1000009/3000000"));
    assert_eq!(middle.body.collect().await.unwrap().to_vec(), body[1_000_000..1_000_010]);
    let end = server.s3.get_object().bucket(BUCKET).key("u/ä b/source.mp4").range("bytes=-5").send().await.unwrap();
    assert_eq!(end.body.collect().await.unwrap().to_vec(), body[2_999_995..]);
    let beyond = server.s3.get_object().bucket(BUCKET).key("u/ä b/source.mp4").range("bytes=3000000-").send().await;
    assert_eq!(code(beyond), "InvalidRange");
}

#[tokio::test]
async fn a_body_that_does_not_match_its_checksum_replaces_nothing() {
    let server = server().await;
    let put = |text: &'static str| {
        server.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(text.as_bytes()))
    };
    put("first").send().await.unwrap();
    let wrong = put("second").checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").send().await;
    assert_eq!(code(wrong), "BadDigest");
    assert_eq!(code(put("third").content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await), "BadDigest");
    assert_eq!(code(put("fourth").if_none_match("*").send().await), "PreconditionFailed");
    let got = server.s3.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"first");
    assert_eq!(std::fs::read_dir(server.folder.path().join("drafts")).unwrap().count(), 0, "no draft is left");
}

#[tokio::test]
async fn a_key_and_keys_below_it_live_side_by_side() {
    let server = server().await;
    for key in ["k", "k/sub", "k.obj", "k.dir"] {
        server
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from(key.as_bytes().to_vec()))
            .send()
            .await
            .unwrap();
    }
    for key in ["k", "k/sub", "k.obj", "k.dir"] {
        let got = server.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().to_vec(), key.as_bytes());
    }
    server.s3.delete_object().bucket(BUCKET).key("k/sub").send().await.unwrap();
    server.s3.delete_object().bucket(BUCKET).key("k/sub").send().await.unwrap();
    assert_eq!(code(server.s3.get_object().bucket(BUCKET).key("k/sub").send().await), "NoSuchKey");
    assert!(server.s3.head_object().bucket(BUCKET).key("k").send().await.is_ok());
}

#[tokio::test]
async fn listing_pages_through_keys_and_folds_folders() {
    let server = server().await;
    for number in 0..25 {
        let key = format!("run/{number:02}/frame");
        server.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    server.s3.put_object().bucket(BUCKET).key("run-2").body(ByteStream::from_static(b"y")).send().await.unwrap();
    let mut pages = server.s3.list_objects_v2().bucket(BUCKET).prefix("run/").into_paginator().page_size(10).send();
    let (mut keys, mut count) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        count += 1;
        keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    assert_eq!((count, keys.len()), (3, 25));
    assert!(keys.is_sorted());

    let folded = server.s3.list_objects_v2().bucket(BUCKET).prefix("run").delimiter("/").send().await.unwrap();
    assert_eq!(folded.contents().iter().map(|object| object.key().unwrap()).collect::<Vec<_>>(), ["run-2"]);
    assert_eq!(folded.common_prefixes()[0].prefix(), Some("run/"));

    let named = keys.iter().take(24).map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(named.collect())).build().unwrap();
    let deleted = server.s3.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    assert_eq!(deleted.deleted().len(), 24);
    let left = server.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(left.key_count(), Some(2));
}

#[tokio::test]
async fn a_copy_keeps_bytes_etag_and_headers() {
    let server = server().await;
    let put = server
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("from")
        .content_type("text/vtt")
        .body(ByteStream::from_static(b"WEBVTT"))
        .send()
        .await
        .unwrap();
    server.s3.copy_object().bucket(BUCKET).key("to/here").copy_source(format!("{BUCKET}/from")).send().await.unwrap();
    let got = server.s3.get_object().bucket(BUCKET).key("to/here").send().await.unwrap();
    assert_eq!((got.e_tag(), got.content_type()), (put.e_tag(), Some("text/vtt")));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"WEBVTT");
}

#[tokio::test]
async fn no_key_reaches_outside_its_bucket() {
    let server = server().await;
    server.s3.create_bucket().bucket("other").send().await.unwrap();
    server.s3.put_object().bucket("other").key("secret").body(ByteStream::from_static(b"s")).send().await.unwrap();
    for key in ["../other/secret", "a/../../other/secret", "..\\other\\secret", "a/..", "./k"] {
        let put = server.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x")).send().await;
        assert_eq!(code(put), "InvalidArgument", "{key}");
        assert_eq!(code(server.s3.get_object().bucket(BUCKET).key(key).send().await), "InvalidArgument", "{key}");
        let begun = server.s3.create_multipart_upload().bucket(BUCKET).key(key).send().await;
        assert_eq!(code(begun), "InvalidArgument", "{key}");
    }
    // Encoded once more it is a name like any other.
    let encoded = server.s3.get_object().bucket(BUCKET).key("%2e%2e%2fother%2fsecret").send().await;
    assert_eq!(code(encoded), "NoSuchKey");
    let copied = server.s3.copy_object().bucket(BUCKET).key("k").copy_source("videos/../other/secret").send().await;
    assert_ne!(code(copied), "");
    let got = server.s3.get_object().bucket("other").key("secret").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"s");
}

#[tokio::test]
async fn a_bucket_with_something_in_it_stays() {
    let server = server().await;
    server.s3.create_bucket().bucket("extra").send().await.unwrap();
    server.s3.put_object().bucket("extra").key("a/b").body(ByteStream::from_static(b"x")).send().await.unwrap();
    assert_eq!(code(server.s3.delete_bucket().bucket("extra").send().await), "BucketNotEmpty");
    server.s3.delete_object().bucket("extra").key("a/b").send().await.unwrap();
    server.s3.delete_bucket().bucket("extra").send().await.unwrap();
    assert_eq!(code(server.s3.list_objects_v2().bucket("extra").send().await), "NoSuchBucket");
}
