//! Finding moments.

pub mod filters;
pub mod history;
pub mod image;
pub mod query;
pub mod saved;
pub mod similar;
pub mod suggest;
