//! Runs: one indexing of one video. What its stages record about the run as a whole, and how it becomes visible.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    enums::{UserTier, VideoState},
    error::DbError,
    ids::{RunId, UserId, VideoId},
    stage::Stage,
};

/// What a stage needs to know of its run and video before it starts.
#[derive(Clone, Debug)]
pub struct Subject {
    pub run_id: RunId,
    pub video_id: VideoId,
    pub owner_id: UserId,
    pub tier: UserTier,
    pub video_state: VideoState,
    pub title: String,
    pub original_filename: String,
    /// As announced when the upload began.
    pub mime_type: String,
    pub declared_size_bytes: i64,
    /// Language of the speech, as recorded by `asr_fast`.
    pub language: Option<String>,
    /// `{kind: model id}`.
    pub models: Value,
    /// `{name: object key}`.
    pub artifacts: Value,
}

impl Subject {
    /// Key of an artifact of this run.
    pub fn artifact(&self, name: &str) -> Option<&str> {
        self.artifacts.get(name).and_then(Value::as_str)
    }
}

/// Everything a stage needs to know of a run. [`DbError::NotFound`] once the run is gone.
pub async fn subject(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Subject, DbError> {
    sqlx::query_as!(
        Subject,
        r#"SELECT r.run_id AS "run_id: RunId", v.video_id AS "video_id: VideoId", v.owner_id AS "owner_id: UserId",
                  u.tier AS "tier: UserTier", v.state AS "video_state: VideoState", v.title, v.original_filename, v.mime_type,
                  v.declared_size_bytes, r.language, r.models, r.artifacts
           FROM runs r JOIN videos v USING (video_id) JOIN users u ON u.user_id = v.owner_id
           WHERE r.run_id = $1"#,
        run_id as RunId
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// Records where an artifact of the run lies.
pub async fn set_artifact(connection: &mut PgConnection, run_id: RunId, name: &str, key: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE runs SET artifacts = artifacts || jsonb_build_object($2::text, $3::text) WHERE run_id = $1",
        run_id as RunId,
        name,
        key
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets an artifact whose object is being removed.
pub async fn forget_artifact(connection: &mut PgConnection, run_id: RunId, name: &str) -> Result<(), DbError> {
    sqlx::query!("UPDATE runs SET artifacts = artifacts - $2::text WHERE run_id = $1", run_id as RunId, name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Records which model of a kind the run was made with; `None` says that the kind was switched off.
pub async fn set_model(
    connection: &mut PgConnection,
    run_id: RunId,
    kind: &str,
    model: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE runs SET models = models || jsonb_build_object($2::text, $3::text) WHERE run_id = $1",
        run_id as RunId,
        kind,
        model.unwrap_or("none")
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn set_language(connection: &mut PgConnection, run_id: RunId, language: Option<&str>) -> Result<(), DbError> {
    sqlx::query!("UPDATE runs SET language = $2 WHERE run_id = $1", run_id as RunId, language)
        .execute(connection)
        .await?;
    Ok(())
}

/// What `upload_validate` found out about the object itself.
#[derive(Clone, Debug)]
pub struct ValidObject<'a> {
    pub size_bytes: i64,
    pub sha256: &'a [u8; 32],
    pub poster_key: Option<&'a str>,
}

/// The object is a video: records what it is and moves a first upload on to `processing`. Warnings of an earlier look at
/// the file are dropped.
pub async fn accept_object(
    connection: &mut PgConnection,
    video_id: VideoId,
    object: &ValidObject<'_>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE videos SET size_bytes = $2, sha256 = $3, poster_key = $4, warnings = '[]',
                state = CASE WHEN state = 'validating' THEN 'processing'::video_state ELSE state END
         WHERE video_id = $1",
        video_id as VideoId,
        object.size_bytes,
        object.sha256.as_slice(),
        object.poster_key
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Another live video of the same owner with the same bytes, the oldest first.
pub async fn same_bytes(
    db: impl PgExecutor<'_>,
    owner_id: UserId,
    sha256: &[u8; 32],
    except: VideoId,
) -> Result<Option<VideoId>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT video_id AS "video_id: VideoId" FROM videos
           WHERE owner_id = $1 AND sha256 = $2 AND video_id <> $3 AND state <> 'deleted' ORDER BY created_at, video_id LIMIT 1"#,
        owner_id as UserId,
        sha256.as_slice(),
        except as VideoId
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a remark the owner should see, replacing an earlier one with the same code; kept in the order of the codes.
pub async fn warn(connection: &mut PgConnection, video_id: VideoId, code: &str, message: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE videos SET warnings = (
             SELECT jsonb_agg(w ORDER BY w ->> 'code')
             FROM (SELECT w FROM jsonb_array_elements(warnings) w WHERE w ->> 'code' <> $2
                   UNION ALL SELECT jsonb_build_object('code', $2::text, 'message', $3::text)) AS all_warnings (w))
         WHERE video_id = $1",
        video_id as VideoId,
        code,
        message
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets people search a first run while it is still being made. Does nothing when another run is visible already.
pub async fn show_first(connection: &mut PgConnection, run_id: RunId, video_id: VideoId) -> Result<(), DbError> {
    sqlx::query!(
        "WITH shown AS (
             UPDATE videos SET current_run_id = $1 WHERE video_id = $2 AND (current_run_id IS NULL OR current_run_id = $1) RETURNING 1)
         UPDATE runs SET visible_at = now() WHERE run_id = $1 AND visible_at IS NULL AND EXISTS (SELECT FROM shown)",
        run_id as RunId,
        video_id as VideoId
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts the finished run in the place of whatever was visible, and calls the video indexed. What the owner decided about its faces,
/// or corrected in its words, while it was made, they did with the run that was visible then: it is applied to this one by tasks.
pub async fn publish(connection: &mut PgConnection, run_id: RunId, video_id: VideoId) -> Result<(), DbError> {
    let owner = crate::videos::owner(&mut *connection, video_id).await?;
    // Before the video's row, as in a purge; and no decision may fall between the look at them and the end of this transaction.
    crate::people::lock(&mut *connection, owner).await?;
    crate::people::request_match_if_decided(&mut *connection, owner, run_id).await?;
    sqlx::query!(
        "UPDATE videos SET current_run_id = $1, failure_code = NULL, failure_message = NULL,
                indexed_at = CASE WHEN current_run_id = $1 THEN coalesce(indexed_at, now()) ELSE now() END,
                state = CASE WHEN state IN ('validating', 'processing', 'failed') THEN 'indexed'::video_state ELSE state END,
                state_before_delete = CASE WHEN state = 'deleted' THEN 'indexed'::video_state ELSE state_before_delete END
         WHERE video_id = $2",
        run_id as RunId,
        video_id as VideoId
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("UPDATE runs SET visible_at = coalesce(visible_at, now()) WHERE run_id = $1", run_id as RunId)
        .execute(&mut *connection)
        .await?;
    // Corrections lock the video's row, which is now ours: none is made between this look and the end of the transaction.
    crate::moments::edits::request_if_edited(connection, owner, run_id, video_id).await
}

/// Removes what other runs of the video found, once this one has replaced them. Their rows in `runs` and `jobs` stay as
/// history. Answers with those runs, whose objects are now nobody's unless this one has inherited them.
pub async fn drop_replaced(
    connection: &mut PgConnection,
    run_id: RunId,
    video_id: VideoId,
) -> Result<Vec<RunId>, DbError> {
    let replaced: Vec<RunId> = sqlx::query_scalar!(
        r#"SELECT run_id AS "run_id: RunId" FROM runs
           WHERE video_id = $1 AND run_id <> $2 AND state NOT IN ('pending', 'running') ORDER BY run_id"#,
        video_id as VideoId,
        run_id as RunId
    )
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<_> = replaced.iter().map(|run| run.0).collect();
    let owner = crate::videos::owner(&mut *connection, video_id).await?;
    crate::people::lock(&mut *connection, owner).await?;
    sqlx::query!("DELETE FROM scenes WHERE run_id = ANY($1)", &ids).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM transcript_words WHERE run_id = ANY($1)", &ids).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM transcript_segments WHERE run_id = ANY($1)", &ids).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM sound_curves WHERE run_id = ANY($1)", &ids).execute(&mut *connection).await?;
    sqlx::query!("UPDATE runs SET artifacts = '{}' WHERE run_id = ANY($1)", &ids).execute(&mut *connection).await?;
    crate::people::forget_orphans(connection, owner).await?;
    Ok(replaced)
}

/// Whether any job of these stages is still to be done for the run.
pub async fn pending(db: impl PgExecutor<'_>, run_id: RunId, stages: &[Stage]) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM jobs WHERE run_id = $1 AND stage = ANY($2) AND state IN ('pending', 'running')) AS "pending!""#,
        run_id as RunId,
        stages as &[Stage]
    )
    .fetch_one(db)
    .await?)
}

/// What is known of a video's file and of its indexing so far.
#[derive(Clone, Debug)]
pub struct FileFacts {
    pub sha256: Option<Vec<u8>>,
    pub size_bytes: Option<i64>,
    /// `[{code, message}]`, in the order of the codes.
    pub warnings: Value,
}

pub async fn file_facts(db: impl PgExecutor<'_>, video_id: VideoId) -> Result<FileFacts, DbError> {
    sqlx::query_as!(
        FileFacts,
        "SELECT sha256, size_bytes, warnings FROM videos WHERE video_id = $1",
        video_id as VideoId
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}
