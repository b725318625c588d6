//! The ledger: what is to be done, what was tried, by whom. One row per (run, stage) in `jobs`, one per other piece of work in
//! `tasks`, both kinds of `work`; one row per try in `job_attempts`.
//!
//! ```text
//!   pending ──begin──▶ running ──complete──▶ completed
//!      ▲                 │ ├──fail: rejected, attempts used up──▶ failed
//!      └─fail: transient,┘ └──fail: cancelled─────────────────▶ cancelled
//!        outage, released; reap
//! ```
//!
//! - An attempt is recorded before work begins, under an id its worker has chosen. Every write is fenced by it ([`fence`]): a
//!   worker that lost its lease can finish nothing.
//! - Finishing a stage and pushing what has become ready is one transaction ([`complete`]).
//! - Retries are scheduled here (`run_at`), not by holding a slot of the queue.
//! - Locks are always taken in the order run, work; both with `FOR NO KEY UPDATE`, which lets rows that refer to the run be
//!   inserted meanwhile.

mod again;
mod attempt;
mod backoff;
mod failure;
mod inherit;
mod lease;
mod operator;
mod run;
mod work;

pub use again::{MAX_PRIORITY, Reopened, cancel_job, retry_from, retry_job, retry_task, set_priority};
pub use attempt::{begin, complete, fence, progress};
pub use failure::{AfterFailure, Failure, FailureKind, fail};
pub use lease::{LEASE, heartbeat, push_due, reap, repush_lost};
pub use operator::{cancel_run, pause_stage, retry_run};
pub use run::{RunReason, redo_stages, start_run};
pub use work::{Attempt, StageJob, Task, Work, WorkId};

/// How long PostgreSQL or S3 may stay out of reach before work is given up.
pub const OUTAGE_LIMIT: std::time::Duration = std::time::Duration::from_secs(3600);
