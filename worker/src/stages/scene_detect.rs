//! Scenes: where shots begin and end, and pictures from each, by one decode.
//! Reads: source object. Writes: scenes, motion, candidate frames and their JPEGs. Again: same keys, rows replaced.

use std::path::Path;

use futures::{StreamExt, stream};
use heimdex_db::{
    SceneId, keys,
    moments::{
        frames::{self, Frame},
        metadata,
        scenes::{self, NewScene},
    },
    runs,
};
use heimdex_media::{
    child::{Request, Response},
    scene::{CandidateFrame, SceneOptions, SceneReport, Transition},
};
use serde_json::json;

use super::PARALLEL_OBJECTS;
use crate::{
    child,
    stage::{Job, Outcome, StageContext, StageError},
};

/// A candidate JPEG of 1280 pixels, as a rule.
const USUAL_FRAME_BYTES: u64 = 200 << 10;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let known = metadata::find(cx.db(), job.video_id).await?;
    let duration_ms = u64::try_from(known.duration_ms).unwrap_or(0);
    let options = SceneOptions { duration_ms: Some(duration_ms), ..SceneOptions::default() };
    let size_bytes = u64::try_from(job.subject.declared_size_bytes).unwrap_or(0);
    let source = cx.scratch().source(cx.store(), job.video_id, size_bytes).await?;
    let expected_frames = (duration_ms / options.frame_interval_ms.max(1) + 100).min(2 * options.max_frames as u64);
    let folder = cx.scratch().folder(expected_frames * USUAL_FRAME_BYTES).await?;
    let request =
        Request::DetectScenes { source: source.path().to_owned(), out_dir: folder.path().to_owned(), options };
    let Response::DetectScenes { report } =
        child::run(cx, request, child::deadline(known.duration_ms, 4), (2, 80)).await?
    else {
        return Err(child::wrong_answer());
    };
    drop(source);
    let scene_rows = scene_rows(job, &report);
    let (frame_rows, files): (Vec<_>, Vec<_>) = frame_rows(job, &report, &scene_rows).into_iter().unzip();
    put_frames(cx, &frame_rows, &files).await?;

    let mut tx = cx.fenced_tx().await?;
    scenes::replace(&mut tx, job.run_id, job.video_id, job.owner_id, &scene_rows).await?;
    frames::replace(&mut tx, job.run_id, job.owner_id, &frame_rows).await?;
    for warning in &report.warnings {
        let code = json!(warning.code);
        runs::warn(&mut tx, job.video_id, code.as_str().unwrap_or("warning"), &warning.message).await?;
    }
    cx.commit(tx).await?;
    Ok(Outcome::done())
}

fn scene_rows(job: &Job, report: &SceneReport) -> Vec<NewScene> {
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    report
        .scenes
        .iter()
        .zip(0..)
        .map(|(scene, ordinal)| NewScene {
            scene_id: SceneId::derive(job.video_id, ms(scene.start_ms), ms(scene.end_ms)),
            ordinal,
            start_ms: ms(scene.start_ms),
            end_ms: ms(scene.end_ms),
            motion: Some(scene.motion),
            transition: match scene.transition_in {
                Transition::Edge => "start",
                Transition::Cut => "cut",
                Transition::Fade => "fade",
                Transition::Dissolve => "dissolve",
            }
            .to_owned(),
        })
        .collect()
}

/// Each candidate with its file.
fn frame_rows<'a>(job: &Job, report: &'a SceneReport, scene_rows: &[NewScene]) -> Vec<(Frame, &'a Path)> {
    let side = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let row = |frame: &'a CandidateFrame| {
        let at_ms = i64::try_from(frame.at_ms).ok()?;
        let row = Frame {
            scene_id: scene_rows.get(frame.scene)?.scene_id,
            at_ms,
            object_key: keys::frame(job.video_id, job.run_id, at_ms),
            width: side(frame.width),
            height: side(frame.height),
            sharpness: frame.sharpness,
            brightness: frame.brightness,
            phash: frame.phash.cast_signed(),
            saturation: Some(frame.saturation),
            warmth: Some(frame.warmth),
            sampled: false,
        };
        Some((row, frame.path.as_path()))
    };
    report.frames.iter().filter_map(row).collect()
}

async fn put_frames(cx: &StageContext, rows: &[Frame], files: &[&Path]) -> Result<(), StageError> {
    let puts = rows.iter().zip(files).map(|(row, file)| cx.store().put_file(&row.object_key, file, "image/jpeg"));
    let mut puts = stream::iter(puts.collect::<Vec<_>>()).buffer_unordered(PARALLEL_OBJECTS);
    let mut done = 0;
    while let Some(put) = puts.next().await {
        put?;
        done += 1;
        cx.progress_between(80, 98, done, rows.len());
        if cx.cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
    }
    Ok(())
}
