//! Pictures and texts in one space: one suite for both architectures, and what each has of its own.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::sync::Arc;

use heimdex_models::image::{self, ImageEncoder, ImageOptions, ImageTexts};
use heimdex_models::{Manifest, ModelError, Picture, TextEmbedder};
use support::{Copy, registry};

const CONSE: &str = "efficientnet-lite0-conse";
/// See fixtures/make_pictures.py.
const CAT: &[u8] = include_bytes!("fixtures/chelsea.rgb");
const COFFEE: &[u8] = include_bytes!("fixtures/coffee.rgb");

fn photo(rgb: &[u8]) -> Picture<'_> {
    Picture::new(128, 128, rgb).unwrap()
}

/// One colour, in any size.
fn plain(colour: [u8; 3], width: usize, height: usize) -> Vec<u8> {
    colour.repeat(width * height)
}

fn drawn(width: usize, height: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    (0..width * height).flat_map(|place| colour(place % width, place / width)).collect()
}

/// A model with pictures that it knows by these texts.
struct Subject<'a> {
    pictures: Box<dyn ImageEncoder>,
    texts: Box<dyn ImageTexts>,
    known: Vec<(Picture<'a>, &'a str)>,
    similarity_floor: f32,
}

impl<'a> Subject<'a> {
    fn load(manifest: &Manifest, known: Vec<(Picture<'a>, &'a str)>) -> Self {
        Self {
            pictures: image::load_pictures(manifest, ImageOptions::default()).unwrap(),
            texts: load_texts(manifest).unwrap(),
            known,
            similarity_floor: image::table(manifest).unwrap().similarity_floor,
        }
    }
}

fn load_texts(manifest: &Manifest) -> Result<Box<dyn ImageTexts>, ModelError> {
    let text_model = image::table(manifest)?.needs_text_model().map(|id| registry().get(id).unwrap());
    image::load_texts(manifest, 1, text_model.map(|model| Arc::new(TextEmbedder::load(&model, 1).unwrap())))
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// What every image model promises.
fn conforms(subject: &Subject<'_>) {
    let (pictures, texts) = (&subject.pictures, &subject.texts);
    assert_eq!((pictures.id(), pictures.dimension()), (texts.id(), texts.dimension()));
    assert!(pictures.embed_pictures(&[]).unwrap().is_empty());
    assert!(texts.embed_texts(&[]).unwrap().is_empty());

    let shown: Vec<_> = subject.known.iter().map(|(picture, _)| *picture).collect();
    let said: Vec<_> = subject.known.iter().map(|(_, text)| *text).collect();
    let seen: Vec<_> = pictures.embed_pictures(&shown).unwrap().into_iter().map(Option::unwrap).collect();
    let meant = texts.embed_texts(&said).unwrap();
    for vector in seen.iter().chain(&meant) {
        assert_eq!(vector.len(), pictures.dimension());
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-4, "length 1");
    }

    // A text finds its picture and no other.
    for (place, text) in meant.iter().enumerate() {
        for (other, picture) in seen.iter().enumerate() {
            let similarity = cosine(text, picture);
            assert_eq!(similarity >= subject.similarity_floor, place == other, "{}: {similarity}", said[place]);
        }
    }

    // Neither company nor the size of a batch changes a vector.
    let many: Vec<_> = (0..11).map(|n| shown[n % shown.len()]).collect();
    for (n, vector) in pictures.embed_pictures(&many).unwrap().iter().enumerate() {
        assert!(cosine(vector.as_ref().unwrap(), &seen[n % shown.len()]) > 0.9999, "picture {n}");
    }
    let texts_mixed: Vec<_> = (0..40).map(|n| if n % 3 == 0 { "a" } else { said[n % said.len()] }).collect();
    for (n, vector) in texts.embed_texts(&texts_mixed).unwrap().iter().enumerate() {
        if n % 3 != 0 {
            assert!(cosine(vector, &meant[n % said.len()]) > 0.9999, "text {n}");
        }
    }

    // Any picture and any text has an answer: the smallest, the thinnest, the longest, one of no letters at all.
    for (width, height) in [(1, 1), (2, 2), (3, 700), (700, 3)] {
        let rgb = plain([200, 30, 90], width, height);
        pictures.embed_pictures(&[Picture::new(width, height, &rgb).unwrap()]).unwrap();
    }
    for text in [&"word ".repeat(1000), "🎬", "", "東京"] {
        assert_eq!(texts.embed_texts(&[text]).unwrap()[0].len(), texts.dimension());
    }

    // Shared by threads.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(pictures.embed_pictures(&shown).unwrap()[0].as_ref(), Some(&seen[0])));
        }
    });
}

#[test]
fn a_classifier_with_texts_of_its_classes_conforms() {
    let known = vec![(photo(CAT), "a cat"), (photo(COFFEE), "a cup of coffee")];
    conforms(&Subject::load(&registry().get(CONSE).unwrap(), known));
}

#[test]
fn two_towers_conform() {
    let (red, blue) = (plain([255, 0, 0], 40, 30), plain([0, 0, 255], 20, 20));
    for id in ["clip-tiny", "siglip-tiny"] {
        let known = vec![(Picture::new(40, 30, &red).unwrap(), "red"), (Picture::new(20, 20, &blue).unwrap(), "blue")];
        conforms(&Subject::load(&Copy::of_fixture(id).get().unwrap(), known));
    }
}

#[test]
fn texts_are_prepared_as_the_model_knows_them() {
    let texts = |id| load_texts(&Copy::of_fixture(id).get().unwrap()).unwrap();
    let vector = |texts: &dyn ImageTexts, text| texts.embed_texts(&[text]).unwrap().remove(0);
    // SigLIP 2's tokenizer knows lowercase only; CLIP's model here does not know the word at all.
    let siglip = texts("siglip-tiny");
    assert_eq!(vector(&*siglip, "RED"), vector(&*siglip, "red"));
    let clip = texts("clip-tiny");
    assert_ne!(vector(&*clip, "RED"), vector(&*clip, "red"));
    // The template's words are in the vector.
    assert!(vector(&*siglip, "red")[3] > 2.0 * vector(&*clip, "red")[3]);
}

#[test]
fn the_classifier_sees_nothing_in_empty_pictures_and_something_in_others() {
    let pictures = image::load_pictures(&registry().get(CONSE).unwrap(), ImageOptions::default()).unwrap();
    for colour in [[0, 0, 0], [128, 128, 128], [255, 255, 255], [16, 16, 16]] {
        let rgb = plain(colour, 320, 180);
        assert_eq!(pictures.embed_pictures(&[Picture::new(320, 180, &rgb).unwrap()]).unwrap(), [None], "{colour:?}");
    }
    assert!(pictures.embed_pictures(&[photo(CAT)]).unwrap()[0].is_some());
}

#[test]
fn a_card_with_writing_shows_nothing_and_a_drawing_may() {
    let pictures = image::load_pictures(&registry().get(CONSE).unwrap(), ImageOptions::default()).unwrap();
    let (width, height) = (640, 360);
    // Three lines of broken bars, light on dark: writing from afar.
    let card = drawn(width, height, |x, y| {
        let is_line = [100..132, 164..196, 228..260].iter().any(|line| line.contains(&y));
        let is_word = (120..520).contains(&x) && x % 90 < 70;
        if is_line && is_word && x % 16 < 11 { [235, 235, 225] } else { [20, 35, 70] }
    });
    assert_eq!(pictures.embed_pictures(&[Picture::new(width, height, &card).unwrap()]).unwrap(), [None]);

    let texts = load_texts(&registry().get(CONSE).unwrap()).unwrap();
    let meant = texts.embed_texts(&["a hot air balloon", "a dog", "a street"]).unwrap();
    // Clear, and in fog.
    for contrast in [1.0, 0.2] {
        let rgb = drawn(width, height, |x, y| {
            balloon(x as f32, y as f32).map(|value| (value * contrast + 128.0 * (1.0 - contrast)) as u8)
        });
        let seen = pictures.embed_pictures(&[Picture::new(width, height, &rgb).unwrap()]).unwrap().remove(0).unwrap();
        let [balloon, dog, street] = [0, 1, 2].map(|n| cosine(&seen, &meant[n]));
        assert!(balloon > 0.4 && dog < 0.2 && street < 0.2, "{contrast}: {balloon} {dog} {street}");
    }
}

/// A ball of three colours over hills.
fn balloon(x: f32, y: f32) -> [f32; 3] {
    let (right, down) = (x - 320.0, y - 130.0);
    if right.hypot(down * 0.9) < 50.0 {
        let stripe = (right.atan2((100.0 - down).max(1.0)) * 12.0).floor() as i32;
        [[200.0, 40.0, 40.0], [230.0, 190.0, 50.0], [50.0, 80.0, 180.0]][stripe.rem_euclid(3) as usize]
    } else if right.abs() < 10.0 && (67.5..80.0).contains(&down) {
        [110.0, 75.0, 40.0]
    } else if y > 270.0 + 15.0 * (x / 50.0).sin() {
        [70.0, 130.0, 60.0]
    } else {
        [150.0, 200.0, 235.0]
    }
}

#[test]
fn what_is_alike_is_nearer_than_the_floor_and_what_is_not_is_further() {
    let manifest = registry().get(CONSE).unwrap();
    let floor = image::table(&manifest).unwrap().likeness_floor;
    let pictures = image::load_pictures(&manifest, ImageOptions { threads: 1, batch: 1 }).unwrap();
    let dark: Vec<u8> = CAT.iter().map(|byte| byte / 2).collect();
    let seen = pictures.embed_pictures(&[photo(CAT), photo(&dark), photo(COFFEE)]).unwrap();
    let [cat, dark, coffee] = [0, 1, 2].map(|n| seen[n].as_ref().unwrap());
    assert!(cosine(cat, dark) > floor && cosine(cat, coffee) < floor);
}

/// A message that names the file, what was expected and found, and what mends it.
fn says(error: Option<ModelError>, file: &str, parts: &[&str]) {
    let message = error.unwrap().to_string();
    for part in parts.iter().chain(&[file, "scripts/models"]) {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

fn pictures_of(copy: &Copy) -> Option<ModelError> {
    image::load_pictures(&copy.get().unwrap(), ImageOptions::default()).err()
}

fn texts_of(copy: &Copy) -> Option<ModelError> {
    load_texts(&copy.get().unwrap()).err()
}

#[test]
fn a_network_that_is_not_what_the_manifest_says() {
    let copy = Copy::of_fixture("clip-tiny");
    let text = fs::read(copy.file("text.onnx")).unwrap();
    let vision = fs::read(copy.file("vision.onnx")).unwrap();
    copy.replace("vision.onnx", &text);
    says(pictures_of(&copy), "vision.onnx", &["pixel_values", "input_ids"]);
    let copy = Copy::of_fixture("clip-tiny");
    copy.replace("vision.onnx", &vision[..vision.len() / 2]);
    says(pictures_of(&copy), "vision.onnx", &["an ONNX graph"]);
    let copy = Copy::of_fixture("clip-tiny");
    copy.replace("text.onnx", &vision);
    says(texts_of(&copy), "text.onnx", &["attention_mask", "pixel_values"]);

    let copy = Copy::of_fixture("clip-tiny");
    copy.edit_manifest("dimension = 8", "dimension = 512");
    says(pictures_of(&copy), "vision.onnx", &["512", "8"]);
    says(texts_of(&copy), "text.onnx", &["512", "8"]);

    let copy = Copy::of_fixture("clip-tiny");
    copy.edit_manifest("size = 16", "size = 224");
    says(pictures_of(&copy), "vision.onnx", &["224×224", "16"]);

    let copy = Copy::of_fixture("siglip-tiny");
    copy.edit_manifest("max_tokens = 8", "max_tokens = 64");
    says(texts_of(&copy), "text.onnx", &["64 tokens"]);
    copy.replace("tokenizer.json", b"{}");
    says(texts_of(&copy), "tokenizer.json", &["a tokenizer"]);
}

#[test]
fn classes_that_are_not_those_of_the_classifier() {
    let copy = Copy::of(CONSE);
    let classes = fs::read(copy.file("classes.f32")).unwrap();
    copy.replace("classes.f32", &classes[..classes.len() - 384 * 4]);
    says(pictures_of(&copy), "model.onnx", &["999 classes", "1000"]);
    copy.replace("classes.f32", &classes[..1001]);
    says(pictures_of(&copy), "classes.f32", &["384", "1001 bytes"]);
    says(texts_of(&copy), "classes.f32", &["384", "1001 bytes"]);
    copy.replace("classes.f32", &f32::NAN.to_le_bytes().repeat(2 * 384));
    says(texts_of(&copy), "classes.f32", &["not finite"]);

    let copy = Copy::of(CONSE);
    copy.edit_manifest("dimension = 384", "dimension = 192");
    says(texts_of(&copy), "heimdex-model.toml", &["192", "384", "all-minilm-l6-v2"]);
    let alone = image::load_texts(&registry().get(CONSE).unwrap(), 1, None).err();
    says(alone, "heimdex-model.toml", &["all-minilm-l6-v2"]);
}

#[test]
fn a_table_that_makes_no_sense() {
    let spoilt = |id, from: &str, to: &str| {
        let copy = Copy::of_fixture(id);
        copy.edit_manifest(from, to);
        let manifest = copy.get();
        manifest.and_then(|manifest| {
            image::load_pictures(&manifest, ImageOptions::default())?;
            load_texts(&manifest).map(|_| ())
        })
    };
    for (from, to, part) in [
        ("architecture = \"two_tower\"", "architecture = \"three_tower\"", "three_tower"),
        ("image.similarity_floor", "image.similarity", "similarity"),
        ("architecture = \"two_tower\"", "architecture = \"conse\"", "image.conse"),
        ("graph = \"text.onnx\"", "graph = \"../text.onnx\"", "not among its files"),
        ("views = [\"centre\"]", "views = []", "view"),
        ("std = [1.0, 1.0, 1.0]", "std = [1.0, 0.0, 1.0]", "std"),
        ("max_tokens = 77", "max_tokens = 77, template = \"a photo\"", "{}"),
    ] {
        says(spoilt("clip-tiny", from, to).err(), "heimdex-model.toml", &[part]);
    }
    let vad = registry().get("silero-vad-v6").unwrap();
    says(image::load_pictures(&vad, ImageOptions::default()).err(), "heimdex-model.toml", &["is of kind"]);
}
