//! Video and sound for Heimdex: what a file is, its sound for speech recognition, its scenes and the frames that stand for them.
//!
//! Works on local files and knows nothing of databases or object stores. Whatever parses an owner's bytes is meant to run
//! in a child process ([`child`]): `probe`, `poster`, `proxy`, `still`, `audio::extract` and `scene::detect`. Only what reads our own artifacts
//! ([`pictures`], [`audio::PcmReader`]) belongs into the worker itself. Unsafe code is confined to `av` (FFmpeg) and `sandbox`.

// FFmpeg's headers give some constants and sizes another integer type from one version to the next.
#![allow(clippy::unnecessary_cast)]

pub mod audio;
mod av;
pub mod child;
mod error;
pub mod pictures;
pub mod poster;
pub mod probe;
pub mod proxy;
mod sandbox;
pub mod scene;
pub mod sniff;
pub mod still;
mod types;

pub use error::{Limit, MediaError, RejectCode, Result};
pub use sniff::Container;
pub use types::{AudioTrack, Declared, Probe, Warning, WarningCode};
