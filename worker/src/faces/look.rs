//! One picture at a time: which faces are in it, whose vectors are worth having, and how a face is cut out.

use std::sync::Arc;

use heimdex_media::pictures::{Rgb, encode_webp};
use heimdex_models::{
    ExpressionClassifier, FaceAnalyzer, ModelError, Picture,
    face::{self, Bounds, Effort},
    picture::Part,
};

use crate::{models::ModelFailure, stage::StageError};

/// Side of a cut-out, pixels.
const COVER_SIDE: usize = 256;
/// How much of the picture a cut-out shows, of the face's longer side: hair and chin belong to it.
const COVER_MARGIN: f64 = 1.8;
const COVER_QUALITY: f32 = 80.0;

/// A face with its vector, if it is good enough for one.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub bounds: Bounds,
    /// 0 to 1.
    pub quality: f32,
    pub vector: Option<Vec<f32>>,
    /// See [`super::tracks::Seen::expression`].
    pub expression: Option<[f32; 7]>,
}

/// What pictures are looked at with.
#[derive(Clone)]
pub struct Eyes {
    pub analyzer: Arc<FaceAnalyzer>,
    pub expressions: Option<Arc<ExpressionClassifier>>,
}

/// The faces of a picture; those that pass the quality gate with their vectors and expressions.
pub fn faces(eyes: &Eyes, picture: &Rgb, effort: Effort) -> Result<Vec<Found>, ModelError> {
    let picture = Picture::new(picture.width, picture.height, &picture.data)?;
    let faces = eyes.analyzer.detect(picture, effort)?;
    let (good, poor): (Vec<_>, Vec<_>) = faces.into_iter().partition(|face| face.quality.problem().is_none());
    let vectors = eyes.analyzer.embed(picture, &good)?;
    let mut found = Vec::with_capacity(good.len() + poor.len());
    for (face, vector) in good.iter().zip(vectors) {
        let expression = match &eyes.expressions {
            Some(classifier) => Some(classifier.express(face::chip(picture, face)?.as_picture())?),
            None => None,
        };
        found.push(Found { bounds: face.bounds, quality: face.quality.overall, vector: Some(vector), expression });
    }
    found.extend(poor.iter().map(|face| Found {
        bounds: face.bounds,
        quality: face.quality.overall,
        vector: None,
        expression: None,
    }));
    Ok(found)
}

/// A square around the face as WebP.
pub fn cover(picture: &Rgb, bounds: Bounds) -> Result<Vec<u8>, StageError> {
    let (width, height) = (picture.width as f64, picture.height as f64);
    let scaled = |value: f32, by: f64| f64::from(value) * by;
    let (face_width, face_height) = (scaled(bounds.width, width), scaled(bounds.height, height));
    let side = (face_width.max(face_height) * COVER_MARGIN).min(width).min(height);
    let place = |start: f64, length: f64, most: f64| (start + length / 2.0 - side / 2.0).clamp(0.0, most - side);
    let part = Part {
        left: place(scaled(bounds.x, width), face_width, width),
        top: place(scaled(bounds.y, height), face_height, height),
        width: side,
        height: side,
    };
    // Enlarging would only make more bytes of it.
    let pixels = (side.round() as usize).clamp(1, COVER_SIDE);
    let picture = Picture::new(picture.width, picture.height, &picture.data).map_err(ModelFailure::from)?;
    let cut = picture.resized_part(part, pixels, pixels).map_err(ModelFailure::from)?;
    Ok(encode_webp(&Rgb { width: cut.width, height: cut.height, data: cut.rgb }, COVER_QUALITY)?)
}
