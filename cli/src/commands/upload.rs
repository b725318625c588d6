//! `heimdex upload`: one file after the other, the parts of each side by side; what fails is said and the rest goes on.

use std::{collections::BTreeMap, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    follow::{Watched, follow},
    status,
};
use crate::{
    args::Upload,
    context::Context,
    failure::{Failure, Result, exit},
    output::{
        harmless, said,
        table::cut,
        units::{count, size},
    },
    upload::{
        files::{self, Collected, collect},
        known::{Known, Library},
        send::{Sending, announce},
    },
};

/// What becomes of an upload that is broken off.
pub const GOES_ON: &str = "What has arrived is kept for a day: the same command goes on from there.";
/// Of the name in front of a bar; the templates below have it too.
const NAME_WIDTH: usize = 20;

/// What became of one path; the element of `--json`.
#[derive(Serialize)]
struct Line {
    path: String,
    outcome: Outcome,
    video_id: Option<Uuid>,
    title: Option<String>,
    /// The video's, when the command ended.
    state: Option<String>,
    size_bytes: Option<u64>,
    error: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Uploaded,
    /// Sent to its end where an earlier upload broke off.
    Resumed,
    /// Not sent: a video of this name and size is there.
    Duplicate,
    Failed,
    /// Not tried, because nothing further could have been sent.
    Skipped,
}

impl Line {
    fn new(path: &Path, outcome: Outcome) -> Self {
        let path = path.display().to_string();
        Self { path, outcome, video_id: None, title: None, state: None, size_bytes: None, error: None }
    }

    fn failed(path: &Path, why: String) -> Self {
        Self { error: Some(why), ..Self::new(path, Outcome::Failed) }
    }
}

pub async fn run(cx: &Context<'_>, asked: &Upload) -> Result<()> {
    let Collected { videos, refused, .. } = collect(&asked.paths);
    if asked.title.is_some() && videos.len() != 1 {
        return Err(Failure::Usage(format!("--title is for one file, and these are {}.", videos.len())));
    }
    let mut report = Report { lines: Vec::new(), code: 0 };
    for file in refused {
        report.fail(cx, Line::failed(&file.path, file.why), exit::FAILED);
    }
    if videos.is_empty() && report.code == 0 {
        return Err(Failure::NotFound("There are no videos in there.".into()));
    }
    let mut library = if videos.is_empty() { Library::default() } else { library(cx).await? };
    let mut stopped = false;
    for file in &videos {
        if stopped {
            report.lines.push(Line::new(&file.path, Outcome::Skipped));
            continue;
        }
        match one(cx, asked, file, &mut library).await {
            Ok(line) => report.add(cx, line, file.size_bytes)?,
            Err(failure @ Failure::Interrupted(_)) => return Err(failure),
            Err(failure) => {
                stopped = ends_everything(&failure);
                report.fail(cx, Line::failed(&file.path, failure.to_string()), failure.exit_code());
                if failure.is_passing() || matches!(failure, Failure::NotSignedIn(_)) {
                    cx.out.say(GOES_ON);
                }
            }
        }
    }
    let skipped = report.lines.iter().filter(|line| line.outcome == Outcome::Skipped).count();
    if skipped > 0 {
        cx.out.say(&format!(
            "{} not tried; the same command goes on from here.",
            count(skipped, "file was", "files were")
        ));
    }
    if asked.wait {
        report.wait(cx, Duration::from_secs(asked.timeout * 60)).await?;
    }
    if cx.out.json {
        cx.out.document(&json!({ "files": report.lines }))?;
    }
    if report.code == 0 { Ok(()) } else { Err(Failure::Reported(report.code)) }
}

/// Whether the next file would meet the same.
fn ends_everything(failure: &Failure) -> bool {
    matches!(failure, Failure::NotSignedIn(_) | Failure::Unreachable(_))
        || failure.problem("daily_uploads_used_up").is_some()
        || matches!(failure, Failure::Problem(problem) if matches!(problem.status, 401 | 403))
}

/// What is there already. An API token for uploads alone cannot see it.
async fn library(cx: &Context<'_>) -> Result<Library> {
    match Library::read(&cx.api).await {
        Err(failure) if failure.problem("insufficient_scope").is_some() => {
            cx.out.say(
                "Note: this API token may not read the library, so files are sent even if they are there already.",
            );
            Ok(Library::default())
        }
        other => other,
    }
}

async fn one(cx: &Context<'_>, asked: &Upload, file: &files::Video, library: &mut Library) -> Result<Line> {
    let begun = match library.take(file, asked.again) {
        Some(Known::There { video_id, title, state }) => {
            return Ok(Line {
                video_id: Some(video_id),
                title: Some(title),
                state: Some(state),
                size_bytes: Some(file.size_bytes),
                ..Line::new(&file.path, Outcome::Duplicate)
            });
        }
        Some(Known::Begun(video_id)) => Some(video_id),
        None => None,
    };
    let bar = cx.out.bars.add(ProgressBar::new(file.size_bytes).with_style(style()));
    bar.set_prefix(cut(&harmless(&file.name), NAME_WIDTH));
    let sent = send(cx, asked, file, begun, &bar).await;
    bar.finish_and_clear();
    sent
}

async fn send(
    cx: &Context<'_>,
    asked: &Upload,
    file: &files::Video,
    begun: Option<Uuid>,
    bar: &ProgressBar,
) -> Result<Line> {
    let (video_id, plan) = match begun {
        Some(video_id) => (video_id, None),
        None => announce(&cx.api, file, asked.title.as_deref()).await.map(|(id, plan)| (id, Some(plan)))?,
    };
    let sending = Sending { api: &cx.api, file, video_id, bar, parallel: usize::from(asked.parallel) };
    let (plan, there) = match plan {
        Some(plan) => (plan, BTreeMap::new()),
        None => sending.resumed().await?,
    };
    let video = sending.run(plan, there).await?;
    let outcome = if begun.is_some() { Outcome::Resumed } else { Outcome::Uploaded };
    Ok(Line {
        video_id: Some(video_id),
        title: Some(video.title),
        state: Some(video.state),
        size_bytes: Some(file.size_bytes),
        ..Line::new(&file.path, outcome)
    })
}

fn style() -> ProgressStyle {
    let template = "{prefix:20} {wide_bar} {bytes:>10}/{total_bytes} {bytes_per_sec:>12} {eta:>4}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▌·")
}

/// A line of the result. Files are sent whether or not somebody reads on.
fn print(cx: &Context<'_>, line: &str) -> Result<()> {
    match cx.out.line(line) {
        Err(Failure::PipeClosed) => Ok(()),
        other => other,
    }
}

struct Report {
    lines: Vec<Line>,
    /// Of the first failure.
    code: u8,
}

impl Report {
    fn add(&mut self, cx: &Context<'_>, line: Line, size_bytes: u64) -> Result<()> {
        if !cx.out.json {
            let id = line.video_id.unwrap_or_default();
            let told = match line.outcome {
                Outcome::Duplicate => "is there already (--again sends it once more)".to_owned(),
                Outcome::Resumed => format!("sent to its end, {}", size(size_bytes)),
                _ => format!("sent, {}", size(size_bytes)),
            };
            print(cx, &format!("{id}  {}  {told}", harmless(&line.path)))?;
        }
        self.lines.push(line);
        Ok(())
    }

    fn fail(&mut self, cx: &Context<'_>, line: Line, code: u8) {
        let why = line.error.as_deref().unwrap_or("it failed");
        cx.out.say(&format!("heimdex: {}: {why}", harmless(&line.path)));
        self.code = if self.code == 0 { code } else { self.code };
        self.lines.push(line);
    }

    /// Follows the videos in their order; while one is waited for the others go on.
    async fn wait(&mut self, cx: &Context<'_>, patience: Duration) -> Result<()> {
        for line in &mut self.lines {
            let Some(video_id) = line.video_id else { continue };
            let bar = cx.out.bars.add(ProgressBar::new(100).with_style(waiting_style()));
            bar.set_prefix(cut(&harmless(line.title.as_deref().unwrap_or_default()), NAME_WIDTH));
            let outcome = follow(&cx.api, video_id, patience, |watched: &Watched| {
                bar.set_position(watched.percent());
                bar.set_message(watched.running().join(", "));
                Ok(())
            })
            .await;
            bar.finish_and_clear();
            let (error, code) = match outcome {
                Ok(last) if last.video.state == "failed" => {
                    line.state = Some(last.video.state.clone());
                    (status::failure(&last.video), exit::FAILED)
                }
                Ok(last) => {
                    line.state = Some(last.video.state.clone());
                    if !cx.out.json {
                        print(cx, &format!("{video_id}  {}  {}", harmless(&last.video.title), last.video.state))?;
                    }
                    continue;
                }
                Err(failure) => (failure.to_string(), failure.exit_code()),
            };
            if !cx.out.json {
                cx.out.bars.suspend(|| said(&format!("heimdex: {}: {error}", harmless(&line.path))));
            }
            line.error = Some(error);
            self.code = if self.code == 0 { code } else { self.code };
        }
        Ok(())
    }
}

fn waiting_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{prefix:20} {bar:24} {percent:>3} %  {wide_msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▌·")
}
