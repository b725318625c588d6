//! What `faces_enroll_match` is made of: looking at pictures, and following faces from one to the next.

pub mod look;
pub mod tracks;
