//! Cutting a turned square out of a picture, and where the square must lie for a face to stand upright in it.

use crate::error::ModelError;
use crate::picture::{OwnedPicture, Part, Picture};

/// Where the embedder wants the five points, in units of the face's box (dlib 19.24, `get_face_chip_details`).
const MEAN_FACE: [[f64; 2]; 5] = [
    [0.859_567_459_6, 0.213_498_153_8],
    [0.646_060_476_4, 0.228_967_438_8],
    [0.120_575_062_1, 0.213_727_452_7],
    [0.334_085_061_4, 0.229_064_240_3],
    [0.490_112_313_6, 0.627_797_531_6],
];
/// What dlib leaves around the box on each side, of its size.
const PADDING: f64 = 0.25;

/// Turning, scaling and moving: `(x, y) → (a·x - b·y + left, b·x + a·y + top)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Similarity {
    pub a: f64,
    pub b: f64,
    pub left: f64,
    pub top: f64,
}

impl Similarity {
    pub(crate) fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.left, self.b * x + self.a * y + self.top]
    }

    /// Pixels of the source for one of the target.
    pub(crate) fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// A square of `side` source pixels around `centre`, turned clockwise by `angle` (radians), as `size` target pixels.
    pub(crate) fn square(centre: [f64; 2], side: f64, angle: f64, size: usize) -> Self {
        let scale = side / size as f64;
        let (a, b) = (scale * angle.cos(), scale * angle.sin());
        let half = size as f64 / 2.0;
        Self { a, b, left: centre[0] - (a * half - b * half), top: centre[1] - (b * half + a * half) }
    }

    /// The one that brings `from` nearest to `to`, by least squares (Umeyama 1991, without reflection). `None` when all of `from`
    /// is one point.
    pub(crate) fn between(from: &[[f64; 2]], to: &[[f64; 2]]) -> Option<Self> {
        let count = from.len().min(to.len()) as f64;
        let middle = |points: &[[f64; 2]]| {
            let sum = points.iter().fold([0.0, 0.0], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
            [sum[0] / count, sum[1] / count]
        };
        let (centre, target) = (middle(from), middle(to));
        let (mut along, mut across, mut size) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (x, y) = (p[0] - centre[0], p[1] - centre[1]);
            let (u, v) = (q[0] - target[0], q[1] - target[1]);
            along += x * u + y * v;
            across += x * v - y * u;
            size += x * x + y * y;
        }
        if size <= f64::EPSILON {
            return None;
        }
        let (a, b) = (along / size, across / size);
        Some(Self {
            a,
            b,
            left: target[0] - (a * centre[0] - b * centre[1]),
            top: target[1] - (b * centre[0] + a * centre[1]),
        })
    }

    /// From a chip of `size` pixels as the embedder wants it to the picture whose pixels `points` (in dlib's order) are of.
    pub(crate) fn of_face(points: [[f64; 2]; 5], size: usize) -> Option<Self> {
        let place = |value: f64| (PADDING + value) / (2.0 * PADDING + 1.0) * size as f64;
        let wanted = MEAN_FACE.map(|[x, y]| [place(x), place(y)]);
        Self::between(&wanted, &points)
    }
}

/// A square of `size` pixels whose pixels lie in `picture` where `map` says; bilinear, black outside of the picture. Where that
/// makes it smaller, the part is resized first, so that no pixel is skipped.
pub(crate) fn cut(picture: Picture<'_>, map: &Similarity, size: usize) -> Result<OwnedPicture, ModelError> {
    let mut target = OwnedPicture { width: size, height: size, rgb: vec![0; size * size * 3] };
    let end = size as f64;
    let corners = [[0.0, 0.0], [end, 0.0], [0.0, end], [end, end]].map(|corner| map.apply(corner));
    let range = |axis: usize, most: usize| {
        let low = corners.iter().map(|corner| corner[axis]).fold(f64::INFINITY, f64::min).floor() - 2.0;
        let high = corners.iter().map(|corner| corner[axis]).fold(f64::NEG_INFINITY, f64::max).ceil() + 2.0;
        (low.max(0.0), high.min(most as f64))
    };
    let ((left, right), (top, bottom)) = (range(0, picture.width()), range(1, picture.height()));
    // Also false for numbers that are none.
    if !(right - left >= 1.0 && bottom - top >= 1.0) {
        return Ok(target);
    }
    let part = Part { left, top, width: right - left, height: bottom - top };
    let shrink = map.scale().max(1.0);
    let side = |length: f64| ((length / shrink).round() as usize).max(1);
    let source = picture.resized_part(part, side(part.width), side(part.height))?;
    let (across, down) = (source.width as f64 / part.width, source.height as f64 / part.height);
    for (row, line) in target.rgb.chunks_exact_mut(size * 3).enumerate() {
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let [x, y] = map.apply([column as f64 + 0.5, row as f64 + 0.5]);
            sample(&source, (x - left) * across - 0.5, (y - top) * down - 0.5, pixel);
        }
    }
    Ok(target)
}

/// The colour at a place between pixels; `x` and `y` count from the middle of the first pixel. Beyond half a pixel outside nothing is written.
fn sample(source: &OwnedPicture, x: f64, y: f64, pixel: &mut [u8]) {
    let (last_x, last_y) = (source.width as f64 - 1.0, source.height as f64 - 1.0);
    if !(x >= -0.5 && y >= -0.5 && x <= last_x + 0.5 && y <= last_y + 0.5) {
        return;
    }
    let (x, y) = (x.clamp(0.0, last_x), y.clamp(0.0, last_y));
    let (column, row) = (x as usize, y as usize);
    let (right, below) = ((column + 1).min(source.width - 1), (row + 1).min(source.height - 1));
    let (along, down) = ((x - column as f64) as f32, (y - row as f64) as f32);
    for (channel, value) in pixel.iter_mut().enumerate() {
        let at = |column: usize, row: usize| f32::from(source.rgb[(row * source.width + column) * 3 + channel]);
        let upper = at(column, row) * (1.0 - along) + at(right, row) * along;
        let lower = at(column, below) * (1.0 - along) + at(right, below) * along;
        *value = (upper * (1.0 - down) + lower * down).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_similarity_is_found_again_from_the_points_it_moved(
            scale in 0.01_f64..50.0, angle in -3.1_f64..3.1, left in -900.0_f64..900.0, top in -900.0_f64..900.0,
        ) {
            let map = Similarity { a: scale * angle.cos(), b: scale * angle.sin(), left, top };
            let moved = MEAN_FACE.map(|point| map.apply(point));
            let found = Similarity::between(&MEAN_FACE, &moved).unwrap();
            for (one, other) in [(map.a, found.a), (map.b, found.b), (map.left, found.left), (map.top, found.top)] {
                prop_assert!((one - other).abs() < 1e-6, "{map:?} {found:?}");
            }
        }

        #[test]
        fn any_square_of_any_picture_can_be_cut(
            width in 1_usize..9, height in 1_usize..9, side in 0.1_f64..1e4, angle in -7.0_f64..7.0, x in -1e3_f64..1e3, y in -1e3_f64..1e3,
        ) {
            let rgb = vec![200; width * height * 3];
            let picture = Picture::new(width, height, &rgb).unwrap();
            let chip = cut(picture, &Similarity::square([x, y], side, angle, 16), 16).unwrap();
            prop_assert!(chip.rgb.iter().all(|&value| value == 0 || value == 200));
        }
    }

    #[test]
    fn points_that_are_one_have_no_direction() {
        assert_eq!(Similarity::between(&[[1.0, 1.0]; 5], &MEAN_FACE), None);
    }

    #[test]
    fn a_quarter_turn_turns_the_picture() {
        // Left half red, right half blue; a square turned clockwise by 90° sees red below … and blue above.
        let rgb: Vec<u8> = (0..8 * 8).flat_map(|n| if n % 8 < 4 { [255, 0, 0] } else { [0, 0, 255] }).collect();
        let picture = Picture::new(8, 8, &rgb).unwrap();
        let map = Similarity::square([4.0, 4.0], 8.0, std::f64::consts::FRAC_PI_2, 8);
        let turned = cut(picture, &map, 8).unwrap();
        assert_eq!((&turned.rgb[..3], &turned.rgb[8 * 8 * 3 - 3..]), (&[0, 0, 255][..], &[255, 0, 0][..]));
    }
}
