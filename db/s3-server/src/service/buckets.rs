//! Buckets: a folder each.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Failure, Service};
use crate::errors::io_error;

pub(super) async fn create(
    service: &Service,
    req: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let folder = service.store.buckets().join(&req.input.bucket);
    service
        .with(move |_| match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Failure(s3_error!(BucketAlreadyOwnedByYou)))
            }
            made => made.map_err(Failure::from),
        })
        .await?;
    Ok(S3Response::new(CreateBucketOutput::default()))
}

pub(super) async fn head(service: &Service, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    service.with(move |store| store.bucket(&req.input.bucket)).await?;
    Ok(S3Response::new(HeadBucketOutput::default()))
}

pub(super) async fn location(
    service: &Service,
    req: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    service.with(move |store| store.bucket(&req.input.bucket)).await?;
    Ok(S3Response::new(GetBucketLocationOutput::default()))
}

pub(super) async fn delete(
    service: &Service,
    req: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    service
        .with(move |store| -> Result<(), Failure> {
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

pub(super) async fn list(service: &Service, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
    let buckets = service
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
