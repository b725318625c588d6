//! Object keys. They are made here only, from ids; nothing a person typed ever reaches one.
//!
//! ```text
//! v/<video>/source                      what was uploaded
//! v/<video>/poster.webp
//! v/<video>/proxy.mp4                   what browsers play where they cannot play the source
//! v/<video>/clips/<clip>.mp4           a part of it, for a while
//! v/<video>/r/<run>/audio.flac …        artifacts of one run
//! v/<video>/r/<run>/frames/<at_ms>.jpg
//! v/<video>/r/<run>/thumbs/<at_ms>-<width>.webp
//! v/<video>/r/<run>/faces/<track>.webp
//! p/<owner>/<person>/<photo>.sent       a photo of a person as it was sent, until it is checked
//! p/<owner>/<person>/<photo>.jpg        the same without its metadata
//! ```

use crate::ids::{ClipId, PersonId, PhotoId, RunId, UserId, VideoId};

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

pub fn clip(video: VideoId, clip: ClipId) -> String {
    format!("v/{video}/clips/{clip}.mp4")
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

/// Photos of all people of an owner.
pub fn people_prefix(owner: UserId) -> String {
    format!("p/{owner}/")
}

/// Photos that were sent for a person. Those of one with whom the person was merged lie elsewhere; their rows say where.
pub fn person_prefix(owner: UserId, person: PersonId) -> String {
    format!("p/{owner}/{person}/")
}

pub fn sent_photo(owner: UserId, person: PersonId, photo: PhotoId) -> String {
    format!("p/{owner}/{person}/{photo}.sent")
}

/// Where the checked copy of a photo lies, beside what was sent.
pub fn checked_photo(sent: &str) -> String {
    format!("{}.jpg", sent.strip_suffix(".sent").unwrap_or(sent))
}
