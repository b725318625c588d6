//! The HTTP API of Heimdex: accounts, uploads, videos, live progress, search; and, without a Supabase project, the auth
//! server. `main` is thin; everything is here, so that tests run the real thing on port 0.

pub mod auth;
pub mod auth_server;
pub mod cli;
pub mod client_ip;
pub mod config;
pub mod cursor;
pub mod dictionary;
pub mod domain;
pub mod encoders;
pub mod error;
pub mod events;
pub mod extract;
pub mod idempotent;
mod mcp;
pub mod metrics_server;
pub mod openapi;
pub mod origin;
pub mod request_id;
pub mod router;
pub mod routes;
pub mod search;
pub mod start;
mod state;
pub mod supabase;
pub mod web;

pub use start::{Listeners, StartError, run};
pub use state::AppState;
