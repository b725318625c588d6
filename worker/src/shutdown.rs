//! Stopping: first politely, then at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Two wishes of whoever runs the worker.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new; let what runs go on for the grace period, then hand it back.
    pub stop: CancellationToken,
    /// Hand back what runs now.
    pub now: CancellationToken,
}

/// The first SIGTERM or SIGINT asks to stop, the second to stop at once.
pub fn on_signals() -> std::io::Result<Shutdown> {
    let shutdown = Shutdown::default();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let told = shutdown.clone();
    tokio::spawn(async move {
        for token in [told.stop, told.now] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(shutdown)
}
