//! Pictures: of each scene's candidates the sharp and distinct ones, and its thumbnails.
//! Reads: candidate frames. Writes: which are sampled, thumbnails in two sizes, keyframes. Again: same keys, rows replaced.

use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt, stream};
use heimdex_db::{
    keys,
    moments::{
        frames::{self, Frame},
        scenes::{self, Scene, SceneThumbnail},
    },
};
use heimdex_media::pictures::{FrameFacts, select, webp_thumbnail};

use super::{PARALLEL_OBJECTS, blocking};
use crate::stage::{Job, Outcome, StageContext, StageError};

/// Long sides, pixels: in a list, and filling a card on a dense screen.
const SMALL: u32 = 320;
const LARGE: u32 = 960;
const QUALITY: f32 = 75.0;
/// One picture for every so many seconds of a scene, and bounds on how many.
const SECONDS_PER_FRAME: i64 = 5;
const MAX_FRAMES: i64 = 8;
/// A candidate JPEG has a long side of at most 1280.
const MAX_FRAME_BYTES: u64 = 4 << 20;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let scene_rows = scenes::list(cx.db(), job.run_id).await?;
    let candidates = frames::list(cx.db(), job.run_id).await?;
    let mut sampled = Vec::new();
    let mut keyframes = Vec::new();
    for scene in &scene_rows {
        let own: Vec<_> = candidates.iter().filter(|frame| frame.scene_id == scene.scene_id).collect();
        let facts: Vec<_> = own.iter().map(|frame| facts(frame)).collect();
        sampled.extend(select(&facts, wanted(scene)).into_iter().map(|n| own[n].at_ms));
        keyframes.extend(select(&facts, 1).into_iter().map(|n| (scene, own[n])));
    }

    let folder = cx.scratch().folder(MAX_FRAME_BYTES * PARALLEL_OBJECTS as u64).await?;
    let (all, mut done) = (keyframes.len(), 0);
    let jobs = keyframes
        .into_iter()
        .map(|(scene, frame)| thumbnail(cx, job, scene, frame, folder.path().join(format!("{}.jpg", frame.at_ms))));
    let mut made = stream::iter(jobs.collect::<Vec<_>>()).buffered(PARALLEL_OBJECTS);
    let mut thumbnails = Vec::with_capacity(all);
    while let Some(thumbnail) = made.try_next().await? {
        thumbnails.push(thumbnail);
        done += 1;
        cx.progress_between(0, 95, done, all);
    }
    drop(made);

    let mut tx = cx.fenced_tx().await?;
    frames::set_sampled(&mut tx, job.run_id, &sampled).await?;
    scenes::set_thumbnails(&mut tx, job.run_id, &thumbnails).await?;
    cx.commit(tx).await?;
    Ok(Outcome::done())
}

/// How many pictures a scene is worth.
fn wanted(scene: &Scene) -> usize {
    let by_length = 1 + (scene.end_ms - scene.start_ms) / (SECONDS_PER_FRAME * 1000);
    usize::try_from(by_length.clamp(1, MAX_FRAMES)).unwrap_or(1)
}

fn facts(frame: &Frame) -> FrameFacts {
    FrameFacts {
        at_ms: u64::try_from(frame.at_ms).unwrap_or(0),
        sharpness: frame.sharpness,
        brightness: frame.brightness,
        phash: frame.phash.cast_unsigned(),
    }
}

async fn thumbnail(
    cx: &StageContext,
    job: &Job,
    scene: &Scene,
    frame: &Frame,
    file: PathBuf,
) -> Result<SceneThumbnail, StageError> {
    if cx.cancel.is_cancelled() {
        return Err(StageError::Cancelled);
    }
    cx.store().get_file(&frame.object_key, &file, MAX_FRAME_BYTES).await?;
    let (small, large) = blocking(move || {
        let small = webp_thumbnail(&file, SMALL as usize, QUALITY)?;
        let large = webp_thumbnail(&file, LARGE as usize, QUALITY)?;
        std::fs::remove_file(&file)?;
        Ok((small, large))
    })
    .await?;
    let small_key = keys::thumbnail(job.video_id, job.run_id, frame.at_ms, SMALL);
    let large_key = keys::thumbnail(job.video_id, job.run_id, frame.at_ms, LARGE);
    cx.store().put_bytes(&small_key, small, "image/webp").await?;
    cx.store().put_bytes(&large_key, large, "image/webp").await?;
    Ok(SceneThumbnail { scene_id: scene.scene_id, keyframe_ms: frame.at_ms, small_key, large_key })
}
