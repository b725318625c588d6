//! Everything that parses an owner's bytes happens in a child process.
//!
//! The own binary of a worker, or of the API, is started again as `<exe> media-child`, which calls [`main`]: it reads one [`Request`] from
//! stdin, gives up its rights ([`crate::sandbox`]), does the work, and answers with lines of JSON on stdout: any number of
//! `progress`, then one `done` or `failed`. The host side is [`Runner`].

#[cfg(feature = "fault-injection")]
mod fault;
mod process;
mod protocol;
mod runner;

pub use process::main;
#[cfg(feature = "fault-injection")]
pub use protocol::Fault;
pub use protocol::{Limits, Reply, Request, Response};
pub use runner::{ChildUsage, Finished, Runner};
