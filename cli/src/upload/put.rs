//! One part of a file to its signed URL, read as it is sent.

use std::{
    io::SeekFrom,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::TryStreamExt as _;
use indicatif::ProgressBar;
use md5::{Digest as _, Md5};
use reqwest::{Body, Method, header};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};
use tokio_util::io::ReaderStream;

use crate::{
    api::{self, Api},
    failure::{Failure, Problem, Result},
};

const BLOCK_BYTES: usize = 256 << 10;
/// A line slower than this does not get a part through before its URL ends.
const SLOWEST_BYTES_A_SECOND: u64 = 24 << 10;

/// Sends `length` bytes from `start`, and counts them on the bar; what was counted of a part that fails is taken back. Returns
/// the part's ETag.
pub async fn put(api: &Api, url: &str, file: &Path, (start, length): (u64, u64), bar: &ProgressBar) -> Result<String> {
    let sent = Counted { bar: bar.clone(), bytes: Arc::default() };
    let mut source = File::open(file).await?;
    source.seek(SeekFrom::Start(start)).await?;
    let count = (bar.clone(), Arc::clone(&sent.bytes));
    let stream = ReaderStream::with_capacity(source.take(length), BLOCK_BYTES).inspect_ok(move |block| {
        count.0.inc(block.len() as u64);
        count.1.fetch_add(block.len() as u64, Ordering::Relaxed);
    });
    let request = api
        .signed(Method::PUT, url)?
        .header(header::CONTENT_LENGTH, length)
        .timeout(Duration::from_secs(120 + length / SLOWEST_BYTES_A_SECOND))
        .body(Body::wrap_stream(stream));
    let reply = api::send(request).await?;
    let status = reply.status();
    if !status.is_success() {
        // The storage answers in XML; 403 is a URL that has ended, for which there will be another.
        let status = if status.as_u16() == 403 { 503 } else { status.as_u16() };
        let detail = format!("The object storage refused a part ({}).", reply.status());
        return Err(Problem { status, detail, ..Problem::default() }.into());
    }
    let etag = reply.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(ToOwned::to_owned);
    let etag = etag.ok_or_else(|| Failure::Other(anyhow::anyhow!("the object storage gave a part no ETag")))?;
    sent.keep();
    Ok(etag)
}

/// Bytes on the bar that count only once their part has arrived.
struct Counted {
    bar: ProgressBar,
    bytes: Arc<AtomicU64>,
}

impl Counted {
    fn keep(self) {
        self.bytes.store(0, Ordering::Relaxed);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.bar.dec(self.bytes.load(Ordering::Relaxed));
    }
}

/// The MD5 of a part of a file.
pub async fn md5(file: &Path, (start, length): (u64, u64)) -> Result<Vec<u8>> {
    let mut source = File::open(file).await?;
    source.seek(SeekFrom::Start(start)).await?;
    let mut blocks = ReaderStream::with_capacity(source.take(length), BLOCK_BYTES);
    let mut digest = Md5::new();
    while let Some(block) = blocks.try_next().await? {
        digest.update(&block);
    }
    Ok(digest.finalize().to_vec())
}
