//! The child's side.

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::protocol::{Order, Reply, Request, Response};
use crate::error::{Limit, MediaError, Result};
use crate::{audio, poster, probe, proxy, sandbox, scene, still};

/// Progress is said at most this often.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Runs one request from stdin; the exit code is 0 whenever an answer was written.
pub fn main() -> ExitCode {
    let order = match read_order() {
        Ok(order) => order,
        Err(error) => return answer(&Reply::Failed { what: "read the request".into(), detail: error }),
    };
    if let Err(error) = sandbox::enter(&order.limits, &order.request.reads(), &order.request.writes()) {
        return answer(&Reply::Failed { what: "enter the sandbox".into(), detail: error });
    }
    answer(&match perform(order.request, Progress::new()) {
        Ok(response) => Reply::Done { response },
        Err(MediaError::Rejected { code, detail }) => Reply::Rejected { code, detail },
        Err(MediaError::ResourceLimit { limit, detail }) => Reply::Limited { limit, detail },
        Err(MediaError::Io { source, what }) if source.raw_os_error() == Some(libc::EFBIG) => {
            Reply::Limited { limit: Limit::FileSize, detail: what }
        }
        Err(MediaError::Io { source, what })
            if matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) =>
        {
            Reply::Limited { limit: Limit::Disk, detail: what }
        }
        Err(MediaError::Failed { what, detail }) => Reply::Failed { what, detail },
        Err(other) => Reply::Failed { what: "media".into(), detail: other.to_string() },
    })
}

fn read_order() -> Result<Order, String> {
    // One line; the pipe stays open, and its end tells that the host is gone.
    let mut text = String::new();
    std::io::stdin().lock().take(1 << 20).read_line(&mut text).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn perform(request: Request, mut progress: Progress) -> Result<Response> {
    match request {
        Request::Probe { source, declared, limits, poster: target } => {
            let probe = probe::probe(&source, &declared, limits)?;
            let poster = target.map(|target| poster::write(&source, &probe, &target)).transpose()?;
            Ok(Response::Probe { probe: Box::new(probe), poster })
        }
        Request::ExtractAudio { source, target, track, max_ms } => {
            let audio = audio::extract(&source, &target, track, max_ms, |percent| progress.say(percent))?;
            Ok(Response::ExtractAudio { audio })
        }
        Request::DetectScenes { source, out_dir, options } => {
            let report = scene::detect(&source, &options, &out_dir, |percent| progress.say(percent))?;
            Ok(Response::DetectScenes { report: Box::new(report) })
        }
        Request::MakeProxy { source, target, options } => {
            let report = proxy::make(&source, &target, &options, |percent| progress.say(percent))?;
            Ok(Response::MakeProxy { report })
        }
        Request::CutClip { source, target, options } => {
            let report = proxy::clip::cut(&source, &target, &options, |percent| progress.say(percent))?;
            Ok(Response::CutClip { report })
        }
        Request::DecodeStill { source, target, long_side } => {
            Ok(Response::DecodeStill { still: still::write(&source, &target, long_side)? })
        }
        #[cfg(feature = "fault-injection")]
        Request::Fault { fault } => super::fault::commit(fault),
    }
}

fn answer(reply: &Reply) -> ExitCode {
    match say(reply) {
        Ok(()) => ExitCode::SUCCESS,
        // The host has gone or its pipe is full: there is nobody left to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn say(reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

struct Progress {
    last: Option<(Instant, u8)>,
}

impl Progress {
    fn new() -> Self {
        Self { last: None }
    }

    fn say(&mut self, percent: u8) {
        let due = self.last.is_none_or(|(at, last)| at.elapsed() >= PROGRESS_EVERY && percent > last);
        if due {
            self.last = Some((Instant::now(), percent));
            // A host that does not listen any more will kill us; progress is not worth failing over.
            let _ = say(&Reply::Progress { percent });
        }
    }
}
