//! Numbers for operators, in Prometheus' text format on their own port.

use std::{net::SocketAddr, sync::OnceLock, time::Duration};

use axum::{Router, routing::get};
use heimdex_db::Stage;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

const STAGE_SECONDS: &str = "heimdex_stage_duration_seconds";
const ATTEMPTS: &str = "heimdex_attempts_total";
const PENDING: &str = "heimdex_jobs_pending";
const RUNNING: &str = "heimdex_jobs_running";
const SCRATCH: &str = "heimdex_scratch_used_bytes";

/// An attempt at a stage, or at a kind of task, ended: `outcome` is the attempt's state in the ledger.
pub fn attempt_ended(work: &str, outcome: &'static str, wall: Duration) {
    counter!(ATTEMPTS, "stage" => work.to_owned(), "outcome" => outcome).increment(1);
    histogram!(STAGE_SECONDS, "stage" => work.to_owned(), "outcome" => outcome).record(wall.as_secs_f64());
}

/// How many jobs wait and run, over all workers.
pub fn depth(stage: Stage, pending: i64, running: i64) {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let (pending, running) = (pending as f64, running as f64);
    gauge!(PENDING, "stage" => stage.as_str()).set(pending);
    gauge!(RUNNING, "stage" => stage.as_str()).set(running);
}

pub fn scratch_used(bytes: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 2^53")]
    gauge!(SCRATCH).set(bytes as f64);
}

/// The process' one recorder.
fn recorder() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let buckets = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3600.0];
            let builder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Full(STAGE_SECONDS.to_owned()), &buckets)
                .unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            // Another recorder in this process means that a host program collects by itself.
            if metrics::set_global_recorder(recorder).is_ok() {
                describe_histogram!(
                    STAGE_SECONDS,
                    Unit::Seconds,
                    "Wall time of attempts by stage (or kind of task) and outcome"
                );
                describe_counter!(ATTEMPTS, "Attempts by stage (or kind of task) and outcome");
                describe_gauge!(PENDING, "Jobs that wait for a worker, by stage, over all workers");
                describe_gauge!(RUNNING, "Jobs being worked on, by stage, over all workers");
                describe_gauge!(SCRATCH, Unit::Bytes, "Scratch space promised to attempts of this worker");
            }
            handle
        })
        .clone()
}

/// Serves `/metrics` until `stop`.
pub async fn serve(bind: SocketAddr, stop: CancellationToken) -> std::io::Result<()> {
    let handle = recorder();
    let listener = tokio::net::TcpListener::bind(bind)
        .await
        .map_err(|error| std::io::Error::new(error.kind(), format!("HEIMDEX_WORKER_METRICS_BIND {bind}: {error}")))?;
    let app = Router::new().route("/metrics", get(move || std::future::ready(handle.render())));
    tokio::spawn(async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the metrics listener ended");
        }
    });
    Ok(())
}
