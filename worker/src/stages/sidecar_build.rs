//! Sidecar: what was found, as files for players and other programs.
//! Reads: everything of the run. Writes: sidecar JSON, WebVTT, SRT, sprite with its VTT; artifacts. Again: same keys and bytes.

use futures::{StreamExt, TryStreamExt, stream};
use heimdex_db::{
    RunId, VideoId, keys,
    moments::{
        frames::{self, Frame},
        metadata, scenes, screen_texts, tags, transcript,
    },
    runs::{self, Subject},
};
use heimdex_media::pictures::{Sprite, SpriteTile, sprite};

use super::{PARALLEL_OBJECTS, blocking};
use crate::{
    formats::{
        captions::{self, TimedWord},
        sidecar::{self, Parts},
    },
    stage::{Job, Outcome, StageContext, StageError},
};

const COLUMNS: usize = 10;
const TILE: (usize, usize) = (160, 90);
/// Enough to seek by; more only makes the sheet heavy.
const MAX_TILES: usize = 200;
const MAX_FRAME_BYTES: u64 = 4 << 20;
/// What a frame takes on disk, as a rule.
const USUAL_FRAME_BYTES: u64 = 512 << 10;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let (run_id, video_id) = (job.run_id, job.video_id);
    let frame_rows = frames::list(cx.db(), run_id).await?;
    let mut files = documents(cx, run_id, video_id, &job.subject, &frame_rows).await?;
    let duration_ms = metadata::find(cx.db(), video_id).await?.duration_ms;
    let sheet = make_sprite(cx, &frame_rows, duration_ms).await?;
    cx.progress(80);
    if let Some(sheet) = sheet {
        files.push(("sprite", SPRITE_FILE, "image/webp", sheet.webp));
        files.push(("sprite_vtt", "sprite.vtt", "text/vtt", sheet.vtt.into_bytes()));
    }
    let mut artifacts = Vec::new();
    for (name, file_name, content_type, bytes) in files {
        let key = keys::artifact(video_id, run_id, file_name);
        cx.store().put_bytes(&key, bytes, content_type).await?;
        artifacts.push((name, key));
    }

    let mut tx = cx.fenced_tx().await?;
    for (name, key) in &artifacts {
        runs::set_artifact(&mut tx, run_id, name, key).await?;
    }
    cx.commit(tx).await?;
    Ok(Outcome::done())
}

/// Name, file name, type and bytes of what holds the words of a run.
pub(crate) type Document = (&'static str, &'static str, &'static str, Vec<u8>);

/// The sidecar and the captions.
pub(crate) async fn documents(
    cx: &StageContext,
    run_id: RunId,
    video_id: VideoId,
    subject: &Subject,
    frame_rows: &[Frame],
) -> Result<Vec<Document>, StageError> {
    let known = metadata::find(cx.db(), video_id).await?;
    let scene_rows = scenes::list(cx.db(), run_id).await?;
    let screen_rows = screen_texts::list(cx.db(), run_id).await?;
    let tag_rows = tags::list(cx.db(), run_id).await?;
    let segments = transcript::segments(cx.db(), run_id).await?;
    let words = transcript::words(cx.db(), run_id).await?;
    let file = runs::file_facts(cx.db(), video_id).await?;

    let cues = captions::cues(words.iter().map(|word| TimedWord {
        start_ms: word.start_ms,
        end_ms: word.end_ms,
        text: &word.text,
        segment_no: word.segment_no,
    }));
    let document = sidecar::render(&Parts {
        video_id,
        run_id,
        original_filename: &subject.original_filename,
        sha256_hex: file.sha256.as_ref().map(hex::encode),
        size_bytes: file.size_bytes,
        metadata: &known,
        language: subject.language.as_deref(),
        models: &subject.models,
        warnings: &file.warnings,
        scenes: &scene_rows,
        tags: &tag_rows,
        frames: frame_rows,
        screen_texts: &screen_rows,
        segments: &segments,
        words: &words,
    })
    .map_err(|error| StageError::transient("sidecar", error))?;
    Ok(vec![
        ("sidecar", "sidecar.json", "application/json", document),
        ("vtt", "captions.vtt", "text/vtt", captions::webvtt(&cues).into_bytes()),
        ("srt", "captions.srt", "application/x-subrip", captions::subrip(&cues).into_bytes()),
    ])
}

const SPRITE_FILE: &str = "sprite.webp";

async fn make_sprite(cx: &StageContext, frame_rows: &[Frame], duration_ms: i64) -> Result<Option<Sprite>, StageError> {
    let sampled: Vec<_> = frame_rows.iter().filter(|frame| frame.sampled).collect();
    let count = sampled.len().min(MAX_TILES);
    let chosen: Vec<_> = (0..count).map(|n| sampled[n * sampled.len() / count]).collect();
    let folder = cx.scratch().folder(USUAL_FRAME_BYTES * count as u64).await?;
    let fetch = chosen.iter().map(|frame| {
        let jpeg = folder.path().join(format!("{}.jpg", frame.at_ms));
        async move {
            cx.store().get_file(&frame.object_key, &jpeg, MAX_FRAME_BYTES).await?;
            Ok::<_, StageError>(SpriteTile { jpeg, at_ms: u64::try_from(frame.at_ms).unwrap_or(0) })
        }
    });
    let tiles: Vec<_> = stream::iter(fetch.collect::<Vec<_>>()).buffered(PARALLEL_OBJECTS).try_collect().await?;
    cx.progress(40);
    let end_ms = u64::try_from(duration_ms).unwrap_or(0);
    blocking(move || {
        let _until_read = folder;
        Ok(sprite(&tiles, COLUMNS, TILE, end_ms, SPRITE_FILE)?)
    })
    .await
}
