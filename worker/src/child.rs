//! Letting a child process do something with an owner's bytes.

use std::time::Duration;

use heimdex_media::{
    MediaError,
    child::{Limits, Request, Response, Runner},
};

use crate::{
    config::Config,
    fault,
    stage::{StageContext, StageError},
};

/// What starts media children: this program, or the one the configuration names.
pub fn runner(config: &Config) -> Result<Runner, std::io::Error> {
    let exe = config.media_child.clone().map_or_else(std::env::current_exe, Ok)?;
    Ok(Runner { exe, limits: Limits::default() })
}

/// Runs one request. Its progress counts between the two percentages; what it used is kept with the attempt; it is killed at
/// the deadline and when the attempt must end.
pub async fn run(
    cx: &StageContext,
    request: Request,
    deadline: Duration,
    progress: (u8, u8),
) -> Result<Response, StageError> {
    run_within(cx, cx.media().limits, request, deadline, progress).await
}

/// As [`run`], with limits of its own.
pub async fn run_within(
    cx: &StageContext,
    limits: Limits,
    request: Request,
    deadline: Duration,
    progress: (u8, u8),
) -> Result<Response, StageError> {
    let runner = Runner { exe: cx.media().exe.clone(), limits };
    let (request, deadline) = fault::child(cx.work().name(), request, deadline);
    let said = |percent: u8| cx.progress_between(progress.0, progress.1, percent.into(), 100);
    let finished = tokio::select! {
        finished = runner.run(request, deadline, said) => finished?,
        () = cx.cancel.cancelled() => return Err(StageError::Cancelled),
    };
    let usage = finished.usage;
    cx.note_child(Duration::from_secs_f64(usage.cpu_s.max(0.0)), usage.max_rss_bytes);
    Ok(finished.response)
}

/// Enough for any honest file of this length, and little enough that a hung decoder is noticed.
pub fn deadline(duration_ms: i64, times_realtime: u32) -> Duration {
    let length = Duration::from_millis(u64::try_from(duration_ms).unwrap_or(0));
    Duration::from_secs(120) + length * times_realtime
}

/// A child that answered another question than the one it was asked.
pub fn wrong_answer() -> StageError {
    MediaError::Failed { what: "media child".into(), detail: "answered another question".into() }.into()
}
