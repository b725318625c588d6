//! Aligned faces to vectors: dlib's ResNet (King 2017) and SFace (Zhong et al. 2021, as OpenCV's `FaceRecognizerSF` runs it).

use std::path::PathBuf;

use ort::session::Session;
use ort::value::TensorRef;

use super::align::{self, Frame};
use super::mismatch;
use super::settings::{Architecture, FaceSettings};
use super::types::Face;
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::{OwnedPicture, Picture};

/// Faces in one run, where the graph takes several: bounds the memory.
const BATCH: usize = 16;

pub(super) struct Embedder {
    session: Session,
    path: PathBuf,
    input: String,
    output: String,
    frame: Frame,
    batch: usize,
}

impl Embedder {
    /// One thread.
    pub(super) fn load(manifest: &Manifest, settings: &FaceSettings) -> Result<Self, ModelError> {
        let path = manifest.file(&settings.embedder)?;
        let session = onnx::session(manifest, &path, 1, onnx::Inputs::Alike)?;
        let (input, output) = match settings.architecture {
            Architecture::BlazefaceDlib => {
                onnx::expect_names(manifest, &path, &session, &["faces"], &["vectors"])?;
                ("faces".to_owned(), "vectors".to_owned())
            }
            // The published file's names are those of its converter.
            Architecture::YunetSface => onnx::only_names(manifest, &path, &session)?,
        };
        let frame = match settings.architecture {
            Architecture::BlazefaceDlib => Frame::Dlib,
            Architecture::YunetSface => Frame::SFace,
        };
        let shape = session.inputs().first().and_then(|input| input.dtype().tensor_shape());
        let one_by_one = shape.and_then(|shape| shape.first().copied()) == Some(1);
        Ok(Self { session, path, input, output, frame, batch: if one_by_one { 1 } else { BATCH } })
    }

    /// Runs it once.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] when it cannot, or gives vectors of another dimension.
    pub(super) fn try_out(&mut self, manifest: &Manifest, dimension: usize) -> Result<(), ModelError> {
        let side = self.frame.side();
        let black = OwnedPicture { width: side, height: side, rgb: vec![0; side * side * 3] };
        let found = self
            .run(&[black])
            .map_err(|error| mismatch(manifest, &self.path, &format!("vectors of {side}×{side} pictures"), &error))?;
        let length = found.first().map_or(0, Vec::len);
        if length == dimension {
            return Ok(());
        }
        Err(ModelError::Mismatch {
            id: manifest.id.clone(),
            path: self.path.clone(),
            expected: format!("vectors of dimension {dimension}"),
            found: format!("dimension {length}"),
        })
    }

    /// A vector of L2 norm 1 of each face, in their order.
    pub(super) fn embed(&mut self, picture: Picture<'_>, faces: &[Face]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut vectors = Vec::with_capacity(faces.len());
        for some in faces.chunks(self.batch) {
            let chips: Result<Vec<_>, _> = some.iter().map(|face| align::aligned(picture, face, self.frame)).collect();
            vectors.extend(self.run(&chips?)?);
        }
        Ok(vectors)
    }

    /// Both graphs take red, green and blue as bytes are, and take the mean off themselves.
    fn run(&mut self, chips: &[OwnedPicture]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut tensor = Vec::new();
        for chip in chips {
            chip.as_picture().append_planes([0.0; 3], [1.0 / 255.0; 3], &mut tensor);
        }
        let shape = [chips.len(), 3, self.frame.side(), self.frame.side()];
        let view = TensorRef::from_array_view((shape, tensor.as_slice())).map_err(ModelError::onnx)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => view]).map_err(ModelError::onnx)?;
        let (_, values) = outputs[self.output.as_str()].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        let length = values.len() / chips.len().max(1);
        if length == 0 || length * chips.len() != values.len() {
            return Err(ModelError::onnx(format!("{} values for {} faces", values.len(), chips.len())));
        }
        Ok(values.chunks_exact(length).map(normalised).collect())
    }
}

fn normalised(values: &[f32]) -> Vec<f32> {
    let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    values.iter().map(|value| value / norm).collect()
}
