//! Shares: a link to one moment, for a signed-in person, until it expires or is revoked. Only the SHA-256 of its token is
//! kept. Whoever opens it gets a clip of the moment ([`crate::clips`]), never the source.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{
    audit::{self, Action, By, Event, Whom},
    clips::{self, NewClip},
    enums::JobState,
    error::DbError,
    ids::{ClipId, ShareId, UserId, VideoId},
};

/// Live shares of one person.
pub const MAX_LIVE: i64 = 100;

/// A share to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewShare<'a> {
    /// SHA-256.
    pub token_hash: &'a [u8],
    pub start_ms: i64,
    pub end_ms: i64,
    pub expires_at: DateTime<Utc>,
}

/// A share as its owner sees it.
#[derive(Clone, Debug)]
pub struct ShareRow {
    pub share_id: ShareId,
    pub video_id: VideoId,
    pub start_ms: i64,
    pub end_ms: i64,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Shares a moment of the owner's video, and has its clip cut. `Conflict("too_many_shares")` at [`MAX_LIVE`].
pub async fn create(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    new: &NewShare<'_>,
    by: &By,
) -> Result<ShareRow, DbError> {
    let part = NewClip {
        start_ms: new.start_ms,
        end_ms: new.end_ms,
        exact: true,
        for_share: true,
        expires_at: new.expires_at,
    };
    // Locks the owner's row: shares are counted one after the other.
    let clip = clips::request(&mut *db, owner, video, &part).await?;
    let live = sqlx::query_scalar!(
        r#"SELECT count(*) AS "live!" FROM shares WHERE owner_id = $1 AND revoked_at IS NULL AND expires_at > now()"#,
        owner.0
    )
    .fetch_one(&mut *db)
    .await?;
    if live >= MAX_LIVE {
        return Err(DbError::Conflict("too_many_shares"));
    }
    let made = sqlx::query_as!(
        ShareRow,
        r#"INSERT INTO shares (owner_id, video_id, token_hash, start_ms, end_ms, expires_at, clip_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
           RETURNING share_id AS "share_id: ShareId", video_id AS "video_id: VideoId", start_ms, end_ms, created_at, expires_at"#,
        owner.0,
        video.0,
        new.token_hash,
        new.start_ms,
        new.end_ms,
        new.expires_at,
        clip.0
    )
    .fetch_one(&mut *db)
    .await?;
    let after =
        json!({ "video_id": video, "start_ms": made.start_ms, "end_ms": made.end_ms, "expires_at": made.expires_at });
    let event = Event::new(Action::MomentShared, Whom::User(owner)).target(made.share_id.to_string());
    audit::record(db, by, event.changed(json!(null), after)).await?;
    Ok(made)
}

/// The owner's live shares of a video, newest first; there are at most [`MAX_LIVE`].
pub async fn list(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<Vec<ShareRow>, DbError> {
    Ok(sqlx::query_as!(
        ShareRow,
        r#"SELECT share_id AS "share_id: ShareId", video_id AS "video_id: VideoId", start_ms, end_ms, created_at, expires_at FROM shares
           WHERE owner_id = $1 AND video_id = $2 AND revoked_at IS NULL AND expires_at > now()
           ORDER BY created_at DESC, share_id LIMIT 100"#,
        owner.0,
        video.0
    )
    .fetch_all(db)
    .await?)
}

/// Ends a share at once; its clip goes with it.
pub async fn revoke(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    share: ShareId,
    by: &By,
) -> Result<(), DbError> {
    let row = sqlx::query!(
        r#"UPDATE shares SET revoked_at = now() WHERE share_id = $1 AND owner_id = $2 AND video_id = $3 AND revoked_at IS NULL
           RETURNING start_ms, end_ms, clip_id AS "clip_id: ClipId""#,
        share.0,
        owner.0,
        video.0
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    if let Some(clip) = row.clip_id {
        clips::remove(&mut *db, clip).await?;
    }
    let before = json!({ "video_id": video, "start_ms": row.start_ms, "end_ms": row.end_ms });
    let event = Event::new(Action::ShareRevoked, Whom::User(owner)).target(share.to_string());
    audit::record(db, by, event.changed(before, json!(null))).await
}

/// Forgets shares that ended a month ago, at most a thousand; the history of the account tells of them. Returns how many.
pub async fn forget_over(pool: &PgPool) -> Result<u64, DbError> {
    Ok(sqlx::query!(
        "DELETE FROM shares WHERE share_id IN (
             SELECT share_id FROM shares WHERE LEAST(revoked_at, expires_at) < now() - interval '30 days' LIMIT 1000 FOR UPDATE SKIP LOCKED)"
    )
    .execute(pool)
    .await?
    .rows_affected())
}

/// A moment as whoever has the link sees it.
#[derive(Clone, Debug)]
pub struct SharedMoment {
    pub title: String,
    /// Who shares it; null for somebody without a name.
    pub shared_by: Option<String>,
    pub start_ms: i64,
    pub end_ms: i64,
    pub expires_at: DateTime<Utc>,
    /// Where the clip lies, once it is made.
    pub object_key: Option<String>,
    /// Of the task that makes it.
    pub state: Option<JobState>,
    pub progress: Option<i16>,
}

/// The moment of a token. [`DbError::NotFound`] when it is unknown, expired or revoked, or the video or its owner is gone.
pub async fn open(db: impl PgExecutor<'_>, token_hash: &[u8]) -> Result<SharedMoment, DbError> {
    sqlx::query_as!(
        SharedMoment,
        r#"SELECT v.title, u.display_name AS "shared_by?", s.start_ms, s.end_ms, s.expires_at, c.object_key AS "object_key?",
                  t.state AS "state?: JobState", t.progress AS "progress?"
           FROM shares s JOIN videos v USING (video_id) JOIN users u ON u.user_id = s.owner_id
           LEFT JOIN clips c ON c.clip_id = s.clip_id LEFT JOIN tasks t ON t.task_id = c.task_id
           WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND v.state <> 'deleted' AND v.owner_id = s.owner_id
             AND u.deleted_at IS NULL"#,
        token_hash
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}
