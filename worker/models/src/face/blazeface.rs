//! BlazeFace, full range (Bazarevsky et al. 2019; MediaPipe's face_detection_full_range), says where faces may be; the face mesh looks at
//! each close up.

use std::path::PathBuf;

use ort::session::Session;
use ort::value::TensorRef;

use super::candidates::{self, Candidate};
use super::finder::{Finder, Sighting};
use super::settings::FaceSettings;
use super::types::{Effort, Landmarks};
use super::{mesh, mismatch};
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::{Part, Picture};

/// Side of the square that the network takes, in pixels.
const SIDE: usize = 192;
/// One anchor in the middle of each cell of this many by this many.
const CELLS: usize = 48;
/// Per anchor: middle, width and height, then six points: eyes, nose, mouth, ears.
const VALUES: usize = 16;

/// With its points the eye that is on the left in the picture, and the other one.
pub(super) type EyesCandidate = Candidate<2>;

pub(super) struct BlazeFace {
    detector: Session,
    detector_path: PathBuf,
    detector_score: f32,
    mesh: Session,
    mesh_path: PathBuf,
    mesh_score: f32,
}

impl BlazeFace {
    /// One thread for each network.
    pub(super) fn load(manifest: &Manifest, settings: &FaceSettings) -> Result<Self, ModelError> {
        let open = |name: &str, input: &str, outputs: &[&str]| -> Result<(Session, PathBuf), ModelError> {
            let path = manifest.file(name)?;
            let session = onnx::session(manifest, &path, 1, onnx::Inputs::Alike)?;
            onnx::expect_names(manifest, &path, &session, &[input], outputs)?;
            Ok((session, path))
        };
        let (mesh_file, mesh_score) = settings.mesh(manifest)?;
        let (detector, detector_path) = open(&settings.detector, "picture", &["boxes", "scores"])?;
        let (mesh, mesh_path) = open(mesh_file, "face", &["points", "score"])?;
        Ok(Self { detector, detector_path, detector_score: settings.detector_score, mesh, mesh_path, mesh_score })
    }
}

impl Finder for BlazeFace {
    fn try_out(&mut self, manifest: &Manifest) -> Result<(), ModelError> {
        let rgb = vec![0; 64 * 64 * 3];
        let black = Picture::new(64, 64, &rgb)?;
        look(&mut self.detector, black, candidates::whole(black), 1.0, 0.5).map_err(|error| {
            let expected = "boxes [1, 2304, 16] and scores of pictures [1, 3, 192, 192]";
            mismatch(manifest, &self.detector_path, expected, &error)
        })?;
        let points = [[16.0, 24.0], [48.0, 24.0]];
        let nothing = Candidate { score: 1.0, left: 0.0, top: 0.0, width: 64.0, height: 64.0, points };
        mesh::look(&mut self.mesh, black, &nothing).map_err(|error| {
            mismatch(manifest, &self.mesh_path, "468 points and a score of pictures [1, 3, 192, 192]", &error)
        })?;
        Ok(())
    }

    /// What the mesh takes for no face is none: most animated faces.
    fn find(&mut self, picture: Picture<'_>, effort: Effort) -> Result<Vec<Sighting>, ModelError> {
        let whole = candidates::whole(picture);
        let mut parts = vec![whole];
        if effort == Effort::Thorough {
            parts.extend(candidates::tiles(whole, SIDE));
        }
        let (detector, least) = (&mut self.detector, self.detector_score);
        let mut found = candidates::in_parts(picture, &parts, |part| look(detector, picture, part, 1.0, least))?;
        if effort == Effort::Thorough {
            found.extend(look(detector, picture, whole, candidates::FROM_AFAR, least)?);
        }
        let mut sightings = Vec::new();
        for candidate in candidates::merged(found) {
            let mesh = mesh::look(&mut self.mesh, picture, &candidate)?;
            if mesh.score >= self.mesh_score {
                sightings.push(Sighting {
                    score: candidate.score as f32,
                    bounds: mesh.bounds,
                    landmarks: Landmarks::eye_corners(mesh.points, picture),
                    angles_deg: mesh.angles_deg,
                });
            }
        }
        Ok(sightings)
    }
}

/// One run over one part, which is put in the middle of a black square and takes `share` of its side.
fn look(
    session: &mut Session,
    picture: Picture<'_>,
    part: Part,
    share: f64,
    least: f32,
) -> Result<Vec<EyesCandidate>, ModelError> {
    let scale = SIDE as f64 * share / part.width.max(part.height);
    let fitted = |length: f64| ((length * scale).round() as usize).clamp(1, SIDE);
    let (width, height) = (fitted(part.width), fitted(part.height));
    let (left, top) = ((SIDE - width) / 2, (SIDE - height) / 2);
    let small = picture.resized_part(part, width, height)?;
    // -1 is black.
    let mut tensor = vec![-1.0_f32; 3 * SIDE * SIDE];
    for (row, line) in small.rgb.chunks_exact(width * 3).enumerate() {
        for (column, pixel) in line.chunks_exact(3).enumerate() {
            let at = (top + row) * SIDE + left + column;
            for (plane, &value) in pixel.iter().enumerate() {
                tensor[plane * SIDE * SIDE + at] = f32::from(value) / 127.5 - 1.0;
            }
        }
    }
    let view = TensorRef::from_array_view(([1, 3, SIDE, SIDE], tensor.as_slice())).map_err(ModelError::onnx)?;
    let outputs = session.run(ort::inputs!["picture" => view]).map_err(ModelError::onnx)?;
    let (_, boxes) = outputs["boxes"].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
    let (_, scores) = outputs["scores"].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
    if scores.len() != CELLS * CELLS || boxes.len() != scores.len() * VALUES {
        return Err(ModelError::onnx(format!("{} scores and {} box values", scores.len(), boxes.len())));
    }
    let mut found = Vec::new();
    for (cell, (&score, values)) in scores.iter().zip(boxes.chunks_exact(VALUES)).enumerate() {
        let score = sigmoid(score);
        if score < least {
            continue;
        }
        // Pixels of the square, from the middle of the cell.
        let anchor = [cell % CELLS, cell / CELLS].map(|n| (n as f64 + 0.5) / CELLS as f64 * SIDE as f64);
        let point = |n: usize| {
            let at = |axis: usize, gap: usize| f64::from(values[n * 2 + axis]) + anchor[axis] - gap as f64;
            [at(0, left) / scale + part.left, at(1, top) / scale + part.top]
        };
        let (middle, size) = (point(0), [2, 3].map(|n| f64::from(values[n]) / scale));
        let points = [point(2), point(3)];
        if size.iter().all(|&length| length > 0.0) && points.as_flattened().iter().all(|value| value.is_finite()) {
            let (left, top) = (middle[0] - size[0] / 2.0, middle[1] - size[1] / 2.0);
            found.push(Candidate { score: f64::from(score), left, top, width: size[0], height: size[1], points });
        }
    }
    Ok(found)
}

pub(super) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}
