//! What is found: faces, where they are and how well they can be seen.

use super::quality::Quality;

/// How closely a picture is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// The whole picture once: faces from about a tenth of its long side on.
    Quick,
    /// Overlapping parts of it as well: faces from about a thirtieth of its long side on, for several times the work.
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
pub struct Landmarks {
    pub right_eye_outer: [f32; 2],
    pub right_eye_inner: [f32; 2],
    pub left_eye_outer: [f32; 2],
    pub left_eye_inner: [f32; 2],
    /// Where the nose meets the upper lip.
    pub nose_base: [f32; 2],
}

impl Landmarks {
    /// In dlib's order (five-point model).
    pub(crate) fn in_order(&self) -> [[f32; 2]; 5] {
        [self.right_eye_outer, self.right_eye_inner, self.left_eye_outer, self.left_eye_inner, self.nose_base]
    }
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
