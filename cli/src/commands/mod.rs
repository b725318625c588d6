//! One command a file.

mod completions;
mod export;
mod follow;
mod login;
mod logout;
mod search;
mod status;
mod upload;
mod videos;
mod whoami;

use std::future::Future;

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

use crate::{
    args::{Cli, Command},
    context::Context,
    failure::{Failure, Result},
    output::Out,
};

/// Does what was asked.
pub fn run(cli: &Cli, out: &Out) -> Result<()> {
    if let Command::Completions { shell } = &cli.command {
        return completions::run(*shell, out);
    }
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // It asks questions, during which Ctrl-C has to end the process at once.
    if let Command::Login(login) = &cli.command {
        return login::run(&runtime, &cli.global, login, out);
    }
    let meaning = match cli.command {
        Command::Upload(_) => upload::GOES_ON,
        Command::Status(_) => "Indexing goes on without being watched.",
        _ => "",
    };
    let outcome = until_stopped(&runtime, meaning, async {
        if matches!(cli.command, Command::Logout) {
            return logout::run(&cli.global, out).await;
        }
        let cx = Context::open(&cli.global, out)?;
        match &cli.command {
            Command::Whoami => whoami::run(&cx).await,
            Command::Upload(upload) => upload::run(&cx, upload).await,
            Command::Videos(videos) => videos::run(&cx, videos).await,
            Command::Search(search) => search::run(&cx, search).await,
            Command::Status(status) => status::run(&cx, status).await,
            Command::Export(export) => export::run(&cx, export).await,
            Command::Completions { .. } | Command::Login(_) | Command::Logout => Ok(()),
        }
    });
    // A file that is being read in the background has no say in when this ends.
    runtime.shutdown_background();
    if matches!(outcome, Err(Failure::Interrupted(_))) {
        out.bars.clear()?;
    }
    outcome
}

/// Tells a process that it writes a larger file than it may (`ulimit -f`). The same number on Linux and macOS.
const SIGXFSZ: i32 = 25;

/// Ctrl-C and SIGTERM end the work; whatever it holds, such as a half-written file, is given up in order.
fn until_stopped(runtime: &Runtime, meaning: &'static str, work: impl Future<Output = Result<()>>) -> Result<()> {
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // Heard, it kills nobody: the write fails instead, as on a full disk.
        let _heard = signal(SignalKind::from_raw(SIGXFSZ))?;
        tokio::select! {
            outcome = work => outcome,
            _ = interrupt.recv() => Err(Failure::Interrupted(meaning)),
            _ = terminate.recv() => Err(Failure::Interrupted(meaning)),
        }
    })
}
