//! Clip: a part of a video as a file of its own.
//! Reads: payload [`CutClip`], source object. Writes: clip object and where it lies. Again: same key, replaced.

use heimdex_db::{
    ClipId,
    clips::{self, ClipSource, CutClip},
    keys,
    ledger::Task,
};
use heimdex_media::{
    child::{Limits, Request, Response},
    proxy::{MAX_BYTES_PER_S, clip::ClipOptions},
};

use crate::{
    child,
    fault::{self, Point},
    stage::{Outcome, StageContext, StageError},
};

/// Of pictures that are encoded anew, pixels.
const LONG_SIDE: u32 = 1920;
/// Encoding on two cores at this size, on a slow machine with other work.
const TIMES_REALTIME: u32 = 12;
/// Of pictures and sound that are copied: 200 Mbit/s, more than cameras write of what browsers play.
const COPIED_BYTES_PER_S: u64 = 25_000_000;
/// What a copy has more than was asked for: a keyframe may be so long before the start.
const LEAD_S: u64 = 20;
/// Headers, indexes, rounding.
const SLACK_BYTES: u64 = 64 << 20;

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let CutClip { clip_id, video_id } = super::payload(task)?;
    let Some(from) = clips::source(cx.db(), clip_id).await? else {
        // A worker that died may have put it there after the object was removed with its row.
        if let Some(video_id) = video_id {
            remove(cx, clip_id, &keys::clip(video_id, clip_id)).await?;
        }
        return Ok(Outcome::nothing("expired"));
    };
    if from.made {
        return Ok(Outcome::nothing("made already"));
    }
    let size_bytes = u64::try_from(from.size_bytes).unwrap_or(0);
    let source = cx.scratch().source(cx.store(), from.video_id, size_bytes).await?;
    cx.progress(5);
    let most = most_bytes(&from);
    let folder = cx.scratch().folder(most).await?;
    let target = folder.path().join("clip.mp4");
    let ms = |time: i64| u64::try_from(time).unwrap_or(0);
    let request = Request::CutClip {
        source: source.path().to_owned(),
        target: target.clone(),
        options: ClipOptions {
            start_ms: ms(from.start_ms),
            end_ms: ms(from.end_ms),
            exact: from.exact,
            long_side: LONG_SIDE,
        },
    };
    let deadline = child::deadline(from.end_ms - from.start_ms, TIMES_REALTIME);
    let limits = Limits { cpu_s: 2 * deadline.as_secs(), file_bytes: most, ..Limits::default() };
    let Response::CutClip { report } = child::run_within(cx, limits, request, deadline, (5, 95)).await? else {
        return Err(child::wrong_answer());
    };
    drop(source);
    let key = keys::clip(from.video_id, clip_id);
    fault::at(&task.kind, Point::Middle).await;
    // Of a worker that died while it sent a long one.
    cx.store().abort_multiparts(&key).await?;
    cx.store().put_file(&key, &target, "video/mp4").await?;
    fault::at(&task.kind, Point::Stored).await;
    let size_bytes = i64::try_from(report.size_bytes).unwrap_or(i64::MAX);
    Ok(if record(cx, clip_id, &key, size_bytes).await? { Outcome::done() } else { Outcome::nothing("expired") })
}

/// Writes down where the clip lies; false, and the object is removed again, when the clip is over meanwhile.
async fn record(cx: &StageContext, clip: ClipId, key: &str, size_bytes: i64) -> Result<bool, StageError> {
    let mut tx = match cx.fenced_tx().await {
        // The account is gone with its tasks, or another worker has this one, which puts the same object.
        Err(StageError::Cancelled) => {
            if clips::source(cx.db(), clip).await?.is_none() {
                remove(cx, clip, key).await?;
            }
            return Err(StageError::Cancelled);
        }
        fenced => fenced?,
    };
    if !clips::set(&mut tx, clip, key, size_bytes).await? {
        drop(tx);
        remove(cx, clip, key).await?;
        return Ok(false);
    }
    cx.commit(tx).await?;
    Ok(true)
}

/// Removes an object that no row will name. One that a row names stays: its video may be restored.
async fn remove(cx: &StageContext, clip: ClipId, key: &str) -> Result<(), StageError> {
    if !clips::is_kept(cx.db(), clip).await? {
        cx.store().abort_multiparts(key).await?;
        cx.store().delete(key).await?;
    }
    Ok(())
}

/// An encoded part takes what the encoders are held to; a copied one what it took in the source, and no more than all of that. The source
/// lies beside it: room for another one would not be had for a large video.
fn most_bytes(from: &ClipSource) -> u64 {
    let length_s = u64::try_from((from.end_ms - from.start_ms) / 1000 + 1).unwrap_or(1);
    let encoded = length_s * (MAX_BYTES_PER_S + MAX_BYTES_PER_S / 10);
    let source = u64::try_from(from.size_bytes).unwrap_or(0);
    let copied = if from.exact { 0 } else { source.min((length_s + LEAD_S) * COPIED_BYTES_PER_S) };
    encoded.max(copied) + SLACK_BYTES
}

#[cfg(test)]
mod tests {
    use heimdex_db::VideoId;

    use super::*;

    fn from(size_bytes: i64, length_s: i64, exact: bool) -> ClipSource {
        let video_id = VideoId::from(uuid::Uuid::nil());
        ClipSource { video_id, start_ms: 60_000, end_ms: 60_000 + length_s * 1000, exact, size_bytes, made: false }
    }

    #[test]
    fn a_short_part_of_a_large_video_wants_little_room() {
        const GIB: u64 = 1 << 30;
        for exact in [false, true] {
            assert!(most_bytes(&from(30 << 30, 10, exact)) < GIB, "exact: {exact}");
            assert!(most_bytes(&from(5 << 20, 10, exact)) >= SLACK_BYTES + (5 << 20), "exact: {exact}");
        }
        assert!(most_bytes(&from(2 << 30, 1800, false)) > 2 * GIB, "half an hour may be all of it");
    }
}
