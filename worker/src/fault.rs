//! Failures on purpose, for tests of how the others cope. Compiled in with the feature `fault-injection` only.
//!
//! `HEIMDEX_FAULT=<work>:<action>[:<point>]`, separated by commas; the work is a stage or a kind of task. `abort` ends the
//! process at once, `panic` panics, `hang` never returns, `pause` never returns after writing `HEIMDEX_FAULT_MARK`, `hold` writes it
//! and goes on once somebody has removed it, the first time only. The points are those of [`Point`] in lower case, by default
//! `start`. `child_hang` and `child_crash` plant a decoder that hangs (and is given three seconds) or dies; `child_hang_once` does so
//! the first time only.

use std::time::Duration;

use heimdex_media::child::Request;

/// Where in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before anything is done.
    Start,
    /// A part is done: an object is made and not yet sent, the first of many transactions is over.
    Middle,
    /// Objects are stored, and no row says so.
    Stored,
    /// Everything is written but that the work is completed.
    End,
}

#[cfg(not(feature = "fault-injection"))]
#[expect(clippy::unused_async, reason = "the same signature as with the feature")]
pub async fn at(_work: &str, _point: Point) {}

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
pub async fn at(work: &str, point: Point) {
    use std::sync::atomic::{AtomicBool, Ordering};

    static HELD: AtomicBool = AtomicBool::new(false);
    let Ok(faults) = std::env::var("HEIMDEX_FAULT") else { return };
    for fault in faults.split(',') {
        let mut parts = fault.split(':');
        let (name, action) = (parts.next(), parts.next());
        let place = match parts.next() {
            None | Some("start") => Point::Start,
            Some("middle") => Point::Middle,
            Some("stored") => Point::Stored,
            Some("end") => Point::End,
            other => panic!("HEIMDEX_FAULT: unknown point {other:?}"),
        };
        if name != Some(work) || place != point {
            continue;
        }
        match action {
            Some("abort") => std::process::abort(),
            Some("panic") => panic!("planted in {work}"),
            Some("child_hang" | "child_hang_once" | "child_crash") => {}
            Some("hang") => std::future::pending().await,
            Some("pause") => {
                mark(work);
                std::future::pending::<()>().await;
            }
            Some("hold") if HELD.swap(true, Ordering::SeqCst) => {}
            Some("hold") => {
                let mark = mark(work);
                while mark.as_ref().is_some_and(|mark| mark.exists()) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            other => panic!("HEIMDEX_FAULT: unknown action {other:?}"),
        }
    }
}

/// Says that the fault is reached.
#[cfg(feature = "fault-injection")]
fn mark(work: &str) -> Option<std::path::PathBuf> {
    let mark = std::path::PathBuf::from(std::env::var_os("HEIMDEX_FAULT_MARK")?);
    std::fs::write(&mark, work).expect("the mark can be written");
    Some(mark)
}
