//! What is printed. Standard output is the result and nothing else, a table or JSON; everything said by the way goes to standard
//! error.

pub mod caret;
pub mod highlight;
pub mod table;
pub mod units;

use std::io::{self, IsTerminal as _, Write as _};

use console::Term;
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde_json::Value;

use crate::failure::{Failure, Result};

/// How to print.
pub struct Out {
    pub json: bool,
    /// Of standard output.
    pub color: bool,
    /// Columns of the terminal; `None` where there is none, and then nothing is cut.
    pub width: Option<usize>,
    /// Bars on standard error; hidden where nobody watches.
    pub bars: MultiProgress,
}

impl Out {
    pub fn new(json: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let watched = !json && io::stderr().is_terminal();
        let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            json,
            color: is_terminal && !json && !plain,
            width: is_terminal
                .then(|| Term::stdout().size_checked().map(|(_, columns)| usize::from(columns)))
                .flatten(),
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// A line of the result.
    pub fn line(&self, text: &str) -> Result<()> {
        self.bars.suspend(|| written(&format!("{text}\n")))
    }

    /// The result as one JSON document.
    pub fn document(&self, value: &Value) -> Result<()> {
        written(&format!("{value:#}\n"))
    }

    /// One of several results, as a line of JSON.
    pub fn record(&self, value: &Value) -> Result<()> {
        written(&format!("{value}\n"))
    }

    /// Something by the way, for a person.
    pub fn say(&self, text: &str) {
        if !self.json {
            self.bars.suspend(|| said(text));
        }
    }

    /// `text` in a style of ANSI (`1` bold, `2` faint, …) where colours are shown.
    pub fn styled(&self, style: &str, text: &str) -> String {
        if self.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// To standard error; if that is closed there is nobody to tell.
pub fn said(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn written(text: &str) -> Result<()> {
    printed(text.as_bytes())
}

/// Bytes of the result, as they are, to standard output.
pub fn printed(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| unwritable("Standard output", &error))
}

/// A place that takes no more: nobody reads it any longer, or it is full.
pub fn unwritable(place: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::PipeClosed,
        _ => Failure::Other(anyhow::anyhow!("{place} cannot be written: {error}")),
    }
}

/// Text of somebody else on one line, without characters that a terminal would obey or that turn the direction of what follows.
pub fn harmless(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let blank = text.chars().filter(|&c| !turns(c)).map(|c| if c.is_control() { ' ' } else { c });
    blank.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_title_cannot_steer_the_terminal() {
        assert_eq!(super::harmless("rain\x1b[31m\n\u{202e}red\u{7}"), "rain [31m red");
    }
}
