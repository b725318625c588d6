//! Finding moments.

pub mod query;
pub mod similar;
pub mod suggest;
