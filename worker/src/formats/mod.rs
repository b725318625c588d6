//! Files made for others to read. Pure, and the same bytes for the same input.

pub mod captions;
pub mod sidecar;
