//! `GET /config`: what the web app has to know before anybody signs in.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::HeaderMap};
use heimdex_db::{UserTier, enums::UserRole, quotas::TierLimits};
use serde::Serialize;
use utoipa::ToSchema;

use super::uploads::plan::{MAX_PART_BYTES, MIN_PART_BYTES};
use crate::state::AppState;

#[derive(Serialize, ToSchema)]
pub struct PublicConfig {
    /// Base for supabase-js' `createClient`.
    auth_url: String,
    publishable_key: String,
    /// Whether this API is the auth server itself.
    embedded_auth: bool,
    limits: Limits,
    features: FeatureFlags,
    /// What a person may choose at sign-up.
    #[schema(example = json!(["creator", "journalist", "researcher", "archivist"]))]
    roles: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct Limits {
    max_part_size_bytes: i64,
    min_part_size_bytes: i64,
    /// Of the free tier; `/users/me/usage` has the person's own.
    max_upload_bytes: i64,
    max_duration_s: Option<i64>,
    /// By tier: `free`, `pro`, `enterprise`.
    tiers: BTreeMap<&'static str, Tier>,
}

/// What a tier may use; null is no limit.
#[derive(Serialize, ToSchema)]
pub struct Tier {
    uploads_per_day: Option<i32>,
    max_duration_s: Option<i64>,
    max_size_bytes: i64,
    searches_per_minute: Option<i32>,
}

impl From<TierLimits> for Tier {
    fn from(limits: TierLimits) -> Self {
        Self {
            uploads_per_day: limits.uploads_per_day,
            max_duration_s: limits.max_duration_s,
            max_size_bytes: limits.max_size_bytes,
            searches_per_minute: limits.searches_per_minute,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct FeatureFlags {
    faces: bool,
    /// Mails are not sent, but shown at `/outbox` to who is at this machine.
    local_outbox: bool,
}

/// What the web app has to know before anybody signs in.
#[utoipa::path(get, path = "/config", tag = "system", responses((status = OK, body = PublicConfig)), security(()))]
pub async fn config(State(state): State<AppState>, headers: HeaderMap) -> Json<PublicConfig> {
    let free = state.config.limits.of(UserTier::Free);
    let auth = &state.config.auth;
    Json(PublicConfig {
        auth_url: auth
            .supabase_url
            .as_ref()
            .or(state.config.public_url.as_ref())
            .map_or_else(|| own_origin(&headers, &state), |url| url.as_str().trim_end_matches('/').to_owned()),
        publishable_key: auth.publishable_key.clone(),
        embedded_auth: auth.is_embedded(),
        limits: Limits {
            max_part_size_bytes: MAX_PART_BYTES,
            min_part_size_bytes: MIN_PART_BYTES,
            max_upload_bytes: free.max_size_bytes,
            max_duration_s: free.max_duration_s,
            tiers: UserTier::ALL.iter().map(|tier| (tier.as_str(), state.config.limits.of(*tier).into())).collect(),
        },
        features: FeatureFlags {
            faces: state.config.features.faces,
            local_outbox: auth.is_embedded() && auth.embedded.local_outbox,
        },
        roles: UserRole::ALL.iter().map(|role| role.as_str()).collect(),
    })
}

/// By the Host header: only this caller's own browser is told so.
pub(crate) fn own_origin(headers: &HeaderMap, state: &AppState) -> String {
    let host = headers
        .get("host")
        .and_then(|host| host.to_str().ok())
        .filter(|host| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b)));
    format!("http://{}", host.map_or_else(|| state.config.bind.to_string(), ToOwned::to_owned))
}
