//! From boundaries and kept pictures to the report.

use super::detector::{Boundary, Transition};
use super::keep::Kept;
use super::{CandidateFrame, Fed, Merged, Scene, SceneOptions, SceneReport, Warning, WarningCode, to_ms};
use crate::error::{MediaError, Result};

/// Change a second that counts as full motion; a handheld run has about half of it.
const FULL_MOTION: f32 = 400.0;

pub(super) fn assemble(
    merged: Merged,
    fed: Fed,
    options: &SceneOptions,
    rate: f64,
    promised_us: i64,
    live_clock: bool,
) -> Result<SceneReport> {
    let Merged { detector, motion, kept, shown, decoded, damaged, first, end_us } = merged;
    let min_us = options.min_scene_ms as i64 * 1000;
    let boundaries = detector.finish(end_us, min_us);
    let frames_total = fed.frames.max(shown);
    let scenes = scenes(&boundaries, first, (frames_total, end_us), &motion);
    let frames = frames(kept, &scenes, &boundaries, options)?;
    let mut warnings = Vec::new();
    let missing_us = promised_us - end_us;
    let ends_early = fed.broken || (!live_clock && options.duration_ms.is_none() && missing_us > 1_000_000);
    let truncated_at_ms = ends_early.then(|| to_ms(end_us).max(0) as u64);
    if let Some(at_ms) = truncated_at_ms {
        let message = format!("The picture ends early, at {:.1} s.", at_ms as f64 / 1000.0);
        warnings.push(Warning { code: WarningCode::Truncated, message, at_ms: Some(at_ms) });
    }
    if damaged > 0 {
        let message = format!("{damaged} pictures could not be decoded and were left out.");
        warnings.push(Warning { code: WarningCode::Damaged, message, at_ms: None });
    }
    let seconds = (end_us - first.1).max(1) as f64 / 1e6;
    let fps = if frames_total > 1 { frames_total as f64 / seconds } else { rate };
    Ok(SceneReport { scenes, frames, fps, frames_total, frames_decoded: decoded, truncated_at_ms, warnings })
}

fn scenes(boundaries: &[Boundary], first: (u64, i64), last: (u64, i64), motion: &[(i64, f32)]) -> Vec<Scene> {
    let ms = |us: i64| to_ms(us).max(0) as u64;
    let starts =
        std::iter::once((first.0, first.1, Transition::Edge)).chain(boundaries.iter().map(|b| (b.frame, b.us, b.kind)));
    let ends = boundaries.iter().map(|b| (b.frame, b.us, b.kind)).chain([(last.0, last.1, Transition::Edge)]);
    starts
        .zip(ends)
        .map(|((start_frame, start_us, transition_in), (end_frame, end_us, transition_out))| {
            let from = motion.partition_point(|&(us, _)| us <= start_us);
            let to = motion.partition_point(|&(us, _)| us < end_us).max(from);
            let inside = &motion[from..to];
            let mean = inside.iter().map(|&(_, m)| m).sum::<f32>() / inside.len().max(1) as f32;
            Scene {
                start_ms: ms(start_us),
                end_ms: ms(end_us),
                start_frame,
                end_frame,
                motion: (mean / FULL_MOTION).clamp(0.0, 1.0),
                transition_in,
                transition_out,
            }
        })
        .collect()
}

/// Gives each kept picture to its scene, leaves out those in transitions where the scene has others, and thins.
fn frames(
    kept: Vec<Kept>,
    scenes: &[Scene],
    boundaries: &[Boundary],
    options: &SceneOptions,
) -> Result<Vec<CandidateFrame>> {
    let mut by_scene: Vec<Vec<Kept>> = scenes.iter().map(|_| Vec::new()).collect();
    let mut unwanted = Vec::new();
    for picture in kept {
        let at_ms = to_ms(picture.us).max(0) as u64;
        let scene = scenes.partition_point(|scene| scene.start_ms <= at_ms).saturating_sub(1);
        match by_scene.get_mut(scene) {
            Some(list) => list.push(picture),
            None => unwanted.push(picture),
        }
    }
    let in_transition = |us: i64| boundaries.iter().any(|b| us >= b.from_us && us <= b.to_us);
    let interval_us = options.frame_interval_ms as i64 * 1000;
    let mut out = Vec::new();
    for (scene, mut list) in by_scene.into_iter().enumerate() {
        list.sort_by_key(|picture| picture.us);
        let clean: Vec<i64> = list.iter().map(|picture| picture.us).filter(|&us| !in_transition(us)).collect();
        let mut last = None;
        let mut list = list.into_iter().peekable();
        while let Some(picture) = list.next() {
            // A blend, and there is a clean picture within the interval; a long change is worth its pictures, which may be all that
            // shows what came and went meanwhile.
            let blended = in_transition(picture.us) && clean.iter().any(|&us| (us - picture.us).abs() <= interval_us);
            // Close to the one before, and the one after is near enough to do without it.
            let next = list.peek().map(|next| next.us);
            let crowded = last
                .zip(next)
                .is_some_and(|(last, next)| picture.us - last < interval_us / 2 && next - last <= interval_us);
            if blended || crowded {
                unwanted.push(picture);
                continue;
            }
            last = Some(picture.us);
            out.push(CandidateFrame {
                at_ms: to_ms(picture.us).max(0) as u64,
                scene,
                path: picture.path,
                width: picture.width,
                height: picture.height,
                sharpness: picture.sharpness,
                brightness: picture.brightness,
                phash: picture.phash,
                saturation: picture.colour.saturation,
                warmth: picture.colour.warmth,
            });
        }
    }
    for picture in unwanted {
        std::fs::remove_file(&picture.path).map_err(MediaError::io("remove a frame"))?;
    }
    Ok(out)
}
