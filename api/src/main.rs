//! `heimdex-api`; see `heimdex_api::cli`. The media child before any runtime starts, or the command.

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// A request makes hundreds of small things and lets go of them; the C library's allocator took a tenth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    let cli = heimdex_api::cli::Cli::parse();
    if cli.is_media_child() {
        return Ok(heimdex_media::child::main());
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,rmcp=error,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(heimdex_api::cli::run(cli))?;
    Ok(ExitCode::SUCCESS)
}
