//! Mail that waits for SMTP, or, without SMTP, for somebody to read it here.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    error::DbError,
    tasks::{self, NewTask},
};

/// The kind of the task that hands a mail to SMTP.
pub const SEND_MAIL: &str = "send_mail";

/// A mail as kept.
#[derive(Clone, Debug)]
pub struct Mail {
    pub mail_id: i64,
    pub recipient: String,
    pub subject: String,
    /// Plain text. Emptied once SMTP has it: it holds a way into an account.
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// Keeps a mail on the caller's transaction. With `deliver`, a worker hands it to SMTP; a killed process loses nothing.
pub async fn enqueue(
    db: &mut PgConnection,
    recipient: &str,
    subject: &str,
    body: &str,
    deliver: bool,
) -> Result<i64, DbError> {
    let mail_id = sqlx::query_scalar!(
        "INSERT INTO mail_outbox (recipient, subject, body) VALUES ($1, $2, $3) RETURNING mail_id",
        recipient,
        subject,
        body
    )
    .fetch_one(&mut *db)
    .await?;
    if deliver {
        let payload = json!({ "mail_id": mail_id });
        let task = NewTask { kind: SEND_MAIL, owner_id: None, video_id: None, payload, run_at: None };
        tasks::enqueue(db, &task).await?;
    }
    Ok(mail_id)
}

pub async fn find(db: impl PgExecutor<'_>, mail_id: i64) -> Result<Option<Mail>, DbError> {
    Ok(sqlx::query_as!(Mail, "SELECT * FROM mail_outbox WHERE mail_id = $1", mail_id).fetch_optional(db).await?)
}

/// Newest first, at most `limit`.
pub async fn newest(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Mail>, DbError> {
    Ok(sqlx::query_as!(Mail, "SELECT * FROM mail_outbox ORDER BY mail_id DESC LIMIT $1", limit).fetch_all(db).await?)
}

/// SMTP has taken it.
pub async fn mark_sent(db: impl PgExecutor<'_>, mail_id: i64) -> Result<(), DbError> {
    sqlx::query!("UPDATE mail_outbox SET sent_at = now(), body = '' WHERE mail_id = $1", mail_id).execute(db).await?;
    Ok(())
}
