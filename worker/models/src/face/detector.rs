//! BlazeFace, full range (Bazarevsky et al. 2019; MediaPipe's face_detection_full_range): where faces may be in a picture.

use ort::session::Session;
use ort::value::TensorRef;

use crate::error::ModelError;
use crate::picture::{Part, Picture};

/// Side of the square that the network takes, in pixels.
pub(super) const SIDE: usize = 192;
/// One anchor in the middle of each cell of this many by this many.
const CELLS: usize = 48;
/// Per anchor: middle, width and height, then six points: eyes, nose, mouth, ears.
const VALUES: usize = 16;
/// Boxes that overlap more than this are of one face (MediaPipe's setting).
const SAME_FACE: f64 = 0.3;
/// Faces in one picture; the surest are kept.
const MAX_FACES: usize = 100;
/// Side of a part looked at by itself, of the picture's long side, and the least in pixels.
const TILE: f64 = 0.4;
const MIN_TILE_PX: f64 = SIDE as f64;
/// How much neighbouring parts share, of their side.
const TILE_OVERLAP: f64 = 0.3;
/// A box this near to the edge of a part, in its pixels, may be of a face that is cut in two.
const EDGE: f64 = 3.0;

/// A place where there may be a face, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// 0 to 1.
    pub score: f64,
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// The eye that is on the left in the picture, and the other one.
    pub eyes: [[f64; 2]; 2],
}

impl Candidate {
    fn overlap(&self, other: &Self) -> f64 {
        let side = |a: f64, a_size: f64, b: f64, b_size: f64| ((a + a_size).min(b + b_size) - a.max(b)).max(0.0);
        let shared =
            side(self.left, self.width, other.left, other.width) * side(self.top, self.height, other.top, other.height);
        shared / (self.width * self.height + other.width * other.height - shared).max(f64::MIN_POSITIVE)
    }

    fn values(&self) -> [f64; 8] {
        let [[a, b], [c, d]] = self.eyes;
        [self.left, self.top, self.width, self.height, a, b, c, d]
    }
}

/// Everything found in the whole picture and in `parts` of it, each face once, the surest first.
pub(super) fn detect(
    session: &mut Session,
    picture: Picture<'_>,
    parts: &[Part],
    least: f32,
) -> Result<Vec<Candidate>, ModelError> {
    let whole = whole(picture);
    let mut found = look(session, picture, whole, least)?;
    for part in parts {
        let right_and_below = |c: &Candidate| (c.left + c.width, c.top + c.height);
        let inside = |c: &Candidate| {
            let (right, below) = right_and_below(c);
            (part.left <= 0.0 || c.left > part.left + EDGE)
                && (part.top <= 0.0 || c.top > part.top + EDGE)
                && (part.left + part.width >= whole.width || right < part.left + part.width - EDGE)
                && (part.top + part.height >= whole.height || below < part.top + part.height - EDGE)
        };
        found.extend(look(session, picture, *part, least)?.into_iter().filter(inside));
    }
    Ok(merge(found))
}

fn whole(picture: Picture<'_>) -> Part {
    Part { left: 0.0, top: 0.0, width: picture.width() as f64, height: picture.height() as f64 }
}

/// Overlapping squares that cover the picture. None for a picture that is hardly larger than what the network takes.
pub(super) fn tiles(width: usize, height: usize) -> Vec<Part> {
    let (width, height) = (width as f64, height as f64);
    let side = (width.max(height) * TILE).max(MIN_TILE_PX);
    if width.max(height) <= side * 1.2 {
        return Vec::new();
    }
    let starts = |length: f64, side: f64| -> Vec<f64> {
        let side = side.min(length);
        let steps = ((length - side) / (side * (1.0 - TILE_OVERLAP))).ceil().max(0.0);
        (0..=steps as usize).map(|n| if steps > 0.0 { (length - side) * n as f64 / steps } else { 0.0 }).collect()
    };
    let columns = starts(width, side);
    starts(height, side)
        .into_iter()
        .flat_map(|top| columns.iter().map(move |&left| (left, top)))
        .map(|(left, top)| Part { left, top, width: side.min(width), height: side.min(height) })
        .collect()
}

/// One run over one part, which is put in the middle of a black square.
fn look(session: &mut Session, picture: Picture<'_>, part: Part, least: f32) -> Result<Vec<Candidate>, ModelError> {
    let scale = SIDE as f64 / part.width.max(part.height);
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
        let eyes = [point(2), point(3)];
        if size.iter().all(|&length| length > 0.0) && eyes.as_flattened().iter().all(|value| value.is_finite()) {
            let (left, top) = (middle[0] - size[0] / 2.0, middle[1] - size[1] / 2.0);
            found.push(Candidate { score: f64::from(score), left, top, width: size[0], height: size[1], eyes });
        }
    }
    Ok(found)
}

pub(super) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

/// Non-maximum suppression that takes the mean of what it joins, weighted by score, as MediaPipe does.
fn merge(mut found: Vec<Candidate>) -> Vec<Candidate> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.left.total_cmp(&b.left)).then(a.top.total_cmp(&b.top)));
    let mut merged = Vec::new();
    while let Some(&best) = found.first().filter(|_| merged.len() < MAX_FACES) {
        let (same, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|c| *c == best || c.overlap(&best) > SAME_FACE);
        found = others;
        let total: f64 = same.iter().map(|c| c.score).sum();
        let mut mean = [0.0; 8];
        for candidate in &same {
            for (sum, value) in mean.iter_mut().zip(candidate.values()) {
                *sum += value * candidate.score / total;
            }
        }
        let [left, top, width, height, a, b, c, d] = mean;
        merged.push(Candidate { score: best.score, left, top, width, height, eyes: [[a, b], [c, d]] });
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(score: f64, left: f64, top: f64, side: f64) -> Candidate {
        Candidate { score, left, top, width: side, height: side, eyes: [[left, top], [left + side, top]] }
    }

    #[test]
    fn boxes_of_one_face_become_one_and_neighbours_stay_two() {
        let merged = merge(vec![
            candidate(0.6, 12.0, 10.0, 50.0),
            candidate(0.9, 10.0, 10.0, 50.0),
            candidate(0.7, 70.0, 10.0, 50.0),
        ]);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].score, 0.9);
        assert!(merged[0].left > 10.0 && merged[0].left < 12.0);
    }

    proptest! {
        #[test]
        fn what_was_merged_needs_no_second_time(
            boxes in prop::collection::vec((0.5_f64..1.0, 0.0_f64..300.0, 0.0_f64..300.0, 1.0_f64..90.0), 0..40),
        ) {
            let found: Vec<_> = boxes.iter().map(|&(score, left, top, side)| candidate(score, left, top, side)).collect();
            let merged = merge(found.clone());
            prop_assert!(merged.len() <= found.len());
            prop_assert_eq!(merged.is_empty(), found.is_empty());
            prop_assert!(merged.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }

        #[test]
        fn tiles_cover_the_picture_and_stay_in_it(width in 1_usize..4000, height in 1_usize..4000) {
            let parts = tiles(width, height);
            prop_assert!(parts.len() <= 16 * 16, "{}", parts.len());
            for part in &parts {
                prop_assert!(part.left >= 0.0 && part.left + part.width <= width as f64 + 1e-6);
                prop_assert!(part.top >= 0.0 && part.top + part.height <= height as f64 + 1e-6);
            }
            if !parts.is_empty() {
                for (x, y) in [(0.01, 0.01), (width as f64 - 0.01, height as f64 - 0.01), (width as f64 / 2.0, height as f64 / 3.0)] {
                    prop_assert!(parts.iter().any(|p| x >= p.left && x <= p.left + p.width && y >= p.top && y <= p.top + p.height));
                }
            }
        }
    }
}
