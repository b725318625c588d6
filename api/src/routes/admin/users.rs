//! `GET /admin/users` and `PATCH /admin/users/{user_id}`.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use heimdex_db::{
    DbError, UserId, role_profiles,
    users::{self, Account, AccountFilter},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    auth::guard::{Admin, Operator},
    cursor, domain,
    error::ApiError,
    extract::{self, Path, Query},
    origin::Origin,
    state::AppState,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountParams {
    /// 1 to 100, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before, with the same other parameters.
    cursor: Option<String>,
    /// A part of the e-mail address or the name.
    q: Option<String>,
    /// Only those who may do this: `member`, `operator` or `admin`.
    #[param(example = "operator")]
    role_profile: Option<String>,
    #[param(example = "free")]
    tier: Option<String>,
    /// True: only tombstones. By default only living accounts.
    #[serde(default)]
    deleted: bool,
}

#[derive(Serialize, ToSchema)]
pub struct AccountPage {
    items: Vec<AccountItem>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct AccountItem {
    user_id: Uuid,
    supabase_user_id: Option<Uuid>,
    email: Option<String>,
    email_verified: bool,
    display_name: Option<String>,
    #[schema(example = "free")]
    tier: &'static str,
    /// A preference, never a permission.
    #[schema(example = "creator")]
    role: String,
    #[schema(example = json!(["member"]))]
    role_profiles: Vec<String>,
    video_count: i64,
    storage_bytes: i64,
    /// Of all their videos together.
    duration_ms: i64,
    /// Counted since the UTC day began.
    uploads_today: i64,
    created_at: DateTime<Utc>,
    last_login_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
}

impl From<Account> for AccountItem {
    fn from(account: Account) -> Self {
        Self {
            user_id: account.user_id.0,
            supabase_user_id: account.supabase_user_id,
            email: account.email,
            email_verified: account.email_verified,
            display_name: account.display_name,
            tier: account.tier.as_str(),
            role: account.role,
            role_profiles: account.role_profiles,
            video_count: account.video_count,
            storage_bytes: account.storage_bytes,
            duration_ms: account.duration_ms,
            uploads_today: account.uploads_today,
            created_at: account.created_at,
            last_login_at: account.last_login_at,
            deleted_at: account.deleted_at,
        }
    }
}

/// Accounts, newest first. For operators and admins.
#[utoipa::path(get, path = "/admin/users", tag = "admin", params(AccountParams), responses((status = OK, body = AccountPage)))]
pub async fn list(
    State(state): State<AppState>,
    Operator(_caller): Operator,
    Query(params): Query<AccountParams>,
) -> Result<Json<AccountPage>, ApiError> {
    let limit = params.limit.or(50, 100)?;
    let filter = AccountFilter {
        text: domain::given_line("q", params.q.as_deref(), 200)?,
        role_profile: domain::given_word("role_profile", params.role_profile.as_deref())?,
        tier: domain::given_word("tier", params.tier.as_deref())?,
        deleted: params.deleted,
    };
    let request = (&params.q, &params.role_profile, &params.tier, params.deleted);
    let after = cursor::decode::<(cursor::Time, UserId)>(&request, params.cursor.as_deref())?;
    let after = after.map(|(at, id)| (at.0, id));
    let rows = users::list(&state.pool, &filter, after, i64::from(limit) + 1).await?;
    let (rows, next_cursor) = cursor::page(rows, limit, &request, |last| (last.created_at, last.user_id));
    Ok(Json(AccountPage { items: rows.into_iter().map(Into::into).collect(), next_cursor }))
}

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountEdit {
    /// By `member`, `operator` and `admin`: whether the person may.
    #[schema(example = json!({ "operator": true }))]
    #[serde(default)]
    role_profiles: BTreeMap<String, bool>,
    #[schema(example = "pro")]
    tier: Option<String>,
}

/// Changes what a person may do, and their tier. For admins. The last admin stays one (409, `conflict: last_admin`). Tokens
/// say so after their next refresh; what the person may do changes at once.
#[utoipa::path(patch, path = "/admin/users/{user_id}", tag = "admin", params(("user_id" = uuid::Uuid, Path)),
    request_body = AccountEdit, responses((status = OK, body = AccountItem)))]
pub async fn patch(
    State(state): State<AppState>,
    Admin(caller): Admin,
    origin: Origin,
    Path(user): Path<UserId>,
    extract::Json(edit): extract::Json<AccountEdit>,
) -> Result<Json<AccountItem>, ApiError> {
    let new_tier = edit.tier.as_deref().map(|tier| domain::word("tier", tier)).transpose()?;
    let by = origin.person(caller.user_id());
    let mut tx = state.pool.begin().await?;
    for (name, enabled) in &edit.role_profiles {
        let role = domain::word("role_profiles", name)?;
        if *enabled {
            role_profiles::grant(&mut tx, user, role, Some(caller.user_id()), &by).await?;
        } else {
            role_profiles::revoke(&mut tx, user, role, &by).await?;
        }
    }
    if let Some(tier) = new_tier {
        users::set_tier(&mut tx, user, tier, &by).await?;
    }
    let account = users::account(&mut *tx, user).await?.filter(|a| a.deleted_at.is_none()).ok_or(DbError::NotFound)?;
    tx.commit().await?;
    Ok(Json(account.into()))
}
