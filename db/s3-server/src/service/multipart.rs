//! Multipart uploads.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{PAGE_ENTRIES, Service, length, strong};
use crate::receive::{Promise, receive};
use crate::sealed::Attributes;
use crate::uploads::MAX_PART_NUMBER;

pub(super) async fn begin(
    service: &Service,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = req.input;
    let attributes = Attributes {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
    };
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let upload_id = service.with(move |store| store.begin(&bucket, &key, attributes)).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id.to_string()),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(super) async fn put_part(
    service: &Service,
    req: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let UploadPartInput { bucket, key, upload_id, part_number, body, content_length, content_md5, .. } = req.input;
    if !(1..=MAX_PART_NUMBER).contains(&part_number) {
        return Err(s3_error!(InvalidArgument, "Part numbers are 1 to {MAX_PART_NUMBER}."));
    }
    let (_, folder) = service.with(move |store| store.upload(&bucket, &key, &upload_id)).await?;
    let promise = Promise::read(&req.headers, content_length, content_md5, req.trailing_headers);
    let received = receive(&service.store.drafts(), body, promise, service.store.limits.max_put_bytes).await?;
    let part = service.with(move |store| store.store_part(&folder, part_number, received)).await?;
    let mut sums = part.checksums;
    Ok(S3Response::new(UploadPartOutput {
        e_tag: Some(strong(&part.etag)),
        checksum_crc32: sums.remove("crc32"),
        checksum_crc32c: sums.remove("crc32c"),
        checksum_sha1: sums.remove("sha1"),
        checksum_sha256: sums.remove("sha256"),
        checksum_crc64nvme: sums.remove("crc64nvme"),
        ..UploadPartOutput::default()
    }))
}

pub(super) async fn list_parts(
    service: &Service,
    req: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = req.input;
    let (bucket, key, upload_id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let stored = service
        .with(move |store| {
            let (_, folder) = store.upload(&bucket, &key, &upload_id)?;
            store.parts(&folder)
        })
        .await?;
    let max_parts = input.max_parts.unwrap_or(PAGE_ENTRIES).clamp(0, PAGE_ENTRIES);
    let after = input.part_number_marker.unwrap_or(0);
    let mut rest = stored.into_iter().filter(|part| part.number > after);
    let mut parts = Vec::new();
    for part in rest.by_ref().take(usize::try_from(max_parts).unwrap_or_default()) {
        parts.push(Part {
            part_number: Some(part.number),
            size: Some(length(part.description.size_bytes)?),
            last_modified: Some(part.description.modified().into()),
            e_tag: Some(strong(&part.description.etag)),
            ..Part::default()
        });
    }
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: input.part_number_marker,
        max_parts: Some(max_parts),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        is_truncated: Some(rest.next().is_some()),
        parts: Some(parts),
        ..ListPartsOutput::default()
    }))
}

pub(super) async fn complete(
    service: &Service,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = req.input;
    let fresh = input.if_none_match.as_ref().is_some_and(ETagCondition::is_any);
    let mut named = Vec::new();
    for part in input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default() {
        let (Some(number), Some(etag)) = (part.part_number, part.e_tag) else {
            return Err(s3_error!(MalformedXML, "Each part needs its PartNumber and ETag."));
        };
        named.push((number, etag.into_value()));
    }
    let (bucket, key, upload_id) = (input.bucket.clone(), input.key.clone(), input.upload_id);
    let object = service
        .with(move |store| {
            let (upload, folder) = store.upload(&bucket, &key, &upload_id)?;
            store.complete(&upload, &folder, &named, fresh)
        })
        .await?;
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(strong(&object.etag)),
        ..CompleteMultipartUploadOutput::default()
    }))
}

pub(super) async fn abort(
    service: &Service,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let AbortMultipartUploadInput { bucket, key, upload_id, .. } = req.input;
    service
        .with(move |store| {
            let (_, folder) = store.upload(&bucket, &key, &upload_id)?;
            store.forget(&folder)
        })
        .await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn list_uploads(
    service: &Service,
    req: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = req.input;
    let bucket = input.bucket.clone();
    let all = service.with(move |store| store.uploads_of(&bucket)).await?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let of_prefix: Vec<_> = all.into_iter().filter(|upload| upload.key.starts_with(&prefix)).collect();
    // The marker is the last upload of the page before; the order is by key, then by start.
    let start = match (&input.key_marker, &input.upload_id_marker) {
        (Some(key), Some(id)) => of_prefix
            .iter()
            .position(|upload| upload.key == *key && upload.upload_id.to_string() == *id)
            .map(|at| at + 1)
            .unwrap_or_else(|| of_prefix.partition_point(|upload| upload.key <= *key)),
        (Some(key), None) => of_prefix.partition_point(|upload| upload.key <= *key),
        _ => 0,
    };
    let max_uploads = input.max_uploads.unwrap_or(PAGE_ENTRIES).clamp(0, PAGE_ENTRIES);
    let page: Vec<_> = of_prefix.iter().skip(start).take(usize::try_from(max_uploads).unwrap_or_default()).collect();
    let more = start + page.len() < of_prefix.len() && !page.is_empty();
    let last = page.last().filter(|_| more);
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(max_uploads),
        is_truncated: Some(more),
        next_key_marker: last.map(|upload| upload.key.clone()),
        next_upload_id_marker: last.map(|upload| upload.upload_id.to_string()),
        uploads: Some(
            page.iter()
                .map(|upload| MultipartUpload {
                    key: Some(upload.key.clone()),
                    upload_id: Some(upload.upload_id.to_string()),
                    initiated: Some(
                        (std::time::UNIX_EPOCH + std::time::Duration::from_millis(upload.initiated_unix_ms)).into(),
                    ),
                    ..MultipartUpload::default()
                })
                .collect(),
        ),
        ..ListMultipartUploadsOutput::default()
    }))
}
