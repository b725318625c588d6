//! The history of accounts: who did what to whom, from where, and what it was before and after. Written on the
//! transaction of the change itself, so that there is neither a change without its line nor a line without its change.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::{error::DbError, ids::UserId};

/// A person, by whichever id is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    User(UserId),
    /// The `sub` of their tokens. Where it has no row in `users`, the line keeps it as its target.
    Account(Uuid),
}

/// In what capacity something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Person(Whom),
    /// `heimdex-api …` on the host.
    Command,
    /// The Supabase project: its webhook, its admin API, or a holder of its secret key.
    Project,
    /// Somebody who is not signed in, for example who asks for a recovery mail.
    Nobody,
}

/// Who is at it, and where the request came from.
#[derive(Clone, Debug)]
pub struct By {
    pub actor: Actor,
    pub ip: Option<IpAddr>,
    pub request_id: Option<String>,
}

impl By {
    /// A command on the host.
    pub fn command() -> Self {
        Self { actor: Actor::Command, ip: None, request_id: None }
    }
}

/// Declares the actions once, with their names.
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What was done. Append only; a name never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $variant),+ }

        impl Action {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

actions! {
    AccountCreated = "account_created",
    AccountDeleted = "account_deleted",
    AccountExported = "account_exported",
    AccountBanned = "account_banned",
    ProfileChanged = "profile_changed",
    TierSet = "tier_set",
    RoleProfileGranted = "role_profile_granted",
    RoleProfileRevoked = "role_profile_revoked",
    ApiTokenMade = "api_token_made",
    ApiTokenRevoked = "api_token_revoked",
    PasswordChanged = "password_changed",
    MetadataChanged = "metadata_changed",
    EmailChangeRequested = "email_change_requested",
    EmailChanged = "email_changed",
    EmailConfirmed = "email_confirmed",
    RecoveryRequested = "recovery_requested",
    Reauthenticated = "reauthenticated",
    SignedOut = "signed_out",
    /// An old refresh token came again: the session was ended.
    RefreshTokenReused = "refresh_token_reused",
    Invited = "invited",
    LinkGenerated = "link_generated",
    SigningKeysRotated = "signing_keys_rotated",
    PersonMade = "person_made",
    PersonNamed = "person_named",
    PersonDeleted = "person_deleted",
    PersonPhotoAdded = "person_photo_added",
    ConsentRecorded = "consent_recorded",
    PeopleMerged = "people_merged",
    PersonSplit = "person_split",
    /// A failed or cancelled run was taken up again by an operator.
    RunRetried = "run_retried",
    RunCancelled = "run_cancelled",
    TaskRetried = "task_retried",
    StagePaused = "stage_paused",
    StageResumed = "stage_resumed",
    PrioritySet = "priority_set",
    MomentShared = "moment_shared",
    ShareRevoked = "share_revoked",
    TranscriptEdited = "transcript_edited",
    VideoDeleted = "video_deleted",
    VideoRestored = "video_restored",
    /// Too many guesses at an account: more are refused for a while.
    GuessingStopped = "guessing_stopped",
}

/// One thing that was done.
#[derive(Clone, Debug)]
pub struct Event {
    pub action: Action,
    pub subject: Option<Whom>,
    /// What it was done to, beside the person: a token's id, a key's id.
    pub target: Option<String>,
    /// What changed, as it was. Null where there is nothing to say.
    pub before: Value,
    /// As it is now.
    pub after: Value,
}

impl Event {
    pub fn new(action: Action, subject: Whom) -> Self {
        Self { action, subject: Some(subject), target: None, before: Value::Null, after: Value::Null }
    }

    /// What is done to the installation and to nobody.
    pub fn of_installation(action: Action) -> Self {
        Self { action, subject: None, target: None, before: Value::Null, after: Value::Null }
    }

    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    #[must_use]
    pub fn changed(mut self, before: Value, after: Value) -> Self {
        (self.before, self.after) = (before, after);
        self
    }
}

/// Writes one line, on the transaction of the change.
pub async fn record(db: impl PgExecutor<'_>, by: &By, event: Event) -> Result<(), DbError> {
    let (kind, actor) = match by.actor {
        Actor::Person(whom) => ("person", Some(whom)),
        Actor::Command => ("command", None),
        Actor::Project => ("project", None),
        Actor::Nobody => ("nobody", None),
    };
    let (actor_user, actor_account) = split(actor);
    let (subject_user, subject_account) = split(event.subject);
    let (before, after) = (without_secrets(event.before), without_secrets(event.after));
    sqlx::query!(
        "INSERT INTO audit_events (actor_kind, actor_id, subject_id, action, target, before, after, ip, request_id)
         SELECT $1, COALESCE($2, (SELECT user_id FROM users WHERE supabase_user_id = $3)),
                COALESCE($4, subject.user_id), $6,
                COALESCE($7, CASE WHEN $4::uuid IS NULL AND subject.user_id IS NULL THEN $5::uuid::text END),
                $8, $9, $10::text::inet, $11
         FROM (SELECT) AS one LEFT JOIN users subject ON subject.supabase_user_id = $5",
        kind,
        actor_user,
        actor_account,
        subject_user,
        subject_account,
        event.action.as_str(),
        event.target,
        Some(before).filter(|value| !value.is_null()),
        Some(after).filter(|value| !value.is_null()),
        by.ip.map(|ip| ip.to_string()),
        by.request_id
    )
    .execute(db)
    .await?;
    Ok(())
}

fn split(whom: Option<Whom>) -> (Option<Uuid>, Option<Uuid>) {
    match whom {
        Some(Whom::User(id)) => (Some(id.0), None),
        Some(Whom::Account(sub)) => (None, Some(sub)),
        None => (None, None),
    }
}

/// The last line of defence: whoever writes an event leaves secrets out, and what looks like one is emptied here.
fn without_secrets(value: Value) -> Value {
    const SECRET: [&str; 7] = ["password", "secret", "hash", "token", "otp", "nonce", "pem"];
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let lower = name.to_ascii_lowercase();
                    let kept = if value.is_string() && SECRET.iter().any(|word| lower.contains(word)) {
                        Value::String("[removed]".into())
                    } else {
                        without_secrets(value)
                    };
                    (name, kept)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(all) => Value::Array(all.into_iter().map(without_secrets).collect()),
        other => other,
    }
}

/// A line of the history, as an operator reads it.
#[derive(Clone, Debug)]
pub struct Line {
    pub event_id: i64,
    pub actor_kind: String,
    pub actor_id: Option<UserId>,
    pub actor_email: Option<String>,
    pub subject_id: Option<UserId>,
    pub subject_email: Option<String>,
    pub action: String,
    pub target: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Which lines; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub actor: Option<UserId>,
    pub subject: Option<UserId>,
    pub action: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Newest first, older than the event `before`, at most `limit`.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Line>, DbError> {
    Ok(sqlx::query_as!(
        Line,
        r#"SELECT e.event_id, e.actor_kind, e.actor_id AS "actor_id: UserId", a.email AS "actor_email?", e.subject_id AS "subject_id: UserId",
                  s.email AS "subject_email?", e.action, e.target, e.before, e.after, host(e.ip) AS ip, e.request_id, e.created_at
           FROM audit_events e LEFT JOIN users a ON a.user_id = e.actor_id LEFT JOIN users s ON s.user_id = e.subject_id
           WHERE ($1::uuid IS NULL OR e.actor_id = $1) AND ($2::uuid IS NULL OR e.subject_id = $2)
             AND ($3::text IS NULL OR e.action = $3) AND ($4::timestamptz IS NULL OR e.created_at >= $4)
             AND ($5::timestamptz IS NULL OR e.created_at < $5) AND ($6::bigint IS NULL OR e.event_id < $6)
           ORDER BY e.event_id DESC LIMIT $7"#,
        filter.actor.map(|id| id.0),
        filter.subject.map(|id| id.0),
        filter.action,
        filter.since,
        filter.until,
        before,
        limit
    )
    .fetch_all(db)
    .await?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_emptied() {
        let given = json!({ "email": "a@b.cd", "PasswordHash": "$argon2", "list": [{ "refresh_token": "x" }], "has_password": true });
        assert_eq!(
            without_secrets(given),
            json!({ "email": "a@b.cd", "PasswordHash": "[removed]", "list": [{ "refresh_token": "[removed]" }], "has_password": true })
        );
    }
}
