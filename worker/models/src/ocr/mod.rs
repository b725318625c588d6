//! Writing in a picture: PP-OCR's detector and recogniser on ONNX Runtime.
//!
//! Source: PaddleOCR (Apache-2.0); Du et al., "PP-OCR: A Practical Ultra Lightweight OCR System", 2020.

mod detect;
mod recognize;
mod strokes;

use serde::Deserialize;

pub use strokes::Strokes;

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::picture::{Part, Picture};
use detect::{Corners, Detector};
use recognize::{Reading, Recognizer};

/// The manifest's table `[ocr]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcrSpec {
    /// File of the detector: a picture (1 × 3 × height × width) to a map of probabilities of its size.
    pub detector: String,
    /// File of the recogniser: strips (n × 3 × 48 × width) to probabilities (n × steps × classes), its dictionary in its metadata.
    pub recognizer: String,
    /// How many characters the dictionary has; the recogniser's classes are these, a blank and a space.
    pub characters: usize,
    /// Of the detector's input, by channel.
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl OcrSpec {
    /// Its numbers are possible, and the manifest lists its files.
    pub(crate) fn check(&self, manifest: &Manifest) -> Result<(), ModelError> {
        manifest.file(&self.detector)?;
        manifest.file(&self.recognizer)?;
        if self.characters == 0 || !self.std.iter().all(|std| *std > 0.0) {
            return Err(manifest.wrong("`ocr` needs `characters` and a `std` above 0"));
        }
        Ok(())
    }
}

/// Mean probability below which a reading is taken for texture.
const SURE: f32 = 0.75;
/// The same for readings of one or two letters or digits, which textures give more easily.
const SURE_SHORT: f32 = 0.92;
/// More of a picture than this is looked at as a whole.
const MOST_OF_IT: f64 = 0.6;

/// A line of writing.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub text: String,
    /// Clockwise from the upper left as it is read, in units of the picture's width and height, 0 to 1.
    pub corners: [(f32, f32); 4],
    /// Mean probability of its characters, 0 to 1.
    pub confidence: f32,
}

/// A loaded detector and recogniser; calls take turns.
pub struct TextReader {
    detector: Detector,
    recognizer: Recognizer,
}

impl TextReader {
    /// Loads both from a verified manifest, each with `threads` CPU threads of its own, and runs each once to see that what
    /// they give has the shape it should.
    ///
    /// # Errors
    /// [`ModelError::Runtime`] without ONNX Runtime; [`ModelError::Manifest`] when the table `[ocr]` is missing;
    /// [`ModelError::Mismatch`] naming the file, what was expected and what was found.
    pub fn load(manifest: &Manifest, threads: usize) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Ocr)?;
        let spec = manifest.ocr()?;
        Ok(Self {
            detector: Detector::load(manifest, &spec.detector, (spec.mean, spec.std), threads)?,
            recognizer: Recognizer::load(manifest, &spec.recognizer, spec.characters, threads)?,
        })
    }

    /// The lines of writing in a picture, from the top down and from the left. `strokes` is of the same picture.
    ///
    /// # Errors
    /// [`ModelError::Engine`], [`ModelError::Picture`].
    pub fn read(&self, picture: Picture<'_>, strokes: &Strokes) -> Result<Vec<Line>, ModelError> {
        let (width, height) = (picture.width() as f64, picture.height() as f64);
        let mut parts = strokes.parts();
        if parts.iter().map(|part| part.width * part.height).sum::<f64>() > MOST_OF_IT * width * height {
            parts = vec![Part { left: 0.0, top: 0.0, width, height }];
        }
        let corners = self.detector.lines(picture, &parts)?;
        let readings = self.recognizer.read(picture, &corners)?;
        let found = corners.into_iter().zip(readings).filter(|(_, reading)| is_writing(reading));
        let mut lines: Vec<Line> = found.map(|(corners, reading)| line(corners, reading, width, height)).collect();
        lines.sort_by(|a, b| {
            let place = |line: &Line| (line.corners[0].1, line.corners[0].0);
            place(a).0.total_cmp(&place(b).0).then(place(a).1.total_cmp(&place(b).1))
        });
        Ok(lines)
    }
}

fn line(corners: Corners, reading: Reading, width: f64, height: f64) -> Line {
    let unit = |n: f32, size: f64| (f64::from(n) / size).clamp(0.0, 1.0) as f32;
    Line {
        text: reading.text,
        corners: corners.map(|(x, y)| (unit(x, width), unit(y, height))),
        confidence: reading.confidence,
    }
}

/// Whether a reading is writing rather than a texture that looks like some.
fn is_writing(reading: &Reading) -> bool {
    let letters = reading.text.chars().filter(|c| c.is_alphanumeric()).count();
    match letters {
        0 => false,
        1 | 2 => reading.confidence >= SURE_SHORT,
        _ => reading.confidence >= SURE,
    }
}
