//! What is seen: vectors of the chosen frames, pooled for each scene.
//! Reads: chosen frames. Writes: image vectors of frames and scenes. Again: all of the run's replaced.

use std::{pin::pin, sync::Arc};

use futures::TryStreamExt;
use heimdex_db::{
    moments::{
        frames::{self, Frame},
        image_vectors::{self, FrameVector, SceneVector},
    },
    runs,
    vectors::{self, VectorKind},
};
use heimdex_media::pictures::Rgb;
use heimdex_models::{Picture, image::pooled};

use super::{blocking, no_model};
use crate::{
    frames::pictures,
    models::{ModelFailure, Pictures},
    stage::{Job, Outcome, StageContext, StageError},
};

/// Pictures embedded between two looks at whether to go on; 2.8 MB each.
const BATCH: usize = 8;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let models = cx.models();
    let (Some(encoder), Some(model)) = (models.image().await?, models.image.as_ref()) else {
        return no_model(cx, job, "image").await;
    };
    vectors::ensure_model(cx.db(), VectorKind::Image, model.id(), encoder.dimension()).await?;
    let mut chosen = frames::list(cx.db(), job.run_id).await?;
    chosen.retain(|frame| frame.sampled);

    let mut seen: Vec<(&Frame, FrameVector)> = Vec::new();
    let mut looked_at = 0;
    let mut batches = pin!(pictures(cx, &chosen).try_chunks(BATCH));
    while let Some(batch) = batches.try_next().await.map_err(|error| error.1)? {
        let (of, shown): (Vec<&Frame>, Vec<Rgb>) = batch.into_iter().unzip();
        let found = embed(Arc::clone(&encoder), shown).await?;
        seen.extend(
            of.iter().zip(found).filter_map(|(&frame, vector)| {
                vector.map(|vector| (frame, FrameVector { at_ms: frame.at_ms, vector }))
            }),
        );
        looked_at += of.len();
        cx.progress_between(5, 95, looked_at, chosen.len());
    }
    let of_scenes = scenes(&seen);
    let of_frames: Vec<_> = seen.into_iter().map(|(_, vector)| vector).collect();

    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, "image", Some(&model.label())).await?;
    image_vectors::replace(&mut tx, job.run_id, model.id(), &of_frames, &of_scenes).await?;
    cx.commit(tx).await?;
    Ok(match (chosen.is_empty(), of_frames.is_empty()) {
        (true, _) => Outcome::nothing("no frames"),
        (false, true) => Outcome::nothing("nothing to see"),
        (false, false) => Outcome::done(),
    })
}

/// The mean of each scene's vectors. Frames are in order of time, so those of a scene are neighbours.
fn scenes(seen: &[(&Frame, FrameVector)]) -> Vec<SceneVector> {
    let of_scene = |frames: &[(&Frame, FrameVector)]| {
        let scene_id = frames.first()?.0.scene_id;
        let vector = pooled(frames.iter().map(|(_, frame)| frame.vector.as_slice()))?;
        Some(SceneVector { scene_id, vector })
    };
    seen.chunk_by(|one, next| one.0.scene_id == next.0.scene_id).filter_map(of_scene).collect()
}

async fn embed(encoder: Arc<Pictures>, shown: Vec<Rgb>) -> Result<Vec<Option<Vec<f32>>>, StageError> {
    blocking(move || {
        let pictures: Result<Vec<_>, _> =
            shown.iter().map(|rgb| Picture::new(rgb.width, rgb.height, &rgb.data)).collect();
        let vectors = pictures.and_then(|pictures| encoder.embed_pictures(&pictures));
        Ok(vectors.map_err(ModelFailure::from)?)
    })
    .await
}
