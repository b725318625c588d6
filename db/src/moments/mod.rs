//! What was found in a video, written by the stages. Every function replaces what an earlier attempt left, so that running
//! a stage again gives the same rows; callers fence their transaction first (`crate::ledger::fence`).

pub mod frames;
pub mod metadata;
pub mod scenes;
pub mod transcript;
pub mod windows;
