//! Cutting a turned square out of a picture, and where the square must lie for a face to stand upright in it.

use super::types::{Face, Landmarks};
use crate::error::ModelError;
use crate::picture::{OwnedPicture, Part, Picture};

/// Where dlib's embedder wants the corners of the eyes and the base of the nose, in units of the face's box (dlib 19.24,
/// `get_face_chip_details`).
const EYE_CORNERS: [[f64; 2]; 5] = [
    [0.859_567_459_6, 0.213_498_153_8],
    [0.646_060_476_4, 0.228_967_438_8],
    [0.120_575_062_1, 0.213_727_452_7],
    [0.334_085_061_4, 0.229_064_240_3],
    [0.490_112_313_6, 0.627_797_531_6],
];
/// What dlib leaves around the box on each side, of its size.
const PADDING: f64 = 0.25;
/// Where SFace wants eyes, tip of the nose and corners of the mouth, in its pixels (opencv, modules/objdetect/src/face_recognize.cpp; the
/// template of ArcFace, Deng et al. 2019). OpenCV counts from the middle of the first pixel, this program from its edge.
const EYES_AND_MOUTH: [[f64; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];
const HALF_PIXEL: f64 = 0.5;
/// Less than this is what rounding leaves of points that are one.
const ONE_POINT: f64 = 1e-9;

/// Into which square a face is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// As dlib cuts it: a quarter of the face's size is left around it.
    Dlib,
    /// As SFace wants it: from the eyebrows to the chin.
    SFace,
}

impl Frame {
    /// In pixels.
    pub(crate) fn side(self) -> usize {
        match self {
            Self::Dlib => super::CHIP_SIDE,
            Self::SFace => 112,
        }
    }

    /// Where the landmarks belong, in pixels of the square.
    fn wanted(self, landmarks: &Landmarks) -> Option<[[f64; 2]; 5]> {
        let in_dlib =
            |[x, y]: [f64; 2]| [x, y].map(|value| (PADDING + value) / (2.0 * PADDING + 1.0) * Self::Dlib.side() as f64);
        let in_sface = |point: [f64; 2]| point.map(|value| value + HALF_PIXEL);
        let (corners, features) = (EYE_CORNERS.map(in_dlib), EYES_AND_MOUTH.map(in_sface));
        // Where both squares show the same eyes, one network's points have their place in the other one's square.
        let between_corners = |a: usize, b: usize| [0, 1].map(|axis| (corners[a][axis] + corners[b][axis]) / 2.0);
        let eyes = [between_corners(2, 3), between_corners(0, 1)];
        let to_dlib = Similarity::between(&features[..2], &eyes)?;
        Some(match (landmarks, self) {
            (Landmarks::EyeCorners { .. }, Self::Dlib) => corners,
            (Landmarks::EyesAndMouth { .. }, Self::SFace) => features,
            (Landmarks::EyesAndMouth { .. }, Self::Dlib) => features.map(|point| to_dlib.apply(point)),
            (Landmarks::EyeCorners { .. }, Self::SFace) => corners.map(|point| to_dlib.inverse().apply(point)),
        })
    }
}

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

    /// Back again.
    fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, left: b * self.top - a * self.left, top: -b * self.left - a * self.top }
    }

    /// The one that brings `from` nearest to `to`, by least squares (Umeyama 1991, without reflection). `None` when all of `from` is one
    /// point or all of `to`: nothing can be turned to that.
    pub(crate) fn between(from: &[[f64; 2]], to: &[[f64; 2]]) -> Option<Self> {
        let count = from.len().min(to.len()) as f64;
        let middle = |points: &[[f64; 2]]| {
            let sum = points.iter().fold([0.0, 0.0], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
            [sum[0] / count, sum[1] / count]
        };
        let (centre, target) = (middle(from), middle(to));
        let (mut along, mut across, mut size) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (p, q) in from.iter().zip(to) {
            let (x, y) = (p[0] - centre[0], p[1] - centre[1]);
            let (u, v) = (q[0] - target[0], q[1] - target[1]);
            along += x * u + y * v;
            across += x * v - y * u;
            size += x * x + y * y;
        }
        let (a, b) = (along / size, across / size);
        // Neither is true of a number that is none.
        if !(size > ONE_POINT && a.hypot(b) > ONE_POINT) {
            return None;
        }
        Some(Self {
            a,
            b,
            left: target[0] - (a * centre[0] - b * centre[1]),
            top: target[1] - (b * centre[0] + a * centre[1]),
        })
    }

    /// From the frame's square to the picture of `width` × `height` pixels that the landmarks are of. `None` when they are one point.
    pub(crate) fn of_face(landmarks: &Landmarks, width: f64, height: f64, frame: Frame) -> Option<Self> {
        let wanted = frame.wanted(landmarks)?;
        let points = landmarks.in_order().map(|[x, y]| [f64::from(x) * width, f64::from(y) * height]);
        match frame {
            Frame::Dlib => Self::between(&wanted, &points),
            // OpenCV looks for the way into the square and goes back, which is another one where the face is no average one.
            Frame::SFace => {
                let points = points.map(|point| point.map(|value| value + HALF_PIXEL));
                Some(Self::between(&points, &wanted)?.inverse())
            }
        }
    }
}

/// The face as the frame shows it.
///
/// # Errors
/// [`ModelError::Picture`] when the face's landmarks are one point.
pub(crate) fn aligned(picture: Picture<'_>, face: &Face, frame: Frame) -> Result<OwnedPicture, ModelError> {
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    let map = Similarity::of_face(&face.landmarks, width, height, frame)
        .ok_or_else(|| ModelError::Picture { reason: "a face whose points are one point".to_owned() })?;
    cut(picture, &map, frame.side())
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
            let moved = EYE_CORNERS.map(|point| map.apply(point));
            let found = Similarity::between(&EYE_CORNERS, &moved).unwrap();
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
        assert_eq!(Similarity::between(&[[1.0, 1.0]; 5], &EYE_CORNERS), None);
        assert_eq!(Similarity::between(&EYE_CORNERS, &[[1.0, 1.0]; 5]), None);
    }

    /// As OpenCV's `FaceRecognizerSF::alignCrop` cuts these points out; its matrix, by its own steps in numpy.
    #[test]
    fn a_face_goes_into_the_square_of_sface_as_with_opencv() {
        let points = [[210.0, 180.0], [268.0, 171.0], [245.0, 214.0], [222.0, 246.0], [270.0, 239.0]];
        let rgb = vec![0; 640 * 480 * 3];
        let picture = Picture::new(640, 480, &rgb).unwrap();
        let landmarks = Landmarks::eyes_and_mouth(points, picture);
        let back = Similarity::of_face(&landmarks, 640.0, 480.0, Frame::SFace).unwrap();
        // Pixels of the square, and where they come from.
        for (place, expected) in [
            ([0.0, 0.0], [136.4203, 101.9058]),
            ([56.0, 56.0], [239.8811, 183.7036]),
            ([111.0, 0.0], [320.0248, 80.4362]),
            ([30.0, 100.0], [205.3851, 261.5127]),
        ] {
            let found = back.apply(place.map(|value| value + 0.5)).map(|value: f64| value - 0.5);
            assert!((found[0] - expected[0]).hypot(found[1] - expected[1]) < 1e-2, "{found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn both_kinds_of_points_show_the_same_face_in_both_squares() {
        // An average face in a square of 1000 pixels, by its corners and by its features.
        let rgb = vec![0; 1000 * 1000 * 3];
        let picture = Picture::new(1000, 1000, &rgb).unwrap();
        let corners = Landmarks::eye_corners(EYE_CORNERS.map(|point| point.map(|value| value * 1000.0)), picture);
        for frame in [Frame::Dlib, Frame::SFace] {
            let map = |landmarks: &Landmarks| Similarity::of_face(landmarks, 1000.0, 1000.0, frame).unwrap();
            let by_corners = map(&corners);
            let features = frame.wanted(&Landmarks::eyes_and_mouth([[0.0; 2]; 5], picture)).unwrap();
            let by_features = map(&Landmarks::eyes_and_mouth(features.map(|point| by_corners.apply(point)), picture));
            for corner in [[0.0, 0.0], [frame.side() as f64; 2]] {
                let (one, other) = (by_corners.apply(corner), by_features.apply(corner));
                assert!((one[0] - other[0]).hypot(one[1] - other[1]) < 1.0, "{frame:?}: {one:?} {other:?}");
            }
        }
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
