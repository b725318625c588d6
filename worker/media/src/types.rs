//! What is known about a video after looking at it, as stored and sent between processes.

use serde::{Deserialize, Serialize};

use crate::sniff::Container;

/// What the owner announced; compared with what arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub filename: String,
    pub mime: String,
    /// `None` when nothing was announced.
    pub size_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The file ends in the middle; `at_ms` says where.
    Truncated,
    /// Packets or pictures that could not be read were left out.
    Damaged,
    /// The picture is HDR and shown without tone mapping.
    Hdr,
    /// A sound track is encoded in a way that is not supported, and left out.
    AudioUnsupported,
    /// The file's name suggests another type than it has.
    Extension,
}

/// Something the owner should know about a video that was indexed all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub code: WarningCode,
    /// One sentence for the owner.
    pub message: String,
    pub at_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// Index of the stream in the file.
    pub index: usize,
    pub codec: String,
    pub channels: u32,
    pub sample_rate: u32,
    /// As the file says it, usually ISO 639-2; `None` for `und`.
    pub language: Option<String>,
    pub title: Option<String>,
    /// The file's default track.
    pub default: bool,
    /// Media time of its first packet; negative for encoder priming.
    pub start_ms: i64,
    /// Whether a decoder for it exists here.
    pub supported: bool,
}

/// A video's technical metadata. Times count from the start of the presentation (media time 0).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    pub container: Container,
    pub size_bytes: u64,
    /// End of the last picture or sound that is really in the file.
    pub duration_ms: u64,
    pub video_codec: String,
    /// As encoded, before rotation.
    pub width: u32,
    pub height: u32,
    /// As seen: rotation and sample aspect ratio applied.
    pub display_width: u32,
    pub display_height: u32,
    /// Clockwise degrees that make the picture upright: 0, 90, 180 or 270.
    pub rotation: u32,
    pub fps_num: u32,
    pub fps_den: u32,
    /// A guess: more than 2 % of the frame intervals differ from the median.
    pub variable_frame_rate: bool,
    /// Pictures in the file, counted.
    pub frames: u64,
    pub pixel_format: String,
    pub bit_depth: u32,
    pub audio: Vec<AudioTrack>,
    /// Bits a second over everything.
    pub bitrate: u64,
    /// As the file says it (RFC 3339 for MP4, MOV and MKV).
    pub creation_time: Option<String>,
    pub warnings: Vec<Warning>,
}
