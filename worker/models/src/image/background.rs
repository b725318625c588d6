//! What a classifier says where there is nothing to see, as Zhao et al. ask a language model ("Calibrate Before Use", 2021): some
//! classes ("web site", "screen", "digital clock") are given to every title card and test picture, so they count for less.

use super::conse::softmax;
use super::vision::Vision;
use crate::error::ModelError;
use crate::picture::{OwnedPicture, Picture};

/// Sides of the pictures, pixels; they are plain, so their size does not matter.
const SIDE: usize = 64;

/// Logarithms of the mean probabilities of empty pictures, times `weight`: what to take off `logits / temperature`.
pub(super) fn measure(vision: &Vision, classes: usize, temperature: f32, weight: f32) -> Result<Vec<f32>, ModelError> {
    let empty: Vec<OwnedPicture> = (0..8).flat_map(|corner| [plain(corner), gradient(corner)]).collect();
    let shown: Vec<Picture<'_>> = empty.iter().map(OwnedPicture::as_picture).collect();
    let mut mean = vec![0.0_f32; classes];
    let logits = vision.run(&shown)?;
    let rows = logits.chunks_exact(classes);
    let count = rows.len() as f32;
    for row in rows {
        mean.iter_mut().zip(softmax(row, temperature)).for_each(|(mean, p)| *mean += p / count);
    }
    Ok(mean.into_iter().map(|p| weight * p.max(f32::MIN_POSITIVE).ln()).collect())
}

/// A corner of the cube of colours, its three bits red, green and blue; neither black nor white entirely.
fn colour(corner: usize) -> [f32; 3] {
    [0, 1, 2].map(|bit| if corner >> bit & 1 == 1 { 224.0 } else { 32.0 })
}

fn plain(corner: usize) -> OwnedPicture {
    drawn(|_, _| colour(corner))
}

/// From one corner to another, downwards or to the right.
fn gradient(corner: usize) -> OwnedPicture {
    let (from, to) = (colour(corner), colour((corner + 3) % 8));
    drawn(|x, y| {
        let way = if corner.is_multiple_of(2) { y } else { x } as f32 / (SIDE - 1) as f32;
        [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * way)
    })
}

fn drawn(at: impl Fn(usize, usize) -> [f32; 3]) -> OwnedPicture {
    let pixels = (0..SIDE * SIDE).flat_map(|place| at(place % SIDE, place / SIDE)).map(|value| value as u8);
    OwnedPicture { width: SIDE, height: SIDE, rgb: pixels.collect() }
}
