//! One suite for both architectures of face models, on photographs and on painted faces, and what is to be known of the painted ones'
//! places. `scripts/models --samples` fetches the photographs.
#![allow(clippy::unwrap_used)]

mod support;

use heimdex_models::face::{self, CHIP_SIDE, Effort, Face, Landmarks, QualityProblem};
use heimdex_models::{FaceAnalyzer, ModelError, Picture};
use image::imageops;
use image::{Rgb, RgbImage};
use support::{Copy, portrait, registry};

const GREY: Rgb<u8> = Rgb([110; 3]);

fn tiny() -> FaceAnalyzer {
    FaceAnalyzer::load(&Copy::of_fixture("yunet-tiny").get().unwrap(), 2).unwrap()
}

/// A square that the small model takes for a face (see fixtures/make_yunet.py).
#[derive(Clone, Copy)]
struct Painted {
    place: [u32; 2],
    side: u32,
    /// Brightness of its quarters, by rows: whose face it is.
    quarters: [u8; 4],
    /// How much redder it is than blue.
    strength: u8,
    /// How far its nose lies to the right, of its side.
    aside: f32,
}

const SOMEBODY: Painted = Painted { place: [70, 50], side: 44, quarters: [80, 10, 80, 10], strength: 150, aside: 0.0 };

fn painted(width: u32, height: u32, faces: &[Painted]) -> RgbImage {
    let mut image = RgbImage::from_pixel(width, height, GREY);
    for face in faces {
        for (row, column) in (0..face.side).flat_map(|row| (0..face.side).map(move |column| (row, column))) {
            let quarter = row * 2 / face.side * 2 + column * 2 / face.side;
            // Some texture, or it would count as blurred.
            let noise = (column * 7 + row * 13 + column * row * 3).wrapping_mul(2_654_435_761) >> 27;
            let base = face.quarters[quarter as usize] + (noise % 24) as u8;
            let green = f32::from(base) + f32::from(face.strength) * face.aside;
            let pixel = Rgb([base + face.strength, green.round() as u8, base]);
            image.put_pixel(face.place[0] + column, face.place[1] + row, pixel);
        }
    }
    image
}

fn picture(image: &RgbImage) -> Picture<'_> {
    Picture::new(image.width() as usize, image.height() as usize, image.as_raw()).unwrap()
}

fn largest(analyzer: &FaceAnalyzer, image: &RgbImage, effort: Effort) -> Face {
    let faces = analyzer.detect(picture(image), effort).unwrap();
    faces.into_iter().max_by(|a, b| a.quality.size_px.total_cmp(&b.quality.size_px)).unwrap()
}

fn vector(analyzer: &FaceAnalyzer, image: &RgbImage, face: &Face) -> Vec<f32> {
    analyzer.embed(picture(image), std::slice::from_ref(face)).unwrap().remove(0)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The same face with all its points in one place.
fn without_extent(face: &Face) -> Face {
    let p = [0.3, 0.6];
    let landmarks = match face.landmarks {
        Landmarks::EyeCorners { .. } => Landmarks::EyeCorners {
            right_eye_outer: p,
            right_eye_inner: p,
            left_eye_outer: p,
            left_eye_inner: p,
            nose_base: p,
        },
        Landmarks::EyesAndMouth { .. } => Landmarks::EyesAndMouth {
            left_eye: p,
            right_eye: p,
            nose_tip: p,
            left_mouth_corner: p,
            right_mouth_corner: p,
        },
    };
    Face { landmarks, ..face.clone() }
}

/// What every face model promises. The portraits are two of one person, then one of another.
fn conforms(analyzer: &FaceAnalyzer, portraits: [&RgbImage; 3]) {
    let mut vectors = Vec::new();
    for image in portraits {
        let (width, height) = (image.width() as f32, image.height() as f32);
        let face = largest(analyzer, image, Effort::Thorough);
        assert_eq!(face.quality.problem(), None, "{face:?}");
        assert!((0.5..=1.0).contains(&face.score), "{}", face.score);
        let side_px = (face.bounds.width * width * face.bounds.height * height).sqrt();
        assert!((side_px / face.quality.size_px - 1.0).abs() < 1e-3);
        let [left, right, nose] = face.landmarks.eyes_and_nose();
        for [x, y] in [left, right, nose] {
            assert!(x > face.bounds.x && x < face.bounds.x + face.bounds.width, "{face:?}");
            assert!(y > face.bounds.y && y < face.bounds.y + face.bounds.height, "{face:?}");
        }
        assert!(left[0] < nose[0] && nose[0] < right[0] && nose[1] > left[1].max(right[1]), "{face:?}");
        assert!(largest(analyzer, image, Effort::Quick).bounds.overlap(&face.bounds) > 0.7);
        let chip = face::chip(picture(image), &face).unwrap();
        assert_eq!((chip.width, chip.height), (CHIP_SIDE, CHIP_SIDE));

        let own = vector(analyzer, image, &face);
        assert_eq!(own.len(), analyzer.dimension());
        assert!((cosine(&own, &own) - 1.0).abs() < 1e-4, "length 1");
        // Neither company nor the size of a batch changes a vector.
        let crowd: Vec<Face> = std::iter::repeat_n(face.clone(), 19).collect();
        let many = analyzer.embed(picture(image), &crowd).unwrap();
        assert!(many.len() == 19 && many.iter().all(|other| cosine(&own, other) > 0.9999));

        let lost = without_extent(&face);
        assert!(matches!(face::chip(picture(image), &lost), Err(ModelError::Picture { .. })));
        let refused = analyzer.embed(picture(image), &[face.clone(), lost]);
        assert!(matches!(refused, Err(ModelError::Picture { .. })));

        moves_with_its_picture(analyzer, image, &face, &own);
        looks_the_other_way_in_a_mirror(analyzer, image, &face);
        vectors.push(own);
    }
    let same = analyzer.thresholds().same;
    assert!(cosine(&vectors[0], &vectors[1]) >= same);
    assert!(cosine(&vectors[0], &vectors[2]) < same && cosine(&vectors[1], &vectors[2]) < same);

    let alone = analyzer.detect(picture(portraits[0]), Effort::Thorough).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(analyzer.detect(picture(portraits[0]), Effort::Thorough).unwrap(), alone);
                assert_eq!(
                    vector(analyzer, portraits[0], &largest(analyzer, portraits[0], Effort::Thorough)),
                    vectors[0]
                );
            });
        }
    });

    // Any picture has an answer, and where nobody is nobody is found.
    for (width, height) in [(1, 1), (2, 2), (4, 1), (1, 4), (3000, 2), (2, 3000), (640, 360)] {
        for value in [0, 110, 255] {
            let plain = RgbImage::from_pixel(width, height, Rgb([value; 3]));
            for effort in [Effort::Quick, Effort::Thorough] {
                assert_eq!(analyzer.detect(picture(&plain), effort).unwrap(), [], "{width}×{height}");
            }
        }
    }
    let nobody: [Face; 0] = [];
    assert!(analyzer.embed(picture(portraits[0]), &nobody).unwrap().is_empty());
}

/// In a larger picture the face is where the small one was put, and is the same.
fn moves_with_its_picture(analyzer: &FaceAnalyzer, image: &RgbImage, face: &Face, own: &[f32]) {
    let mut larger = RgbImage::from_pixel(image.width() + 160, image.height() + 100, GREY);
    imageops::replace(&mut larger, image, 97, 38);
    let moved = largest(analyzer, &larger, Effort::Thorough);
    let unit = |from: f32, by: f32, old: u32, new: u32| (from * old as f32 + by) / new as f32;
    let expected = face::Bounds {
        x: unit(face.bounds.x, 97.0, image.width(), larger.width()),
        y: unit(face.bounds.y, 38.0, image.height(), larger.height()),
        width: unit(face.bounds.width, 0.0, image.width(), larger.width()),
        height: unit(face.bounds.height, 0.0, image.height(), larger.height()),
    };
    assert!(moved.bounds.overlap(&expected) > 0.7, "{:?} instead of {expected:?}", moved.bounds);
    assert!(cosine(own, &vector(analyzer, &larger, &moved)) >= analyzer.thresholds().same);
}

fn looks_the_other_way_in_a_mirror(analyzer: &FaceAnalyzer, image: &RgbImage, face: &Face) {
    let mirrored = largest(analyzer, &imageops::flip_horizontal(image), Effort::Thorough);
    assert!((face.quality.yaw_deg + mirrored.quality.yaw_deg).abs() < 8.0, "{face:?} {mirrored:?}");
    assert!((face.quality.pitch_deg - mirrored.quality.pitch_deg).abs() < 8.0, "{face:?} {mirrored:?}");
    let ([left, right, _], [new_left, new_right, _]) =
        (face.landmarks.eyes_and_nose(), mirrored.landmarks.eyes_and_nose());
    let near = |new: [f32; 2], old: [f32; 2]| (1.0 - new[0] - old[0]).abs() < 0.1 * face.bounds.width;
    assert!(near(new_left, right) && near(new_right, left), "{face:?} {mirrored:?}");
}

#[test]
fn blazeface_with_dlib_conforms() {
    let analyzer = FaceAnalyzer::load(&registry().get("blazeface-dlib").unwrap(), 2).unwrap();
    let [one, again, other] = ["obama.jpg", "obama2.jpg", "biden.jpg"].map(portrait);
    conforms(&analyzer, [&one, &again, &other]);
}

#[test]
fn yunet_with_sface_conforms() {
    let one = painted(160, 128, &[SOMEBODY]);
    let again = painted(400, 300, &[Painted { place: [180, 90], side: 110, ..SOMEBODY }]);
    let other = painted(150, 120, &[Painted { quarters: [10, 10, 80, 80], side: 50, ..SOMEBODY }]);
    conforms(&tiny(), [&one, &again, &other]);
}

/// The places are those that OpenCV's `FaceDetectorYN` gives for this file and picture, where it takes it without resizing.
#[test]
fn a_painted_face_is_where_it_was_painted() {
    let analyzer = tiny();
    for (width, height, place, side, slack) in [
        (160, 128, [70, 50], 44, 0.1),
        (160, 128, [31, 37], 20, 0.1),
        (97, 111, [20, 61], 10, 0.1),
        (400, 300, [200, 100], 110, 0.6),
    ] {
        let image = painted(width, height, &[Painted { place, side, aside: 0.1, ..SOMEBODY }]);
        let faces = analyzer.detect(picture(&image), Effort::Quick).unwrap();
        assert_eq!(faces.len(), 1, "{faces:?}");
        let (across, down, side) = (width as f32, height as f32, side as f32);
        let [x, y] = place.map(|n| n as f32);
        let bounds = faces[0].bounds;
        let Landmarks::EyesAndMouth { left_eye, right_eye, nose_tip, left_mouth_corner, right_mouth_corner } =
            faces[0].landmarks
        else {
            panic!("{faces:?}")
        };
        // Of the side, from its upper left corner.
        for (found, expected) in [
            ([bounds.x, bounds.y], [0.0, 0.0]),
            ([bounds.x + bounds.width, bounds.y + bounds.height], [1.0, 1.0]),
            (left_eye, [0.25, 0.3]),
            (right_eye, [0.75, 0.3]),
            (nose_tip, [0.6, 0.586]),
            (left_mouth_corner, [0.293, 0.878]),
            (right_mouth_corner, [0.707, 0.878]),
        ] {
            let (found, expected) =
                ([found[0] * across, found[1] * down], [x + expected[0] * side, y + expected[1] * side]);
            let error = (found[0] - expected[0]).hypot(found[1] - expected[1]);
            assert!(error < slack, "{found:?} instead of {expected:?}");
        }
        // The root of how surely it is a face, cut off at 1, and how strong it is.
        assert!((faces[0].score - (150.0_f32 / 255.0).sqrt()).abs() < 0.01, "{}", faces[0].score);
    }
}

#[test]
fn what_is_small_is_found_in_parts_and_what_fills_the_picture_from_afar() {
    let analyzer = tiny();
    let count = |image: &RgbImage, effort| analyzer.detect(picture(image), effort).unwrap().len();
    let small = painted(640, 480, &[Painted { place: [300, 200], side: 12, ..SOMEBODY }]);
    assert_eq!((count(&small, Effort::Quick), count(&small, Effort::Thorough)), (0, 1));
    let large = painted(160, 128, &[Painted { place: [30, 14], side: 100, ..SOMEBODY }]);
    assert_eq!((count(&large, Effort::Quick), count(&large, Effort::Thorough)), (0, 1));
    // One in each of four corners, the surest first.
    let corners = [([40, 40], 140), ([540, 30], 135), ([30, 380], 150), ([530, 390], 130)];
    let four = corners.map(|(place, strength)| Painted { place, side: 60, strength, ..SOMEBODY });
    let faces = analyzer.detect(picture(&painted(640, 480, &four)), Effort::Thorough).unwrap();
    assert_eq!(faces.len(), 4, "{faces:?}");
    assert!(faces.windows(2).all(|pair| pair[0].score >= pair[1].score), "{faces:?}");
    assert!(faces[0].bounds.x < 0.1 && faces[0].bounds.y > 0.7, "{faces:?}");
}

#[test]
fn only_what_is_sure_enough_counts_and_colours_have_their_order() {
    let analyzer = tiny();
    let faces = |face| analyzer.detect(picture(&painted(160, 128, &[face])), Effort::Quick).unwrap();
    // The root of 130 of 255 is above 0.7, that of 110 below.
    assert_eq!(faces(Painted { strength: 130, ..SOMEBODY }).len(), 1);
    assert_eq!(faces(Painted { strength: 110, ..SOMEBODY }), []);
    let image = painted(160, 128, &[SOMEBODY]);
    let mut swapped = image.clone();
    swapped.pixels_mut().for_each(|pixel| pixel.0.reverse());
    assert_eq!(analyzer.detect(picture(&swapped), Effort::Thorough).unwrap(), []);
    // The embedder is shown red, then green, then blue: 16 fields of each.
    let vector = vector(&analyzer, &image, &largest(&analyzer, &image, Effort::Quick));
    let field = 5;
    assert!(vector[field] > 0.3 && vector[field + 16] < 0.0 && vector[field + 32] < 0.0, "{vector:?}");
}

#[test]
fn a_nose_that_lies_aside_turns_the_face() {
    let analyzer = tiny();
    let quality = |aside| {
        let image = painted(160, 128, &[Painted { aside, ..SOMEBODY }]);
        largest(&analyzer, &image, Effort::Quick).quality
    };
    assert!(quality(0.0).yaw_deg.abs() < 1.0 && quality(0.0).pitch_deg.abs() < 1.0);
    assert!((quality(0.1).yaw_deg - 20.0).abs() < 2.0, "{:?}", quality(0.1));
    assert!(quality(0.1).overall < quality(0.0).overall);
    assert_eq!(quality(0.1).problem(), None);
    assert_eq!(quality(0.35).problem(), Some(QualityProblem::TurnedAway), "{:?}", quality(0.35));
}
