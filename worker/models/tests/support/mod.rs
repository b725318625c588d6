//! What the tests stand on: the real models and the recorded speech that `scripts/models --samples` fetches.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

mod copy;

use std::path::PathBuf;

use heimdex_models::Registry;

pub(crate) use copy::Copy;

/// The opening of "A Tale of Two Cities", as read in the recording.
pub(crate) const TWO_CITIES: &str = "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness it was the epoch of \
    belief it was the epoch of incredulity it was the season of light it was the season of darkness it was the spring of hope it was the winter of despair \
    we had everything before us we had nothing before us we were all going direct to heaven we were all going direct the other way in short the period was \
    so far like the present period that some of its noisiest authorities insisted on its being received for good or for evil in the superlative degree of \
    comparison only";

pub(crate) fn registry() -> Registry {
    let folder = std::env::var_os("HEIMDEX_MODELS_DIR")
        .expect("HEIMDEX_MODELS_DIR is not set: run scripts/models and point it at the models folder");
    Registry::open(folder).expect("run scripts/models first")
}

/// A photograph of `scripts/models.d/SAMPLES.md`, at most 1280 pixels long, as frames of videos are.
pub(crate) fn portrait(name: &str) -> image::RgbImage {
    let cache = std::env::var_os("HEIMDEX_CACHE").map_or_else(|| PathBuf::from("/var/cache/heimdex"), PathBuf::from);
    let path = cache.join("samples/faces").join(name);
    let image =
        image::open(&path).unwrap_or_else(|error| panic!("{}: {error}; run scripts/models --samples", path.display()));
    let image = if image.width().max(image.height()) > 1280 {
        image.resize(1280, 1280, image::imageops::FilterType::Triangle)
    } else {
        image
    };
    image.to_rgb8()
}

/// The recording at 16 kHz mono.
pub(crate) fn two_cities() -> Vec<f32> {
    let cache = std::env::var_os("HEIMDEX_CACHE").map_or_else(|| PathBuf::from("/var/cache/heimdex"), PathBuf::from);
    let path = cache.join("samples/two_cities.wav");
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run scripts/models --samples", path.display()));
    assert_eq!(&bytes[22..28], [1, 0, 0x80, 0xBB, 0, 0], "{} is expected to be 48 kHz mono", path.display());
    let wide: Vec<f32> =
        bytes[44..].chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0).collect();
    thirds(&wide)
}

/// 48 kHz to 16 kHz: a windowed-sinc low-pass at 7.6 kHz, then every third sample.
fn thirds(wide: &[f32]) -> Vec<f32> {
    const HALF: i64 = 48;
    let taps: Vec<f32> = (-HALF..=HALF)
        .map(|n| {
            let x = std::f64::consts::PI * n as f64;
            let cut = 2.0 * 7600.0 / 48_000.0;
            let sinc = if n == 0 { cut } else { (cut * x).sin() / x };
            (sinc * (0.5 + 0.5 * (x / (HALF + 1) as f64).cos())) as f32
        })
        .collect();
    (0..wide.len() as i64 / 3)
        .map(|index| {
            taps.iter()
                .enumerate()
                .map(|(tap, weight)| {
                    usize::try_from(index * 3 + tap as i64 - HALF)
                        .ok()
                        .and_then(|at| wide.get(at))
                        .map_or(0.0, |sample| weight * sample)
                })
                .sum()
        })
        .collect()
}

/// Where speech sets in again after at least 0.3 s of quiet, in milliseconds: read off the energy, without any model.
pub(crate) fn onsets_ms(samples: &[f32]) -> Vec<u64> {
    let frames: Vec<f32> = samples
        .chunks(160)
        .map(|frame| (frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len() as f32).sqrt())
        .collect();
    let loudest = frames.iter().copied().fold(0.0, f32::max);
    let (mut quiet, mut onsets) = (30, Vec::new());
    for (index, level) in frames.iter().enumerate() {
        if *level > loudest * 0.1 {
            // A click is no speech: most of the next tenth of a second has to be loud as well.
            let lasting = frames[index..].iter().take(10).filter(|level| **level > loudest * 0.1).count() >= 6;
            if quiet >= 30 && lasting {
                onsets.push(index as u64 * 10);
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    onsets
}

/// Lower-case words without punctuation.
pub(crate) fn plain(text: &str) -> Vec<String> {
    let kept: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    kept.split_whitespace().map(str::to_owned).collect()
}

/// Word error rate: edit distance over the truth's length.
pub(crate) fn wer(truth: &[String], found: &[String]) -> f64 {
    let mut row: Vec<usize> = (0..=found.len()).collect();
    for (i, expected) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, word) in found.iter().enumerate() {
            let substitute = diagonal + usize::from(word != expected);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[found.len()] as f64 / truth.len() as f64
}
