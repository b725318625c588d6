//! Pictures: of each scene's candidates the sharp and distinct ones, its thumbnails, and what can be read in them.
//! Reads: candidate frames. Writes: which are sampled, thumbnails in two sizes, keyframes, on-screen text. Again: same keys, rows replaced.

use std::{collections::HashMap, pin::pin, sync::Arc};

use futures::{TryStreamExt, future::try_join, stream::FuturesOrdered};
use heimdex_db::{
    SceneId, keys,
    moments::{
        frames::{self, Frame},
        scenes::{self, Scene, SceneThumbnail},
        screen_texts,
    },
    runs,
};
use heimdex_media::pictures::{FrameFacts, Rgb, encode_webp, resize, select};
use heimdex_models::{
    Picture, TextReader,
    ocr::{Line, Strokes},
};

use super::{ahead, blocking};
use crate::{
    frames::pictures,
    models::ModelFailure,
    screen_text::{Seen, merge},
    stage::{Job, Outcome, StageContext, StageError},
};

/// Long sides, pixels: in a list, and filling a card on a dense screen.
const SMALL: u32 = 320;
const LARGE: u32 = 960;
const QUALITY: f32 = 75.0;
/// One picture for every so many seconds of a scene, and bounds on how many.
const SECONDS_PER_FRAME: i64 = 5;
const MAX_FRAMES: i64 = 8;
/// Thumbnails that are made while the next pictures are read.
const THUMBNAILS_AT_ONCE: usize = 4;
/// Besides each scene's keyframe other pictures are read too, so that a title of a second is found, but not at any price: each
/// candidate adds so much to what they may cost, in shares of a picture that may have writing, and so much can be saved up.
/// A title in a quiet scene is read at once; a page of writing once so much is saved up, and those after it pay for it.
const CREDIT: f64 = 0.015;
const MOST_CREDIT: f64 = 0.3;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let reader = cx.models().ocr().await?;
    let scene_rows = scenes::list(cx.db(), job.run_id).await?;
    let candidates = frames::list(cx.db(), job.run_id).await?;
    let mut sampled = Vec::new();
    let mut keyframes = HashMap::new();
    for scene in &scene_rows {
        let own: Vec<_> = candidates.iter().filter(|frame| frame.scene_id == scene.scene_id).collect();
        let facts: Vec<_> = own.iter().map(|frame| facts(frame)).collect();
        sampled.extend(select(&facts, wanted(scene)).into_iter().map(|n| own[n].at_ms));
        keyframes.extend(select(&facts, 1).into_iter().map(|n| (own[n].at_ms, scene.scene_id)));
    }

    // Each picture is decoded once, for whatever it is needed for.
    let needed: Vec<_> =
        candidates.iter().filter(|frame| reader.is_some() || keyframes.contains_key(&frame.at_ms)).collect();
    let (all, mut done) = (needed.len(), 0);
    let mut stream = pin!(pictures(cx, needed));
    let mut thumbnails = Vec::with_capacity(keyframes.len());
    let mut being_made = FuturesOrdered::new();
    let mut seen: HashMap<SceneId, Vec<Seen>> = HashMap::new();
    let mut last: Option<Looked> = None;
    let mut credit = MOST_CREDIT;
    while let Some((frame, picture)) = stream.try_next().await? {
        let picture = Arc::new(picture);
        let keyframe_of = keyframes.get(&frame.at_ms);
        if let Some(&scene_id) = keyframe_of {
            if being_made.len() >= THUMBNAILS_AT_ONCE {
                thumbnails.extend(being_made.try_next().await?);
            }
            let made = thumbnail(cx.clone(), job.clone(), scene_id, frame.at_ms, Arc::clone(&picture));
            being_made.push_back(ahead(made));
        }
        if let Some(reader) = &reader {
            let chosen = keyframe_of.is_some();
            let may_cost = if chosen || credit >= MOST_CREDIT { f64::INFINITY } else { credit };
            credit = (credit + CREDIT).min(MOST_CREDIT);
            if let Some(looked) = look(Arc::clone(reader), picture, may_cost, last.take()).await? {
                if !chosen {
                    credit -= looked.cost;
                }
                if looked.knows {
                    seen.entry(frame.scene_id)
                        .or_default()
                        .push(Seen { at_ms: frame.at_ms, lines: looked.lines.clone() });
                }
                last = Some(looked);
            }
        }
        done += 1;
        cx.progress_between(0, 95, done, all);
    }
    thumbnails.extend(being_made.try_collect::<Vec<_>>().await?);
    let written = blocking(move || {
        let merged = scene_rows.iter().flat_map(|scene| {
            let own = seen.get(&scene.scene_id).map_or(&[][..], Vec::as_slice);
            merge(scene.scene_id, (scene.start_ms, scene.end_ms), own)
        });
        Ok(merged.collect::<Vec<_>>())
    })
    .await?;

    let label = cx.models().ocr.as_ref().map(|model| model.label());
    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, "ocr", label.as_deref()).await?;
    frames::set_sampled(&mut tx, job.run_id, &sampled).await?;
    scenes::set_thumbnails(&mut tx, job.run_id, &thumbnails).await?;
    screen_texts::replace(&mut tx, job.run_id, job.owner_id, &written).await?;
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
    cx: StageContext,
    job: Job,
    scene_id: SceneId,
    at_ms: i64,
    picture: Arc<Rgb>,
) -> Result<SceneThumbnail, StageError> {
    let (small, large) = blocking(move || {
        let large = resize(&picture, LARGE as usize);
        let small = resize(&picture, SMALL as usize);
        Ok((encode_webp(&small, QUALITY)?, encode_webp(&large, QUALITY)?))
    })
    .await?;
    let small_key = keys::thumbnail(job.video_id, job.run_id, at_ms, SMALL);
    let large_key = keys::thumbnail(job.video_id, job.run_id, at_ms, LARGE);
    // Boxed: the future of a request is large.
    let put = |key, bytes| Box::pin(cx.store().put_bytes(key, bytes, "image/webp"));
    try_join(put(&small_key, small), put(&large_key, large)).await?;
    Ok(SceneThumbnail { scene_id, keyframe_ms: at_ms, small_key, large_key })
}

/// What the last picture that was read had in writing, and where it may have had some.
struct Looked {
    strokes: Strokes,
    lines: Vec<Line>,
    /// Of the picture that was asked about: it was read, or shows the same.
    knows: bool,
    /// What reading it took, as a share of the picture; 0 if it was not read.
    cost: f64,
}

/// Reads a picture; one that shows the same wherever there may be writing is not read again.
async fn look(
    reader: Arc<TextReader>,
    picture: Arc<Rgb>,
    may_cost: f64,
    last: Option<Looked>,
) -> Result<Option<Looked>, StageError> {
    blocking(move || {
        let picture = Picture::new(picture.width, picture.height, &picture.data).map_err(ModelFailure::from)?;
        let strokes = Strokes::of(picture);
        match last {
            Some(last) if last.strokes.same_as(&strokes) => return Ok(Some(Looked { knows: true, cost: 0.0, ..last })),
            last if strokes.share() > may_cost => {
                return Ok(last.map(|last| Looked { knows: false, cost: 0.0, ..last }));
            }
            _ => {}
        }
        let lines = reader.read(picture, &strokes).map_err(ModelFailure::from)?;
        let cost = strokes.share();
        Ok(Some(Looked { strokes, lines, knows: true, cost }))
    })
    .await
}
