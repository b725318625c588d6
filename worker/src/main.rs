//! The worker's process: the media child before any runtime starts, or the worker itself.

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;
use heimdex_worker::{
    cli::{Cli, Command},
    config::{Config, Environment},
    memory, shutdown,
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let args = match cli.command {
        Some(Command::MediaChild) => return heimdex_worker::media_child(),
        Some(Command::Run(args)) => args,
        None => cli.run,
    };
    memory::give_back();
    heimdex_models::asr::keep_weights_unpacked();
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,apalis_core=warn,sqlx=warn")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heimdex-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: heimdex_worker::cli::RunArgs) -> anyhow::Result<()> {
    let mut config = Config::read(&Environment)?;
    args.apply(&mut config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let shutdown = shutdown::on_signals()?;
        anyhow::Ok(heimdex_worker::run(config, shutdown).await?)
    });
    // A blocking call that was given up must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}
