//! Holding on to what this worker is doing: one loop renews the lease of every running attempt, and ends those that are
//! no longer ours.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use heimdex_db::{
    AttemptId, DbError, PgPool,
    ledger::{self, LEASE},
};
use tokio_util::sync::CancellationToken;

/// Between two renewals; three may be missed within a lease.
const BEAT: Duration = Duration::from_secs(2);

/// Why an attempt was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Another worker has it, or the run was cancelled: nothing may be written any more.
    LeaseLost,
    /// It took longer than its stage may.
    Deadline,
    /// The worker is going home.
    Shutdown,
}

/// An attempt's end, told once.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    pub token: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
}

impl Ending {
    pub fn end(&self, reason: Reason) {
        // The first reason stands.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    pub fn reason(&self) -> Option<Reason> {
        self.reason.get().copied()
    }
}

/// The attempts this process is working on, and what it knows of PostgreSQL being there. Cheap to clone.
#[derive(Clone, Default)]
pub struct Leases(Arc<Shared>);

#[derive(Default)]
struct Shared {
    held: Mutex<HashMap<AttemptId, Ending>>,
    /// Everybody was told to end: so is whoever comes late.
    all: OnceLock<Reason>,
    /// Since when PostgreSQL has answered without a gap.
    present_since: Mutex<Option<Instant>>,
}

impl Leases {
    fn held(&self) -> MutexGuard<'_, HashMap<AttemptId, Ending>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the attempt's lease is renewed, until what is returned is dropped.
    pub fn hold(&self, attempt_id: AttemptId, ending: Ending) -> Held {
        let mut held = self.held();
        if let Some(&reason) = self.0.all.get() {
            ending.end(reason);
        }
        held.insert(attempt_id, ending);
        drop(held);
        Held { leases: self.clone(), attempt_id }
    }

    pub fn running(&self) -> usize {
        self.held().len()
    }

    /// Tells every running attempt to end, and every one that begins from now on.
    pub fn end_all(&self, reason: Reason) {
        let held = self.held();
        let _ = self.0.all.set(reason);
        for ending in held.values() {
            ending.end(reason);
        }
    }

    /// Remembers whether PostgreSQL answered.
    pub fn seen<T>(&self, answer: &Result<T, DbError>) {
        let mut since = self.0.present_since.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(error) if error.is_outage() => *since = None,
            _ => *since = since.or_else(|| Some(Instant::now())),
        }
    }

    /// PostgreSQL has been there for at least a lease: workers who are well have had the time to renew theirs, so that
    /// one that has run out means a dead worker and not an outage.
    pub fn may_judge_others(&self) -> bool {
        let since = self.0.present_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() >= LEASE)
    }

    /// Renews for ever. `db` should be a connection of its own, so that no amount of other work keeps a renewal waiting.
    pub async fn renew(self, db: PgPool) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            let ids: Vec<_> = self.held().keys().copied().collect();
            if ids.is_empty() {
                continue;
            }
            let answer = ledger::heartbeat(&db, &ids, LEASE).await;
            self.seen(&answer);
            match answer {
                Ok(ours) => {
                    for lost in ids.iter().filter(|id| !ours.contains(id)) {
                        // Not there any more when it has just ended by itself.
                        if let Some(ending) = self.held().get(lost) {
                            tracing::warn!(attempt_id = %lost, "attempt is no longer ours");
                            ending.end(Reason::LeaseLost);
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "could not renew leases"),
            }
        }
    }
}

/// An attempt being held; dropping it lets go.
pub struct Held {
    leases: Leases,
    attempt_id: AttemptId,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leases.held().remove(&self.attempt_id);
    }
}
