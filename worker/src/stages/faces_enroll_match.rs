//! People: which faces are seen, followed through each scene, and whose of those the owner has named they are.
//! Reads: candidate frames, which of them are sampled. Writes: face tracks and detections, covers. Again: same keys, rows replaced.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, FuturesUnordered},
};
use heimdex_db::{
    SceneId, keys,
    moments::{
        faces::{self, NewDetection, NewTrack},
        frames::{self, Frame},
        scenes::{self, Scene},
    },
    people::{self, Thresholds},
    runs,
    vectors::{self, VectorKind},
};
use heimdex_media::pictures::Rgb;
use heimdex_models::{expression, face::Effort};
use serde_json::Value;

use super::{PARALLEL_OBJECTS, blocking};
use crate::{
    faces::{
        look::{self, Eyes, Found},
        tracks::{self, Seen},
    },
    models::{Model, ModelFailure},
    stage::{Job, Outcome, StageContext, StageError},
};

const KIND: &str = "face";

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    if !cx.config().faces {
        return nothing(cx, job, "faces off").await;
    }
    let models = cx.models();
    let (Some(analyzer), Some(model)) = (models.face().await?, models.face.as_ref()) else {
        return nothing(cx, job, "no model").await;
    };
    vectors::ensure_model(cx.db(), VectorKind::Face, model.id(), analyzer.dimension()).await?;
    let scene_rows = scenes::list(cx.db(), job.run_id).await?;
    let candidates = frames::list(cx.db(), job.run_id).await?;
    let eyes = Eyes { analyzer: Arc::clone(&analyzer), expressions: models.expression().await? };
    let found = look_at(cx, &eyes, &candidates).await?;

    let same = analyzer.thresholds().same;
    let (own, cancel) = (job.clone(), cx.cancel.clone());
    // A camera over a street sees thousands of faces in one scene.
    let (candidates, rows) = blocking(move || {
        let mut rows = Rows::default();
        for scene in &scene_rows {
            if cancel.is_cancelled() {
                return Err(StageError::Cancelled);
            }
            rows.add_scene(&own, scene, &candidates, &found, same);
        }
        Ok((candidates, rows))
    })
    .await?;
    put_covers(cx, &candidates, &rows.covers).await?;

    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, KIND, Some(&model.label())).await?;
    runs::set_model(&mut tx, job.run_id, "expression", models.expression.as_ref().map(Model::label).as_deref()).await?;
    // Before rows that a decision of the owner may be about at this moment.
    people::lock(&mut tx, job.owner_id).await?;
    faces::replace(&mut tx, job.run_id, job.owner_id, model.id(), &rows.tracks, &rows.detections).await?;
    let limits = analyzer.thresholds();
    people::identify(&mut tx, job.owner_id, job.run_id, &Thresholds { same: limits.same, margin: limits.margin })
        .await?;
    // Photos that an earlier model looked at are looked at again, so that people are known in this one's space.
    people::of_other_models(&mut tx, job.owner_id, model.id()).await?;
    cx.commit(tx).await?;
    Ok(if rows.tracks.is_empty() { Outcome::nothing("no faces") } else { Outcome::done() })
}

/// The end where no faces are looked for; those of an earlier attempt go.
async fn nothing(cx: &StageContext, job: &Job, why: &str) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    people::lock(&mut tx, job.owner_id).await?;
    faces::clear(&mut tx, job.run_id).await?;
    people::forget_orphans(&mut tx, job.owner_id).await?;
    runs::set_model(&mut tx, job.run_id, KIND, None).await?;
    cx.commit(tx).await?;
    Ok(Outcome::nothing(why))
}

/// The faces of every picture, by its time. The sharpest sampled picture of a scene is looked at thoroughly: who is small in one
/// picture of a scene is small in all, and once seen is followed by tracks.
async fn look_at(cx: &StageContext, eyes: &Eyes, candidates: &[Frame]) -> Result<HashMap<i64, Vec<Found>>, StageError> {
    let at_once = cx.config().models.threads.max(1);
    let thorough = sharpest(candidates);
    let mut pictures = crate::frames::pictures(cx, candidates);
    let mut looks = FuturesUnordered::new();
    let mut found = HashMap::with_capacity(candidates.len());
    loop {
        while looks.len() < at_once {
            let Some((frame, picture)) = pictures.try_next().await? else { break };
            let effort = if thorough.contains(&frame.at_ms) { Effort::Thorough } else { Effort::Quick };
            looks.push(look_once(eyes.clone(), frame.at_ms, picture, effort));
        }
        let Some((at_ms, faces)) = looks.try_next().await? else { return Ok(found) };
        found.insert(at_ms, faces);
        cx.progress_between(0, 90, found.len(), candidates.len());
    }
}

/// When the sharpest sampled picture of each scene was; of equals the first.
fn sharpest(candidates: &[Frame]) -> HashSet<i64> {
    let mut best: HashMap<SceneId, &Frame> = HashMap::new();
    for frame in candidates.iter().filter(|frame| frame.sampled) {
        let known = best.entry(frame.scene_id).or_insert(frame);
        if frame.sharpness > known.sharpness {
            *known = frame;
        }
    }
    best.into_values().map(|frame| frame.at_ms).collect()
}

/// The faces of one picture, with its time.
async fn look_once(eyes: Eyes, at_ms: i64, picture: Rgb, effort: Effort) -> Result<(i64, Vec<Found>), StageError> {
    let found = blocking(move || Ok(look::faces(&eyes, &picture, effort).map_err(ModelFailure::from)?)).await?;
    Ok((at_ms, found))
}

/// Which faces a picture gives covers of: `(key, bounds)` by the picture's time.
type Covers = BTreeMap<i64, Vec<(String, heimdex_models::face::Bounds)>>;

/// Probabilities by their class, in hundredths: more is noise.
fn named(probabilities: [f32; 7]) -> Value {
    let rounded = probabilities.map(|value| (f64::from(value) * 100.0).round() / 100.0);
    expression::CLASSES.into_iter().map(str::to_owned).zip(rounded.map(Value::from)).collect()
}

#[derive(Default)]
struct Rows {
    tracks: Vec<NewTrack>,
    detections: Vec<NewDetection>,
    covers: Covers,
}

impl Rows {
    fn add_scene(
        &mut self,
        job: &Job,
        scene: &Scene,
        candidates: &[Frame],
        found: &HashMap<i64, Vec<Found>>,
        same: f32,
    ) {
        let times: Vec<i64> =
            candidates.iter().filter(|frame| frame.scene_id == scene.scene_id).map(|frame| frame.at_ms).collect();
        let in_picture = |(picture, at_ms): (usize, &i64)| {
            found.get(at_ms).into_iter().flatten().map(move |face| Seen {
                picture,
                bounds: face.bounds,
                quality: face.quality,
                vector: face.vector.clone(),
                expression: face.expression,
            })
        };
        let seen: Vec<Seen> = times.iter().enumerate().flat_map(in_picture).collect();
        for track in tracks::follow(&seen, same) {
            let own: Vec<&Seen> = track.faces.iter().map(|&index| &seen[index]).collect();
            // Of equals the first.
            let best = own.iter().rev().max_by(|a, b| a.quality.total_cmp(&b.quality));
            let (Some(first), Some(last), Some(best)) = (own.first(), own.last(), best) else { continue };
            let track_no = i32::try_from(self.tracks.len()).unwrap_or(i32::MAX);
            let key = keys::face(job.video_id, job.run_id, track_no);
            self.covers.entry(times[best.picture]).or_default().push((key.clone(), best.bounds));
            self.detections.extend(own.iter().map(|face| NewDetection {
                track_no,
                scene_id: scene.scene_id,
                at_ms: times[face.picture],
                bounds: [face.bounds.x, face.bounds.y, face.bounds.width, face.bounds.height],
                quality: face.quality,
            }));
            self.tracks.push(NewTrack {
                track_no,
                scene_id: scene.scene_id,
                start_ms: times[first.picture],
                end_ms: times.get(last.picture + 1).copied().unwrap_or(scene.end_ms).max(times[last.picture]),
                faces: i32::try_from(own.len()).unwrap_or(i32::MAX),
                frames: i32::try_from(times.len()).unwrap_or(i32::MAX),
                quality: best.quality,
                vector: track.vector().map(<[f32]>::to_vec),
                cover_key: Some(key),
                expression: tracks::mean_expression(own.iter().copied()).map(named),
            });
        }
    }
}

/// Cuts the covers out of their pictures, each picture fetched once more.
async fn put_covers(cx: &StageContext, candidates: &[Frame], covers: &Covers) -> Result<(), StageError> {
    let wanted = candidates.iter().filter(|frame| covers.contains_key(&frame.at_ms));
    let mut pictures = std::pin::pin!(crate::frames::pictures(cx, wanted));
    while let Some((frame, picture)) = pictures.try_next().await? {
        let faces = covers[&frame.at_ms].clone();
        let made = blocking(move || {
            faces
                .into_iter()
                .map(|(key, bounds)| Ok((key, look::cover(&picture, bounds)?)))
                .collect::<Result<Vec<_>, StageError>>()
        })
        .await?;
        let puts =
            made.into_iter().map(|(key, webp)| async move { cx.store().put_bytes(&key, webp, "image/webp").await });
        stream::iter(puts.collect::<Vec<_>>()).buffer_unordered(PARALLEL_OBJECTS).try_collect::<Vec<()>>().await?;
    }
    Ok(())
}
