//! Which way a face looks, from five points of it.
//!
//! The points of an average face are laid over those that were found, seen from afar (DeMenthon and Davis, "Model-Based Object Pose in 25
//! Lines of Code", 1995, the first of its steps). Only the tip of the nose lies out of the plane of the others, so a nose that is longer
//! or shorter than the average by a fifth turns 30 degrees into 35 or 25.

/// An average face in distances between its eyes, from the tip of its nose: right, down, and away from who looks at it. As they lie in
/// SFace's template, with the depths of MediaPipe's canonical face.
const EYES: [f64; 3] = [0.5, -0.5716, 0.584];
const MOUTH: [f64; 3] = [0.4140, 0.5830, 0.507];

/// Yaw, pitch and roll in degrees (see [`super::Quality`]) of a face with these points in pixels: the eye on the left in the picture, the
/// other one, the tip of the nose, the corner of the mouth on the left, the other one.
pub(super) fn angles_deg(points: [[f64; 2]; 5]) -> [f32; 3] {
    let unit = |[x, y, z]: [f64; 3]| {
        let length = (x * x + y * y + z * z).sqrt().max(f64::MIN_POSITIVE);
        [x / length, y / length, z / length]
    };
    // The rows of the rotation that turns the average face into this one; the third is at right angles to the others.
    let [across, down] = [0, 1].map(|of| unit(axis(points.map(|point| point[of]))));
    let away = [
        across[1] * down[2] - across[2] * down[1],
        across[2] * down[0] - across[0] * down[2],
        across[0] * down[1] - across[1] * down[0],
    ];
    let yaw = away[0].atan2(away[2]);
    let pitch = (-away[1]).atan2(away[0].hypot(away[2]));
    let roll = (-across[1]).atan2(down[1]);
    [yaw, pitch, roll].map(|angle| angle.to_degrees() as f32)
}

/// How much one coordinate of the picture grows along the face's three axes; least squares over its values at the five points.
fn axis([left_eye, right_eye, nose, left_mouth, right_mouth]: [f64; 5]) -> [f64; 3] {
    // The points mirror each other: differences of left and right depend on the first axis alone, means on the others.
    let across = ((right_eye - left_eye) * EYES[0] + (right_mouth - left_mouth) * MOUTH[0])
        / (2.0 * (EYES[0] * EYES[0] + MOUTH[0] * MOUTH[0]));
    let (eyes, mouth) = ((left_eye + right_eye) / 2.0 - nose, (left_mouth + right_mouth) / 2.0 - nose);
    let determinant = EYES[1] * MOUTH[2] - EYES[2] * MOUTH[1];
    let down = (eyes * MOUTH[2] - mouth * EYES[2]) / determinant;
    let away = (mouth * EYES[1] - eyes * MOUTH[1]) / determinant;
    [across, down, away]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The average face, turned to the picture's right, then up, then clockwise, seen from afar.
    fn seen(yaw: f64, pitch: f64, roll: f64) -> [[f64; 2]; 5] {
        let mirrored = |[x, y, z]: [f64; 3]| [-x, y, z];
        [mirrored(EYES), EYES, [0.0; 3], mirrored(MOUTH), MOUTH].map(|[x, y, z]| {
            let (sin, cos) = yaw.to_radians().sin_cos();
            let (x, z) = (cos * x - sin * z, sin * x + cos * z);
            let (sin, cos) = pitch.to_radians().sin_cos();
            let y = cos * y + sin * z;
            let (sin, cos) = roll.to_radians().sin_cos();
            [300.0 + 80.0 * (cos * x - sin * y), 200.0 + 80.0 * (cos * y + sin * x)]
        })
    }

    #[test]
    fn a_nose_that_lies_to_the_right_looks_there_and_one_that_lies_high_looks_up() {
        let mut points = seen(0.0, 0.0, 0.0);
        points[2][0] += 20.0;
        points[2][1] -= 15.0;
        let [yaw, pitch, _] = angles_deg(points);
        assert!(yaw > 10.0 && pitch > 8.0, "{yaw} {pitch}");
    }

    proptest! {
        #[test]
        fn an_average_face_is_seen_to_look_where_it_does(
            yaw in -60.0_f64..60.0, pitch in -50.0_f64..50.0, roll in -170.0_f64..170.0,
        ) {
            let found = angles_deg(seen(yaw, pitch, roll));
            for (found, expected) in found.into_iter().zip([yaw, pitch, roll]) {
                prop_assert!((f64::from(found) - expected).abs() < 0.1, "{found} instead of {expected}");
            }
        }

        #[test]
        fn any_five_points_have_angles(points in prop::array::uniform5(prop::array::uniform2(-1e4_f64..1e4))) {
            prop_assert!(angles_deg(points).iter().all(|angle| (-180.0..=180.0).contains(angle)));
        }
    }
}
