//! `GET /users/me/export`: everything that is kept of the person, as one JSON document.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use heimdex_db::{
    DbError, PgPool, RunId, UserId,
    audit::{self, Action, Event, Whom},
    export::{self, OfPerson, OfRun},
    quotas::{self, Quota},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    auth::Confirmed,
    error::{ApiError, Code},
    origin::Origin,
    state::AppState,
};

/// Exports that one process writes at once.
pub const AT_ONCE: usize = 4;
const AN_HOUR: i32 = 10;
/// Of one export, however slowly it is read.
const DEADLINE: Duration = Duration::from_secs(900);
/// A reader who takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(60);
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that wait for the reader.
const CHUNKS: usize = 4;
const PAGE: i64 = 500;
const VIDEOS_A_PAGE: i64 = 50;

/// Everything that is kept of the signed-in person, as one JSON document: the account, videos with their transcripts and
/// scenes, people, searches, shares, tokens (not their secrets) and the account's history. It is written while it is read;
/// a document that breaks off is not valid JSON. The videos' files are had by `/videos/{video_id}/playback`.
#[utoipa::path(get, path = "/users/me/export", tag = "users",
    responses((status = OK, description = "An attachment", body = serde_json::Value, content_type = "application/json")))]
pub async fn export(
    State(state): State<AppState>,
    Confirmed(caller): Confirmed,
    origin: Origin,
) -> Result<Response, ApiError> {
    let slot = Arc::clone(&state.exports).try_acquire_owned().map_err(|_| {
        ApiError::new(Code::Unavailable).detail("Others are exporting just now. Please try again.").retry_after(30)
    })?;
    let user = caller.user_id();
    let mut tx = state.pool.begin().await?;
    quotas::take(&mut *tx, user, Quota::Exports, AN_HOUR, Utc::now()).await?.map_err(|usage| {
        let seconds = (usage.resets_at - Utc::now()).num_seconds().max(1);
        ApiError::new(Code::RateLimited)
            .detail(format!("The account has been exported {AN_HOUR} times this hour."))
            .retry_after(seconds.unsigned_abs())
    })?;
    audit::record(&mut *tx, &origin.person(user), Event::new(Action::AccountExported, Whom::User(user))).await?;
    tx.commit().await?;

    let (sender, receiver) = mpsc::channel(CHUNKS);
    let pool = state.pool.clone();
    let stopping = state.stopping.clone();
    tokio::spawn(async move {
        let _slot = slot;
        let mut out = Out { sender: sender.clone(), buffer: String::new() };
        let written = tokio::select! {
            written = tokio::time::timeout(DEADLINE, write(&pool, user, &mut out)) => written,
            () = stopping.cancelled() => Ok(Err(Broken::Gone)),
        };
        let reason = match written {
            Ok(Ok(())) => return,
            Ok(Err(Broken::Gone)) => "the reader has gone".to_owned(),
            Ok(Err(Broken::Db(error))) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::warn!(user_id = %user, reason, "an export broke off");
        // Ends the response so that nobody takes it for whole.
        let _ = sender.try_send(Err(io::Error::other("the export broke off")));
    });
    let name = format!("attachment; filename=\"heimdex-export-{}.json\"", Utc::now().format("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, name.parse().unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    Ok((headers, Body::from_stream(ReceiverStream::new(receiver))).into_response())
}

enum Broken {
    Gone,
    Db(DbError),
}

impl From<DbError> for Broken {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// JSON on its way to the reader, in chunks.
struct Out {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    buffer: String,
}

impl Out {
    async fn text(&mut self, text: &str) -> Result<(), Broken> {
        self.buffer.push_str(text);
        if self.buffer.len() >= CHUNK_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        let chunk = Bytes::from(std::mem::take(&mut self.buffer));
        match tokio::time::timeout(PATIENCE, self.sender.send(Ok(chunk))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Broken::Gone),
        }
    }

    /// `"name":[item,…]`, a page at a time.
    async fn list(&mut self, pool: &PgPool, list: List) -> Result<(), Broken> {
        self.text(&format!(",\"{}\":[", list.name())).await?;
        let mut offset = 0;
        loop {
            let items = list.page(pool, offset).await?;
            for (n, item) in items.iter().enumerate() {
                if offset > 0 || n > 0 {
                    self.text(",\n").await?;
                }
                self.text(item).await?;
            }
            if (items.len() as i64) < PAGE {
                return self.text("]").await;
            }
            offset += PAGE;
        }
    }
}

#[derive(Clone, Copy)]
enum List {
    Person(OfPerson, UserId),
    Run(OfRun, RunId),
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Person(list, _) => list.name(),
            Self::Run(list, _) => list.name(),
        }
    }

    async fn page(self, pool: &PgPool, offset: i64) -> Result<Vec<String>, DbError> {
        match self {
            Self::Person(list, user) => export::of_person(pool, list, user, offset, PAGE).await,
            Self::Run(list, run) => export::of_run(pool, list, run, offset, PAGE).await,
        }
    }
}

/// The whole document; a connection is borrowed for one page at a time.
async fn write(pool: &PgPool, user: UserId, out: &mut Out) -> Result<(), Broken> {
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let account = export::account(pool, user).await?;
    out.text(&format!("{{\"format\":\"heimdex-export/1\",\"exported_at\":\"{at}\",\"account\":{account}")).await?;
    for list in OfPerson::ALL {
        out.list(pool, List::Person(list, user)).await?;
    }
    out.text(",\"videos\":[").await?;
    let mut after = None;
    loop {
        let videos = export::videos(pool, user, after, VIDEOS_A_PAGE).await?;
        for video in &videos {
            if after.is_some() {
                out.text(",\n").await?;
            }
            after = Some(video.video_id);
            // The object stays open for its lists.
            out.text(video.json.strip_suffix('}').unwrap_or(&video.json)).await?;
            if let Some(run) = video.run_id {
                for list in OfRun::ALL {
                    out.list(pool, List::Run(list, run)).await?;
                }
            }
            out.text("}").await?;
        }
        if (videos.len() as i64) < VIDEOS_A_PAGE {
            break;
        }
    }
    out.text("]}\n").await?;
    out.flush().await
}
