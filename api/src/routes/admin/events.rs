//! `GET /admin/events`: what changes in the whole installation, as server-sent events.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::{Response, sse},
};
use heimdex_db::{DbError, events::Event, role_profiles};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use super::queues;
use crate::{
    auth::{Caller, guard::Operator},
    error::ApiError,
    events::Signal,
    routes::events::{STILL, message, named, respond, too_many},
    state::AppState,
};

/// Changes of all videos' stages, videos and tasks, and of the installation itself. `snapshot` first and after a gap (the body
/// of `/admin/queues`), then `job`, `video`, `task`, and `operations` (`what`: `stages`, `workers` or `tasks` changed). The stream
/// ends with the token, and soon after the session was ended or the person may no longer see it. For operators and admins.
#[utoipa::path(get, path = "/admin/events", tag = "admin", responses((status = OK, content_type = "text/event-stream", body = String)))]
pub async fn stream(State(state): State<AppState>, Operator(caller): Operator) -> Result<Response, ApiError> {
    let place = state.events.place(caller.user_id()).ok_or_else(too_many)?;
    let signals = state.events.subscribe();
    let first = snapshot(&state).await?;
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let _place = place;
        tell(state, caller, signals, first, sender).await;
    });
    Ok(respond(receiver))
}

async fn tell(
    state: AppState,
    caller: Caller,
    mut signals: broadcast::Receiver<Signal>,
    first: sse::Event,
    sender: mpsc::Sender<Result<sse::Event, Infallible>>,
) {
    let lifetime = (caller.expires_at - chrono::Utc::now()).to_std().unwrap_or_default();
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
            () = &mut end => return,
            () = state.stopping.cancelled() => return,
            () = sender.closed() => return,
            _ = still.tick() => match may_still(&state, &caller).await {
                Ok(true) => None,
                _ => return,
            },
            signal = signals.recv() => match signal {
                // Who is who in a library is no matter of its operator.
                Ok(Signal::Changed(event)) if matches!(*event, Event::Photo(_) | Event::Matching(_)) => None,
                Ok(Signal::Changed(event)) => Some(message(&event)),
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => match snapshot(&state).await {
                    Ok(event) => Some(event),
                    // The database is away: the browser comes again and is told.
                    Err(_) => return,
                },
                Err(RecvError::Closed) => return,
            },
        };
    }
}

/// Whether the session goes on, and the person may still see it.
async fn may_still(state: &AppState, caller: &Caller) -> Result<bool, DbError> {
    Ok(caller.is_still_good(state).await? && role_profiles::may_operate(&state.pool, caller.user_id()).await?)
}

async fn snapshot(state: &AppState) -> Result<sse::Event, ApiError> {
    let queues = queues::read(state).await?;
    Ok(named("snapshot", &serde_json::to_value(&queues).map_err(|error| ApiError::internal(&error))?))
}
