//! `GET /admin/events`: what changes in the whole installation, as server-sent events.

use axum::{extract::State, response::Response};

use crate::{
    auth::guard::Operator,
    error::ApiError,
    routes::events::{Audience, follow},
    state::AppState,
};

/// Changes of all videos' stages, videos and tasks, and of the installation itself. `snapshot` first and after a gap (the body
/// of `/admin/queues`), then `job`, `video`, `task`, and `operations` (`what`: `stages`, `workers` or `tasks` changed). The stream
/// ends with the token, and soon after the session was ended or the person may no longer see it. For operators and admins.
#[utoipa::path(get, path = "/admin/events", tag = "admin", responses((status = OK, content_type = "text/event-stream", body = String)))]
pub async fn stream(State(state): State<AppState>, Operator(caller): Operator) -> Result<Response, ApiError> {
    follow(state, caller, Audience::Operator).await
}
