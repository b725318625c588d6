//! What a Supabase project tells of its users besides their tokens: by its database webhook and by its admin API. Both bring
//! rows of `auth.users`; what of them counts here is decided in one place.

pub mod admin_api;
pub mod sync;

use chrono::{DateTime, Utc};
use heimdex_db::{
    DbError, PgConnection,
    audit::By,
    users::{self, ClaimedProfile},
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::auth::claims;

/// A user as the project has it. Everything else it sends (password hash, tokens) is not even read.
#[derive(Clone, Debug, Deserialize)]
pub struct ProjectUser {
    id: Uuid,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_confirmed_at: Option<DateTime<Utc>>,
    /// `raw_user_meta_data` in the database, `user_metadata` at the API.
    #[serde(default, alias = "raw_user_meta_data")]
    user_metadata: Option<Value>,
    #[serde(default)]
    is_anonymous: Option<bool>,
    #[serde(default)]
    updated_at: Option<DateTime<Utc>>,
    #[serde(default)]
    deleted_at: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The row is as the project says, or newer.
    Kept,
    /// A tombstone now, or already.
    Buried,
    /// Anonymous users are not people here.
    Ignored,
}

impl ProjectUser {
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Brings the person's row up to date: newer news win, tombstones stay, nobody is merged by e-mail.
    pub async fn apply(&self, db: &mut PgConnection, by: &By) -> Result<Applied, DbError> {
        if self.deleted_at.is_some() {
            users::bury_subject(db, self.id, by).await?;
            return Ok(Applied::Buried);
        }
        if self.is_anonymous == Some(true) {
            return Ok(Applied::Ignored);
        }
        let issued_at = self.updated_at.unwrap_or_else(Utc::now);
        let mut profile = claims::profile_from(self.email.as_deref(), self.user_metadata.as_ref(), self.id, issued_at);
        profile.email_verified = self.email_confirmed_at.is_some();
        apply(db, &profile).await
    }
}

async fn apply(db: &mut PgConnection, profile: &ClaimedProfile) -> Result<Applied, DbError> {
    let user = users::upsert_from_project(db, profile).await?;
    Ok(if user.deleted_at.is_some() { Applied::Buried } else { Applied::Kept })
}
