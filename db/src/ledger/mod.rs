//! The ledger of the pipeline: one row per (run, stage) in `jobs`, one row per try in `job_attempts`.
//!
//! ```text
//!   pending ──begin──▶ running ──complete──▶ completed
//!      ▲                 │ ├──fail: rejected, attempts used up──▶ failed
//!      └─fail: transient,┘ └──fail: cancelled─────────────────▶ cancelled
//!        outage, released; reap
//! ```
//!
//! - An attempt is recorded before work begins. Every write of a stage is fenced by it ([`fence`]): a worker that lost its
//!   lease can finish nothing.
//! - Finishing a stage and pushing what has become ready is one transaction ([`complete`]).
//! - Retries are scheduled here (`run_at`), not by holding a slot of the queue.
//! - Locks are always taken in the order run, job; both with `FOR NO KEY UPDATE`, which lets rows that refer to the run be
//!   inserted meanwhile.

mod attempt;
mod backoff;
mod failure;
mod lease;
mod operator;
mod run;

pub(crate) use attempt::interval;
pub use attempt::{Attempt, begin, complete, fence, progress};
pub(crate) use backoff::retry_delay;
pub use failure::{AfterFailure, Failure, FailureKind, fail};
pub use lease::{LEASE, heartbeat, push_due, reap, repush_lost};
pub use operator::{cancel_run, retry_run, set_stage_paused};
pub use run::{RunReason, start_run};

/// How long PostgreSQL or S3 may stay out of reach before a job gives up.
pub const OUTAGE_LIMIT: std::time::Duration = std::time::Duration::from_secs(3600);
