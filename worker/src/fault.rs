//! Failures on purpose, for tests of how the others cope. Compiled in with the feature `fault-injection` only.
//!
//! `HEIMDEX_FAULT=<stage>:<action>[:<point>]`, separated by commas: `abort` ends the process at once, `panic` panics,
//! `hang` never returns, `pause` never returns after writing `HEIMDEX_FAULT_MARK`; `start` (before the stage does
//! anything) or `end` (when it has written everything but has not been completed). `child_hang` and `child_crash` plant a
//! decoder that hangs (and is given three seconds) or dies; `child_hang_once` does so the first time only.

use std::time::Duration;

use heimdex_db::Stage;
use heimdex_media::child::Request;

/// Where in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Start,
    End,
}

#[cfg(not(feature = "fault-injection"))]
#[expect(clippy::unused_async, reason = "the same signature as with the feature")]
pub async fn at(_stage: Stage, _point: Point) {}

#[cfg(not(feature = "fault-injection"))]
pub fn child(_work: &str, request: Request, deadline: Duration) -> (Request, Duration) {
    (request, deadline)
}

#[cfg(feature = "fault-injection")]
pub fn child(work: &str, request: Request, deadline: Duration) -> (Request, Duration) {
    use std::sync::atomic::{AtomicBool, Ordering};

    use heimdex_media::child::Fault;

    let faults = std::env::var("HEIMDEX_FAULT").unwrap_or_default();
    let planted = |action: &str| faults.split(',').any(|fault| fault == format!("{work}:{action}"));
    static HUNG: AtomicBool = AtomicBool::new(false);
    if planted("child_hang") || (planted("child_hang_once") && !HUNG.swap(true, Ordering::SeqCst)) {
        return (Request::Fault { fault: Fault::Hang }, Duration::from_secs(3));
    }
    if planted("child_crash") {
        return (Request::Fault { fault: Fault::Segfault }, deadline);
    }
    (request, deadline)
}

#[cfg(feature = "fault-injection")]
pub async fn at(stage: Stage, point: Point) {
    let Ok(faults) = std::env::var("HEIMDEX_FAULT") else { return };
    for fault in faults.split(',') {
        let mut parts = fault.split(':');
        let (name, action, place) = (parts.next(), parts.next(), parts.next().unwrap_or("start"));
        let place = if place == "end" { Point::End } else { Point::Start };
        if name != Some(stage.as_str()) || place != point {
            continue;
        }
        match action {
            Some("abort") => std::process::abort(),
            Some("panic") => panic!("planted in {stage}"),
            Some("child_hang" | "child_hang_once" | "child_crash") => {}
            Some("hang") => std::future::pending().await,
            Some("pause") => {
                if let Ok(mark) = std::env::var("HEIMDEX_FAULT_MARK") {
                    std::fs::write(mark, stage.as_str()).expect("the mark can be written");
                }
                std::future::pending::<()>().await;
            }
            other => panic!("HEIMDEX_FAULT: unknown action {other:?}"),
        }
    }
}
