//! The `[face]` table of a manifest.

use serde::Deserialize;

/// Which files do what, and from where on a number counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceSettings {
    /// BlazeFace as ONNX: `picture` → `boxes`, `scores`.
    pub detector: String,
    /// The face mesh as ONNX: `face` → `points`, `score`.
    pub landmarks: String,
    /// The network that tells faces apart, as ONNX: `faces` → `vectors`.
    pub embedder: String,
    /// Least probability that the detector gives a face.
    pub detector_score: f32,
    /// Least probability of a face, as the landmark model sees it close up.
    pub landmark_score: f32,
    /// Cosine similarity from which two faces are of the same person.
    pub same: f32,
    /// By how much the best person must be more similar than the second best.
    pub margin: f32,
    /// How `same` and `margin` were found, for people.
    pub calibration: String,
}

impl FaceSettings {
    /// What is impossible about it.
    pub(crate) fn problem(&self) -> Option<String> {
        let shares =
            [("detector_score", self.detector_score), ("landmark_score", self.landmark_score), ("margin", self.margin)];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Some(format!("`face.{name}` is {value}, not between 0 and 1"));
            }
        }
        (!(-1.0..=1.0).contains(&self.same)).then(|| format!("`face.same` is {}, not between -1 and 1", self.same))
    }
}
