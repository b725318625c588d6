//! What a line says: a CTC recogniser over strips of one height.
//!
//! Source: Graves et al., "Connectionist Temporal Classification", ICML 2006 (greedy decoding), with the preprocessing of
//! PaddleOCR's `rec_resize_img` (Apache-2.0).

use std::sync::{Mutex, PoisonError};

use image::{ImageBuffer, Rgb, RgbImage};
use imageproc::geometric_transformations::{Interpolation, Projection, warp_into};
use ort::session::Session;
use ort::value::TensorRef;

use super::detect::Corners;
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::{OwnedPicture, Part, Picture};

/// Height of the network's strips, pixels.
const HEIGHT: usize = 48;
/// Widths are padded to a multiple of this: few shapes, each of which the engine plans once.
const WIDTH_STEP: usize = 32;
const LEAST_WIDTH: usize = 96;
/// Longer lines are squeezed.
const MOST_WIDTH: usize = 2400;
/// Pixels of width of all strips in one run, which bounds its memory: 256 steps of some 19,000 classes.
const BATCH_WIDTH: usize = 2048;
/// A line turned by no more than this is cut out straight.
const LEVEL: f32 = 0.03;
/// A line so much higher than wide is read turned by a quarter.
const UPRIGHT: f32 = 1.5;
/// Name of the dictionary in the graph's metadata, one character a line.
const DICTIONARY: &str = "character";
const MEAN_STD: [f32; 3] = [0.5; 3];

pub(super) struct Recognizer {
    session: Mutex<Session>,
    input: String,
    /// By class less one: class 0 is CTC's blank.
    characters: Vec<String>,
}

/// What was read in a strip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub text: String,
    /// Mean probability of its characters.
    pub confidence: f32,
}

impl Recognizer {
    /// `characters`: how many the dictionary must have.
    pub(super) fn load(manifest: &Manifest, file: &str, characters: usize, threads: usize) -> Result<Self, ModelError> {
        let path = manifest.file(file)?;
        let mismatch = |expected: String, found: String| ModelError::Mismatch {
            id: manifest.id.clone(),
            path: path.clone(),
            expected,
            found,
        };
        let session = onnx::session(manifest, &path, threads, onnx::Inputs::Bounded)?;
        let input = onnx::only_names(manifest, &path, &session)?.0;
        let dictionary = session.metadata().ok().and_then(|metadata| metadata.custom(DICTIONARY));
        let Some(dictionary) = dictionary else {
            return Err(mismatch(format!("a dictionary in the metadata `{DICTIONARY}`"), "none".to_owned()));
        };
        let mut known: Vec<String> =
            dictionary.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect();
        if known.len() != characters {
            return Err(mismatch(format!("a dictionary of {characters} characters"), format!("{}", known.len())));
        }
        known.push(" ".to_owned());
        let recognizer = Self { session: Mutex::new(session), input, characters: known };
        let classes = characters + 2;
        let found = match recognizer.run(&vec![0.0; 3 * HEIGHT * LEAST_WIDTH], 1, LEAST_WIDTH) {
            Ok((_, found)) if found == classes => return Ok(recognizer),
            Ok((_, found)) => format!("{found} classes"),
            Err(error) => error.to_string(),
        };
        Err(mismatch(
            format!("{classes} classes (blank, {characters} characters, space) for each step of a strip"),
            found,
        ))
    }

    /// Reads lines, in their order; a line of which nothing can be cut out is empty.
    pub(super) fn read(&self, picture: Picture<'_>, lines: &[Corners]) -> Result<Vec<Reading>, ModelError> {
        let mut strips = Vec::new();
        for (line, corners) in lines.iter().enumerate() {
            for strip in strips_of(picture, corners)? {
                strips.push((line, strip));
            }
        }
        strips.sort_by_key(|(_, strip)| strip.width);
        let mut readings = vec![Reading { text: String::new(), confidence: 0.0 }; lines.len()];
        let mut from = 0;
        while from < strips.len() {
            let mut until = from + 1;
            while until < strips.len() && (until + 1 - from) * padded(strips[until].1.width) <= BATCH_WIDTH {
                until += 1;
            }
            let batch: Vec<&OwnedPicture> = strips[from..until].iter().map(|(_, strip)| strip).collect();
            // Of a line that was read both ways up the surer reading counts.
            for (reading, (line, _)) in self.read_batch(&batch)?.into_iter().zip(&strips[from..until]) {
                if reading.confidence > readings[*line].confidence {
                    readings[*line] = reading;
                }
            }
            from = until;
        }
        Ok(readings)
    }

    fn read_batch(&self, strips: &[&OwnedPicture]) -> Result<Vec<Reading>, ModelError> {
        let width = strips.iter().map(|strip| padded(strip.width)).max().unwrap_or(LEAST_WIDTH);
        let mut tensor = vec![0.0; strips.len() * 3 * HEIGHT * width];
        for (strip, target) in strips.iter().zip(tensor.chunks_exact_mut(3 * HEIGHT * width)) {
            let mut planes = Vec::new();
            strip.as_picture().append_planes(MEAN_STD, MEAN_STD, &mut planes);
            for (row, target) in planes.chunks_exact(strip.width).zip(target.chunks_exact_mut(width)) {
                target[..strip.width].copy_from_slice(row);
            }
        }
        let (probabilities, classes) = self.run(&tensor, strips.len(), width)?;
        let each = probabilities.len() / strips.len().max(1);
        Ok(probabilities.chunks_exact(each.max(1)).map(|steps| decode(steps, classes, &self.characters)).collect())
    }

    /// Probabilities as (strips × steps × classes), and the number of classes.
    fn run(&self, tensor: &[f32], strips: usize, width: usize) -> Result<(Vec<f32>, usize), ModelError> {
        let input = TensorRef::from_array_view(([strips, 3, HEIGHT, width], tensor)).map_err(ModelError::onnx)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![self.input.as_str() => input]).map_err(ModelError::onnx)?;
        let (shape, data) = outputs[0].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        let classes = shape.last().and_then(|&n| usize::try_from(n).ok()).filter(|&n| n > 0 && shape.len() == 3);
        let classes = classes.ok_or_else(|| ModelError::onnx(format!("readings of shape {shape:?}")))?;
        Ok((data.to_vec(), classes))
    }
}

fn padded(width: usize) -> usize {
    width.next_multiple_of(WIDTH_STEP).max(LEAST_WIDTH)
}

/// The likeliest class of each step; repeats become one, blanks go.
fn decode(steps: &[f32], classes: usize, characters: &[String]) -> Reading {
    let (mut text, mut sum, mut count, mut last) = (String::new(), 0.0, 0_u16, 0);
    for step in steps.chunks_exact(classes) {
        let (best, probability) = step
            .iter()
            .copied()
            .enumerate()
            .fold((0, f32::MIN), |best, next| if next.1 > best.1 { next } else { best });
        if best != 0 && best != last {
            text.push_str(characters.get(best - 1).map_or("", String::as_str));
            sum += probability;
            count += 1;
        }
        last = best;
    }
    Reading { text: text.trim().to_owned(), confidence: if count == 0 { 0.0 } else { sum / f32::from(count) } }
}

/// The line cut out at the network's height: one strip, or, for a line that stands upright, one for each way it may be turned.
fn strips_of(picture: Picture<'_>, corners: &Corners) -> Result<Vec<OwnedPicture>, ModelError> {
    let edge = |a: usize, b: usize| (corners[b].0 - corners[a].0, corners[b].1 - corners[a].1);
    let length = |v: (f32, f32)| v.0.hypot(v.1);
    let (top, side) = (edge(0, 1), edge(0, 3));
    let (width, height) = (length(top), length(side));
    if !(width >= 1.0 && height >= 1.0) {
        return Ok(Vec::new());
    }
    let strip_width = |w: f32, h: f32| ((HEIGHT as f32 * w / h).ceil() as usize).clamp(8, MOST_WIDTH);
    if height > width * UPRIGHT {
        // Read from below and from above.
        let upwards = [corners[3], corners[0], corners[1], corners[2]];
        let downwards = [corners[1], corners[2], corners[3], corners[0]];
        let strip = |turned| warped(picture, turned, strip_width(height, width));
        return Ok([strip(&upwards), strip(&downwards)].into_iter().flatten().collect());
    }
    if top.1.abs() <= LEVEL * width {
        let left = corners[0].0.min(corners[3].0);
        let above = corners[0].1.min(corners[1].1);
        let part = Part {
            left: f64::from(left),
            top: f64::from(above),
            width: f64::from(corners[1].0.max(corners[2].0) - left),
            height: f64::from(corners[2].1.max(corners[3].1) - above),
        };
        let inside = part.within(picture.width() as f64, picture.height() as f64);
        if inside.width < 1.0 || inside.height < 1.0 {
            return Ok(Vec::new());
        }
        let width = strip_width(inside.width as f32, inside.height as f32);
        return Ok(vec![picture.resized_part(inside, width, HEIGHT)?]);
    }
    Ok(warped(picture, corners, strip_width(width, height)).into_iter().collect())
}

/// A turned line made straight. `None` when its corners span nothing of the picture.
fn warped(picture: Picture<'_>, corners: &Corners, width: usize) -> Option<OwnedPicture> {
    let side = |n: usize| u32::try_from(n).ok();
    let least = |at: fn(&(f32, f32)) -> f32| corners.iter().map(at).fold(f32::MAX, f32::min).floor();
    let most = |at: fn(&(f32, f32)) -> f32| corners.iter().map(at).fold(f32::MIN, f32::max).ceil();
    let (left, top) = (least(|c| c.0).max(0.0), least(|c| c.1).max(0.0));
    let (right, bottom) = (most(|c| c.0).min(picture.width() as f32), most(|c| c.1).min(picture.height() as f32));
    if right < left + 1.0 || bottom < top + 1.0 {
        return None;
    }
    let around =
        Part { left: left.into(), top: top.into(), width: (right - left).into(), height: (bottom - top).into() };
    let around = picture.resized_part(around, (right - left) as usize, (bottom - top) as usize).ok()?;
    let source: RgbImage = ImageBuffer::from_raw(side(around.width)?, side(around.height)?, around.rgb)?;
    let (w, h) = (width as f32, HEIGHT as f32);
    let from = corners.map(|(x, y)| (x - left, y - top));
    let projection = Projection::from_control_points(from, [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)])?;
    let mut strip = RgbImage::new(side(width)?, side(HEIGHT)?);
    warp_into(&source, &projection, Interpolation::Bilinear, Rgb([0, 0, 0]), &mut strip);
    Some(OwnedPicture { width, height: HEIGHT, rgb: strip.into_raw() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_become_one_and_blanks_part_them() {
        let characters = ["a", "b", " "].map(str::to_owned);
        let step = |class: usize| {
            let mut step = [0.0; 4];
            step[class] = 0.9;
            step
        };
        let steps: Vec<f32> = [0, 1, 1, 0, 1, 3, 3, 2, 0].into_iter().flat_map(step).collect();
        let reading = decode(&steps, 4, &characters);
        assert_eq!(reading.text, "aa b");
        assert!((reading.confidence - 0.9).abs() < 1e-6);
        assert_eq!(decode(&step(0), 4, &characters), Reading { text: String::new(), confidence: 0.0 });
    }

    #[test]
    fn a_turned_line_is_made_straight() {
        // White below the diagonal band, black elsewhere: the band itself comes out white.
        let (width, height) = (200, 200);
        let rgb: Vec<u8> = (0..width * height)
            .flat_map(|n| {
                let (x, y) = ((n % width) as i32, (n / width) as i32);
                [if (x - y).abs() <= 14 { 255 } else { 0 }; 3]
            })
            .collect();
        let picture = Picture::new(width, height, &rgb).unwrap();
        let corners = [(57.0, 43.0), (157.0, 143.0), (143.0, 157.0), (43.0, 57.0)];
        let [strip] = &strips_of(picture, &corners).unwrap()[..] else { panic!("one strip") };
        assert!(strip.width > 300 && strip.rgb.iter().filter(|&&b| b > 200).count() * 10 > strip.rgb.len() * 9);
        let outside = [(500.0, 500.0), (600.0, 500.0), (600.0, 520.0), (500.0, 520.0)];
        assert!(strips_of(picture, &outside).unwrap().is_empty());
    }
}
