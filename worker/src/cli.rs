//! The command line.

use std::{collections::HashMap, num::NonZeroUsize};

use clap::{Args, Parser, Subcommand};
use heimdex_db::Stage;

use crate::config::Config;

#[derive(Debug, Parser)]
#[command(name = "heimdex-worker", version, about = "Indexes videos: takes stages from the queue and runs them.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve stages until told to stop (this is what happens without a command).
    Run(RunArgs),
    /// Parse one video file in a sandbox; started by the worker itself.
    #[command(hide = true)]
    MediaChild,
}

#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Stages to serve, separated by commas; all twelve where nothing is said.
    #[arg(long, value_delimiter = ',', value_name = "STAGE,…")]
    pub stages: Vec<Stage>,
    /// How many jobs of a stage may run at once, for example `asr_fast=2`; may be given several times.
    #[arg(long, value_parser = stage_limit, value_name = "STAGE=N")]
    pub concurrency: Vec<(Stage, NonZeroUsize)>,
    /// This worker's name; must be unique among those running.
    #[arg(long)]
    pub name: Option<String>,
}

impl RunArgs {
    pub fn apply(self, config: &mut Config) {
        if !self.stages.is_empty() {
            config.stages = self.stages;
            config.stages.sort_unstable();
            config.stages.dedup();
        }
        config.concurrency = self.concurrency.into_iter().collect::<HashMap<_, _>>();
        if let Some(name) = self.name {
            config.name = name;
        }
    }
}

fn stage_limit(text: &str) -> Result<(Stage, NonZeroUsize), String> {
    let (stage, limit) = text.split_once('=').ok_or("expected STAGE=N")?;
    let stage = stage.parse::<Stage>().map_err(|error| error.to_string())?;
    let limit = limit.parse().map_err(|_| format!("`{limit}` is not a number from 1"))?;
    Ok((stage, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_limits_are_parsed() {
        let cli = Cli::try_parse_from([
            "heimdex-worker",
            "run",
            "--stages",
            "commit,asr_fast",
            "--concurrency",
            "asr_fast=2",
            "--name",
            "gpu-1",
        ])
        .unwrap();
        let Some(Command::Run(args)) = cli.command else { panic!("no run command") };
        assert_eq!(args.stages, [Stage::Commit, Stage::AsrFast]);
        assert_eq!(args.concurrency, [(Stage::AsrFast, NonZeroUsize::new(2).unwrap())]);
        assert_eq!(args.name.as_deref(), Some("gpu-1"));
        assert!(Cli::try_parse_from(["heimdex-worker", "--stages", "asr_slow"]).is_err());
        assert!(Cli::try_parse_from(["heimdex-worker", "--concurrency", "asr_fast=0"]).is_err());
    }
}
