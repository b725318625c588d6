//! `GET /events` and `GET /videos/{id}/events`: live progress as server-sent events; and what these streams have in common with the
//! operator's.
//!
//! A stream begins with a snapshot and goes on with what changes. It subscribes before it reads the snapshot, so nothing
//! falls between the two; a message may come that the snapshot already had. After a gap there is another snapshot.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::header,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use heimdex_db::{DbError, VideoId, events::Event, role_profiles, videos};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    admin::queues,
    jobs,
    videos::{get, shape::Progress},
};
use crate::{
    auth::Caller,
    error::{ApiError, Code},
    events::{MOST_STREAMS, Signal},
    extract::Path,
    state::AppState,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often it is asked whether a stream's session or token has not been ended, and an operator is one still.
const STILL: Duration = Duration::from_secs(5);

/// Whose changes a stream tells.
#[derive(Clone, Copy)]
pub(super) enum Audience {
    /// Those of all the person's videos and people.
    Owner,
    /// Those of one of their videos.
    Video(VideoId),
    /// Those of the whole installation.
    Operator,
}

impl Audience {
    fn is_told(self, caller: &Caller, event: &Event) -> bool {
        let mine = event.owner_id() == Some(caller.user_id());
        match self {
            Self::Owner => mine,
            Self::Video(video_id) => mine && event.video_id() == Some(video_id),
            // Who is who in a library is no matter of its operator.
            Self::Operator => !matches!(event, Event::Photo(_) | Event::Matching(_)),
        }
    }

    /// Whether the session or token goes on, and the person may still see it.
    async fn is_still(self, state: &AppState, caller: &Caller) -> Result<bool, DbError> {
        let good = caller.is_still_good(state).await?;
        match self {
            Self::Owner | Self::Video(_) => Ok(good),
            Self::Operator => Ok(good && role_profiles::may_operate(&state.pool, caller.user_id()).await?),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct VideoActivity {
    video_id: Uuid,
    state: &'static str,
    progress: Option<Progress>,
}

/// Changes of all the person's videos and people. `snapshot` first, then `job`, `video` and `task`, `photo` (one was checked) and
/// `matching` (a person is looked for in the library). The stream ends with the token, and soon after the session was ended.
#[utoipa::path(get, path = "/events", tag = "events", responses((status = OK, content_type = "text/event-stream", body = String)))]
pub async fn all(State(state): State<AppState>, caller: Caller) -> Result<Response, ApiError> {
    follow(state, caller, Audience::Owner).await
}

/// Changes of one video.
#[utoipa::path(get, path = "/videos/{video_id}/events", tag = "events", params(("video_id" = uuid::Uuid, Path)),
    responses((status = OK, content_type = "text/event-stream", body = String)))]
pub async fn of_video(
    State(state): State<AppState>,
    caller: Caller,
    Path(video_id): Path<VideoId>,
) -> Result<Response, ApiError> {
    videos::exists(&state.pool, caller.user_id(), video_id).await?;
    follow(state, caller, Audience::Video(video_id)).await
}

/// A stream for whoever may see it at this moment. It ends with the token, or when they may no longer.
pub(super) async fn follow(state: AppState, caller: Caller, audience: Audience) -> Result<Response, ApiError> {
    let place = state.events.place(caller.user_id()).ok_or_else(too_many)?;
    let mut signals = state.events.subscribe();
    let first = snapshot(&state, &caller, audience).await?;
    let (sender, receiver) = mpsc::channel::<Result<sse::Event, Infallible>>(64);
    let lifetime = (caller.expires_at - chrono::Utc::now()).to_std().unwrap_or_default();
    tokio::spawn(async move {
        let _open = (Open::new(), place);
        let end = sleep(lifetime);
        tokio::pin!(end);
        let mut still = interval_at(Instant::now() + STILL, STILL);
        still.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Some(first);
        loop {
            if let Some(event) = next.take()
                && sender.send(Ok(event)).await.is_err()
            {
                return;
            }
            next = tokio::select! {
                // The token is over, the process stops, or the browser has gone.
                () = &mut end => return,
                () = state.stopping.cancelled() => return,
                () = sender.closed() => return,
                // Signed out, the token taken back, the account deleted; or the database is away and the browser comes again.
                _ = still.tick() => match audience.is_still(&state, &caller).await {
                    Ok(true) => None,
                    _ => return,
                },
                signal = signals.recv() => match signal {
                    Ok(Signal::Changed(event)) => audience.is_told(&caller, &event).then(|| message(&event)),
                    Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => match snapshot(&state, &caller, audience).await {
                        Ok(event) => Some(event),
                        // Gone, or the database is away: the browser comes again and is told.
                        Err(_) => return,
                    },
                    Err(RecvError::Closed) => return,
                },
            };
        }
    });
    Ok(respond(receiver))
}

fn too_many() -> ApiError {
    let detail = format!("{MOST_STREAMS} streams are open; close some of them.");
    ApiError::new(Code::RateLimited).detail(detail).with("limit", MOST_STREAMS).retry_after(30)
}

/// The stream itself, with heartbeats.
fn respond(receiver: mpsc::Receiver<Result<sse::Event, Infallible>>) -> Response {
    let sse =
        Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat"));
    // Proxies must not collect what should arrive at once.
    ([(header::CACHE_CONTROL, "no-store"), (header::HeaderName::from_static("x-accel-buffering"), "no")], sse)
        .into_response()
}

async fn snapshot(state: &AppState, caller: &Caller, audience: Audience) -> Result<sse::Event, ApiError> {
    let data = match audience {
        Audience::Video(video_id) => json!({
            "video": get::read(state, caller, video_id).await?,
            "jobs": jobs::read(state, caller, video_id).await?,
        }),
        Audience::Owner => {
            let rows = videos::activity(&state.pool, caller.user_id()).await?;
            let videos: Vec<_> = rows
                .into_iter()
                .map(|row| VideoActivity {
                    video_id: row.video_id.0,
                    state: row.state.as_str(),
                    progress: Progress::of(row.percent, row.stages_total, row.stages_done, row.active_stages),
                })
                .collect();
            json!({ "videos": videos })
        }
        Audience::Operator => json!(queues::read(state).await?),
    };
    Ok(named("snapshot", &data))
}

fn message(event: &Event) -> sse::Event {
    match event {
        Event::Job(job) => named(
            "job",
            &json!({
                "video_id": job.video_id, "run_id": job.run_id, "job_id": job.job_id, "stage": job.stage, "state": job.state,
                "progress": job.progress, "note": job.note, "error_code": job.error_code,
            }),
        ),
        Event::Task(task) => named(
            "task",
            &json!({
                "video_id": task.video_id, "task_id": task.task_id, "kind": task.kind, "state": task.state,
                "progress": task.progress, "error_code": task.error_code,
            }),
        ),
        Event::Photo(photo) => named(
            "photo",
            &json!({ "person_id": photo.person_id, "photo_id": photo.photo_id, "state": photo.state, "code": photo.code }),
        ),
        Event::Matching(matching) => named(
            "matching",
            &json!({
                "person_id": matching.person_id, "task_id": matching.task_id, "state": matching.state, "progress": matching.progress,
            }),
        ),
        Event::Operations(operations) => named("operations", &json!({ "what": operations.what })),
        Event::Video(video) => named(
            "video",
            &json!({
                "video_id": video.video_id, "state": video.state, "run_id": video.run_id, "failure_code": video.failure_code,
            }),
        ),
    }
}

fn named(name: &str, data: &Value) -> sse::Event {
    sse::Event::default().event(name).data(data.to_string())
}

/// Counts open streams.
struct Open(metrics::Gauge);

impl Open {
    fn new() -> Self {
        let streams = metrics::gauge!("heimdex_event_streams");
        streams.increment(1.0);
        Self(streams)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
