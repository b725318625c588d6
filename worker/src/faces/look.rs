//! One picture at a time: which faces are in it, whose vectors are worth having, and how a face is cut out.

use heimdex_media::pictures::{Rgb, encode_webp};
use heimdex_models::{
    FaceAnalyzer, ModelError, Picture,
    face::{Bounds, Effort},
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
}

/// The faces of a picture; those that pass the quality gate with their vectors.
pub fn faces(analyzer: &FaceAnalyzer, picture: &Rgb, effort: Effort) -> Result<Vec<Found>, ModelError> {
    let picture = Picture::new(picture.width, picture.height, &picture.data)?;
    let faces = analyzer.detect(picture, effort)?;
    let (good, poor): (Vec<_>, Vec<_>) = faces.into_iter().partition(|face| face.quality.problem().is_none());
    let mut vectors = analyzer.embed(picture, &good)?.into_iter();
    let found = good.iter().map(|face| (face, vectors.next())).chain(poor.iter().map(|face| (face, None)));
    Ok(found.map(|(face, vector)| Found { bounds: face.bounds, quality: face.quality.overall, vector }).collect())
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
