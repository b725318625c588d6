//! The server as its real client, the AWS SDK, sees it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod http;
mod multipart;
mod objects;
mod server;
