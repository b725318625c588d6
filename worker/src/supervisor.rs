//! What every worker does for all of them, every two seconds: say that it is there, take up what dead workers left, send
//! what has become due, and clear away what is past its time. All of it is safe to be done by many at once.

use std::{sync::Arc, time::Duration};

use heimdex_db::{
    DbError, PgPool, Stage, clips, ledger, maintenance, shares,
    tasks::{self, NewTask, PURGE_VIDEO},
    workers::{self, Worker},
};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{config, leases::Leases, metrics, stage::Services};

const ROUND: Duration = Duration::from_secs(2);
const GAUGES: Duration = Duration::from_secs(5);
const LOST_MESSAGES: Duration = Duration::from_secs(30);
const SWEEP: Duration = Duration::from_secs(60);
/// Uploads that nobody has finished for this long are given up.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
/// Sources nobody has read for this long are dropped.
const IDLE_SOURCE: Duration = Duration::from_secs(120);

pub struct Supervisor {
    pub services: Arc<Services>,
    /// Connections of its own, so that no amount of other work keeps it waiting.
    pub db: PgPool,
    pub leases: Leases,
}

impl Supervisor {
    /// For ever.
    pub async fn run(self) {
        let me = Worker {
            name: self.services.config.name.clone(),
            host: config::host(),
            pid: i32::try_from(std::process::id()).unwrap_or(0),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stages: self.services.config.stages.clone(),
        };
        let mut round = interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due = Due::default();
        loop {
            round.tick().await;
            let done = self.round(&me, &mut due).await;
            self.leases.seen(&done);
            if let Err(error) = done {
                tracing::warn!(%error, "supervision");
            }
        }
    }

    async fn round(&self, me: &Worker, due: &mut Due) -> Result<(), DbError> {
        let db = &self.db;
        let answer = workers::heartbeat(db, me).await;
        self.leases.seen(&answer);
        answer?;
        if self.leases.may_judge_others() {
            let lost = ledger::reap(db).await?;
            if lost > 0 {
                tracing::warn!(lost, "took up the attempts of workers that are gone");
            }
        }
        ledger::push_due(db).await?;
        if due.gauges.is_over(GAUGES) {
            self.gauges().await?;
        }
        if due.lost_messages.is_over(LOST_MESSAGES) {
            ledger::repush_lost(db).await?;
        }
        if due.sweep.is_over(SWEEP) {
            self.sweep().await?;
        }
        Ok(())
    }

    async fn gauges(&self) -> Result<(), DbError> {
        let depth = maintenance::depth(&self.db).await?;
        for &stage in Stage::ALL {
            let found = depth.iter().find(|(of, ..)| *of == stage);
            metrics::depth(stage, found.map_or(0, |d| d.1), found.map_or(0, |d| d.2));
        }
        metrics::scratch_used(self.services.scratch.used_bytes());
        Ok(())
    }

    async fn sweep(&self) -> Result<(), DbError> {
        let db = &self.db;
        self.services.scratch.forget_idle(IDLE_SOURCE);
        self.services.scratch.sweep_dead();
        for video_id in maintenance::abandoned_uploads(db, ABANDONED).await? {
            let mut tx = db.begin().await?;
            if maintenance::give_up_upload(&mut tx, video_id).await? {
                tracing::info!(%video_id, "gave up an upload that was not finished in a day");
            }
            tx.commit().await?;
        }
        for (video_id, owner_id) in maintenance::videos_to_purge(db).await? {
            let mut tx = db.begin().await?;
            let task = NewTask {
                kind: PURGE_VIDEO,
                owner_id: Some(owner_id),
                video_id: Some(video_id),
                payload: json!({ "video_id": video_id }),
                run_at: None,
            };
            tasks::enqueue(&mut tx, &task).await?;
            tx.commit().await?;
        }
        clips::expire(db).await?;
        shares::forget_over(db).await?;
        maintenance::expire_idempotency_keys(db).await?;
        maintenance::vacuum_queue(db).await?;
        workers::forget_silent(db).await?;
        Ok(())
    }
}

/// When each thing was done last.
#[derive(Default)]
struct Due {
    gauges: Last,
    lost_messages: Last,
    sweep: Last,
}

#[derive(Default)]
struct Last(Option<Instant>);

impl Last {
    /// True, and counted from now again, when `every` has passed or it was never done.
    fn is_over(&mut self, every: Duration) -> bool {
        let over = self.0.is_none_or(|last| last.elapsed() >= every);
        if over {
            self.0 = Some(Instant::now());
        }
        over
    }
}
