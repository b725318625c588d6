//! `heimdex`: a Heimdex server from a terminal or a script, over its public HTTP API. `docs/cli.md` is its manual.

mod api;
mod args;
mod auth;
mod commands;
mod context;
mod failure;
mod output;
mod server;
mod upload;
mod video_ref;

use std::process::ExitCode;

use clap::Parser as _;

use args::Cli;
use failure::Failure;
use output::{Out, said};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Out::new(cli.global.json);
    let outcome = commands::run(&cli, &out);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure, &out);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// One sentence on standard error, or one document where JSON was asked for.
fn tell(failure: &Failure, out: &Out) {
    match failure {
        Failure::PipeClosed | Failure::Reported(_) => {}
        _ if out.json => said(&failure.to_json().to_string()),
        // A terminal has echoed ^C.
        Failure::Interrupted(_) => said(format!("\n{failure}").trim_end()),
        _ => {
            said(&format!("heimdex: {failure}"));
            if failure.problem("insufficient_scope").is_some() {
                said(
                    "An API token has the scopes it was made with, and never those of the account. Sign in with \
                     `heimdex login --email ADDRESS`, or make a token with other scopes in the dashboard's profile.",
                );
            }
        }
    }
}
