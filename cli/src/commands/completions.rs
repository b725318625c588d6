//! `heimdex completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{args::Cli, failure::Result, output::Out};

pub fn run(shell: Shell, out: &Out) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "heimdex", &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end())
}
