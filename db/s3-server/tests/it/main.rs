//! The server as its real client, the AWS SDK, sees it.

mod http;
mod multipart;
mod objects;
mod server;
