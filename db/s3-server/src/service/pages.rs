//! Listing objects, a page at a time.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::{PAGE_ENTRIES, Service, length, strong};
use crate::listing::Query;

pub(super) async fn list(
    service: &Service,
    req: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = req.input;
    let marker = input.marker.clone();
    let v2 = list_v2(
        service,
        S3Request {
            input: ListObjectsV2Input {
                bucket: input.bucket,
                prefix: input.prefix,
                delimiter: input.delimiter,
                max_keys: input.max_keys,
                start_after: input.marker,
                ..ListObjectsV2Input::default()
            },
            method: req.method,
            uri: req.uri,
            headers: req.headers,
            extensions: req.extensions,
            credentials: req.credentials,
            region: req.region,
            service: req.service,
            trailing_headers: req.trailing_headers,
        },
    );
    Ok(v2.await?.map_output(|page| ListObjectsOutput {
        name: page.name,
        prefix: page.prefix,
        delimiter: page.delimiter,
        marker,
        max_keys: page.max_keys,
        is_truncated: page.is_truncated,
        next_marker: page.next_continuation_token,
        contents: page.contents,
        common_prefixes: page.common_prefixes,
        ..ListObjectsOutput::default()
    }))
}

pub(super) async fn list_v2(
    service: &Service,
    req: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = req.input;
    let max_keys = input.max_keys.unwrap_or(PAGE_ENTRIES).clamp(0, PAGE_ENTRIES);
    let (bucket, prefix, delimiter) = (input.bucket.clone(), input.prefix.clone(), input.delimiter.clone());
    let after = input.continuation_token.clone().max(input.start_after.clone());
    let page = service
        .with(move |store| {
            store.list(&Query {
                bucket: &bucket,
                prefix: prefix.as_deref().unwrap_or_default(),
                delimiter: delimiter.as_deref(),
                after: after.as_deref(),
                max_entries: usize::try_from(max_keys).unwrap_or_default(),
            })
        })
        .await?;
    let mut contents = Vec::with_capacity(page.objects.len());
    for (key, found) in page.objects {
        contents.push(Object {
            key: Some(key),
            size: Some(length(found.size_bytes)?),
            last_modified: Some(found.modified().into()),
            e_tag: Some(strong(&found.etag)),
            ..Object::default()
        });
    }
    let prefixes: Vec<CommonPrefix> =
        page.common_prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix,
        delimiter: input.delimiter,
        max_keys: Some(max_keys),
        key_count: i32::try_from(contents.len() + prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        continuation_token: input.continuation_token,
        next_continuation_token: page.next,
        start_after: input.start_after,
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        ..ListObjectsV2Output::default()
    }))
}
