//! How well a face can be seen: whether a vector of it would say whose it is.
//!
//! Limits of the numbers: sharpness also falls with smooth skin and strong compression, and noise counts as detail; brightness is of the picture, not of the
//! skin, so a dark face in good light is not `TooDark` unless its features drown; the angles come from a mesh of an average face and are
//! right to about ten degrees, or, where there is no mesh, from five points of it, and are less sure (see `pose`).

use crate::picture::OwnedPicture;

/// Sides of faces are told apart from here on; the embedder wants 150 pixels around the face and tolerates half of the detail.
const MIN_SIZE_PX: f32 = 40.0;
/// Good enough not to matter.
const GOOD_SIZE_PX: f32 = 110.0;
/// See [`Quality::sharpness`]. Faces that were blurred until they fell below this limit began to look alike to the embedder.
const MIN_SHARPNESS: f32 = 0.006;
const GOOD_SHARPNESS: f32 = 0.03;
const MIN_BRIGHTNESS: f32 = 0.10;
const GOOD_BRIGHTNESS: f32 = 0.22;
const MAX_BRIGHTNESS: f32 = 0.93;
/// Degrees from facing the camera.
const MAX_YAW: f32 = 45.0;
const MAX_PITCH: f32 = 35.0;
const GOOD_ANGLE: f32 = 15.0;

/// How well a face can be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Side of a square as large as the face's bounds, in pixels of the picture.
    pub size_px: f32,
    /// Variance of the Laplacian of luma on the aligned face (Pech-Pacheco et al., ICPR 2000), divided by the variance of luma itself, so
    /// that light and contrast do not count.
    pub sharpness: f32,
    /// Mean luma of the aligned face, 0 to 1 (ITU-R BT.601).
    pub brightness: f32,
    /// Turned towards the picture's right (+) or left (-).
    pub yaw_deg: f32,
    /// Looking up (+) or down (-).
    pub pitch_deg: f32,
    /// Tilted clockwise (+).
    pub roll_deg: f32,
    /// All of it as one number: 0 useless, 1 nothing to wish for.
    pub overall: f32,
}

/// Why a face is not fit to tell whose it is; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QualityProblem {
    TooSmall,
    TooDark,
    TooBright,
    TurnedAway,
    Blurred,
}

impl Quality {
    pub(crate) fn new(size_px: f32, angles_deg: [f32; 3], chip: &OwnedPicture) -> Self {
        let (sharpness, brightness) = measure(chip);
        let [yaw_deg, pitch_deg, roll_deg] = angles_deg;
        let rise = |value: f32, from: f32, to: f32| ((value - from) / (to - from)).clamp(0.0, 1.0);
        // What just passes counts a third, so that the number never reaches 0 for a face that is used.
        let part = |value: f32, from: f32, to: f32| {
            if value < from { 0.0 } else { 1.0 / 3.0 + rise(value, from, to) * 2.0 / 3.0 }
        };
        let fall = |angle: f32, most: f32| part(most - angle.abs(), 0.0, most - GOOD_ANGLE);
        let light =
            part(brightness, MIN_BRIGHTNESS, GOOD_BRIGHTNESS).min(part(1.0 - brightness, 1.0 - MAX_BRIGHTNESS, 0.2));
        let parts = [
            part(size_px, MIN_SIZE_PX, GOOD_SIZE_PX),
            part(sharpness, MIN_SHARPNESS, GOOD_SHARPNESS),
            light,
            fall(yaw_deg, MAX_YAW),
            fall(pitch_deg, MAX_PITCH),
        ];
        // The geometric mean: one bad part is not made good by the others.
        let overall = parts.iter().product::<f32>().powf(1.0 / parts.len() as f32);
        Self { size_px, sharpness, brightness, yaw_deg, pitch_deg, roll_deg, overall }
    }

    /// Why the face is not good enough for a vector that says whose it is. `None`: it is.
    pub fn problem(&self) -> Option<QualityProblem> {
        let problems = [
            (self.size_px < MIN_SIZE_PX, QualityProblem::TooSmall),
            (self.brightness < MIN_BRIGHTNESS, QualityProblem::TooDark),
            (self.brightness > MAX_BRIGHTNESS, QualityProblem::TooBright),
            (self.yaw_deg.abs() > MAX_YAW || self.pitch_deg.abs() > MAX_PITCH, QualityProblem::TurnedAway),
            (self.sharpness < MIN_SHARPNESS, QualityProblem::Blurred),
        ];
        problems.into_iter().find_map(|(applies, problem)| applies.then_some(problem))
    }
}

/// Sharpness and brightness, as [`Quality`] has them.
fn measure(chip: &OwnedPicture) -> (f32, f32) {
    let luma: Vec<f32> = chip
        .rgb
        .chunks_exact(3)
        .map(|pixel| 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]))
        .collect();
    let brightness = luma.iter().sum::<f32>() / luma.len().max(1) as f32 / 255.0;
    let (mut sum, mut squares, mut count) = (0.0_f64, 0.0_f64, 0.0_f64);
    for row in 1..chip.height.saturating_sub(1) {
        for column in 1..chip.width.saturating_sub(1) {
            let at = row * chip.width + column;
            let around = luma[at - 1] + luma[at + 1] + luma[at - chip.width] + luma[at + chip.width];
            let edge = f64::from(around - 4.0 * luma[at]);
            sum += edge;
            squares += edge * edge;
            count += 1.0;
        }
    }
    let edges = if count > 0.0 { squares / count - (sum / count).powi(2) } else { 0.0 };
    let contrast = luma.iter().map(|value| f64::from(value / 255.0 - brightness).powi(2)).sum::<f64>()
        / luma.len().max(1) as f64
        * 255.0
        * 255.0;
    // Below one step of luma there is nothing to see.
    (if contrast > 1.0 { (edges / contrast) as f32 } else { 0.0 }, brightness)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chip(value: impl Fn(usize) -> u8) -> OwnedPicture {
        OwnedPicture { width: 16, height: 16, rgb: (0..16 * 16).flat_map(|n| [value(n); 3]).collect() }
    }

    #[test]
    fn what_is_wrong_with_a_face_is_said() {
        let sharp = chip(|n| if (n + n / 16) % 2 == 0 { 80 } else { 160 });
        let problem = |size, angles, chip: &OwnedPicture| Quality::new(size, angles, chip).problem();
        assert_eq!(problem(120.0, [0.0; 3], &sharp), None);
        assert_eq!(problem(20.0, [0.0; 3], &sharp), Some(QualityProblem::TooSmall));
        assert_eq!(problem(120.0, [-60.0, 0.0, 0.0], &sharp), Some(QualityProblem::TurnedAway));
        assert_eq!(problem(120.0, [0.0, 50.0, 0.0], &sharp), Some(QualityProblem::TurnedAway));
        assert_eq!(problem(120.0, [0.0; 3], &chip(|_| 5)), Some(QualityProblem::TooDark));
        assert_eq!(problem(120.0, [0.0; 3], &chip(|_| 250)), Some(QualityProblem::TooBright));
        assert_eq!(problem(120.0, [0.0; 3], &chip(|_| 120)), Some(QualityProblem::Blurred));
    }

    proptest! {
        #[test]
        fn the_overall_quality_is_a_share_and_zero_only_where_something_is_wrong(
            size in 0.0_f32..900.0, yaw in -90.0_f32..90.0, pitch in -90.0_f32..90.0, low in any::<u8>(), high in any::<u8>(),
        ) {
            let quality = Quality::new(size, [yaw, pitch, 0.0], &chip(|n| if n % 2 == 0 { low } else { high }));
            prop_assert!((0.0..=1.0).contains(&quality.overall));
            prop_assert_eq!(quality.overall > 0.0, quality.problem().is_none(), "{:?}", quality);
        }
    }
}
