//! `/users/me/tokens`: tokens for scripts.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use heimdex_db::api_tokens::{self, ApiToken, NewToken, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::{Caller, Confirmed, api_token::Fresh},
    domain,
    error::ApiError,
    extract::{self, Path},
    origin::Origin,
    state::AppState,
};

const MAX_NAME_CHARS: usize = 80;
const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    #[schema(example = "Nightly upload")]
    name: String,
    /// Of `read`, `upload` and `search`.
    #[schema(example = json!(["upload"]))]
    scopes: Vec<String>,
    /// At most a year from now. Without it the token lives until it is revoked.
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
pub struct TokenItem {
    token_id: Uuid,
    name: String,
    /// Its first characters.
    #[schema(example = "hx_Zk3f")]
    hint: String,
    #[schema(example = json!(["upload"]))]
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    expired: bool,
}

impl From<ApiToken> for TokenItem {
    fn from(token: ApiToken) -> Self {
        Self {
            token_id: token.token_id,
            name: token.name,
            hint: token.hint,
            scopes: token.scopes,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
            expired: token.expires_at.is_some_and(|at| at <= Utc::now()),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct NewTokenAnswer {
    /// Shown this once. Send it as `Authorization: Bearer hx_…`.
    #[schema(example = "hx_Zk3fV0…")]
    token: String,
    #[serde(flatten)]
    item: TokenItem,
}

#[derive(Serialize, ToSchema)]
pub struct TokenList {
    items: Vec<TokenItem>,
}

/// Makes a token for a script. `read` reads the library and its progress, `upload` sends videos, `search` searches; no token
/// reaches the account, its tokens or the administration. At most 50 live ones (409, `conflict: too_many_tokens`).
#[utoipa::path(post, path = "/users/me/tokens", tag = "users", request_body = TokenRequest, responses((status = CREATED, body = NewTokenAnswer)))]
pub async fn create(
    State(state): State<AppState>,
    Confirmed(caller): Confirmed,
    origin: Origin,
    extract::Json(request): extract::Json<TokenRequest>,
) -> Result<(StatusCode, Json<NewTokenAnswer>), ApiError> {
    let name = domain::line("name", &request.name, MAX_NAME_CHARS)?;
    let scopes = scopes(&request.scopes)?;
    let now = Utc::now();
    if request.expires_at.is_some_and(|at| at <= now || at > now + LONGEST_LIFE) {
        return Err(ApiError::field("expires_at", "out_of_range", "expires_at must be within a year from now."));
    }
    let fresh = Fresh::new();
    let new =
        NewToken { name: &name, hint: &fresh.hint, hash: &fresh.hash, scopes: &scopes, expires_at: request.expires_at };
    let mut tx = state.pool.begin().await?;
    let made = api_tokens::create(&mut tx, caller.user_id(), &new, &origin.person(caller.user_id())).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(NewTokenAnswer { token: fresh.text, item: made.into() })))
}

fn scopes(given: &[String]) -> Result<Vec<Scope>, ApiError> {
    let mut scopes = Vec::new();
    for text in given.iter().take(Scope::ALL.len() + 1) {
        let scope: Scope = domain::word("scopes", text)?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() || given.len() > Scope::ALL.len() {
        return Err(ApiError::field(
            "scopes",
            "out_of_range",
            "scopes must have one to three of: read, upload, search.",
        ));
    }
    Ok(scopes)
}

/// The person's tokens that are not revoked, newest first; never the tokens themselves.
#[utoipa::path(get, path = "/users/me/tokens", tag = "users", responses((status = OK, body = TokenList)))]
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<TokenList>, ApiError> {
    let items = api_tokens::list(&state.pool, caller.user_id()).await?;
    Ok(Json(TokenList { items: items.into_iter().map(Into::into).collect() }))
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/users/me/tokens/{token_id}", tag = "users", params(("token_id" = uuid::Uuid, Path)),
    responses((status = NO_CONTENT, description = "It no longer works")))]
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(token_id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.pool.begin().await?;
    api_tokens::revoke(&mut tx, caller.user_id(), token_id, &origin.person(caller.user_id())).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
