//! Faces in real photographs: found, told apart, and left alone where there are none. `scripts/models --samples` fetches the photographs.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use heimdex_models::face::{Effort, Face, QualityProblem};
use heimdex_models::{FaceAnalyzer, Picture};
use image::RgbImage;
use image::imageops::{self, FilterType};
use support::{portrait, registry};

/// Who is in which photographs. Those of one person were taken years or, for the man in the car, seconds apart.
const PEOPLE: [(&str, &[&str]); 5] = [
    ("Barack Obama", &["obama.jpg", "obama2.jpg", "obama3.jpg"]),
    ("Joe Biden", &["biden.jpg"]),
    ("Eileen Collins", &["astronaut.png"]),
    ("Grace Hopper", &["grace_hopper.jpg"]),
    ("the man in the car", &["car-1.png", "car-2.png", "car-3.png"]),
];

fn analyzer() -> FaceAnalyzer {
    FaceAnalyzer::load(&registry().get("blazeface-dlib").unwrap(), 2).unwrap()
}

fn picture(image: &RgbImage) -> Picture<'_> {
    Picture::new(image.width() as usize, image.height() as usize, image.as_raw()).unwrap()
}

/// The largest face of a picture.
fn face_in(analyzer: &FaceAnalyzer, image: &RgbImage) -> Option<Face> {
    let faces = analyzer.detect(picture(image), Effort::Thorough).unwrap();
    faces.into_iter().max_by(|a, b| a.quality.size_px.total_cmp(&b.quality.size_px))
}

fn vector_of(analyzer: &FaceAnalyzer, image: &RgbImage, face: &Face) -> Vec<f32> {
    analyzer.embed(picture(image), std::slice::from_ref(face)).unwrap().remove(0)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn light(image: &RgbImage, factor: f32) -> RgbImage {
    let mut changed = image.clone();
    changed.iter_mut().for_each(|value| *value = (f32::from(*value) * factor).min(255.0) as u8);
    changed
}

fn jpeg(image: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

fn scaled(image: &RgbImage, factor: f32) -> RgbImage {
    let side = |length: u32| ((length as f32 * factor).round() as u32).max(1);
    imageops::resize(image, side(image.width()), side(image.height()), FilterType::Triangle)
}

/// The picture in other light, out of focus, smaller, and as a poor JPEG. `size_px` is that of the face in it.
fn variations(image: &RgbImage, size_px: f32) -> Vec<(&'static str, RgbImage)> {
    let mut all = vec![
        ("plain", image.clone()),
        ("dark", light(image, 0.45)),
        ("very dark", light(image, 0.25)),
        ("bright", light(image, 1.7)),
        ("slightly soft", imageops::blur(image, size_px / 150.0)),
        ("soft", imageops::blur(image, size_px / 100.0)),
        ("blurred", imageops::blur(image, size_px / 45.0)),
        ("very blurred", imageops::blur(image, size_px / 15.0)),
        ("JPEG 40", jpeg(image, 40)),
        ("JPEG 15", jpeg(image, 15)),
    ];
    for (name, target) in [("90 px", 90.0), ("64 px", 64.0), ("48 px", 48.0)] {
        if target < size_px {
            all.push((name, scaled(image, target / size_px)));
        }
    }
    all
}

struct Sample {
    person: &'static str,
    photo: &'static str,
    variation: &'static str,
    vector: Vec<f32>,
}

#[test]
fn two_people_are_never_taken_for_one_and_one_is_recognised() {
    let analyzer = analyzer();
    let (mut samples, mut refused) = (Vec::new(), Vec::new());
    for (person, photos) in PEOPLE {
        for &photo in photos {
            let image = portrait(photo);
            let plain = face_in(&analyzer, &image).unwrap_or_else(|| panic!("no face in {photo}"));
            for (variation, image) in variations(&image, plain.quality.size_px) {
                let face = face_in(&analyzer, &image).filter(|face| face.quality.problem().is_none());
                match face {
                    Some(face) => {
                        samples.push(Sample { person, photo, variation, vector: vector_of(&analyzer, &image, &face) });
                    }
                    None => refused.push((photo, variation)),
                }
            }
        }
    }
    let same = analyzer.thresholds().same;
    let (mut alike, mut recognised, mut apart, mut across, mut across_recognised) = (0, 0, 0, 0, 0);
    let (mut worst, mut merged) = (f32::MIN, Vec::new());
    for (n, one) in samples.iter().enumerate() {
        for other in &samples[..n] {
            let cosine = cosine(&one.vector, &other.vector);
            let names =
                format!("{} ({}) and {} ({}): {cosine:.3}", one.photo, one.variation, other.photo, other.variation);
            if one.person != other.person {
                apart += 1;
                worst = worst.max(cosine);
                if cosine >= same {
                    merged.push(names);
                }
                continue;
            }
            alike += 1;
            recognised += usize::from(cosine >= same);
            if one.photo != other.photo {
                across += 1;
                across_recognised += usize::from(cosine >= same);
            }
        }
    }
    let share = |part: usize, all: usize| part as f64 / all as f64;
    println!(
        "{} identities ({} with several photographs), {} pictures of faces, {} refused by the gate; same person: {alike} pairs, recall {:.3}; \
         across photographs: {across} pairs, recall {:.3}; different people: {apart} pairs, {} taken for one, highest {worst:.3} < {same}",
        PEOPLE.len(),
        PEOPLE.iter().filter(|(_, photos)| photos.len() > 1).count(),
        samples.len(),
        refused.len(),
        share(recognised, alike),
        share(across_recognised, across),
        merged.len(),
    );
    println!("refused: {refused:?}");
    assert!(merged.is_empty(), "{merged:#?}");
    assert!(share(recognised, alike) >= 0.9);
    assert!(share(across_recognised, across) >= 0.9);
    // The gate is no way out: what a person would call a usable portrait passes it. Its limit for blur lies where "soft" is.
    let needless = |variation: &str| !matches!(variation, "very dark" | "soft" | "blurred" | "very blurred" | "48 px");
    assert!(!refused.iter().any(|(_, variation)| needless(variation)), "{refused:?}");
    assert!(refused.iter().filter(|(_, variation)| *variation == "very blurred").count() >= 8, "{refused:?}");
}

/// What is left of a picture when its edge cuts the face in two: so much of the face's bounds, all that lies on the other side.
fn cut_off(image: &RgbImage, face: &Face, side: &str, share: f32) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let bounds = face.bounds;
    let pixels = |place: f32, length: u32| ((place * length as f32).round().max(1.0) as u32).min(length - 1);
    let part = |left, top, width, height| imageops::crop_imm(image, left, top, width, height).to_image();
    match side {
        "below" => part(0, 0, width, pixels(bounds.y + bounds.height * share, height)),
        "above" => {
            let top = pixels(bounds.y + bounds.height * (1.0 - share), height);
            part(0, top, width, height - top)
        }
        "right" => part(0, 0, pixels(bounds.x + bounds.width * share, width), height),
        _ => {
            let left = pixels(bounds.x + bounds.width * (1.0 - share), width);
            part(left, 0, width - left, height)
        }
    }
}

#[test]
fn a_face_that_the_edge_of_the_picture_cuts_is_never_taken_for_somebody_else() {
    let analyzer = analyzer();
    let same = analyzer.thresholds().same;
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let mut looked_at = 0;
    for (person, photos) in PEOPLE {
        for &photo in photos {
            let image = portrait(photo);
            let size = face_in(&analyzer, &image).unwrap().quality.size_px;
            let image = scaled(&image, (200.0 / size).min(1.0));
            let face = face_in(&analyzer, &image).unwrap();
            whole.push((person, photo.to_owned(), vector_of(&analyzer, &image, &face)));
            for side in ["below", "above", "right", "left"] {
                for share in [0.8, 0.65, 0.5] {
                    looked_at += 1;
                    let image = cut_off(&image, &face, side, share);
                    let found = face_in(&analyzer, &image).filter(|face| face.quality.problem().is_none());
                    if let Some(face) = found {
                        let name = format!("{share} of {photo}, cut {side}");
                        cut.push((person, name, vector_of(&analyzer, &image, &face)));
                    }
                }
            }
        }
    }
    let (mut highest, mut recognised, mut merged) = (f32::MIN, 0, Vec::new());
    for (n, (person, name, vector)) in cut.iter().enumerate() {
        let of_person = |other: &&(&str, String, Vec<f32>)| other.0 == *person;
        recognised += usize::from(whole.iter().filter(of_person).any(|other| cosine(vector, &other.2) >= same));
        for (_, other, known) in whole.iter().chain(&cut[..n]).filter(|other| !of_person(other)) {
            let cosine = cosine(vector, known);
            highest = highest.max(cosine);
            if cosine >= same {
                merged.push(format!("{name} and {other}: {cosine:.3}"));
            }
        }
    }
    println!(
        "{looked_at} faces cut off, {} found and good enough, {recognised} recognised; different people: highest {highest:.3}, limit {same}",
        cut.len(),
    );
    assert!(merged.is_empty(), "{merged:#?}");
    // Without a look from afar 85 and 81.
    assert!(cut.len() >= 88 && recognised >= 83, "{} found, {recognised} recognised", cut.len());
}

#[test]
fn an_animated_face_is_none_or_not_good_enough() {
    let analyzer = analyzer();
    for name in ["rabbit-1.png", "rabbit-2.png", "rabbit-3.png"] {
        let image = portrait(name);
        let good = analyzer
            .detect(picture(&image), Effort::Thorough)
            .unwrap()
            .into_iter()
            .find(|face| face.quality.problem().is_none());
        assert_eq!(good, None, "{name}");
    }
}

#[test]
fn a_picture_with_nobody_in_it_has_no_faces() {
    let analyzer = analyzer();
    // Noise from a fixed linear congruential generator.
    let mut state = 7_u32;
    let mut noise = |_: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for (width, height) in [(1280, 720), (1, 1), (2, 2), (4, 1), (1, 4), (3000, 2), (2, 3000), (150, 150)] {
        for rgb in [
            vec![0; width * height * 3],
            vec![255; width * height * 3],
            (0..width * height * 3).map(&mut noise).collect(),
        ] {
            let picture = Picture::new(width, height, &rgb).unwrap();
            for effort in [Effort::Quick, Effort::Thorough] {
                assert_eq!(analyzer.detect(picture, effort).unwrap(), [], "{width}×{height}");
            }
        }
    }
    let empty: [Face; 0] = [];
    assert!(analyzer.embed(Picture::new(1, 1, &[0; 3]).unwrap(), &empty).unwrap().is_empty());
}

/// A square around the face, with some of what is around it.
fn cut_out(image: &RgbImage, face: &Face, side: u32) -> RgbImage {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let bounds = face.bounds;
    let wanted = (bounds.width * width).max(bounds.height * height) * 1.7;
    let start = |from: f32, length: f32, most: f32| (from + length / 2.0 - wanted / 2.0).clamp(0.0, most - 1.0) as u32;
    let (left, top) = (
        start(bounds.x * width, bounds.width * width, width),
        start(bounds.y * height, bounds.height * height, height),
    );
    let part = |from: u32, most: u32| (wanted as u32).min(most - from);
    let cut = imageops::crop_imm(image, left, top, part(left, image.width()), part(top, image.height())).to_image();
    imageops::resize(&cut, side, side, FilterType::Triangle)
}

#[test]
fn a_crowd_of_fifty_is_counted_and_each_is_told_apart_from_the_others_in_time() {
    let analyzer = analyzer();
    let mut heads = Vec::new();
    for (person, photos) in PEOPLE {
        let image = portrait(photos[0]);
        heads.push((person, cut_out(&image, &face_in(&analyzer, &image).unwrap(), 120)));
    }
    // Ten columns of five, everybody in turn, on grey.
    let mut crowd = RgbImage::from_pixel(1280, 720, image::Rgb([110, 110, 110]));
    for place in 0..50_u32 {
        let (column, row) = (place % 10, place / 10);
        let head = &heads[((column + row) % 5) as usize].1;
        imageops::replace(&mut crowd, head, i64::from(4 + column * 128), i64::from(12 + row * 142));
    }
    let started = Instant::now();
    let faces = analyzer.detect(picture(&crowd), Effort::Thorough).unwrap();
    let vectors = analyzer.embed(picture(&crowd), &faces).unwrap();
    let took = started.elapsed();
    println!("{} faces of 50 in {took:?}", faces.len());
    assert!((48..=50).contains(&faces.len()), "{}", faces.len());
    assert!(took < Duration::from_secs(20), "{took:?}");
    // Whoever stands where is known by the place.
    let person = |face: &Face| {
        let middle = (face.bounds.x + face.bounds.width / 2.0, face.bounds.y + face.bounds.height / 2.0);
        ((middle.0 * 10.0) as usize + ((middle.1 * 720.0 - 12.0) / 142.0) as usize) % 5
    };
    for (n, one) in vectors.iter().enumerate() {
        assert!((one.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-4);
        for (m, other) in vectors.iter().enumerate().take(n) {
            let together = cosine(one, other) >= analyzer.thresholds().same;
            if person(&faces[n]) != person(&faces[m]) {
                assert!(!together, "{} and {}", heads[person(&faces[n])].0, heads[person(&faces[m])].0);
            }
        }
    }
}

#[test]
fn a_tilted_head_is_the_same_person() {
    let analyzer = analyzer();
    let image = scaled(&portrait("obama.jpg"), 0.5);
    let upright = face_in(&analyzer, &image).unwrap();
    let known = vector_of(&analyzer, &image, &upright);
    for degrees in [-30.0_f32, 20.0] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (middle_x, middle_y) = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
        let tilted = RgbImage::from_fn(image.width(), image.height(), |x, y| {
            let (dx, dy) = (x as f32 - middle_x, y as f32 - middle_y);
            let (from_x, from_y) = (cos * dx + sin * dy + middle_x, cos * dy - sin * dx + middle_y);
            let inside =
                (0.0..image.width() as f32).contains(&from_x) && (0.0..image.height() as f32).contains(&from_y);
            if inside { *image.get_pixel(from_x as u32, from_y as u32) } else { image::Rgb([0; 3]) }
        });
        let face = face_in(&analyzer, &tilted).unwrap();
        let turned = face.quality.roll_deg - upright.quality.roll_deg;
        assert!((turned - degrees).abs() < 4.0, "{turned} instead of {degrees}");
        let cosine = cosine(&known, &vector_of(&analyzer, &tilted, &face));
        assert!(cosine >= analyzer.thresholds().same, "{cosine} at {degrees}°");
    }
}

#[test]
fn in_a_mirror_a_face_looks_the_other_way() {
    let analyzer = analyzer();
    let image = portrait("obama2.jpg");
    let mirrored = imageops::flip_horizontal(&image);
    let (one, other) = (face_in(&analyzer, &image).unwrap().quality, face_in(&analyzer, &mirrored).unwrap().quality);
    // He looks to the left of the picture.
    assert!(one.yaw_deg < -5.0 && other.yaw_deg > 5.0, "{} {}", one.yaw_deg, other.yaw_deg);
    assert!((one.yaw_deg + other.yaw_deg).abs() < 8.0 && (one.pitch_deg - other.pitch_deg).abs() < 8.0);
}

#[test]
fn why_a_face_is_not_good_enough_is_said() {
    let analyzer = analyzer();
    let image = portrait("astronaut.png");
    let problem = |image: &RgbImage| face_in(&analyzer, image).and_then(|face| face.quality.problem());
    assert_eq!(problem(&image), None);
    assert_eq!(problem(&scaled(&image, 0.32)), Some(QualityProblem::TooSmall));
    assert_eq!(problem(&imageops::blur(&image, 2.0)), Some(QualityProblem::Blurred));
    assert_eq!(problem(&light(&image, 0.15)), Some(QualityProblem::TooDark));
}

#[test]
fn pictures_are_looked_at_from_several_threads_with_the_same_result() {
    let analyzer = analyzer();
    let image = portrait("astronaut.png");
    let alone = analyzer.detect(picture(&image), Effort::Thorough).unwrap();
    std::thread::scope(|scope| {
        let all: Vec<_> =
            (0..4).map(|_| scope.spawn(|| analyzer.detect(picture(&image), Effort::Thorough).unwrap())).collect();
        for thread in all {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}
