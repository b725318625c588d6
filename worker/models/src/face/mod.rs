//! Faces: where they are in a picture, how well they can be seen, and a vector that tells whose they are.
//!
//! Three networks, one after the other: BlazeFace finds candidates, the face mesh looks at each close up (is it one, where are its eyes,
//! which way does it look), dlib's ResNet turns the aligned face into a vector (King 2017). Animated faces mostly fail the second.

mod align;
mod detector;
mod embedder;
mod mesh;
mod quality;
mod settings;
mod types;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use ort::session::Session;

pub use quality::{Quality, QualityProblem};
pub use settings::FaceSettings;
pub use types::{Bounds, Effort, Face, Landmarks, Thresholds};

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::onnx;
use crate::picture::{OwnedPicture, Picture};

/// Side of an aligned face, in pixels.
pub const CHIP_SIDE: usize = 150;
/// Faces embedded in one run: bounds the memory.
const BATCH: usize = 16;

/// The two small networks: several pictures are looked at at once, each by a pair with one thread, which is faster than one pair with many.
struct Eye {
    detector: Session,
    mesh: Session,
}

/// Loaded face models. Calls from several threads share them.
pub struct FaceAnalyzer {
    id: String,
    dimension: usize,
    thresholds: Thresholds,
    detector_score: f32,
    landmark_score: f32,
    eyes: Vec<Mutex<Eye>>,
    embedder: Mutex<Session>,
}

impl FaceAnalyzer {
    /// Loads them from a verified manifest, for `threads` CPU threads, and runs each once.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] without a sound `[face]` table; [`ModelError::Runtime`] without ONNX Runtime; [`ModelError::Mismatch`] naming
    /// the file, what was expected and what was found when a graph has other inputs, outputs or dimensions.
    pub fn load(manifest: &Manifest, threads: usize) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Face)?;
        let settings = manifest.face()?;
        let dimension = manifest.dimension.unwrap_or_default();
        let open =
            |name: &str, threads: usize, input: &str, outputs: &[&str]| -> Result<(Session, PathBuf), ModelError> {
                let path = manifest.file(name)?;
                let session = onnx::session(manifest, &path, threads)?;
                onnx::expect_names(manifest, &path, &session, &[input], outputs)?;
                Ok((session, path))
            };
        let mut eyes = Vec::new();
        for _ in 0..threads.max(1) {
            let (detector, detector_path) = open(&settings.detector, 1, "picture", &["boxes", "scores"])?;
            let (mesh, mesh_path) = open(&settings.landmarks, 1, "face", &["points", "score"])?;
            let mut eye = Eye { detector, mesh };
            if eyes.is_empty() {
                eye.try_out(manifest, &detector_path, &mesh_path)?;
            }
            eyes.push(Mutex::new(eye));
        }
        let (mut embedder, path) = open(&settings.embedder, threads, "faces", &["vectors"])?;
        let black = OwnedPicture { width: CHIP_SIDE, height: CHIP_SIDE, rgb: vec![0; CHIP_SIDE * CHIP_SIDE * 3] };
        let found = embedder::embed(&mut embedder, &[black])
            .map_err(|error| mismatch(manifest, &path, "vectors of 150×150 pictures", &error))?;
        let length = found.first().map_or(0, Vec::len);
        if length != dimension {
            return Err(ModelError::Mismatch {
                id: manifest.id.clone(),
                path,
                expected: format!("vectors of dimension {dimension}"),
                found: format!("dimension {length}"),
            });
        }
        Ok(Self {
            id: manifest.id.clone(),
            dimension,
            thresholds: Thresholds { same: settings.same, margin: settings.margin },
            detector_score: settings.detector_score,
            landmark_score: settings.landmark_score,
            eyes,
            embedder: Mutex::new(embedder),
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
        let parts = match effort {
            Effort::Quick => Vec::new(),
            Effort::Thorough => detector::tiles(picture.width(), picture.height()),
        };
        let mut eye = self.free_eye();
        let candidates = detector::detect(&mut eye.detector, picture, &parts, self.detector_score)?;
        let mut faces: Vec<Face> = Vec::new();
        for candidate in candidates {
            let mesh = mesh::look(&mut eye.mesh, picture, &candidate)?;
            if mesh.score < self.landmark_score {
                continue;
            }
            let Some(face) = describe(picture, candidate.score as f32, &mesh)? else { continue };
            // Two boxes may turn out to be one face when seen close up.
            if faces.iter().all(|other| other.bounds.overlap(&face.bounds) < 0.5) {
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
        let mut vectors = Vec::with_capacity(faces.len());
        for some in faces.chunks(BATCH) {
            let chips = some.iter().map(|face| chip(picture, face)).collect::<Result<Vec<_>, _>>()?;
            let mut session = self.embedder.lock().unwrap_or_else(PoisonError::into_inner);
            vectors.extend(embedder::embed(&mut session, &chips)?);
        }
        Ok(vectors)
    }

    /// One that nobody uses, or the first that becomes free.
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
    fn try_out(&mut self, manifest: &Manifest, detector_path: &Path, mesh_path: &Path) -> Result<(), ModelError> {
        let rgb = vec![0; 64 * 64 * 3];
        let black = Picture::new(64, 64, &rgb)?;
        detector::detect(&mut self.detector, black, &[], 0.5).map_err(|error| {
            mismatch(manifest, detector_path, "boxes [1, 2304, 16] and scores of pictures [1, 3, 192, 192]", &error)
        })?;
        let nothing = detector::Candidate {
            score: 1.0,
            left: 0.0,
            top: 0.0,
            width: 64.0,
            height: 64.0,
            eyes: [[16.0, 24.0], [48.0, 24.0]],
        };
        mesh::look(&mut self.mesh, black, &nothing).map_err(|error| {
            mismatch(manifest, mesh_path, "468 points and a score of pictures [1, 3, 192, 192]", &error)
        })?;
        Ok(())
    }
}

/// The face as the embedder takes it: upright, [`CHIP_SIDE`] pixels wide and high, a quarter of the face's size left around it.
///
/// # Errors
/// [`ModelError::Picture`] when the face's points are one point.
pub fn chip(picture: Picture<'_>, face: &Face) -> Result<OwnedPicture, ModelError> {
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    let points = face.landmarks.in_order().map(|[x, y]| [f64::from(x) * width, f64::from(y) * height]);
    let map = align::Similarity::of_face(points, CHIP_SIDE)
        .ok_or_else(|| ModelError::Picture { reason: "a face whose points are one point".to_owned() })?;
    align::cut(picture, &map, CHIP_SIDE)
}

/// `None` for a mesh without an extent.
fn describe(picture: Picture<'_>, score: f32, mesh: &mesh::Mesh) -> Result<Option<Face>, ModelError> {
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    let [left, top, right, bottom] = mesh.bounds;
    let size_px = ((right - left) * (bottom - top)).max(0.0).sqrt();
    let Some(map) = align::Similarity::of_face(mesh.points, CHIP_SIDE).filter(|_| size_px > 0.0) else {
        return Ok(None);
    };
    let chip = align::cut(picture, &map, CHIP_SIDE)?;
    let [right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base] =
        mesh.points.map(|[x, y]| [(x / width) as f32, (y / height) as f32]);
    Ok(Some(Face {
        bounds: Bounds {
            x: (left / width) as f32,
            y: (top / height) as f32,
            width: ((right - left) / width) as f32,
            height: ((bottom - top) / height) as f32,
        },
        score,
        landmarks: Landmarks { right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base },
        quality: Quality::new(size_px as f32, mesh.angles_deg, &chip),
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
