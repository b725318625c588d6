//! Proxy: a version of a video that every browser plays.
//! Reads: source object. Writes: proxy object and where it lies. Again: same key, replaced.

use std::time::Duration;

use heimdex_db::{VideoId, keys, ledger::Task, proxies, proxies::ProxySource};
use heimdex_media::{
    child::{Limits, Request, Response},
    proxy::{MAX_BYTES_PER_S, Made, ProxyOptions},
};

use crate::{
    child,
    stage::{Outcome, StageContext, StageError},
};

/// Of pictures that are encoded anew, pixels.
const LONG_SIDE: u32 = 1280;
/// Encoding on two cores is faster than realtime; this is for a slow machine with other work.
const TIMES_REALTIME: u32 = 6;
/// Containers, indexes, rounding.
const SLACK_BYTES: u64 = 16 << 20;

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let video_id = task.video_id.ok_or_else(|| StageError::missing("the task's video"))?;
    let Some(from) = proxies::source(cx.db(), video_id).await? else { return Ok(Outcome::nothing("deleted")) };
    if from.made {
        return Ok(Outcome::nothing("made already"));
    }
    let size_bytes = u64::try_from(from.size_bytes).unwrap_or(0);
    let source = cx.scratch().source(cx.store(), video_id, size_bytes).await?;
    cx.progress(5);
    let most = most_bytes(&from);
    let folder = cx.scratch().folder(most).await?;
    let target = folder.path().join("proxy.mp4");
    let request = Request::MakeProxy {
        source: source.path().to_owned(),
        target: target.clone(),
        options: ProxyOptions { max_ms: u64::try_from(from.duration_ms).unwrap_or(0), long_side: LONG_SIDE },
    };
    let deadline = child::deadline(from.duration_ms, TIMES_REALTIME);
    let limits = Limits { cpu_s: 2 * deadline.as_secs(), file_bytes: most, ..Limits::default() };
    let Response::MakeProxy { report } = child::run_within(cx, limits, request, deadline, (5, 95)).await? else {
        return Err(child::wrong_answer());
    };
    drop(source);
    let key = keys::proxy(video_id);
    cx.store().put_file(&key, &target, "video/mp4").await?;
    if !record(cx, video_id, &key).await? {
        return Ok(Outcome::nothing("deleted"));
    }
    Ok(match (report.picture, report.sound) {
        (Made::Copied, None | Some(Made::Copied)) => Outcome::nothing("remuxed"),
        _ => Outcome::done(),
    })
}

/// Writes down where the proxy lies; false, and the object is removed again, when the video has been deleted meanwhile.
async fn record(cx: &StageContext, video_id: VideoId, key: &str) -> Result<bool, StageError> {
    let mut tx = match cx.fenced_tx().await {
        // The purge has ended this task, or another worker has it, which puts the same object.
        Err(StageError::Cancelled) => {
            if proxies::source(cx.db(), video_id).await?.is_none() {
                cx.store().delete(key).await?;
            }
            return Err(StageError::Cancelled);
        }
        fenced => fenced?,
    };
    if !proxies::set(&mut tx, video_id, key).await? {
        drop(tx);
        cx.store().delete(key).await?;
        return Ok(false);
    }
    cx.commit(tx).await?;
    Ok(true)
}

/// Copied tracks take what they took in the source, encoded ones what the encoders are held to.
fn most_bytes(from: &ProxySource) -> u64 {
    let length = Duration::from_millis(u64::try_from(from.duration_ms).unwrap_or(0)).as_secs() + 1;
    let source = u64::try_from(from.size_bytes).unwrap_or(0);
    source + length * (MAX_BYTES_PER_S + MAX_BYTES_PER_S / 10) + SLACK_BYTES
}
