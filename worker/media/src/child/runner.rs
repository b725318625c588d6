//! The host's side: starts the child, feeds it, listens, and ends it in time.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::protocol::{Limits, Order, Reply, Request, Response};
use crate::error::{Limit, MediaError, Result};

/// A report of a very long video has some ten thousand scenes and frames.
const MAX_STDOUT_BYTES: u64 = 64 << 20;
const MAX_STDERR_BYTES: u64 = 16 << 10;

/// What a child used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ChildUsage {
    /// User and system time, seconds.
    pub cpu_s: f64,
    /// Largest resident size, bytes.
    pub max_rss_bytes: u64,
    pub wall_s: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    pub response: Response,
    pub usage: ChildUsage,
}

/// Starts children. `exe` is a binary whose `media-child` argument calls [`super::main`].
#[derive(Debug, Clone)]
pub struct Runner {
    pub exe: PathBuf,
    pub limits: Limits,
}

impl Runner {
    /// The running binary itself.
    pub fn current_exe(limits: Limits) -> Result<Self> {
        let exe = std::env::current_exe().map_err(MediaError::io("find our own binary"))?;
        Ok(Self { exe, limits })
    }

    /// Runs one request; the child is killed at `deadline`, or when the returned future is dropped.
    pub async fn run(
        &self,
        request: Request,
        deadline: Duration,
        mut on_progress: impl FnMut(u8) + Send,
    ) -> Result<Finished> {
        let started = std::time::Instant::now();
        let mut order = serde_json::to_vec(&Order { limits: self.limits, request })
            .map_err(|error| MediaError::failed("write the request", error))?;
        order.push(b'\n');
        let mut child = Command::new(&self.exe)
            .arg("media-child")
            .env_clear()
            // Two malloc arenas are enough for a few threads, and address space is limited.
            .env("MALLOC_ARENA_MAX", "2")
            // A program with mimalloc would reserve a gibibyte of it before it has done anything (this is in KiB).
            .env("MIMALLOC_ARENA_RESERVE", "32768")
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(MediaError::io("start the media child"))?;
        let talk = converse(&mut child, &order, &mut on_progress);
        let outcome = tokio::time::timeout(deadline, talk).await;
        let (reply, stderr) = match outcome {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                end(&mut child).await;
                return Err(error);
            }
            Err(_) => {
                end(&mut child).await;
                return Err(MediaError::TimedOut(deadline));
            }
        };
        let left = deadline.saturating_sub(started.elapsed()).max(Duration::from_secs(1));
        let Ok(ended) = tokio::time::timeout(left, reap(&mut child)).await else {
            end(&mut child).await;
            return Err(MediaError::TimedOut(deadline));
        };
        let (status, mut usage) = ended?;
        usage.wall_s = started.elapsed().as_secs_f64();
        match reply {
            Some(Reply::Done { response }) => Ok(Finished { response, usage }),
            Some(Reply::Rejected { code, detail }) => Err(MediaError::Rejected { code, detail }),
            Some(Reply::Limited { limit, detail }) => Err(MediaError::ResourceLimit { limit, detail }),
            Some(Reply::Failed { what, detail }) => Err(MediaError::Failed { what, detail }),
            Some(Reply::Progress { .. }) | None => Err(death(status, usage, self.limits, stderr)),
        }
    }
}

/// Sends the order and listens until the child says its last word or closes its stdout.
async fn converse(
    child: &mut Child,
    order: &[u8],
    on_progress: &mut (impl FnMut(u8) + Send),
) -> Result<(Option<Reply>, String)> {
    let missing = || MediaError::failed("talk to the media child", "no pipe");
    let mut stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    // A child that died at once closes its stdin; how it died is told by its status. Our end stays open until the child
    // has said its last word: when it closes, the child takes us for dead.
    let feed = async {
        let _ = stdin.write_all(order).await;
    };
    let listen = async {
        let mut lines = BufReader::new(stdout.take(MAX_STDOUT_BYTES)).lines();
        let mut last = None;
        while let Some(line) = lines.next_line().await.map_err(MediaError::io("hear the media child"))? {
            let reply =
                serde_json::from_str(&line).map_err(|error| MediaError::failed("understand the media child", error))?;
            match reply {
                Reply::Progress { percent } => on_progress(percent.min(100)),
                reply => {
                    last = Some(reply);
                    break;
                }
            }
        }
        if last.is_none() && lines.into_inner().into_inner().limit() == 0 {
            return Err(MediaError::ResourceLimit { limit: Limit::Output, detail: "stdout".into() });
        }
        Ok(last)
    };
    let complain = async {
        let mut text = Vec::new();
        let mut stderr = stderr;
        // What does not fit is read and forgotten, so that the child never blocks on it.
        let _ = (&mut stderr).take(MAX_STDERR_BYTES).read_to_end(&mut text).await;
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        String::from_utf8_lossy(&text).trim().to_owned()
    };
    let ((), reply, text) = tokio::join!(feed, listen, complain);
    drop(stdin);
    Ok((reply?, text))
}

/// Kills and waits, so that no zombie stays; a child that is gone already is what we want.
async fn end(child: &mut Child) {
    let _ = child.kill().await;
}

async fn reap(child: &mut Child) -> Result<(std::process::ExitStatus, ChildUsage)> {
    let usage = match child.id() {
        Some(pid) => tokio::task::spawn_blocking(move || crate::sandbox::usage_of(pid)).await.unwrap_or_default(),
        None => ChildUsage::default(),
    };
    let status = child.wait().await.map_err(MediaError::io("wait for the media child"))?;
    Ok((status, usage))
}

/// Tells a crash from a limit.
fn death(status: std::process::ExitStatus, usage: ChildUsage, limits: Limits, stderr: String) -> MediaError {
    use std::os::unix::process::ExitStatusExt;
    let detail = if stderr.is_empty() { status.to_string() } else { stderr };
    let limited = |limit| MediaError::ResourceLimit { limit, detail: detail.clone() };
    match status.signal() {
        Some(libc::SIGXCPU) => limited(Limit::Cpu),
        Some(libc::SIGKILL) if usage.cpu_s >= limits.cpu_s as f64 => limited(Limit::Cpu),
        Some(libc::SIGXFSZ) => limited(Limit::FileSize),
        // Rust's allocation error handler says so and aborts.
        Some(libc::SIGABRT) if detail.contains("memory allocation of") => limited(Limit::Memory),
        Some(signal) => MediaError::Crashed { signal, detail },
        None => MediaError::failed("media child ended without an answer", detail),
    }
}
