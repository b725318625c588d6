//! The face mesh (Kartynnik et al. 2019; MediaPipe's face_landmark): 468 points of a face seen close up, with depth.

use ort::session::Session;
use ort::value::TensorRef;

use super::align::{Similarity, cut};
use super::blazeface::{EyesCandidate, sigmoid};
use crate::error::ModelError;
use crate::picture::Picture;

/// Side of the square that the network takes, in pixels.
pub(super) const SIDE: usize = 192;
const POINTS: usize = 468;
/// How much larger than the detector's box the square around the face is (MediaPipe's setting).
const MARGIN: f64 = 1.5;

/// Points of the mesh by their numbers in MediaPipe's canonical face.
const DLIB_POINTS: [usize; 5] = [263, 362, 33, 133, 2];
const FOREHEAD: usize = 10;
const CHIN: usize = 152;
/// The cheeks' edges, on the left and on the right in the picture.
const CHEEKS: [usize; 2] = [234, 454];

/// A face close up.
pub(super) struct Mesh {
    /// How sure the network is that this is a face, 0 to 1.
    pub score: f32,
    /// Left, top, right, bottom in pixels of the picture.
    pub bounds: [f64; 4],
    /// In dlib's order, in pixels of the picture.
    pub points: [[f64; 2]; 5],
    /// Yaw, pitch and roll in degrees (see [`super::Quality`]).
    pub angles_deg: [f32; 3],
}

/// Looks at one candidate, turned so that its eyes are level.
pub(super) fn look(session: &mut Session, picture: Picture<'_>, candidate: &EyesCandidate) -> Result<Mesh, ModelError> {
    let [[left_x, left_y], [right_x, right_y]] = candidate.points;
    let tilt = (right_y - left_y).atan2(right_x - left_x);
    let middle = [candidate.left + candidate.width / 2.0, candidate.top + candidate.height / 2.0];
    let map = Similarity::square(middle, candidate.width.max(candidate.height) * MARGIN, tilt, SIDE);
    let close_up = cut(picture, &map, SIDE)?;
    let mut tensor = Vec::new();
    close_up.as_picture().append_planes([0.0; 3], [1.0; 3], &mut tensor);
    let view = TensorRef::from_array_view(([1, 3, SIDE, SIDE], tensor.as_slice())).map_err(ModelError::onnx)?;
    let outputs = session.run(ort::inputs!["face" => view]).map_err(ModelError::onnx)?;
    let (_, values) = outputs["points"].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
    let (_, score) = outputs["score"].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
    let (&[score], true) = (score, values.len() == POINTS * 3) else {
        return Err(ModelError::onnx(format!("{} mesh values and {} scores", values.len(), score.len())));
    };
    Ok(read(values, sigmoid(score), &map))
}

/// `values`: x, y and depth of each point in pixels of the square.
fn read(values: &[f32], score: f32, map: &Similarity) -> Mesh {
    let local = |n: usize| [0, 1, 2].map(|axis| f64::from(values[n * 3 + axis]));
    let place = |n: usize| map.apply([local(n)[0], local(n)[1]]);
    let mut bounds = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    for [x, y] in (0..POINTS).map(place) {
        bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
    }
    let away = |from: usize, to: usize, axis: usize| {
        let (from, to) = (local(from), local(to));
        (to[2] - from[2]).atan2(to[axis] - from[axis]).to_degrees()
    };
    // The cheek that is farther away is the one the face turns to; a chin nearer than the forehead looks up.
    let yaw = away(CHEEKS[0], CHEEKS[1], 0);
    let pitch = -away(FOREHEAD, CHIN, 1);
    let (right, left) = (place(DLIB_POINTS[0]), place(DLIB_POINTS[2]));
    let roll = (right[1] - left[1]).atan2(right[0] - left[0]).to_degrees();
    Mesh { score, bounds, points: DLIB_POINTS.map(place), angles_deg: [yaw as f32, pitch as f32, roll as f32] }
}
