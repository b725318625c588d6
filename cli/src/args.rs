//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::video_ref::VideoRef;

const EXAMPLES: &str = "\
Examples:
  heimdex login https://heimdex.example.org      sign in; asks for address and password
  heimdex upload ~/Footage --wait                send a folder and follow it until it can be searched
  heimdex search 'red umbrella after:2026-01'    find the moment
  heimdex export VIDEO --format srt -o rain.srt  the transcript as subtitles

Exit codes: 0 done, 1 failed, 2 not understood, 3 not signed in, 4 not found, 5 not allowed,
6 a limit is reached, 7 the server does not answer, 130 stopped by Ctrl-C.";

/// The heading of what every command takes.
const EVERYWHERE: &str = "For every command";

/// Upload videos to a Heimdex server, follow how they are indexed, and find moments in them.
#[derive(Parser)]
#[command(name = "heimdex", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args)]
pub struct Global {
    /// Print JSON instead of tables
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// The server to talk to, instead of the one signed in to last
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "URL", env = "HEIMDEX_URL")]
    pub server: Option<String>,
    /// Allow http:// to another machine, which shows everything to everybody on the way
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub insecure_http: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Sign in, by address and password or by an API token
    Login(Login),
    /// Sign out and forget what was kept
    Logout,
    /// Show who is signed in, and what they have used
    Whoami,
    /// Send videos, also where an earlier upload broke off
    Upload(Upload),
    /// List the videos there are
    Videos(Videos),
    /// Find moments by what is said, seen, written or who is there
    Search(Search),
    /// Show what is being indexed, or the stages of one video
    Status(Status),
    /// Save a transcript, a sidecar, or everything that is kept of the account
    Export(Export),
    /// Print what a shell needs to complete commands
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Args)]
pub struct Login {
    /// The server's address [default: http://127.0.0.1:8480, the one of scripts/up]
    pub url: Option<String>,
    /// Sign in with this address; the password is asked for
    #[arg(long, conflicts_with = "token_stdin")]
    pub email: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "email")]
    pub password_stdin: bool,
    /// Ask for an API token instead of a password
    #[arg(long, conflicts_with_all = ["email", "token_stdin"])]
    pub token: bool,
    /// Read an API token from standard input
    #[arg(long)]
    pub token_stdin: bool,
}

#[derive(Args)]
pub struct Upload {
    /// Files, and folders of which every video is sent
    #[arg(required = true, value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// The title, for a single file; by default its name
    #[arg(long)]
    pub title: Option<String>,
    /// Send files again that are there already, by name and size
    #[arg(long)]
    pub again: bool,
    /// Wait until everything is indexed
    #[arg(long)]
    pub wait: bool,
    /// Give up waiting for a video after so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 720, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub timeout: u64,
    /// Parts sent at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub parallel: u8,
}

#[derive(Args)]
pub struct Videos {
    /// Words or a part of the title
    pub title: Option<String>,
    /// Only those in this state
    #[arg(long)]
    pub state: Option<State>,
    /// The order
    #[arg(long, default_value = "newest")]
    pub sort: Sort,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum State {
    Uploading,
    Validating,
    Processing,
    Indexed,
    Failed,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Sort {
    Newest,
    Oldest,
    Title,
}

#[derive(Args)]
pub struct Search {
    /// What to look for, best in quotes; operators such as person:, tag:, text:, after: narrow it
    #[arg(required = true, value_name = "QUERY")]
    pub query: Vec<String>,
    /// At most so many moments
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Only in this video; may be given several times
    #[arg(long, value_name = "VIDEO")]
    pub video: Vec<VideoRef>,
    /// Print only the player's link of the first moment, or of the N-th
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1", conflicts_with = "json",
          value_parser = clap::value_parser!(u32).range(1..=500))]
    pub open: Option<u32>,
}

#[derive(Args)]
pub struct Status {
    /// A video, by its id or its link; without it, everything that is being indexed
    pub video: Option<VideoRef>,
    /// Go on until it is done
    #[arg(long, short)]
    pub watch: bool,
}

#[derive(Args)]
pub struct Export {
    /// A video, by its id or its link
    #[arg(required_unless_present = "account", conflicts_with = "account")]
    pub video: Option<VideoRef>,
    /// What of it
    #[arg(long, short, default_value = "vtt", conflicts_with = "account")]
    pub format: Format,
    /// Everything that is kept of the account, as one JSON document; not with an API token
    #[arg(long)]
    pub account: bool,
    /// The file to write; `-` and the default are standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Subtitles as WebVTT
    Vtt,
    /// Subtitles as SubRip
    Srt,
    /// What is said, as text
    Txt,
    /// What is said, with the time of every word
    Json,
    /// Everything that indexing found, as JSON
    Sidecar,
}

impl Format {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Txt => "txt",
            Self::Json => "json",
            Self::Sidecar => "sidecar",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
