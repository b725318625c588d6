//! An upload from its announcement until it is handed to the pipeline.

use chrono::NaiveDate;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    enums::VideoState,
    error::DbError,
    ids::{UserId, VideoId},
    tasks::{self, Unwanted},
};

/// A video that is about to be sent.
#[derive(Clone, Debug)]
pub struct NewUpload<'a> {
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub title: &'a str,
    pub filename: &'a str,
    pub mime_type: &'a str,
    pub size_bytes: i64,
    pub part_size_bytes: i64,
    pub part_count: i32,
    /// The UTC day it was counted on, if it was counted.
    pub counted_on: Option<NaiveDate>,
}

/// A video that is there already.
#[derive(Clone, Debug)]
pub struct Twin {
    pub video_id: VideoId,
    pub title: String,
}

/// The owner's oldest video with these bytes, as `upload_validate` has read them. One that could not be indexed does not count:
/// sending it again is how a person tries again.
pub async fn twin(db: impl PgExecutor<'_>, owner: UserId, sha256: &[u8; 32]) -> Result<Option<Twin>, DbError> {
    Ok(sqlx::query_as!(
        Twin,
        r#"SELECT video_id AS "video_id: VideoId", title FROM videos
           WHERE owner_id = $1 AND sha256 = $2 AND state NOT IN ('deleted', 'failed') ORDER BY created_at, video_id LIMIT 1"#,
        owner.0,
        sha256.as_slice()
    )
    .fetch_optional(db)
    .await?)
}

/// Announces an upload. The multipart upload in S3 is opened by the first request for parts ([`set_upload_id`]).
pub async fn create(db: impl PgExecutor<'_>, new: &NewUpload<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO videos (video_id, owner_id, title, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count, counted_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.video_id.0,
        new.owner_id.0,
        new.title,
        new.filename,
        new.mime_type,
        new.size_bytes,
        new.part_size_bytes,
        new.part_count,
        new.counted_on
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is known of an upload.
#[derive(Clone, Debug)]
pub struct Upload {
    pub video_id: VideoId,
    pub state: VideoState,
    pub filename: String,
    pub mime_type: String,
    pub size_bytes: i64,
    pub part_size_bytes: i64,
    pub part_count: i32,
    /// The multipart upload in S3, once opened and until it is completed.
    pub upload_id: Option<String>,
    pub created_at: chrono::DateTime<chrono::Utc>,
}

impl Upload {
    /// How many bytes part `number` (from 1) must have.
    pub fn part_len(&self, number: i32) -> i64 {
        if number < self.part_count {
            self.part_size_bytes
        } else {
            self.size_bytes - self.part_size_bytes * i64::from(self.part_count - 1)
        }
    }
}

pub async fn find(db: impl PgExecutor<'_>, owner: UserId, video: VideoId) -> Result<Upload, DbError> {
    sqlx::query_as!(
        Upload,
        r#"SELECT video_id AS "video_id: VideoId", state AS "state: VideoState", original_filename AS filename, mime_type,
                  declared_size_bytes AS size_bytes, part_size_bytes, part_count, upload_id, created_at
           FROM videos WHERE video_id = $1 AND owner_id = $2 AND state <> 'deleted'"#,
        video.0,
        owner.0
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// Remembers the multipart upload, unless another request was first. Returns the one that counts.
pub async fn set_upload_id(
    db: impl PgExecutor<'_>,
    owner: UserId,
    video: VideoId,
    upload_id: &str,
) -> Result<String, DbError> {
    sqlx::query_scalar!(
        r#"UPDATE videos SET upload_id = COALESCE(upload_id, $3) WHERE video_id = $1 AND owner_id = $2 AND state = 'uploading'
           RETURNING upload_id AS "upload_id!""#,
        video.0,
        owner.0,
        upload_id
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// The object is whole: from `uploading` to `validating`. `false` if another request has done it; the caller then starts
/// no run.
pub async fn mark_uploaded(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    size_bytes: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE videos SET state = 'validating', size_bytes = $3, uploaded_at = now(), upload_id = NULL
         WHERE video_id = $1 AND owner_id = $2 AND state = 'uploading'",
        video.0,
        owner.0,
        size_bytes
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives an upload up: the row goes, the day's count gets it back, and what S3 holds of it is removed by a task.
pub async fn abort(db: &mut PgConnection, owner: UserId, video: VideoId) -> Result<(), DbError> {
    sqlx::query!(
        "SELECT FROM videos WHERE video_id = $1 AND owner_id = $2 AND state = 'uploading' FOR UPDATE",
        video.0,
        owner.0
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    crate::quotas::give_back_upload(&mut *db, video).await?;
    sqlx::query!("DELETE FROM videos WHERE video_id = $1 AND owner_id = $2", video.0, owner.0)
        .execute(&mut *db)
        .await?;
    remove_sent(db, video).await
}

/// Has removed what was sent of an upload that nobody will complete.
pub(crate) async fn remove_sent(db: &mut PgConnection, video: VideoId) -> Result<(), DbError> {
    let source = crate::keys::source(video);
    let unwanted = Unwanted { uploads: vec![source.clone()], keys: vec![source], ..Unwanted::default() };
    tasks::delete_objects(db, &unwanted).await?;
    Ok(())
}
