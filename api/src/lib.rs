//! The HTTP API of Heimdex: accounts, uploads, videos, live progress, search; and, without a Supabase project, the auth
//! server. `main` is thin; everything is here, so that tests run the real thing on port 0.

pub mod auth;
pub mod auth_server;
pub mod cli;
mod client_ip;
pub mod config;
pub mod cursor;
mod domain;
pub mod error;
pub mod events;
mod extract;
mod metrics_server;
pub mod openapi;
mod request_id;
mod router;
pub mod routes;
pub mod search;
mod start;
mod state;
pub mod text_model;
mod web;

pub use start::{Listeners, StartError, run};
pub use state::AppState;
