//! What a face expresses: probabilities of the seven classes of FER-2013 (Goodfellow et al. 2013) by mini-Xception (Arriaga et al. 2017).
//!
//! Limits: the network was trained on small pictures that people labelled with 65 % agreement, and reaches about as much; it sees posed
//! faces best, takes a serious face for an angry or a sad one, and an open mouth of somebody who talks for fear or surprise. It says how a
//! face looks and not how anybody feels.

use std::sync::{Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::onnx;
use crate::picture::Picture;

/// In the order of the network's output.
pub const CLASSES: [&str; 7] = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
/// Side of the square that the network takes, in pixels.
const SIDE: usize = 64;

/// A loaded classifier; calls take turns.
pub struct ExpressionClassifier {
    id: String,
    session: Mutex<Session>,
}

impl ExpressionClassifier {
    /// Loads it from a verified manifest, for `threads` CPU threads, and runs it once.
    ///
    /// # Errors
    /// [`ModelError::Runtime`] without ONNX Runtime; [`ModelError::Mismatch`] naming the file, what was expected and what was found when the
    /// graph has other inputs, outputs or classes.
    pub fn load(manifest: &Manifest, threads: usize) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Expression)?;
        let path = manifest.file_with_suffix("onnx")?;
        let session = onnx::session(manifest, &path, threads, onnx::Inputs::Alike)?;
        onnx::expect_names(manifest, &path, &session, &["face"], &["classes"])?;
        let classifier = Self { id: manifest.id.clone(), session: Mutex::new(session) };
        classifier.express(Picture::new(1, 1, &[0; 3])?).map_err(|error| ModelError::Mismatch {
            id: manifest.id.clone(),
            path,
            expected: "7 classes of a picture [1, 1, 64, 64]".to_owned(),
            found: error.to_string(),
        })?;
        Ok(classifier)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Probabilities of [`CLASSES`], in their order, of an aligned face ([`crate::face::chip`]).
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn express(&self, chip: Picture<'_>) -> Result<[f32; 7], ModelError> {
        let small = chip.resized(SIDE, SIDE)?;
        let luma =
            |pixel: &[u8]| 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
        let tensor: Vec<f32> = small.rgb.chunks_exact(3).map(|pixel| luma(pixel) / 127.5 - 1.0).collect();
        let view = TensorRef::from_array_view(([1, 1, SIDE, SIDE], tensor.as_slice())).map_err(ModelError::onnx)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["face" => view]).map_err(ModelError::onnx)?;
        let (_, classes) = outputs["classes"].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        classes.try_into().map_err(|_| ModelError::onnx(format!("{} classes", classes.len())))
    }
}
