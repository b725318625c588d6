//! `heimdex status`: what is being indexed, or the stages of one video; with `--watch` until it is done.

use std::time::Duration;

use console::Term;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    follow::{Watched, follow, under_way, video_and_jobs},
    videos::state_of,
};
use crate::{
    api::{
        self, TRIES,
        types::{Job, Video},
    },
    args::Status,
    context::Context,
    failure::{Failure, Result, exit},
    output::{
        Out, harmless, said,
        table::{Cell, Table},
    },
};

/// Of one `--watch`.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// Between two looks at everything.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Videos asked for at the same time.
const AT_ONCE: usize = 4;

pub async fn run(cx: &Context<'_>, asked: &Status) -> Result<()> {
    match asked.video {
        Some(video) if asked.watch => watch_one(cx, video.0).await,
        Some(video) => one(cx, video.0).await,
        None if asked.watch => watch_all(cx).await,
        None => all(cx).await,
    }
}

async fn one(cx: &Context<'_>, video: Uuid) -> Result<()> {
    if cx.out.json {
        let (video, jobs) = video_and_jobs(&cx.api, video).await?;
        return cx.out.document(&json!({ "video": video, "jobs": jobs }));
    }
    for line in stages(&Watched::read(&cx.api, video).await?, cx.out) {
        cx.out.line(&line)?;
    }
    Ok(())
}

async fn watch_one(cx: &Context<'_>, video: Uuid) -> Result<()> {
    let mut screen = Screen::new(cx.out);
    let mut before: Option<Watched> = None;
    let last = follow(&cx.api, video, PATIENCE, |watched| {
        if cx.out.json {
            return cx.out.record(&record(watched));
        }
        if screen.redraws {
            return screen.show(cx.out, &stages(watched, cx.out));
        }
        for job in &watched.jobs.items {
            let was =
                before.as_ref().and_then(|before| before.jobs.items.iter().find(|other| other.stage == job.stage));
            if job.state != "pending" && was.is_none_or(|was| was.state != job.state) {
                cx.out.line(format!("{}  {}  {}", job.stage, job.state, remark(job)).trim_end())?;
            }
        }
        before = Some(watched.clone());
        Ok(())
    })
    .await?;
    if screen.redraws {
        screen.show(cx.out, &stages(&last, cx.out))?;
    }
    if last.video.state == "failed" {
        if !cx.out.json && !screen.redraws {
            said(&format!("heimdex: {}", failure(&last.video)));
        }
        return Err(Failure::Reported(exit::FAILED));
    }
    Ok(())
}

/// One line of `--watch --json`.
fn record(watched: &Watched) -> Value {
    let jobs = watched
        .jobs
        .items
        .iter()
        .map(|job| json!({ "stage": job.stage, "state": job.state, "progress": job.progress, "note": job.note }));
    json!({
        "video_id": watched.video.video_id, "state": watched.video.state, "percent": watched.percent(),
        "jobs": jobs.collect::<Vec<_>>(),
    })
}

async fn all(cx: &Context<'_>) -> Result<()> {
    let videos = busy(cx).await?;
    if cx.out.json {
        return cx.out.document(&json!({ "items": videos }));
    }
    if videos.is_empty() {
        cx.out.say("Nothing is being indexed.");
    }
    for line in lines(videos, cx.out)? {
        cx.out.line(&line)?;
    }
    Ok(())
}

async fn watch_all(cx: &Context<'_>) -> Result<()> {
    let mut screen = Screen::new(cx.out);
    let mut before = Vec::new();
    let mut tried = 0;
    let end = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < end {
        let videos = match busy(cx).await {
            Err(failure) if failure.is_passing() && tried + 1 < TRIES => {
                tokio::time::sleep(api::pause(tried)).await;
                tried += 1;
                continue;
            }
            other => other?,
        };
        tried = 0;
        let is_over = videos.is_empty();
        if cx.out.json {
            cx.out.record(&json!({ "items": videos }))?;
        } else {
            let lines = if is_over { vec!["Nothing is being indexed.".into()] } else { lines(videos, cx.out)? };
            if screen.redraws || lines != before {
                screen.show(cx.out, &lines)?;
            }
            before = lines;
        }
        if is_over {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(Failure::Other(anyhow::anyhow!("it was not done after a day; it goes on without being watched")))
}

/// What is being sent or indexed, as the API gives it.
async fn busy(cx: &Context<'_>) -> Result<Vec<Value>> {
    let ids = under_way(&cx.api).await?;
    let asked = futures::stream::iter(ids).map(async |id| match cx.api.get(&format!("/videos/{id}")).await {
        // Deleted in between.
        Err(failure) if failure.problem("not_found").is_some() => Ok(None),
        other => other.map(Some),
    });
    let found: Vec<Option<Value>> = asked.buffered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

fn lines(videos: Vec<Value>, out: &Out) -> Result<Vec<String>> {
    let mut table = Table::new(&["VIDEO", "TITLE", "STATE", "STAGES"]).gives_way(&[1, 3]);
    let is_empty = videos.is_empty();
    for video in videos {
        let video: Video = serde_json::from_value(video)?;
        let stages =
            video.progress.as_ref().map(|progress| harmless(&progress.active_stages.join(", "))).unwrap_or_default();
        table.row(vec![
            video.video_id.to_string().into(),
            harmless(&video.title).into(),
            state_of(&video).into(),
            stages.into(),
        ]);
    }
    Ok(if is_empty { Vec::new() } else { table.render(out.width) })
}

fn stages(watched: &Watched, out: &Out) -> Vec<String> {
    let video = &watched.video;
    let mut lines = vec![format!("{}  {}", out.styled("1", &harmless(&video.title)), video.state)];
    if video.failure.is_some() {
        lines.push(out.styled("31", &failure(video)));
    }
    if watched.jobs.items.is_empty() {
        lines.push("Nothing is indexed before the upload is complete.".into());
        return lines;
    }
    let mut table = Table::new(&["STAGE", "STATE", "DONE", "REMARK"]).right(&[2]).gives_way(&[3]);
    for job in &watched.jobs.items {
        let style = match job.state.as_str() {
            "failed" => "31",
            "running" => "36",
            "completed" => "32",
            _ => "2",
        };
        let percent = if job.state == "completed" { 100 } else { job.progress };
        table.row(vec![
            job.stage.clone().into(),
            Cell::styled(job.state.clone(), out.styled(style, &job.state)),
            format!("{percent} %").into(),
            remark(job).into(),
        ]);
    }
    lines.extend(table.render(out.width));
    lines
}

/// Why a video failed, in the server's sentence.
pub fn failure(video: &Video) -> String {
    match &video.failure {
        Some(why) => format!("{} ({})", harmless(&why.message), harmless(&why.code)),
        None => "The video could not be indexed.".into(),
    }
}

fn remark(job: &Job) -> String {
    let again = if job.attempts > 1 { format!("attempt {}", job.attempts) } else { String::new() };
    let why = job.error.as_ref().map(|error| harmless(&error.message)).or_else(|| job.note.as_deref().map(harmless));
    [again, why.unwrap_or_default()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

/// Lines that take the place of those before, on a terminal.
struct Screen {
    redraws: bool,
    drawn: usize,
}

impl Screen {
    fn new(out: &Out) -> Self {
        Self { redraws: out.width.is_some() && !out.json, drawn: 0 }
    }

    fn show(&mut self, out: &Out, lines: &[String]) -> Result<()> {
        if self.redraws && self.drawn > 0 {
            Term::stdout().clear_last_lines(self.drawn)?;
        }
        for line in lines {
            out.line(line)?;
        }
        self.drawn = lines.len();
        Ok(())
    }
}
