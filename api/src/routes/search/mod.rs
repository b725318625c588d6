//! Finding moments.

pub mod filters;
pub mod history;
pub mod image;
mod position;
pub mod query;
pub mod saved;
pub mod similar;
pub mod suggest;
