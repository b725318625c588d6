//! What is found: faces, where they are and how well they can be seen.

use super::quality::Quality;
use crate::picture::Picture;

/// How closely a picture is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// The whole picture once: faces from about a tenth of its long side on, with a detector that takes large pictures from about a
    /// fiftieth on.
    Quick,
    /// Overlapping parts of it as well: smaller faces, to about a thirtieth of its long side or less, for several times the work.
    Thorough,
}

/// Cosine similarities of the embedder's vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// From here on two faces are of the same person.
    pub same: f32,
    /// By how much the best person must be more similar than the second best.
    pub margin: f32,
}

/// An upright rectangle in units of the picture's width and height; faces at the edge reach beyond 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Bounds {
    /// Shared area over joint area (Jaccard), 0 to 1. Both in units of the same picture.
    pub fn overlap(&self, other: &Self) -> f32 {
        let side = |a: f32, a_size: f32, b: f32, b_size: f32| ((a + a_size).min(b + b_size) - a.max(b)).max(0.0);
        let shared = side(self.x, self.width, other.x, other.width) * side(self.y, self.height, other.y, other.height);
        let joint = self.width * self.height + other.width * other.height - shared;
        if joint > 0.0 { shared / joint } else { 0.0 }
    }
}

/// Five points of a face in units of the picture's width and height, by the side on which they appear in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Landmarks {
    /// What dlib's five-point model has, read off the face mesh.
    EyeCorners {
        right_eye_outer: [f32; 2],
        right_eye_inner: [f32; 2],
        left_eye_outer: [f32; 2],
        left_eye_inner: [f32; 2],
        /// Where the nose meets the upper lip.
        nose_base: [f32; 2],
    },
    /// What YuNet gives. The eye on the left in the picture is the person's right one.
    EyesAndMouth {
        left_eye: [f32; 2],
        right_eye: [f32; 2],
        nose_tip: [f32; 2],
        left_mouth_corner: [f32; 2],
        right_mouth_corner: [f32; 2],
    },
}

impl Landmarks {
    /// Of points in dlib's order, in pixels of the picture.
    pub(crate) fn eye_corners(points: [[f64; 2]; 5], picture: Picture<'_>) -> Self {
        let [right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base] = in_units(points, picture);
        Self::EyeCorners { right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base }
    }

    /// Of points in YuNet's order, in pixels of the picture.
    pub(crate) fn eyes_and_mouth(points: [[f64; 2]; 5], picture: Picture<'_>) -> Self {
        let [left_eye, right_eye, nose_tip, left_mouth_corner, right_mouth_corner] = in_units(points, picture);
        Self::EyesAndMouth { left_eye, right_eye, nose_tip, left_mouth_corner, right_mouth_corner }
    }

    /// As the network that gave them has them.
    pub(crate) fn in_order(&self) -> [[f32; 2]; 5] {
        match *self {
            Self::EyeCorners { right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base } => {
                [right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base]
            }
            Self::EyesAndMouth { left_eye, right_eye, nose_tip, left_mouth_corner, right_mouth_corner } => {
                [left_eye, right_eye, nose_tip, left_mouth_corner, right_mouth_corner]
            }
        }
    }

    /// The middles of the eyes, that on the left in the picture first, and the nose.
    pub fn eyes_and_nose(&self) -> [[f32; 2]; 3] {
        let middle = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
        match *self {
            Self::EyeCorners { right_eye_outer, right_eye_inner, left_eye_outer, left_eye_inner, nose_base } => {
                [middle(left_eye_outer, left_eye_inner), middle(right_eye_outer, right_eye_inner), nose_base]
            }
            Self::EyesAndMouth { left_eye, right_eye, nose_tip, .. } => [left_eye, right_eye, nose_tip],
        }
    }
}

fn in_units(points: [[f64; 2]; 5], picture: Picture<'_>) -> [[f32; 2]; 5] {
    points.map(|[x, y]| [(x / picture.width() as f64) as f32, (y / picture.height() as f64) as f32])
}

/// A face in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Around the face itself: forehead to chin, without hair and ears.
    pub bounds: Bounds,
    /// How sure the detector is that it is one, 0 to 1.
    pub score: f32,
    pub landmarks: Landmarks,
    pub quality: Quality,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds() -> impl Strategy<Value = Bounds> {
        (-0.5_f32..1.0, -0.5_f32..1.0, 0.01_f32..1.0, 0.01_f32..1.0).prop_map(|(x, y, width, height)| Bounds {
            x,
            y,
            width,
            height,
        })
    }

    proptest! {
        #[test]
        fn overlap_is_a_share_and_the_same_from_both_sides(a in bounds(), b in bounds()) {
            let share = a.overlap(&b);
            prop_assert!((0.0..=1.0).contains(&share));
            prop_assert!((share - b.overlap(&a)).abs() < 1e-5);
            prop_assert!((a.overlap(&a) - 1.0).abs() < 1e-4);
        }
    }
}
