//! The S3 operations we serve. Each one turns a request into a call of the store, on a blocking task.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio_util::io::ReaderStream;

use crate::errors::{io_error, join_error};
use crate::listing::Query;
use crate::objects::{OpenError, Store};
use crate::receive::{Promise, receive};
use crate::sealed::{self, Attributes, Description};
use crate::uploads::{MAX_PART_NUMBER, UploadError};

/// Bytes read from an object at a time.
const READ_BYTES: usize = 256 << 10;
/// Entries of a page, unless fewer are asked for.
const PAGE_ENTRIES: i32 = 1000;

/// The store behind the protocol.
pub(crate) struct Service {
    pub(crate) store: Arc<Store>,
}

impl Service {
    /// Runs `work` where it may block.
    async fn with<T, E>(&self, work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static) -> S3Result<T>
    where
        T: Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await.map_err(join_error)?;
        done.map_err(|error| error.into().0)
    }
}

/// A store's error in the words of S3.
struct Failure(S3Error);

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self(match error {
            OpenError::NoSuchBucket => s3_error!(NoSuchBucket),
            OpenError::NoSuchKey => s3_error!(NoSuchKey),
            OpenError::Key(crate::names::KeyError::TooLong) => s3_error!(KeyTooLongError),
            OpenError::Key(error) => s3_error!(InvalidArgument, "{error}"),
            OpenError::Io(error) => io_error(error),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(io_error(error))
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        Self(match error {
            UploadError::NoSuchUpload => s3_error!(NoSuchUpload),
            UploadError::Order => s3_error!(InvalidPartOrder),
            UploadError::InvalidParts(_) => s3_error!(InvalidPart, "{error}"),
            UploadError::TooSmall(_) => s3_error!(EntityTooSmall, "{error}"),
            UploadError::Exists => s3_error!(PreconditionFailed, "{error}"),
            UploadError::Open(error) => return error.into(),
            UploadError::Io(error) => io_error(error),
        })
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Self {
        Self(error)
    }
}

/// `If-Match` and `If-None-Match` of a read (RFC 9110 §13.1).
fn check_conditions(etag: &str, matches: Option<ETagCondition>, none: Option<ETagCondition>) -> S3Result<()> {
    let same = |condition: &ETagCondition| condition.as_etag().is_none_or(|wanted| wanted.value() == etag);
    if matches.is_some_and(|condition| !same(&condition)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if none.is_some_and(|condition| same(&condition)) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

fn strong(etag: &str) -> ETag {
    ETag::Strong(etag.to_owned())
}

fn length(bytes: u64) -> S3Result<i64> {
    i64::try_from(bytes).map_err(S3Error::internal_error)
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let folder = self.store.buckets().join(&req.input.bucket);
        self.with(move |_| match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Failure(s3_error!(BucketAlreadyOwnedByYou)))
            }
            made => made.map_err(Failure::from),
        })
        .await?;
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.with(move |store| store.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.with(move |store| store.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.with(move |store| -> Result<(), Failure> {
            let bucket = req.input.bucket;
            let folder = store.bucket(&bucket)?;
            if !store.uploads_of(&bucket)?.is_empty() {
                return Err(Failure(s3_error!(BucketNotEmpty, "Uploads are under way in the bucket.")));
            }
            std::fs::remove_dir(folder).map_err(|error| match error.kind() {
                std::io::ErrorKind::DirectoryNotEmpty => Failure(s3_error!(BucketNotEmpty)),
                _ => Failure(io_error(error)),
            })
        })
        .await?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self
            .with(|store| -> std::io::Result<Vec<Bucket>> {
                let mut buckets = Vec::new();
                for entry in std::fs::read_dir(store.buckets())? {
                    let entry = entry?;
                    buckets.push(Bucket {
                        name: entry.file_name().to_str().map(str::to_owned),
                        creation_date: Some(entry.metadata()?.modified()?.into()),
                        ..Bucket::default()
                    });
                }
                buckets.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(buckets)
            })
            .await?;
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(buckets), ..ListBucketsOutput::default() }))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = req.input;
        let (bucket, key) = (input.bucket, input.key);
        let target = {
            let (bucket, key) = (bucket.clone(), key.clone());
            self.with(move |store| store.path(&bucket, &key)).await?
        };
        if let Some(condition) = input.if_match {
            let (bucket, key) = (bucket.clone(), key.clone());
            let (_, current) = self.with(move |store| store.object(&bucket, &key)).await?;
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
        let received = receive(&self.store.drafts(), input.body, promise, self.store.limits.max_put_bytes).await?;
        let description = Description {
            size_bytes: received.size_bytes,
            etag: received.md5,
            modified_unix_ms: sealed::now_unix_ms(),
            checksums: received.checksums,
            attributes,
        };
        let stored = description.clone();
        self.with(move |store| {
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

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        let (file, found) = self.with(move |store| store.object(&input.bucket, &input.key)).await?;
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

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        let (_, found) = self.with(move |store| store.object(&input.bucket, &input.key)).await?;
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

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = req.input;
        let CopySource::Bucket { bucket, key, .. } = input.copy_source else { return Err(s3_error!(NotImplemented)) };
        let replace =
            input.metadata_directive.is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let attributes = replace.then(|| Attributes {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata.unwrap_or_default().into_iter().collect(),
        });
        let copied =
            self.with(move |store| store.copy((&bucket, &key), (&input.bucket, &input.key), attributes)).await?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(strong(&copied.etag)),
                last_modified: Some(copied.modified().into()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.with(move |store| store.remove(&req.input.bucket, &req.input.key)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let DeleteObjectsInput { bucket, delete, .. } = req.input;
        let quiet = delete.quiet.unwrap_or(false);
        let output = self
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
                Ok(DeleteObjectsOutput {
                    deleted: Some(deleted),
                    errors: Some(errors),
                    ..DeleteObjectsOutput::default()
                })
            })
            .await?;
        Ok(S3Response::new(output))
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = req.input;
        let marker = input.marker.clone();
        let v2 = self.list_objects_v2(S3Request {
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
        });
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

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let max_keys = input.max_keys.unwrap_or(PAGE_ENTRIES).clamp(0, PAGE_ENTRIES);
        let (bucket, prefix, delimiter) = (input.bucket.clone(), input.prefix.clone(), input.delimiter.clone());
        let after = input.continuation_token.clone().max(input.start_after.clone());
        let page = self
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

    async fn create_multipart_upload(
        &self,
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
        let upload_id = self.with(move |store| store.begin(&bucket, &key, attributes)).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload_id.to_string()),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let UploadPartInput { bucket, key, upload_id, part_number, body, content_length, content_md5, .. } = req.input;
        if !(1..=MAX_PART_NUMBER).contains(&part_number) {
            return Err(s3_error!(InvalidArgument, "Part numbers are 1 to {MAX_PART_NUMBER}."));
        }
        let (_, folder) = self.with(move |store| store.upload(&bucket, &key, &upload_id)).await?;
        let promise = Promise::read(&req.headers, content_length, content_md5, req.trailing_headers);
        let received = receive(&self.store.drafts(), body, promise, self.store.limits.max_put_bytes).await?;
        let part = self.with(move |store| store.store_part(&folder, part_number, received)).await?;
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

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = req.input;
        let (bucket, key, upload_id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
        let stored = self
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

    async fn complete_multipart_upload(
        &self,
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
        let object = self
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

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = req.input;
        self.with(move |store| {
            let (_, folder) = store.upload(&bucket, &key, &upload_id)?;
            store.forget(&folder)
        })
        .await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = req.input;
        let bucket = input.bucket.clone();
        let all = self.with(move |store| store.uploads_of(&bucket)).await?;
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
        let page: Vec<_> =
            of_prefix.iter().skip(start).take(usize::try_from(max_uploads).unwrap_or_default()).collect();
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
}
