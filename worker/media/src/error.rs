//! What can go wrong with a video, sorted by whose fault it is.
//!
//! `Rejected` is the video's own fault and final: the code is stable, the sentence is for its owner. Everything else
//! is ours or the machine's, and may be tried again by the caller.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a video cannot be indexed, or a photo not be used. The codes are stable: they are stored and translated by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectCode {
    EmptyFile,
    NotAVideo,
    StillImage,
    PlaylistNotAllowed,
    UnsupportedContainer,
    UnsupportedCodec,
    MoovMissing,
    Damaged,
    NoVideoTrack,
    NoFrames,
    TooLong,
    ResolutionTooLarge,
    SizeMismatch,
    TypeMismatch,
    /// Of a photo, as the following.
    NotAPicture,
    PictureTooLarge,
    PictureDamaged,
}

impl RejectCode {
    pub const ALL: [RejectCode; 17] = [
        Self::EmptyFile,
        Self::NotAVideo,
        Self::StillImage,
        Self::PlaylistNotAllowed,
        Self::UnsupportedContainer,
        Self::UnsupportedCodec,
        Self::MoovMissing,
        Self::Damaged,
        Self::NoVideoTrack,
        Self::NoFrames,
        Self::TooLong,
        Self::ResolutionTooLarge,
        Self::SizeMismatch,
        Self::TypeMismatch,
        Self::NotAPicture,
        Self::PictureTooLarge,
        Self::PictureDamaged,
    ];

    /// The stable name, as stored and sent over the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::NotAVideo => "not_a_video",
            Self::StillImage => "still_image",
            Self::PlaylistNotAllowed => "playlist_not_allowed",
            Self::UnsupportedContainer => "unsupported_container",
            Self::UnsupportedCodec => "unsupported_codec",
            Self::MoovMissing => "moov_missing",
            Self::Damaged => "damaged",
            Self::NoVideoTrack => "no_video_track",
            Self::NoFrames => "no_frames",
            Self::TooLong => "too_long",
            Self::ResolutionTooLarge => "resolution_too_large",
            Self::SizeMismatch => "size_mismatch",
            Self::TypeMismatch => "type_mismatch",
            Self::NotAPicture => "not_a_picture",
            Self::PictureTooLarge => "picture_too_large",
            Self::PictureDamaged => "picture_damaged",
        }
    }

    /// One sentence for the owner of the video.
    pub fn message(self) -> &'static str {
        match self {
            Self::EmptyFile => "The file is empty.",
            Self::NotAVideo => "The file is not a video, whatever its name says.",
            Self::StillImage => "The file is a picture, not a video.",
            Self::PlaylistNotAllowed => {
                "The file is a playlist, subtitle or document that refers to other files; upload the video itself."
            }
            Self::UnsupportedContainer => {
                "This kind of file is not supported; MP4, MOV, MKV, WebM, AVI and MPEG (TS or PS) are."
            }
            Self::UnsupportedCodec => "The picture in this file is encoded in a way that is not supported.",
            Self::MoovMissing => {
                "The file has no index (moov), as happens when a recording or an upload was cut short; it cannot be played."
            }
            Self::Damaged => "The file is damaged and cannot be read.",
            Self::NoVideoTrack => "The file has sound but no picture.",
            Self::NoFrames => "Not a single picture of this video can be decoded.",
            Self::TooLong => "The video is longer than your plan allows.",
            Self::ResolutionTooLarge => "The picture is larger than is supported.",
            Self::SizeMismatch => "The size of the uploaded file is not the size that was announced.",
            Self::TypeMismatch => "The file is of another type than was announced.",
            Self::NotAPicture => "The file is not a picture, whatever its name says; JPEG, PNG and WebP are read.",
            Self::PictureTooLarge => "The picture has more pixels than are read; send a smaller copy of it.",
            Self::PictureDamaged => "The picture is damaged and cannot be read; send another.",
        }
    }
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// The limit of the child process that was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Memory,
    Cpu,
    FileSize,
    /// The disk it writes to is full.
    Disk,
    Output,
}

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The video is at fault; final.
    #[error("rejected ({code}): {detail}")]
    Rejected { code: RejectCode, detail: String },
    /// The child was killed by a signal: a crash in a decoder, or a forbidden system call.
    #[error("media child died of signal {signal}: {detail}")]
    Crashed { signal: i32, detail: String },
    /// The child did not end before its deadline and was killed.
    #[error("media child was killed after {0:?}")]
    TimedOut(Duration),
    /// The child ran into one of its resource limits.
    #[error("media child hit its {limit:?} limit: {detail}")]
    ResourceLimit { limit: Limit, detail: String },
    /// FFmpeg or our own code failed where the video is not to blame.
    #[error("{what}: {detail}")]
    Failed { what: String, detail: String },
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

impl MediaError {
    pub fn rejected(code: RejectCode, detail: impl Into<String>) -> Self {
        Self::Rejected { code, detail: detail.into() }
    }

    pub fn failed(what: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::Failed { what: what.into(), detail: detail.to_string() }
    }

    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// A failed FFmpeg call: memory is named as such, everything else keeps FFmpeg's words.
    pub(crate) fn ffmpeg(what: &str, error: ffmpeg_next::Error) -> Self {
        match error {
            ffmpeg_next::Error::Other { errno: libc::ENOMEM } => {
                Self::ResourceLimit { limit: Limit::Memory, detail: what.to_owned() }
            }
            error => Self::failed(what, error),
        }
    }
}

pub type Result<T, E = MediaError> = std::result::Result<T, E>;
