//! The `[face]` table of a manifest.

use serde::Deserialize;

use crate::error::ModelError;
use crate::manifest::Manifest;

/// Which networks find faces and tell them apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// BlazeFace, the face mesh and dlib's ResNet, as `scripts/models` converts them; manifests that name none are of this one.
    #[default]
    BlazefaceDlib,
    /// YuNet and SFace, as OpenCV's model zoo has them.
    YunetSface,
}

/// Which files do what, and from where on a number counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceSettings {
    #[serde(default)]
    pub architecture: Architecture,
    /// As ONNX. BlazeFace: `picture` → `boxes`, `scores`. YuNet: `input` → `cls`, `obj`, `bbox` and `kps` of cells of 8, 16 and 32 pixels.
    pub detector: String,
    /// `blazeface_dlib`: the face mesh as ONNX, `face` → `points`, `score`.
    landmarks: Option<String>,
    /// The network that tells faces apart, as ONNX. dlib: `faces` → `vectors`. SFace: one input, one output.
    pub embedder: String,
    /// Least probability that the detector gives a face.
    pub detector_score: f32,
    /// `blazeface_dlib`: least probability of a face, as the landmark model sees it close up.
    landmark_score: Option<f32>,
    /// Cosine similarity from which two faces are of the same person.
    pub same: f32,
    /// By how much the best person must be more similar than the second best.
    pub margin: f32,
    /// How `same` and `margin` were found, for people.
    pub calibration: String,
}

impl FaceSettings {
    /// The face mesh and the least probability it must give.
    pub(super) fn mesh(&self, manifest: &Manifest) -> Result<(&str, f32), ModelError> {
        let (Some(file), Some(score)) = (&self.landmarks, self.landmark_score) else {
            let reason = "a face model of this architecture needs `face.landmarks` and `face.landmark_score`";
            return Err(manifest.wrong(reason));
        };
        Ok((file.as_str(), score))
    }

    /// Nothing in it is impossible, and the manifest lists its files.
    pub(crate) fn check(&self, manifest: &Manifest) -> Result<(), ModelError> {
        match self.architecture {
            Architecture::BlazefaceDlib => {
                manifest.file(self.mesh(manifest)?.0)?;
            }
            Architecture::YunetSface if self.landmarks.is_some() || self.landmark_score.is_some() => {
                return Err(manifest.wrong("`face.landmarks` and `face.landmark_score` are of `blazeface_dlib`"));
            }
            Architecture::YunetSface => {}
        }
        manifest.file(&self.detector)?;
        manifest.file(&self.embedder)?;
        let shares = [
            ("detector_score", Some(self.detector_score)),
            ("landmark_score", self.landmark_score),
            ("margin", Some(self.margin)),
        ];
        for (name, value) in shares {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return Err(manifest.wrong(format!("`face.{name}` is {value}, not between 0 and 1")));
            }
        }
        if !(-1.0..=1.0).contains(&self.same) {
            return Err(manifest.wrong(format!("`face.same` is {}, not between -1 and 1", self.same)));
        }
        Ok(())
    }
}
