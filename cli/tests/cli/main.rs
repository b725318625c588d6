//! The program as people run it, against the real API on port 0 with a database and a bucket of its own for every test.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    reason = "a test binary: a panic is the answer, and of the API's test support a part is used"
)]

mod breaking_off;
mod exporting;
mod finding;
mod signing_in;
mod support;
mod uploading;
