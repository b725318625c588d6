//! What people correct in what was heard. A correction belongs to the video (`video_edits`, kind `segment_text`): it is applied
//! to the visible run at once, and to each later run when its words are put to scenes. What hangs on the words elsewhere (text
//! windows, captions, sidecar) follows by a task of kind [`APPLY_EDITS`].

mod replay;
mod retime;
mod rows;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};

use self::{
    replay::{Correction, Line, Original, replay, text_of},
    retime::retime,
};
use super::align;
use crate::{
    audit::{self, Action, By, Event, Whom},
    error::DbError,
    ids::{RunId, UserId, VideoId},
    stage::Stage,
    tasks::{self, NewTask},
};

/// Brings what hangs on the words of a video up to date with its corrections; payload [`ApplyEdits`].
pub const APPLY_EDITS: &str = "apply_edits";

const KIND: &str = "segment_text";

/// Payload of [`APPLY_EDITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyEdits {
    pub video_id: VideoId,
}

/// A correction of one segment of the visible run.
#[derive(Clone, Copy, Debug)]
pub struct SegmentEdit<'a> {
    /// The run and the text that the person saw.
    pub run_id: RunId,
    pub segment_no: i32,
    pub was: &'a str,
    /// `None`: as it was recognised.
    pub text: Option<&'a str>,
}

/// Corrects a segment, its words and the text of its scenes. [`DbError::NotFound`] when the video is not the owner's or has no such
/// segment, `Conflict("transcript_changed")` when it is no longer what the person saw.
pub async fn edit(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    edit: &SegmentEdit<'_>,
    by: &By,
) -> Result<(), DbError> {
    let run = edit.run_id;
    expect_visible(crate::transcripts::visible_run(&mut *db, owner, video).await?.map(|run| run.run_id), run)?;
    // A run before its video's row, as everywhere.
    let language = lock_run(&mut *db, run).await?;
    let now = sqlx::query_scalar!(
        r#"SELECT current_run_id AS "run: RunId" FROM videos WHERE video_id = $1 AND owner_id = $2 AND state <> 'deleted' FOR NO KEY UPDATE"#,
        video.0,
        owner.0
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    expect_visible(now, run)?;
    let segment = rows::segment(&mut *db, run, edit.segment_no).await?;
    if segment.line.text.trim() != edit.was.trim() {
        return Err(DbError::Conflict("transcript_changed"));
    }
    let mut line = segment.line;
    let recognised = match line.original.take() {
        Some(original) => original,
        None => Original::new(&line.text, &line.words),
    };
    let corrected = edit.text.filter(|text| text.trim() != recognised.text.trim());
    match corrected {
        Some(text) => {
            line.words = retime(&recognised.spoken(), text, (line.start_ms, segment.end_ms));
            line.text = text_of(&line.words);
            line.original = Some(recognised);
        }
        None => {
            line.words = recognised.spoken();
            line.text = recognised.text;
        }
    }
    rows::write(&mut *db, run, &[&line]).await?;
    align::again(&mut *db, run, language.as_deref()).await?;
    rows::remember(&mut *db, owner, video, (line.start_ms, segment.end_ms), corrected).await?;
    request(&mut *db, owner, video).await?;
    let place = json!({ "start_ms": line.start_ms, "end_ms": segment.end_ms });
    let event = Event::new(Action::TranscriptEdited, Whom::User(owner)).target(video.to_string());
    audit::record(db, by, event.changed(json!(null), place)).await
}

/// `None` is visible while nothing is.
fn expect_visible(visible: Option<RunId>, seen: RunId) -> Result<(), DbError> {
    match visible {
        Some(run) if run == seen => Ok(()),
        Some(_) => Err(DbError::Conflict("transcript_changed")),
        None => Err(DbError::NotFound),
    }
}

/// Applies the corrections of a run's video to the run. Locks the run. With `align_again`, words that have changed are put to scenes
/// again, which `align_merge` does itself.
pub async fn apply(db: &mut PgConnection, run: RunId, align_again: bool) -> Result<(), DbError> {
    let language = match lock_run(&mut *db, run).await {
        // Purged meanwhile.
        Err(DbError::NotFound) => return Ok(()),
        language => language?,
    };
    let corrections: Vec<Correction> = sqlx::query!(
        r#"SELECT e.start_ms AS "start_ms!", e.end_ms AS "end_ms!", e.payload ->> 'text' AS text
           FROM video_edits e JOIN runs r USING (video_id)
           WHERE r.run_id = $1 AND e.kind = $2 AND e.start_ms IS NOT NULL AND e.end_ms IS NOT NULL ORDER BY e.created_at, e.edit_id"#,
        run.0,
        KIND
    )
    .fetch_all(&mut *db)
    .await?
    .into_iter()
    .map(|row| Correction { start_ms: row.start_ms, end_ms: row.end_ms, text: row.text })
    .collect();
    if corrections.is_empty() {
        return Ok(());
    }
    let mut lines = rows::lines(&mut *db, run).await?;
    let changed: Vec<usize> = replay(&mut lines, &corrections);
    if changed.is_empty() {
        return Ok(());
    }
    let changed: Vec<&Line> = changed.into_iter().map(|place| &lines[place]).collect();
    rows::write(&mut *db, run, &changed).await?;
    if align_again { align::again(db, run, language.as_deref()).await } else { Ok(()) }
}

/// Holds corrections of a run back until the end of the transaction.
pub async fn lock(db: &mut PgConnection, run: RunId) -> Result<(), DbError> {
    lock_run(db, run).await.map(drop)
}

/// Its language.
async fn lock_run(db: &mut PgConnection, run: RunId) -> Result<Option<String>, DbError> {
    sqlx::query_scalar!("SELECT language FROM runs WHERE run_id = $1 FOR NO KEY UPDATE", run.0)
        .fetch_optional(db)
        .await?
        .ok_or(DbError::NotFound)
}

/// Which state of its corrections a video is in: the same twice, and nothing was corrected in between.
pub async fn version(db: impl PgExecutor<'_>, video: VideoId) -> Result<String, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT coalesce(max(created_at)::text, '') || ' ' || count(*)::text AS "version!" FROM video_edits WHERE video_id = $1 AND kind = $2"#,
        video.0,
        KIND
    )
    .fetch_one(db)
    .await?)
}

/// The visible run of a video, once what hangs on its words is there: before that, the stages that make it see the corrections,
/// or [`crate::runs::publish`] asks for them.
pub async fn finished_run(db: impl PgExecutor<'_>, video: VideoId) -> Result<Option<RunId>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT j.run_id AS "run_id: RunId" FROM videos v JOIN jobs j ON j.run_id = v.current_run_id
           WHERE v.video_id = $1 AND v.state <> 'deleted' AND j.stage = $2 AND j.state = 'completed'"#,
        video.0,
        Stage::SidecarBuild as Stage
    )
    .fetch_optional(db)
    .await?)
}

/// Has the corrections of the video applied to a run, where there are any since it was begun: its words may have been put to
/// scenes, or inherited, before that.
pub(crate) async fn request_if_edited(
    db: &mut PgConnection,
    owner: UserId,
    run: RunId,
    video: VideoId,
) -> Result<(), DbError> {
    let edited = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM video_edits e JOIN runs r USING (video_id)
                          WHERE r.run_id = $1 AND e.kind = $2 AND e.created_at >= r.created_at) AS "edited!""#,
        run.0,
        KIND
    )
    .fetch_one(&mut *db)
    .await?;
    if edited { request(db, owner, video).await } else { Ok(()) }
}

/// Has the corrections of a video applied once more, for a worker that may have undone a part of it. Nothing for a video that is gone.
pub async fn ask_again(db: &mut PgConnection, owner: UserId, video: VideoId) -> Result<(), DbError> {
    match finished_run(&mut *db, video).await? {
        Some(_) => request(db, owner, video).await,
        None => Ok(()),
    }
}

/// A task that has not begun is enough: it is held until this transaction ends, and then sees what was written in it.
async fn request(db: &mut PgConnection, owner: UserId, video: VideoId) -> Result<(), DbError> {
    let payload =
        serde_json::to_value(ApplyEdits { video_id: video }).map_err(|error| DbError::Queue(error.to_string()))?;
    let waiting = sqlx::query!(
        "SELECT FROM tasks WHERE kind = $1 AND owner_id = $2 AND state = 'pending' AND attempts = 0 AND payload = $3 LIMIT 1 FOR NO KEY UPDATE",
        APPLY_EDITS,
        owner.0,
        payload
    )
    .fetch_optional(&mut *db)
    .await?;
    if waiting.is_some() {
        return Ok(());
    }
    let task = NewTask { kind: APPLY_EDITS, owner_id: Some(owner), video_id: None, payload, run_at: None };
    tasks::enqueue(db, &task).await?;
    Ok(())
}
