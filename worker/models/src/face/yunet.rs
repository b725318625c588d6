//! YuNet (Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023), as OpenCV's `FaceDetectorYN` runs the file of March 2023
//! (opencv, modules/objdetect/src/face_detect.cpp): boxes and five points in one look.

use std::path::PathBuf;

use ort::session::{Session, SessionOutputs};
use ort::value::TensorRef;

use super::candidates::{self, Candidate};
use super::finder::{Finder, Sighting};
use super::settings::FaceSettings;
use super::types::{Effort, Landmarks};
use super::{mismatch, pose};
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::{Part, Picture};

/// Pixels of a cell at each of the three resolutions. Every cell has one prior, in its upper left corner.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Sides are multiples of the largest cell.
const MULTIPLE: usize = 32;
/// Side of the input where the graph leaves it open: that of the published file.
const SIDE: usize = 640;
const OUTPUTS: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16",
    "kps_32",
];
/// Eyes, tip of the nose, corners of the mouth.
const POINTS: usize = 5;

pub(super) struct YuNet {
    session: Session,
    path: PathBuf,
    width: usize,
    height: usize,
    least: f32,
}

impl YuNet {
    /// One thread. The input is as large as the graph says.
    pub(super) fn load(manifest: &Manifest, settings: &FaceSettings) -> Result<Self, ModelError> {
        let path = manifest.file(&settings.detector)?;
        let session = onnx::session(manifest, &path, 1, onnx::Inputs::Alike)?;
        onnx::expect_names(manifest, &path, &session, &["input"], &OUTPUTS)?;
        let shape = session.inputs().first().and_then(|input| input.dtype().tensor_shape());
        let shape: Vec<i64> = shape.map(|shape| shape.to_vec()).unwrap_or_default();
        let side = |axis: usize| match shape.get(axis).map(|&length| usize::try_from(length)) {
            Some(Ok(length)) => (length > 0 && length.is_multiple_of(MULTIPLE)).then_some(length),
            // A length that is left open is negative.
            Some(Err(_)) => Some(SIDE),
            None => None,
        };
        let (4, Some(height), Some(width)) = (shape.len(), side(2), side(3)) else {
            return Err(ModelError::Mismatch {
                id: manifest.id.clone(),
                path,
                expected: format!("pictures [1, 3, height, width] with sides that are multiples of {MULTIPLE}"),
                found: format!("{shape:?}"),
            });
        };
        Ok(Self { session, path, width, height, least: settings.detector_score })
    }

    /// One run over one part, put into the upper left corner of a black rectangle as in OpenCV; smaller if need be, never larger.
    fn look(&mut self, picture: Picture<'_>, part: Part, share: f64) -> Result<Vec<Candidate<POINTS>>, ModelError> {
        let scale = (self.width as f64 / part.width).min(self.height as f64 / part.height).min(1.0) * share;
        let fitted = |length: f64, most: usize| ((length * scale).round() as usize).clamp(1, most);
        let (width, height) = (fitted(part.width, self.width), fitted(part.height, self.height));
        let small = picture.resized_part(part, width, height)?;
        let area = self.width * self.height;
        let mut tensor = vec![0.0_f32; 3 * area];
        for (row, line) in small.rgb.chunks_exact(width * 3).enumerate() {
            for (column, pixel) in line.chunks_exact(3).enumerate() {
                // Blue, green, red, as bytes are.
                for (plane, &value) in pixel.iter().rev().enumerate() {
                    tensor[plane * area + row * self.width + column] = f32::from(value);
                }
            }
        }
        let shape = [1, 3, self.height, self.width];
        let view = TensorRef::from_array_view((shape, tensor.as_slice())).map_err(ModelError::onnx)?;
        let outputs = self.session.run(ort::inputs!["input" => view]).map_err(ModelError::onnx)?;
        // Pixels of the picture for one of the network's.
        let grown = [part.width / width as f64, part.height / height as f64];
        let mut found = Vec::new();
        for stride in STRIDES {
            let (columns, rows) = (self.width / stride, self.height / stride);
            let cells = Cells {
                classes: values(&outputs, "cls", stride, columns * rows)?,
                objects: values(&outputs, "obj", stride, columns * rows)?,
                boxes: values(&outputs, "bbox", stride, columns * rows * 4)?,
                points: values(&outputs, "kps", stride, columns * rows * POINTS * 2)?,
            };
            for cell in 0..columns * rows {
                let score = cells.score(cell);
                if score >= self.least {
                    let corner = [(cell % columns) as f64, (cell / columns) as f64];
                    found.extend(cells.candidate(cell, corner, stride as f64, part, grown));
                }
            }
        }
        Ok(found)
    }
}

/// The outputs at one resolution, row by row.
struct Cells<'a> {
    /// How likely it is a face, and how likely the cell is its middle; the graph ends in sigmoids.
    classes: &'a [f32],
    objects: &'a [f32],
    /// Middle, in cells from the cell's corner, and the logarithms of width and height in cells.
    boxes: &'a [f32],
    /// In cells from the cell's corner.
    points: &'a [f32],
}

impl Cells<'_> {
    fn score(&self, cell: usize) -> f32 {
        (self.classes[cell].clamp(0.0, 1.0) * self.objects[cell].clamp(0.0, 1.0)).sqrt()
    }

    /// `None` for numbers that are no box.
    fn candidate(
        &self,
        cell: usize,
        [column, row]: [f64; 2],
        stride: f64,
        part: Part,
        grown: [f64; 2],
    ) -> Option<Candidate<POINTS>> {
        let place = |x: f32, y: f32| {
            let (x, y) = ((column + f64::from(x)) * stride, (row + f64::from(y)) * stride);
            [x * grown[0] + part.left, y * grown[1] + part.top]
        };
        let values = &self.boxes[cell * 4..cell * 4 + 4];
        let [x, y] = place(values[0], values[1]);
        let [width, height] = [0, 1].map(|axis| f64::from(values[2 + axis]).exp() * stride * grown[axis]);
        let points: [[f64; 2]; POINTS] = std::array::from_fn(|n| {
            let at = (cell * POINTS + n) * 2;
            place(self.points[at], self.points[at + 1])
        });
        let finite = [x, y, width, height].iter().chain(points.as_flattened()).all(|value| value.is_finite());
        let score = f64::from(self.score(cell));
        (finite && width > 0.0 && height > 0.0).then(|| Candidate {
            score,
            left: x - width / 2.0,
            top: y - height / 2.0,
            width,
            height,
            points,
        })
    }
}

/// One output, of so many numbers.
fn values<'a>(
    outputs: &'a SessionOutputs<'_>,
    name: &str,
    stride: usize,
    count: usize,
) -> Result<&'a [f32], ModelError> {
    let name = format!("{name}_{stride}");
    let (_, data) = outputs[name.as_str()].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
    if data.len() != count {
        return Err(ModelError::onnx(format!("{} numbers of `{name}`, not {count}", data.len())));
    }
    Ok(data)
}

impl Finder for YuNet {
    fn try_out(&mut self, manifest: &Manifest) -> Result<(), ModelError> {
        let rgb = vec![0; 64 * 64 * 3];
        let black = Picture::new(64, 64, &rgb)?;
        self.look(black, candidates::whole(black), 1.0).map_err(|error| {
            let expected = format!(
                "cls, obj, bbox and kps of cells of 8, 16 and 32 pixels of pictures [1, 3, {}, {}]",
                self.height, self.width
            );
            mismatch(manifest, &self.path, &expected, &error)
        })?;
        Ok(())
    }

    fn find(&mut self, picture: Picture<'_>, effort: Effort) -> Result<Vec<Sighting>, ModelError> {
        let whole = candidates::whole(picture);
        let mut parts = vec![whole];
        if effort == Effort::Thorough {
            parts.extend(candidates::tiles(whole, self.width.min(self.height)));
        }
        let mut found = candidates::in_parts(picture, &parts, |part| self.look(picture, part, 1.0))?;
        if effort == Effort::Thorough {
            found.extend(self.look(picture, whole, candidates::FROM_AFAR)?);
        }
        let sighting = |candidate: Candidate<POINTS>| Sighting {
            score: candidate.score as f32,
            bounds: [candidate.left, candidate.top, candidate.left + candidate.width, candidate.top + candidate.height],
            landmarks: Landmarks::eyes_and_mouth(candidate.points, picture),
            angles_deg: pose::angles_deg(candidate.points),
        };
        Ok(candidates::surest(found).into_iter().map(sighting).collect())
    }
}
