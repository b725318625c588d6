//! Files to videos: which files, what of them is there already, and sending the rest in parts straight to the object storage.

pub mod files;
pub mod known;
pub mod plan;
pub mod put;
pub mod send;
