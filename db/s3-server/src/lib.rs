//! A small S3 server for one machine: one key pair, path-style addressing, objects as files.
//!
//! The protocol (signatures, XML, chunked bodies) is the `s3s` crate. The storage is ours, because what an upload of many
//! gigabytes leans on has to hold here as it does at a cloud provider: a part or an object is either whole or absent, a
//! `CompleteMultipartUpload` is checked against the ETags it names, parts are listed with their ETags, and no key can
//! reach outside its bucket or collide with another (see [`names`]).
//!
//! ```text
//! http (limits, CORS) → s3s (signatures, XML) → service → {objects, uploads, listing} → {names, sealed, receive} → files
//! ```
//!
//! Absent on purpose: versions, ACLs, policies, tagging, lifecycle, server-side encryption, virtual-hosted addressing.
//! Each of them answers `NotImplemented`.

mod config;
mod errors;
mod http;
mod idle;
mod listing;
pub mod names;
mod objects;
mod receive;
mod sealed;
mod service;
mod uploads;

pub use config::{Config, ConfigError, CorsOrigins, Limits};
pub use http::serve;
pub use objects::OpenError;
