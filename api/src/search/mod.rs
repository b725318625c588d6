//! Searching: a query is taken apart, its channels run side by side, each with a deadline, and are fused by rank.

pub mod alike;
pub mod asked;
mod at_once;
pub mod belief;
mod evidence;
pub mod fusion;
mod glossary;
pub mod kind;
pub mod language;
pub mod listing;
pub mod moment;
pub mod more;
pub mod nearest;
pub mod picture;
pub mod pictured;
pub mod run;
