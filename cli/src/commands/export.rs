//! `heimdex export`: streamed to where it is wanted. A file appears whole or not at all.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Method, Response};
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, timeout},
};
use uuid::Uuid;

use crate::{
    api::{self, Call, with_query},
    args::{Export, Format},
    context::Context,
    failure::{Failure, Result},
    output::{printed, units::size, unwritable},
};

/// The server gives an account's export fifteen minutes.
const DEADLINE: Duration = Duration::from_secs(1000);
/// Nothing has come for so long: nothing more comes.
const SILENCE: Duration = Duration::from_secs(90);

pub async fn run(cx: &Context<'_>, asked: &Export) -> Result<()> {
    let file = asked.output.as_deref().filter(|path| *path != Path::new("-"));
    // Before the server is asked: an account may be exported only so many times an hour.
    let mut into = Target::open(file).await?;
    let reply = match asked.video {
        Some(video) if asked.format == Format::Sidecar => sidecar(cx, video.0).await?,
        Some(video) => {
            let path = format!("/videos/{}/transcript", video.0);
            cx.api.reply(&Call::get(with_query(&path, &[("format", asked.format.as_str())])).deadline(None)).await?
        }
        None => cx.api.reply(&Call::get("/users/me/export").deadline(None)).await?,
    };
    let bytes = copy(reply, &mut into).await?;
    let Some(path) = into.finish()? else { return Ok(()) };
    if cx.out.json {
        return cx.out.document(&json!({ "path": path, "size_bytes": bytes }));
    }
    cx.out.say(&format!("{} written, {}.", path.display(), size(bytes)));
    Ok(())
}

/// The sidecar's signed URL comes with those of the player.
async fn sidecar(cx: &Context<'_>, video: Uuid) -> Result<Response> {
    let playback = cx.api.get(&format!("/videos/{video}/playback")).await?;
    let Some(url) = playback["sidecar_url"].as_str() else {
        let why = match playback["state"].is_string() {
            true => {
                "The server is making a version that browsers play, and has the sidecar for you after that; try again."
            }
            false => {
                "There is no sidecar yet: it is made when the video is indexed. `heimdex status VIDEO` shows how far it is."
            }
        };
        return Err(Failure::NotFound(why.into()));
    };
    let reply = api::send(cx.api.signed(Method::GET, url)?.timeout(DEADLINE)).await?;
    if !reply.status().is_success() {
        let status = reply.status();
        return Err(Failure::Other(anyhow::anyhow!("the object storage answered {status} for the sidecar")));
    }
    Ok(reply)
}

async fn copy(mut reply: Response, into: &mut Target) -> Result<u64> {
    let end = Instant::now() + DEADLINE;
    let mut copied = 0;
    loop {
        let patience = SILENCE.min(end.saturating_duration_since(Instant::now()));
        let chunk = timeout(patience, reply.chunk())
            .await
            .map_err(|_| Failure::Unreachable("The answer broke off; nothing was kept of it.".into()))?
            .map_err(|error| match api::unreachable(error) {
                Failure::Unreachable(why) => Failure::Unreachable(format!("The answer broke off: {why}")),
                other => other,
            })?;
        let Some(chunk) = chunk else { return Ok(copied) };
        into.write(&chunk).await?;
        copied += chunk.len() as u64;
    }
}

/// Standard output, a file that takes its name when it is whole, or something that is no file: a device, a pipe. That is written to as
/// it is, since a file in its place would not be it.
enum Target {
    Stdout,
    File {
        temporary: NamedTempFile,
        /// Where a symbolic link leads.
        place: PathBuf,
        asked: PathBuf,
    },
    Other {
        file: tokio::fs::File,
        asked: PathBuf,
    },
}

impl Target {
    async fn open(asked: Option<&Path>) -> Result<Self> {
        let Some(asked) = asked.map(Path::to_owned) else { return Ok(Self::Stdout) };
        match std::fs::metadata(&asked) {
            Ok(there) if there.is_dir() => {
                return Err(Failure::Usage(format!("{} is a folder; name a file in it.", asked.display())));
            }
            // On a thread of its own: a pipe that nobody reads would wait there, and Ctrl-C with it.
            Ok(there) if !there.is_file() => {
                let opened = tokio::fs::File::options().write(true).open(&asked).await;
                let file = opened.map_err(|error| unwritable(&asked.display().to_string(), &error))?;
                return Ok(Self::Other { file, asked });
            }
            _ => {}
        }
        let place = std::fs::canonicalize(&asked).unwrap_or_else(|_| asked.clone());
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = NamedTempFile::new_in(folder)
            .map_err(|error| anyhow::anyhow!("no file can be made in {}: {error}", folder.display()))?;
        Ok(Self::File { temporary, place, asked })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Stdout => printed(bytes),
            Self::File { temporary, asked, .. } => {
                temporary.write_all(bytes).map_err(|error| unwritable(&asked.display().to_string(), &error))
            }
            Self::Other { file, asked } => {
                let written = async {
                    file.write_all(bytes).await?;
                    file.flush().await
                };
                written.await.map_err(|error| unwritable(&asked.display().to_string(), &error))
            }
        }
    }

    /// The file's path, if it is one. It stays its owner's alone (mode 0600): it is what somebody said.
    fn finish(self) -> Result<Option<PathBuf>> {
        let Self::File { temporary, place, asked } = self else { return Ok(None) };
        let unwritable = |error: &io::Error| unwritable(&asked.display().to_string(), error);
        temporary.as_file().sync_all().map_err(|error| unwritable(&error))?;
        temporary.persist(&place).map_err(|error| unwritable(&error.error))?;
        Ok(Some(asked))
    }
}
