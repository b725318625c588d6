//! Takes a request's body to a draft file: bounded, hashed on the way, checked before anybody can see it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use futures::StreamExt as _;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Result, TrailingHeaders, s3_error};
use tokio::io::AsyncWriteExt as _;

use crate::errors::io_error;
use crate::sealed::Draft;

/// The checksum algorithms of S3, as they stand in header names.
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "sha1", "sha256", "crc64nvme"];
const BUFFER_BYTES: usize = 1 << 20;
/// The largest part that Heimdex asks for.
const HEAR_OUT_BYTES: u64 = 64 << 20;

/// What the client says about the body it sends.
pub(crate) struct Promise {
    /// `Content-Length` of the bytes themselves, if told.
    pub(crate) content_length: Option<i64>,
    /// `Content-MD5`, base64.
    pub(crate) content_md5: Option<String>,
    /// Checksums by algorithm, base64: from headers now, from trailers once the body has been read.
    pub(crate) checksums: BTreeMap<String, String>,
    /// Algorithms to compute: those above and those announced for the trailer.
    pub(crate) algorithms: Vec<&'static str>,
    /// Where trailers will appear.
    pub(crate) trailers: Option<TrailingHeaders>,
}

/// A body on disk, checked, not yet in its place.
pub(crate) struct Received {
    pub(crate) draft: Draft,
    pub(crate) file: std::fs::File,
    pub(crate) size_bytes: u64,
    /// Hex MD5.
    pub(crate) md5: String,
    /// Verified checksums, base64, by algorithm.
    pub(crate) checksums: BTreeMap<String, String>,
}

impl Promise {
    /// Reads the checksum headers. `x-amz-trailer` announces one that follows the body.
    pub(crate) fn read(
        headers: &axum::http::HeaderMap,
        content_length: Option<i64>,
        content_md5: Option<String>,
        trailers: Option<TrailingHeaders>,
    ) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut checksums = BTreeMap::new();
        let mut algorithms = Vec::new();
        for algorithm in ALGORITHMS {
            let header = format!("x-amz-checksum-{algorithm}");
            let announced = text("x-amz-trailer")
                .is_some_and(|names| names.split(',').any(|name| name.trim().eq_ignore_ascii_case(&header)));
            if let Some(value) = text(&header) {
                checksums.insert(algorithm.to_owned(), value.to_owned());
                algorithms.push(algorithm);
            } else if announced {
                algorithms.push(algorithm);
            }
        }
        Self { content_length, content_md5, checksums, algorithms, trailers }
    }
}

/// Writes `body` to a draft in `folder`. On any error nothing is left behind.
pub(crate) async fn receive(
    folder: &Path,
    body: Option<StreamingBlob>,
    promise: Promise,
    max_bytes: u64,
) -> S3Result<Received> {
    let Some(mut body) = body else { return Err(s3_error!(IncompleteBody)) };
    let too_large = || s3_error!(EntityTooLarge, "One PUT may hold at most {max_bytes} bytes.");
    let promised = promise.content_length.and_then(|length| u64::try_from(length).ok());
    if promised.is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }

    let (draft, file) = Draft::create(folder).map_err(io_error)?;
    let mut writer = tokio::io::BufWriter::with_capacity(BUFFER_BYTES, tokio::fs::File::from_std(file));
    let mut md5 = Md5::new();
    let mut hasher = hasher_for(&promise.algorithms);
    let mut size_bytes: u64 = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|source| {
            let mut error = s3_error!(IncompleteBody, "The body broke off or does not match its signature.");
            error.set_source(source);
            error
        })?;
        size_bytes += chunk.len() as u64;
        if size_bytes > max_bytes {
            return Err(too_large());
        }
        md5.update(&chunk);
        hasher.update(&chunk);
        if let Err(error) = writer.write_all(&chunk).await {
            hear_out(&mut body).await;
            return Err(io_error(error));
        }
    }
    if promised.is_some_and(|length| length != size_bytes) {
        return Err(s3_error!(IncompleteBody));
    }
    writer.flush().await.map_err(io_error)?;
    let file = writer.into_inner().into_std().await;

    let md5 = md5.finalize();
    if let Some(promised) = &promise.content_md5 {
        let promised =
            base64::engine::general_purpose::STANDARD.decode(promised).map_err(|_| s3_error!(InvalidDigest))?;
        if promised != md5 {
            return Err(s3_error!(BadDigest, "The body does not match its Content-MD5."));
        }
    }
    let checksums = verified(hasher, promise)?;
    Ok(Received { draft, file, size_bytes, md5: hex::encode(md5), checksums })
}

/// Reads on and forgets: a client that is still sending would take the end of its connection for the answer, and never see the
/// real one. Whoever has more than a part to say is cut off.
async fn hear_out(body: &mut StreamingBlob) {
    let mut heard: u64 = 0;
    while heard < HEAR_OUT_BYTES
        && let Some(Ok(chunk)) = body.next().await
    {
        heard += chunk.len() as u64;
    }
}

fn hasher_for(algorithms: &[&str]) -> ChecksumHasher {
    let mut hasher = ChecksumHasher::default();
    for algorithm in algorithms {
        match *algorithm {
            "crc32" => hasher.crc32 = Some(Default::default()),
            "crc32c" => hasher.crc32c = Some(Default::default()),
            "sha1" => hasher.sha1 = Some(Default::default()),
            "sha256" => hasher.sha256 = Some(Default::default()),
            "crc64nvme" => hasher.crc64nvme = Some(Default::default()),
            _ => {}
        }
    }
    hasher
}

fn verified(hasher: ChecksumHasher, promise: Promise) -> S3Result<BTreeMap<String, String>> {
    let sums = hasher.finalize();
    let mut computed = BTreeMap::new();
    for (algorithm, sum) in ALGORITHMS.into_iter().zip([
        sums.checksum_crc32,
        sums.checksum_crc32c,
        sums.checksum_sha1,
        sums.checksum_sha256,
        sums.checksum_crc64nvme,
    ]) {
        if let Some(sum) = sum {
            computed.insert(algorithm.to_owned(), sum);
        }
    }
    let mut promised = promise.checksums;
    if let Some(trailers) = promise.trailers.and_then(|trailers| trailers.take()) {
        for algorithm in &promise.algorithms {
            if let Some(value) = trailers.get(format!("x-amz-checksum-{algorithm}")).and_then(|v| v.to_str().ok()) {
                promised.insert((*algorithm).to_owned(), value.to_owned());
            }
        }
    }
    for algorithm in promise.algorithms {
        if promised.get(algorithm) != computed.get(algorithm) {
            return Err(s3_error!(BadDigest, "The body does not match its {algorithm} checksum."));
        }
    }
    Ok(computed)
}
