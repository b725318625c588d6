//! The ledger's promises, told on a real database: nothing is done twice, nothing is lost, nobody loops for ever.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod delivery;
mod failures;
mod leases;
mod redo;
mod story;
mod tasks;
