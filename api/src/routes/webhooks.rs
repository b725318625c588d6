//! `POST /webhooks/supabase`: the project's database webhook on `auth.users`. The record carries password hashes and tokens:
//! neither the body nor an error about it is ever logged, and only the fields of [`ProjectUser`] are read.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use heimdex_db::{audit::Actor, users};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    error::{ApiError, Code},
    origin::Origin,
    state::AppState,
    supabase::ProjectUser,
};

/// Carries the shared secret.
pub const SECRET_HEADER: &str = "x-webhook-secret";

/// What Supabase's database webhooks send.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Change {
    #[serde(rename = "INSERT", alias = "UPDATE")]
    Written { schema: String, table: String, record: ProjectUser },
    #[serde(rename = "DELETE")]
    Deleted { schema: String, table: String, old_record: OldRecord },
}

#[derive(Deserialize)]
struct OldRecord {
    id: Uuid,
}

/// A change of the project's `auth.users`. 404 where no secret is configured, 401 with a wrong one.
#[utoipa::path(post, path = "/webhooks/supabase", tag = "system", security(()),
    params(("X-Webhook-Secret" = String, Header, description = "SUPABASE_WEBHOOK_SECRET")),
    request_body(content = serde_json::Value, description = "`{type, schema, table, record, old_record}` of a database webhook on `auth.users`"),
    responses((status = NO_CONTENT, description = "It is known now")))]
pub async fn supabase(
    State(state): State<AppState>,
    origin: Origin,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let Some(secret) = &state.config.auth.webhook_secret else {
        return Err(ApiError::new(Code::NotFound).detail("There is nothing at this address."));
    };
    let given = headers.get(SECRET_HEADER).map_or(&b""[..], |value| value.as_bytes());
    // Digests have one length, so that not even the secret's length takes its time.
    let (given, expected) = (Sha256::digest(given), Sha256::digest(secret.expose_secret().as_bytes()));
    if verify_slices_are_equal(&given, &expected).is_err() {
        return Err(ApiError::new(Code::Unauthenticated).detail("The webhook's secret is wrong."));
    }
    let change: Change = serde_json::from_slice(&body).map_err(|_| not_a_change())?;
    let by = origin.by(Actor::Project);
    let mut tx = state.pool.begin().await?;
    match change {
        Change::Written { schema, table, record } if schema == "auth" && table == "users" => {
            record.apply(&mut tx, &by).await?;
        }
        Change::Deleted { schema, table, old_record } if schema == "auth" && table == "users" => {
            users::bury_subject(&mut tx, old_record.id, &by).await?;
        }
        _ => return Err(not_a_change()),
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn not_a_change() -> ApiError {
    ApiError::new(Code::InvalidJson).detail("The body must be that of a database webhook on auth.users.")
}
