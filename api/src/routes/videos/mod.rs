//! A person's videos.

pub mod bulk;
pub mod clips;
pub mod edit;
pub mod get;
pub mod list;
pub mod markers;
pub mod part;
pub mod playable;
pub mod playback;
pub mod reprocess;
pub mod shape;
pub mod sprite;
pub mod tags;
