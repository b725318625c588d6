//! Who is there, told with vectors in a plane: how alike two faces are is the angle between them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod at_once;
mod decisions;
mod identifying;
mod leaving;
mod library;
mod photos;
