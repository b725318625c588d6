//! What host and child say to each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::audio::{AudioInfo, TrackChoice};
use crate::error::{Limit, RejectCode};
use crate::poster::Poster;
use crate::probe::ProbeLimits;
use crate::proxy::clip::ClipOptions;
use crate::proxy::{ProxyOptions, ProxyReport};
use crate::scene::{SceneOptions, SceneReport};
use crate::still::Still;
use crate::types::{Declared, Probe};

/// One piece of work. Paths are absolute; the source's folder is readable and every output's folder writable to the child,
/// nothing else is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Look at the file; with `poster`, also write one picture (WebP) there.
    Probe { source: PathBuf, declared: Declared, limits: ProbeLimits, poster: Option<PathBuf> },
    /// Write the sound artifact (FLAC) to `target`.
    ExtractAudio { source: PathBuf, target: PathBuf, track: TrackChoice, max_ms: Option<u64> },
    /// Find scenes and write candidate frames (JPEG) into the existing folder `out_dir`.
    DetectScenes { source: PathBuf, out_dir: PathBuf, options: SceneOptions },
    /// Write a version that browsers play (MP4) to `target`.
    MakeProxy { source: PathBuf, target: PathBuf, options: ProxyOptions },
    /// Write a part of it (MP4) to `target`.
    CutClip { source: PathBuf, target: PathBuf, options: ClipOptions },
    /// Read a photo and write it anew (JPEG), upright and without metadata, its long side at most `long_side`.
    DecodeStill { source: PathBuf, target: PathBuf, long_side: usize },
    /// Planted faults, for tests of the walls.
    #[cfg(feature = "fault-injection")]
    Fault { fault: Fault },
}

/// What a planted fault does.
#[cfg(feature = "fault-injection")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Hang,
    Spin,
    Abort,
    Segfault,
    /// Allocates and touches memory until something gives.
    Allocate,
    /// Writes a file until something gives.
    FillDisk,
    /// Opens a connection to this address.
    Connect(std::net::SocketAddr),
    /// Sends a datagram to this address.
    Send(std::net::SocketAddr),
    /// Reads a file that is none of its business.
    Read(PathBuf),
    /// Writes one.
    Write(PathBuf),
    /// Removes one.
    Remove(PathBuf),
    /// Starts another program.
    Exec,
    /// Answers with something that is not the protocol.
    Babble,
}

impl Request {
    pub(crate) fn reads(&self) -> Vec<PathBuf> {
        match self {
            Self::Probe { source, .. }
            | Self::ExtractAudio { source, .. }
            | Self::DetectScenes { source, .. }
            | Self::MakeProxy { source, .. }
            | Self::CutClip { source, .. }
            | Self::DecodeStill { source, .. } => vec![source.clone()],
            #[cfg(feature = "fault-injection")]
            Self::Fault { .. } => Vec::new(),
        }
    }

    /// Folders in which files are written.
    pub(crate) fn writes(&self) -> Vec<PathBuf> {
        let parent = |path: &PathBuf| path.parent().map(PathBuf::from);
        match self {
            Self::Probe { poster, .. } => poster.iter().filter_map(parent).collect(),
            Self::ExtractAudio { target, .. }
            | Self::MakeProxy { target, .. }
            | Self::CutClip { target, .. }
            | Self::DecodeStill { target, .. } => parent(target).into_iter().collect(),
            Self::DetectScenes { out_dir, .. } => vec![out_dir.clone()],
            #[cfg(feature = "fault-injection")]
            Self::Fault { fault: Fault::FillDisk } => vec![std::env::temp_dir()],
            #[cfg(feature = "fault-injection")]
            Self::Fault { .. } => Vec::new(),
        }
    }
}

/// What comes of a [`Request`], kind by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Response {
    Probe { probe: Box<Probe>, poster: Option<Poster> },
    ExtractAudio { audio: AudioInfo },
    DetectScenes { report: Box<SceneReport> },
    MakeProxy { report: ProxyReport },
    CutClip { report: ProxyReport },
    DecodeStill { still: Still },
}

/// One line of the child's stdout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    Progress { percent: u8 },
    Done { response: Response },
    Rejected { code: RejectCode, detail: String },
    Limited { limit: Limit, detail: String },
    Failed { what: String, detail: String },
}

/// What a child may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space, bytes. Virtual memory: threads' stacks and arenas count.
    pub memory_bytes: u64,
    pub cpu_s: u64,
    /// Largest file it may write.
    pub file_bytes: u64,
    pub open_files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 3 << 30, cpu_s: 4 * 3600, file_bytes: 4 << 30, open_files: 64 }
    }
}

/// First line on the child's stdin.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub limits: Limits,
    pub request: Request,
}
