//! Searching: the channels run side by side, each with a deadline, and are fused by rank.

pub mod fusion;
pub mod moment;
pub mod run;
