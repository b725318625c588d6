//! Aligned faces to vectors.

use ort::session::Session;
use ort::value::TensorRef;

use super::CHIP_SIDE;
use crate::error::ModelError;
use crate::picture::OwnedPicture;

/// A vector of L2 norm 1 of each chip of [`CHIP_SIDE`] pixels a side. The graph takes bytes as they are and subtracts the mean itself.
pub(super) fn embed(session: &mut Session, chips: &[OwnedPicture]) -> Result<Vec<Vec<f32>>, ModelError> {
    let mut tensor = Vec::new();
    for chip in chips {
        chip.as_picture().append_planes([0.0; 3], [1.0 / 255.0; 3], &mut tensor);
    }
    let shape = [chips.len(), 3, CHIP_SIDE, CHIP_SIDE];
    let view = TensorRef::from_array_view((shape, tensor.as_slice())).map_err(ModelError::onnx)?;
    let outputs = session.run(ort::inputs!["faces" => view]).map_err(ModelError::onnx)?;
    let (_, values) = outputs["vectors"].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
    let length = values.len() / chips.len().max(1);
    if length == 0 || length * chips.len() != values.len() {
        return Err(ModelError::onnx(format!("{} values for {} faces", values.len(), chips.len())));
    }
    Ok(values.chunks_exact(length).map(normalised).collect())
}

fn normalised(values: &[f32]) -> Vec<f32> {
    let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    values.iter().map(|value| value / norm).collect()
}
