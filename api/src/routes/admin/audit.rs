//! `GET /admin/audit`.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    UserId,
    audit::{self, Action, Filter, Line},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{auth::guard::Operator, cursor, domain, error::ApiError, extract::Query, state::AppState};

#[derive(Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// 1 to 200, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default, skip_serializing)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same other parameters.
    #[serde(skip_serializing)]
    cursor: Option<String>,
    /// Who did it.
    actor_id: Option<Uuid>,
    /// To whom.
    subject_id: Option<Uuid>,
    #[param(example = "account_deleted")]
    action: Option<String>,
    /// Not before.
    since: Option<DateTime<Utc>>,
    /// Before.
    until: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    items: Vec<AuditLine>,
    next_cursor: Option<String>,
}

/// One thing that was done to an account.
#[derive(Serialize, ToSchema)]
pub struct AuditLine {
    event_id: i64,
    at: DateTime<Utc>,
    #[schema(example = "role_profile_granted")]
    action: String,
    /// `person`, `command` (on the host), `project` (Supabase) or `nobody` (not signed in).
    #[schema(example = "person")]
    actor_kind: String,
    actor_id: Option<Uuid>,
    actor_email: Option<String>,
    subject_id: Option<Uuid>,
    subject_email: Option<String>,
    /// What it was done to, beside the person.
    target: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    ip: Option<String>,
    request_id: Option<String>,
}

impl From<Line> for AuditLine {
    fn from(line: Line) -> Self {
        Self {
            event_id: line.event_id,
            at: line.created_at,
            action: line.action,
            actor_kind: line.actor_kind,
            actor_id: line.actor_id.map(|id| id.0),
            actor_email: line.actor_email,
            subject_id: line.subject_id.map(|id| id.0),
            subject_email: line.subject_email,
            target: line.target,
            before: line.before,
            after: line.after,
            ip: line.ip,
            request_id: line.request_id,
        }
    }
}

/// The history of all accounts, newest first. For operators and admins.
#[utoipa::path(get, path = "/admin/audit", tag = "admin", params(AuditParams), responses((status = OK, body = AuditPage)))]
pub async fn list(
    State(state): State<AppState>,
    Operator(_caller): Operator,
    Query(params): Query<AuditParams>,
) -> Result<Json<AuditPage>, ApiError> {
    let limit = params.limit.or(50, 200)?;
    if let Some(action) = &params.action
        && !Action::ALL.iter().any(|known| known.as_str() == action)
    {
        let known: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        return Err(ApiError::field("action", "unknown", format!("action must be one of: {}.", known.join(", "))));
    }
    let before: Option<i64> = cursor::decode(&params, params.cursor.as_deref())?;
    let filter = Filter {
        actor: params.actor_id.map(UserId),
        subject: params.subject_id.map(UserId),
        action: params.action.clone(),
        since: domain::time("since", params.since)?,
        until: domain::time("until", params.until)?,
    };
    let lines = audit::list(&state.pool, &filter, before, i64::from(limit) + 1).await?;
    let (lines, next_cursor) = cursor::page(lines, limit, &params, |last| last.event_id);
    Ok(Json(AuditPage { items: lines.into_iter().map(Into::into).collect(), next_cursor }))
}
