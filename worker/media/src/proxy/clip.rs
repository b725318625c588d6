//! A part of a video as an MP4 of its own, which every browser plays.
//!
//! *Fast* copies the picture from the last keyframe before the start, so it begins up to a group of pictures early. *Exact*
//! decodes from there and encodes what lies between start and end, to the picture. Where nothing can be copied, fast is exact.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Made, Plan, ProxyOptions, ProxyReport, Span, write};
use crate::av::input::{Read1, Source};
use crate::error::{MediaError, Result};

/// Which part, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipOptions {
    /// Media time.
    pub start_ms: u64,
    /// After `start_ms`; what is there at this time is no longer in the clip.
    pub end_ms: u64,
    /// Begin at the start itself rather than at the keyframe before it.
    pub exact: bool,
    /// Of pictures that are encoded anew, pixels.
    pub long_side: u32,
}

/// Writes the part of `source` to `target`.
///
/// # Errors
/// Rejected when there is no picture between start and end.
pub fn cut(source: &Path, target: &Path, options: &ClipOptions, mut progress: impl FnMut(u8)) -> Result<ProxyReport> {
    let plan = Plan::of(&Source::open(source)?)?;
    let (start_us, end_us) = (micros(options.start_ms), micros(options.end_ms));
    let mut copied = None;
    if !options.exact
        && plan.picture.1 == Made::Copied
        && let Some(from_us) = keyframe_before(source, plan.picture.0, start_us)?
    {
        copied = match part(source, target, options, plan, (from_us, end_us), &mut progress) {
            // Time stamps that make no sense in MP4: what cannot be copied can still be decoded.
            Err(MediaError::Failed { .. }) => None,
            report => Some(report?),
        };
    }
    let report = match copied {
        Some(report) => report,
        None => part(source, target, options, plan.all_encoded(), (start_us, end_us), &mut progress)?,
    };
    progress(100);
    Ok(report)
}

fn micros(ms: u64) -> i64 {
    i64::try_from(ms.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// Takes over what lies between the two times, which become 0 and the length.
fn part(
    path: &Path,
    target: &Path,
    options: &ClipOptions,
    plan: Plan,
    (from_us, end_us): (i64, i64),
    progress: &mut impl FnMut(u8),
) -> Result<ProxyReport> {
    let mut source = at(path, from_us)?;
    // Media time 0 is now the clip's own.
    source.origin_us = source.origin_us.saturating_add(from_us);
    let length_us = end_us.saturating_sub(from_us).max(0);
    let max_ms = u64::try_from(length_us / 1000).unwrap_or(0);
    let shape = ProxyOptions { max_ms, long_side: options.long_side };
    // A picture at the end itself belongs to what comes after.
    let span = Span { first_us: 0, end_us: length_us, slack_us: -1 };
    write(source, target, &shape, span, plan, progress)
}

/// The source at the keyframe before `us`; at its beginning where the container cannot be searched.
fn at(path: &Path, us: i64) -> Result<Source> {
    let mut source = Source::open(path)?;
    if us > 0 && source.seek(us).is_err() {
        return Source::open(path);
    }
    Ok(source)
}

/// When the last keyframe of a track is shown that is not after `us`. `None` where none is found.
fn keyframe_before(path: &Path, track: usize, us: i64) -> Result<Option<i64>> {
    let mut source = at(path, us)?;
    let Some(base) = source.streams().nth(track).map(|stream| stream.time_base()) else { return Ok(None) };
    source.keep_only(&[track]);
    let mut found = None;
    while let Read1::Packet(packet) = source.read() {
        if packet.stream() != track {
            continue;
        }
        let coded_us = packet.dts().or_else(|| packet.pts()).map(|ticks| source.media_us(ticks, base));
        if coded_us.is_some_and(|coded| coded > us) {
            break;
        }
        let shown_us = packet.pts().map(|ticks| source.media_us(ticks, base));
        if packet.is_key() {
            found = shown_us.filter(|shown| (0..=us).contains(shown)).or(found);
        }
    }
    Ok(found)
}
