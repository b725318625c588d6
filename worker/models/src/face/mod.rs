//! Faces: where they are in a picture, how well they can be seen, and a vector that tells whose they are.
//!
//! Two architectures, told apart by `face.architecture` in the manifest. `blazeface_dlib`: BlazeFace finds candidates, the face mesh looks
//! at each close up (is it one, where are its eyes, which way does it look), dlib's ResNet turns the aligned face into a vector. Animated
//! faces mostly fail the second. `yunet_sface`: YuNet finds faces with five points of each, which also say which way they look, and SFace
//! turns the aligned face into a vector.

mod align;
mod blazeface;
mod candidates;
mod embedder;
mod finder;
mod mesh;
mod pose;
mod quality;
mod settings;
mod types;
mod yunet;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

pub use quality::{Quality, QualityProblem};
pub use settings::{Architecture, FaceSettings};
pub use types::{Bounds, Effort, Face, Landmarks, Thresholds};

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::picture::{OwnedPicture, Picture};
use align::Frame;
use blazeface::BlazeFace;
use embedder::Embedder;
use finder::{Finder, Sighting};
use yunet::YuNet;

/// Side of an aligned face, in pixels.
pub const CHIP_SIDE: usize = 150;
/// Share of two faces' bounds from which they are one face.
const ONE_FACE: f32 = 0.5;

/// All networks, with one thread each: several pictures are looked at at once, each by an eye of its own, which is faster than one eye
/// with many threads.
struct Eye {
    finder: Box<dyn Finder>,
    embedder: Embedder,
}

/// Loaded face models. Calls from several threads share them.
pub struct FaceAnalyzer {
    id: String,
    dimension: usize,
    thresholds: Thresholds,
    eyes: Vec<Mutex<Eye>>,
}

impl FaceAnalyzer {
    /// Loads them from a verified manifest, once for each of `threads` CPU threads, and runs each once.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] without a sound `[face]` table; [`ModelError::Runtime`] without ONNX Runtime; [`ModelError::Mismatch`] naming
    /// the file, what was expected and what was found when a graph has other inputs, outputs or dimensions.
    pub fn load(manifest: &Manifest, threads: usize) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Face)?;
        let settings = manifest.face()?;
        let dimension = manifest.dimension.unwrap_or_default();
        let mut eyes = Vec::new();
        for _ in 0..threads.max(1) {
            let mut eye = Eye::load(manifest, settings)?;
            if eyes.is_empty() {
                eye.finder.try_out(manifest)?;
                eye.embedder.try_out(manifest, dimension)?;
            }
            eyes.push(Mutex::new(eye));
        }
        Ok(Self {
            id: manifest.id.clone(),
            dimension,
            thresholds: Thresholds { same: settings.same, margin: settings.margin },
            eyes,
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The faces in a picture, the surest first, at most a hundred.
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn detect(&self, picture: Picture<'_>, effort: Effort) -> Result<Vec<Face>, ModelError> {
        let sightings = self.free_eye().finder.find(picture, effort)?;
        let mut faces: Vec<Face> = Vec::new();
        for sighting in sightings {
            let Some(face) = describe(picture, &sighting)? else { continue };
            // Two sightings may turn out to be one face when seen close up.
            if faces.iter().all(|other| other.bounds.overlap(&face.bounds) < ONE_FACE) {
                faces.push(face);
            }
        }
        Ok(faces)
    }

    /// A vector of each face, in their order: each of [`Self::dimension`], of L2 norm 1; compared by cosine.
    ///
    /// # Errors
    /// [`ModelError::Picture`] when a face's points are one point; [`ModelError::Engine`].
    pub fn embed(&self, picture: Picture<'_>, faces: &[Face]) -> Result<Vec<Vec<f32>>, ModelError> {
        if faces.is_empty() {
            return Ok(Vec::new());
        }
        self.free_eye().embedder.embed(picture, faces)
    }

    /// One that nobody uses. Where all are in use the first one is waited for: callers look at no more pictures at once than there are
    /// threads, so that is rare.
    fn free_eye(&self) -> MutexGuard<'_, Eye> {
        for eye in &self.eyes {
            match eye.try_lock() {
                Ok(eye) => return eye,
                Err(TryLockError::Poisoned(eye)) => return eye.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.eyes[0].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Eye {
    fn load(manifest: &Manifest, settings: &FaceSettings) -> Result<Self, ModelError> {
        let finder: Box<dyn Finder> = match settings.architecture {
            Architecture::BlazefaceDlib => Box::new(BlazeFace::load(manifest, settings)?),
            Architecture::YunetSface => Box::new(YuNet::load(manifest, settings)?),
        };
        Ok(Self { finder, embedder: Embedder::load(manifest, settings)? })
    }
}

/// The face upright, [`CHIP_SIDE`] pixels wide and high, a quarter of its size left around it: the same whichever networks found it.
///
/// # Errors
/// [`ModelError::Picture`] when the face's points are one point.
pub fn chip(picture: Picture<'_>, face: &Face) -> Result<OwnedPicture, ModelError> {
    align::aligned(picture, face, Frame::Dlib)
}

/// `None` for a sighting without an extent.
fn describe(picture: Picture<'_>, sighting: &Sighting) -> Result<Option<Face>, ModelError> {
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    let [left, top, right, bottom] = sighting.bounds;
    let size_px = ((right - left) * (bottom - top)).max(0.0).sqrt();
    let map = align::Similarity::of_face(&sighting.landmarks, width, height, Frame::Dlib);
    let Some(map) = map.filter(|_| size_px > 0.0) else { return Ok(None) };
    let chip = align::cut(picture, &map, CHIP_SIDE)?;
    Ok(Some(Face {
        bounds: Bounds {
            x: (left / width) as f32,
            y: (top / height) as f32,
            width: ((right - left) / width) as f32,
            height: ((bottom - top) / height) as f32,
        },
        score: sighting.score,
        landmarks: sighting.landmarks,
        quality: Quality::new(size_px as f32, sighting.angles_deg, &chip),
    }))
}

fn mismatch(manifest: &Manifest, path: &Path, expected: &str, found: &ModelError) -> ModelError {
    ModelError::Mismatch {
        id: manifest.id.clone(),
        path: path.to_owned(),
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}
