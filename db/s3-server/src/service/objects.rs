//! Whole objects: put, get, head, copy, delete.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use tokio_util::io::ReaderStream;

use super::failure::check_conditions;
use super::{Failure, Service, length, strong};
use crate::errors::io_error;
use crate::objects::OpenError;
use crate::receive::{Promise, receive};
use crate::sealed::{self, Attributes, Description};

/// Bytes read from an object at a time.
const READ_BYTES: usize = 256 << 10;

pub(super) async fn put(service: &Service, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let input = req.input;
    let (bucket, key) = (input.bucket, input.key);
    let target = {
        let (bucket, key) = (bucket.clone(), key.clone());
        service.with(move |store| store.path(&bucket, &key)).await?
    };
    if let Some(condition) = input.if_match {
        let (bucket, key) = (bucket.clone(), key.clone());
        let (_, current) = service.with(move |store| store.object(&bucket, &key)).await?;
        check_conditions(&current.etag, Some(condition), None)?;
    }
    let fresh = match &input.if_none_match {
        None => false,
        Some(condition) if condition.is_any() => true,
        Some(_) => return Err(s3_error!(NotImplemented, "If-None-Match of a PUT can only be `*`.")),
    };
    let attributes = Attributes {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
    };
    let promise = Promise::read(&req.headers, input.content_length, input.content_md5, req.trailing_headers);
    let received = receive(&service.store.drafts(), input.body, promise, service.store.limits.max_put_bytes).await?;
    let description = Description {
        size_bytes: received.size_bytes,
        etag: received.md5,
        modified_unix_ms: sealed::now_unix_ms(),
        checksums: received.checksums,
        attributes,
    };
    let stored = description.clone();
    service
        .with(move |store| {
            store.place((received.draft, received.file), &stored, &target, fresh).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Failure(s3_error!(PreconditionFailed, "An object is already stored under this key."))
                }
                _ => Failure(io_error(error)),
            })
        })
        .await?;
    let mut sums = description.checksums;
    Ok(S3Response::new(PutObjectOutput {
        e_tag: Some(strong(&description.etag)),
        checksum_crc32: sums.remove("crc32"),
        checksum_crc32c: sums.remove("crc32c"),
        checksum_sha1: sums.remove("sha1"),
        checksum_sha256: sums.remove("sha256"),
        checksum_crc64nvme: sums.remove("crc64nvme"),
        ..PutObjectOutput::default()
    }))
}

pub(super) async fn get(service: &Service, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let input = req.input;
    let (file, found) = service.with(move |store| store.object(&input.bucket, &input.key)).await?;
    check_conditions(&found.etag, input.if_match, input.if_none_match)?;
    let range = input.range.map(|range| range.check(found.size_bytes)).transpose()?;
    let whole = range.is_none();
    let range = range.unwrap_or(0..found.size_bytes);
    let content_range = (!whole).then(|| format!("bytes {}-{}/{}", range.start, range.end - 1, found.size_bytes));

    let mut file = tokio::fs::File::from_std(file);
    tokio::io::AsyncSeekExt::seek(&mut file, std::io::SeekFrom::Start(range.start)).await.map_err(io_error)?;
    let bytes = tokio::io::AsyncReadExt::take(file, range.end - range.start);
    let modified = found.modified();
    let mut sums = if whole { found.checksums } else { std::collections::BTreeMap::new() };
    let kept = found.attributes;
    Ok(S3Response::new(GetObjectOutput {
        body: Some(StreamingBlob::wrap(ReaderStream::with_capacity(bytes, READ_BYTES))),
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(length(range.end - range.start)?),
        content_range,
        last_modified: Some(modified.into()),
        e_tag: Some(strong(&found.etag)),
        content_type: input.response_content_type.or(kept.content_type),
        content_encoding: input.response_content_encoding.or(kept.content_encoding),
        content_disposition: input.response_content_disposition.or(kept.content_disposition),
        content_language: input.response_content_language.or(kept.content_language),
        cache_control: input.response_cache_control.or(kept.cache_control),
        metadata: Some(kept.metadata.into_iter().collect()),
        checksum_crc32: sums.remove("crc32"),
        checksum_crc32c: sums.remove("crc32c"),
        checksum_sha1: sums.remove("sha1"),
        checksum_sha256: sums.remove("sha256"),
        checksum_crc64nvme: sums.remove("crc64nvme"),
        ..GetObjectOutput::default()
    }))
}

pub(super) async fn head(service: &Service, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = req.input;
    let (_, found) = service.with(move |store| store.object(&input.bucket, &input.key)).await?;
    check_conditions(&found.etag, input.if_match, input.if_none_match)?;
    let modified = found.modified();
    let kept = found.attributes;
    Ok(S3Response::new(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(length(found.size_bytes)?),
        last_modified: Some(modified.into()),
        e_tag: Some(strong(&found.etag)),
        content_type: kept.content_type,
        content_encoding: kept.content_encoding,
        content_disposition: kept.content_disposition,
        content_language: kept.content_language,
        cache_control: kept.cache_control,
        metadata: Some(kept.metadata.into_iter().collect()),
        ..HeadObjectOutput::default()
    }))
}

pub(super) async fn copy(service: &Service, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = req.input;
    let CopySource::Bucket { bucket, key, .. } = input.copy_source else { return Err(s3_error!(NotImplemented)) };
    let replace = input.metadata_directive.is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let attributes = replace.then(|| Attributes {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
    });
    let copied =
        service.with(move |store| store.copy((&bucket, &key), (&input.bucket, &input.key), attributes)).await?;
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(strong(&copied.etag)),
            last_modified: Some(copied.modified().into()),
            ..CopyObjectResult::default()
        }),
        ..CopyObjectOutput::default()
    }))
}

pub(super) async fn delete(
    service: &Service,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    service.with(move |store| store.remove(&req.input.bucket, &req.input.key)).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

pub(super) async fn delete_many(
    service: &Service,
    req: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let DeleteObjectsInput { bucket, delete, .. } = req.input;
    let quiet = delete.quiet.unwrap_or(false);
    let output = service
        .with(move |store| -> Result<DeleteObjectsOutput, OpenError> {
            store.bucket(&bucket)?;
            let (mut deleted, mut errors) = (Vec::new(), Vec::new());
            for ObjectIdentifier { key, .. } in delete.objects {
                match store.remove(&bucket, &key) {
                    Ok(()) if quiet => {}
                    Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
                    Err(error) => errors.push(Error {
                        code: Some(Failure::from(error).0.code().as_str().to_owned()),
                        key: Some(key),
                        ..Error::default()
                    }),
                }
            }
            Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..DeleteObjectsOutput::default() })
        })
        .await?;
    Ok(S3Response::new(output))
}
