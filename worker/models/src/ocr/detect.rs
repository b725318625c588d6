//! Where lines of writing are: a DB network's map of probabilities and what is made of it.
//!
//! Source: Liao et al., "Real-Time Scene Text Detection with Differentiable Binarization", AAAI 2020, and PaddleOCR's
//! `DBPostProcess` (Apache-2.0): contours of the binarised map, the smallest rectangle around each, grown by area × ratio / perimeter.

use std::sync::{Mutex, PoisonError};

use image::{GrayImage, Luma};
use imageproc::contours::{BorderType, find_contours};
use imageproc::geometry::min_area_rect;
use imageproc::point::Point;
use ort::session::Session;
use ort::value::TensorRef;

use super::strokes::{bounds_of_components, merge_overlapping};
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::{Part, Picture};

/// The network's pictures have sides of a multiple of this.
const STRIDE: usize = 32;
/// Long side, pixels, to which a picture is shrunk for the first look and for the second, exact one.
const FIRST_SIDE: f64 = 640.0;
const SECOND_SIDE: f64 = 960.0;
/// Probability of writing at which the first look asks for the second.
const SUSPECT: f32 = 0.2;
/// Probability that makes a pixel part of a line, and the mean that makes the line one.
const PIXEL: f32 = 0.3;
const LINE: f32 = 0.5;
/// The network is taught shrunken lines; by this they are grown again.
const UNCLIP: f32 = 1.6;
/// Lines lower than this, in pixels of the map, are specks.
const LEAST_SIDE: f32 = 2.0;
/// Contours are measured in sixteenths of a pixel, since `min_area_rect` gives whole numbers.
const SUBPIXEL: i32 = 16;
/// Lines of one picture; a page of a book has fewer.
const MOST_LINES: usize = 200;

/// Four corners in pixels, clockwise from the upper left as the line is read.
pub(super) type Corners = [(f32, f32); 4];

pub(super) struct Detector {
    session: Mutex<Session>,
    input: String,
    mean: [f32; 3],
    std: [f32; 3],
}

/// Probabilities of writing over a part of a picture.
struct Map {
    width: usize,
    height: usize,
    probabilities: Vec<f32>,
    part: Part,
}

impl Detector {
    pub(super) fn load(
        manifest: &Manifest,
        file: &str,
        (mean, std): ([f32; 3], [f32; 3]),
        threads: usize,
    ) -> Result<Self, ModelError> {
        let path = manifest.file(file)?;
        let session = onnx::session(manifest, &path, threads, onnx::Inputs::Bounded)?;
        let input = onnx::only_names(manifest, &path, &session)?.0;
        let detector = Self { session: Mutex::new(session), input, mean, std };
        let probe = detector.run(&vec![0.0; 3 * 32 * 64], 64, 32);
        let found = match probe {
            Ok(map) if map.len() == 32 * 64 => return Ok(detector),
            Ok(map) => format!("{} numbers", map.len()),
            Err(error) => error.to_string(),
        };
        Err(ModelError::Mismatch {
            id: manifest.id.clone(),
            path,
            expected: "a map of 64 × 32 probabilities for a picture of 64 × 32 pixels".to_owned(),
            found,
        })
    }

    /// The lines of writing in these parts of a picture, in no order.
    pub(super) fn lines(&self, picture: Picture<'_>, parts: &[Part]) -> Result<Vec<Corners>, ModelError> {
        let long = picture.width().max(picture.height()) as f64;
        let (first, second) = ((FIRST_SIDE / long).min(1.0), (SECOND_SIDE / long).min(1.0));
        let mut close = Vec::new();
        if first < second {
            for &part in parts {
                close.extend(suspects(&self.map(picture, part, first)?));
            }
            close = merge_overlapping(close);
        } else {
            close.extend_from_slice(parts);
        }
        let mut lines = Vec::new();
        for part in close {
            lines.extend(boxes(&self.map(picture, part, second)?));
        }
        lines.truncate(MOST_LINES);
        Ok(lines)
    }

    fn map(&self, picture: Picture<'_>, part: Part, scale: f64) -> Result<Map, ModelError> {
        // Never smaller than asked for: a line of writing must not depend on how its part fits the stride.
        let side = |length: f64| ((length * scale / STRIDE as f64).ceil() as usize).max(1) * STRIDE;
        let part = part.within(picture.width() as f64, picture.height() as f64);
        let (width, height) = (side(part.width), side(part.height));
        let small = picture.resized_part(part, width, height)?;
        let mut tensor = Vec::new();
        small.as_picture().append_planes(self.mean, self.std, &mut tensor);
        let probabilities = self.run(&tensor, width, height)?;
        if probabilities.len() != width * height {
            return Err(ModelError::onnx(format!("{} probabilities for {width}×{height}", probabilities.len())));
        }
        Ok(Map { width, height, probabilities, part })
    }

    fn run(&self, tensor: &[f32], width: usize, height: usize) -> Result<Vec<f32>, ModelError> {
        let input = TensorRef::from_array_view(([1, 3, height, width], tensor)).map_err(ModelError::onnx)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![self.input.as_str() => input]).map_err(ModelError::onnx)?;
        let (_, data) = outputs[0].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        Ok(data.to_vec())
    }
}

impl Map {
    /// Pixels of the picture for one of the map, across and down.
    fn scale(&self) -> (f64, f64) {
        (self.part.width / self.width as f64, self.part.height / self.height as f64)
    }

    fn mask(&self, threshold: f32) -> GrayImage {
        let width = u32::try_from(self.width).unwrap_or(u32::MAX);
        let height = u32::try_from(self.height).unwrap_or(u32::MAX);
        GrayImage::from_fn(width, height, |x, y| {
            Luma([if self.at(x as usize, y as usize) > threshold { 255 } else { 0 }])
        })
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        self.probabilities[y * self.width + x]
    }
}

/// Parts around what may be writing, with room for what the shrunken picture did not show.
fn suspects(map: &Map) -> Vec<Part> {
    let (x_scale, y_scale) = map.scale();
    let found = bounds_of_components(&map.mask(SUSPECT), (1, 1));
    let room = |part: Part| {
        let (width, height) = (part.width * x_scale, part.height * y_scale);
        // The map shows the core of a line: half of its height, and rather less of its ends.
        let margin = (1.5 * height.min(width)).max(24.0);
        Part {
            left: map.part.left + part.left * x_scale - 2.0 * margin,
            top: map.part.top + part.top * y_scale - margin,
            width: width + 4.0 * margin,
            height: height + 2.0 * margin,
        }
    };
    found.into_iter().map(room).collect()
}

/// Lines of a map, in pixels of the picture.
fn boxes(map: &Map) -> Vec<Corners> {
    let (x_scale, y_scale) = map.scale();
    let contours = find_contours::<i32>(&map.mask(PIXEL));
    let outer = contours.into_iter().filter(|contour| contour.border_type == BorderType::Outer);
    outer
        .filter_map(|contour| {
            let fine: Vec<Point<i32>> =
                contour.points.iter().map(|p| Point::new(p.x * SUBPIXEL, p.y * SUBPIXEL)).collect();
            let rectangle = Rectangle::new(min_area_rect(&fine))?;
            if rectangle.width.min(rectangle.height) < LEAST_SIDE || rectangle.mean(map) < LINE {
                return None;
            }
            let to_picture = |(x, y): (f32, f32)| {
                // A contour goes through the middles of pixels.
                let x = map.part.left + (f64::from(x) + 0.5) * x_scale;
                let y = map.part.top + (f64::from(y) + 0.5) * y_scale;
                (x as f32, y as f32)
            };
            Some(rectangle.unclipped().corners().map(to_picture))
        })
        .collect()
}

/// A turned rectangle, in pixels of a map.
#[derive(Clone, Copy, Debug)]
struct Rectangle {
    centre: (f32, f32),
    /// Unit vector along `width`, which points to the right.
    along: (f32, f32),
    width: f32,
    height: f32,
}

impl Rectangle {
    /// From four corners in order, in sixteenths of a pixel. The side that is nearer to the horizontal becomes the width.
    fn new(corners: [Point<i32>; 4]) -> Option<Self> {
        let p = corners.map(|p| (p.x as f32 / SUBPIXEL as f32, p.y as f32 / SUBPIXEL as f32));
        let edge = |a: (f32, f32), b: (f32, f32)| ((b.0 - a.0), (b.1 - a.1));
        let (mut one, mut two) = (edge(p[0], p[1]), edge(p[1], p[2]));
        let length = |v: (f32, f32)| v.0.hypot(v.1);
        if one.0.abs() * length(two) < two.0.abs() * length(one) {
            std::mem::swap(&mut one, &mut two);
        }
        // The corners are middles of pixels, which are a pixel wide themselves.
        let (width, height) = (length(one) + 1.0, length(two) + 1.0);
        let along = match length(one) {
            0.0 => (1.0, 0.0),
            l if one.0 < 0.0 => (-one.0 / l, -one.1 / l),
            l => (one.0 / l, one.1 / l),
        };
        let centre = ((p[0].0 + p[2].0) / 2.0, (p[0].1 + p[2].1) / 2.0);
        (width.is_finite() && height.is_finite()).then_some(Self { centre, along, width, height })
    }

    /// Grown on every side by area × ratio / perimeter.
    fn unclipped(self) -> Self {
        let grow = self.width * self.height * UNCLIP / (2.0 * (self.width + self.height));
        Self { width: self.width + 2.0 * grow, height: self.height + 2.0 * grow, ..self }
    }

    fn corners(self) -> Corners {
        let (ux, uy) = self.along;
        let at = |x: f32, y: f32| {
            let (x, y) = (x * self.width / 2.0, y * self.height / 2.0);
            (self.centre.0 + x * ux - y * uy, self.centre.1 + x * uy + y * ux)
        };
        [at(-1.0, -1.0), at(1.0, -1.0), at(1.0, 1.0), at(-1.0, 1.0)]
    }

    /// Mean probability inside.
    fn mean(self, map: &Map) -> f32 {
        let corners = self.corners();
        let range = |values: [f32; 4], most: usize| {
            let low = values.iter().copied().fold(f32::MAX, f32::min).floor().max(0.0) as usize;
            let high = values.iter().copied().fold(f32::MIN, f32::max).ceil().max(0.0) as usize;
            low..(high + 1).min(most)
        };
        let (mut sum, mut count) = (0.0, 0);
        for y in range(corners.map(|c| c.1), map.height) {
            for x in range(corners.map(|c| c.0), map.width) {
                let (dx, dy) = (x as f32 - self.centre.0, y as f32 - self.centre.1);
                let (u, v) = (dx * self.along.0 + dy * self.along.1, dy * self.along.0 - dx * self.along.1);
                if u.abs() <= self.width / 2.0 && v.abs() <= self.height / 2.0 {
                    sum += map.at(x, y);
                    count += 1;
                }
            }
        }
        sum / count.max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A bar of probability 1 at any angle up to 40° is found as one line around it.
        #[test]
        fn a_turned_bar_is_one_line_around_it(degrees in -40.0_f32..40.0, length in 40.0_f32..90.0, thick in 6.0_f32..14.0) {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let (width, height) = (160, 160);
            let bar = Rectangle { centre: (80.0, 80.0), along: (cos, sin), width: length, height: thick };
            let inside = |n: usize| {
                let (dx, dy) = ((n % width) as f32 - 80.0, (n / width) as f32 - 80.0);
                (dx * cos + dy * sin).abs() <= length / 2.0 && (dy * cos - dx * sin).abs() <= thick / 2.0
            };
            let probabilities = (0..width * height).map(|n| if inside(n) { 1.0 } else { 0.0 }).collect();
            let part = Part { left: 0.0, top: 0.0, width: 160.0, height: 160.0 };
            let found = boxes(&Map { width, height, probabilities, part });
            prop_assert_eq!(found.len(), 1);
            let wanted = bar.unclipped().corners();
            for (found, wanted) in found[0].iter().zip(wanted) {
                prop_assert!((found.0 - wanted.0).hypot(found.1 - wanted.1) < 5.0, "{:?} and {:?}", found, wanted);
            }
        }
    }

    #[test]
    fn an_empty_map_and_a_speck_are_no_lines() {
        let part = Part { left: 0.0, top: 0.0, width: 64.0, height: 32.0 };
        let mut map = Map { width: 64, height: 32, probabilities: vec![0.0; 64 * 32], part };
        assert!(boxes(&map).is_empty() && suspects(&map).is_empty());
        map.probabilities[64 * 5 + 5] = 1.0;
        assert!(boxes(&map).is_empty());
    }
}
