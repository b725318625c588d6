//! Object keys. They are made here only, from ids; nothing a person typed ever reaches one.
//!
//! ```text
//! v/<video>/source                      what was uploaded
//! v/<video>/poster.webp
//! v/<video>/proxy.mp4                   what browsers play where they cannot play the source
//! v/<video>/r/<run>/audio.flac …        artifacts of one run
//! v/<video>/r/<run>/frames/<at_ms>.jpg
//! v/<video>/r/<run>/thumbs/<at_ms>-<width>.webp
//! v/<video>/r/<run>/faces/<track>.webp
//! ```

use crate::ids::{RunId, VideoId};

/// Everything of a video.
pub fn video_prefix(video: VideoId) -> String {
    format!("v/{video}/")
}

/// Everything of one run of a video.
pub fn run_prefix(video: VideoId, run: RunId) -> String {
    format!("v/{video}/r/{run}/")
}

pub fn source(video: VideoId) -> String {
    format!("v/{video}/source")
}

pub fn poster(video: VideoId) -> String {
    format!("v/{video}/poster.webp")
}

pub fn proxy(video: VideoId) -> String {
    format!("v/{video}/proxy.mp4")
}

/// An artifact of a run by its file name, for example `sidecar.json`.
pub fn artifact(video: VideoId, run: RunId, file_name: &'static str) -> String {
    format!("v/{video}/r/{run}/{file_name}")
}

/// A candidate picture of the single decode.
pub fn frame(video: VideoId, run: RunId, at_ms: i64) -> String {
    format!("v/{video}/r/{run}/frames/{at_ms}.jpg")
}

/// A picture made small, `width` pixels wide.
pub fn thumbnail(video: VideoId, run: RunId, at_ms: i64, width: u32) -> String {
    format!("v/{video}/r/{run}/thumbs/{at_ms}-{width}.webp")
}

/// The best face of a track, cut out.
pub fn face(video: VideoId, run: RunId, track_no: i32) -> String {
    format!("v/{video}/r/{run}/faces/{track_no}.webp")
}
