//! What a classifier says where there is nothing to see, as Zhao et al. ask a language model ("Calibrate Before Use", 2021): some
//! classes ("web site", "screen", "digital clock") are given to every title card and test picture, so they count for less. And cards
//! with writing, by which others are known.

use super::conse::softmax;
use super::vision::Vision;
use crate::error::ModelError;
use crate::picture::{OwnedPicture, Picture};

/// Sides of the pictures, pixels; they are plain, so their size does not matter.
const SIDE: usize = 64;
/// Brightness by which a pixel of a plain picture stands out from its neighbours, in the mean, of 255.
const PLAIN: f32 = 0.5;
/// Of a card: width and height, and of its lines the top, the left and the widths of words; pixels.
const CARD: (usize, usize) = (128, 72);
const LINES: [(usize, usize, [usize; 4]); 2] = [(24, 20, [14, 22, 9, 18]), (42, 24, [20, 11, 16, 12])];
const LINE_HEIGHT: usize = 8;
const BETWEEN_WORDS: usize = 5;

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

/// Whether a picture is of one colour, or goes evenly from one to another: of a grain of [`SIDE`] pixels none stands out from those around
/// it. Plain pictures have 0.1 at most, title cards 2.9 and more.
pub(super) fn is_plain(picture: Picture<'_>) -> Result<bool, ModelError> {
    let small = picture.resized(SIDE, SIDE)?;
    let grey: Vec<f32> = small
        .rgb
        .chunks_exact(3)
        .map(|p| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]))
        .collect();
    let inner = (1..SIDE - 1).flat_map(|y| (1..SIDE - 1).map(move |x| y * SIDE + x));
    let standing_out =
        inner.map(|at| (4.0 * grey[at] - grey[at - 1] - grey[at + 1] - grey[at - SIDE] - grey[at + SIDE]).abs());
    Ok(standing_out.sum::<f32>() / ((SIDE - 2) * (SIDE - 2)) as f32 <= PLAIN)
}

/// Two lines of bars, as wide as words, on a plain ground.
pub(super) fn cards() -> Vec<OwnedPicture> {
    (0..8).map(card).collect()
}

fn card(corner: usize) -> OwnedPicture {
    let is_ink = |x: usize, y: usize| {
        LINES.iter().zip(0..).any(|((top, left, words), line)| {
            let starts = words.iter().scan(*left, |at, width| {
                let start = *at;
                *at += width + BETWEEN_WORDS;
                Some(start..start + width)
            });
            // Letters have gaps.
            (*top..top + LINE_HEIGHT).contains(&y)
                && (x * 7 + line) % 4 != 3
                && starts.into_iter().any(|word| word.contains(&x))
        })
    };
    drawn(CARD, |x, y| colour(if is_ink(x, y) { 7 - corner } else { corner }))
}

fn plain(corner: usize) -> OwnedPicture {
    drawn((SIDE, SIDE), |_, _| colour(corner))
}

/// From one corner to another, downwards or to the right.
fn gradient(corner: usize) -> OwnedPicture {
    let (from, to) = (colour(corner), colour((corner + 3) % 8));
    drawn((SIDE, SIDE), |x, y| {
        let way = if corner.is_multiple_of(2) { y } else { x } as f32 / (SIDE - 1) as f32;
        [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * way)
    })
}

fn drawn((width, height): (usize, usize), at: impl Fn(usize, usize) -> [f32; 3]) -> OwnedPicture {
    let pixels = (0..width * height).flat_map(|place| at(place % width, place / width)).map(|value| value as u8);
    OwnedPicture { width, height, rgb: pixels.collect() }
}
