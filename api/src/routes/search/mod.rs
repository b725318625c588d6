//! Finding moments.

pub mod filters;
pub mod query;
pub mod similar;
pub mod suggest;
