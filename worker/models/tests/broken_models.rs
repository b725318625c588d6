//! Models that are missing, cut short, swapped or not what they say: refused by name, with what mends it.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use heimdex_models::{AsrOptions, FaceAnalyzer, ModelError, Registry, TextEmbedder, TextReader, Vad, Whisper};
use support::{Copy, registry};

fn says(error: &ModelError, file: &Path, parts: &[&str]) {
    let message = error.to_string();
    assert!(message.contains(&file.display().to_string()), "{message}");
    for part in parts.iter().chain(&["scripts/models"]) {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn a_model_that_is_not_there() {
    let registry = registry();
    let error = registry.get("whisper-enormous").unwrap_err();
    assert!(matches!(error, ModelError::Missing { .. }));
    let message = error.to_string();
    assert!(
        message.contains("whisper-enormous")
            && message.contains("whisper-tiny.en")
            && message.contains("scripts/models"),
        "{message}"
    );
    for id in ["", "..", "../models/silero-vad-v6", "/etc"] {
        assert!(matches!(registry.get(id), Err(ModelError::Missing { .. })), "{id}");
    }
    assert!(matches!(Registry::open("/nowhere/at/all"), Err(ModelError::Missing { .. })));
}

#[test]
fn a_file_missing_cut_short_or_altered() {
    let copy = Copy::of("silero-vad-v6");
    copy.get().unwrap();
    let model = copy.file("silero_vad_v6.onnx");
    let mut bytes = fs::read(&model).unwrap();

    bytes[100_000] ^= 1;
    fs::write(&model, &bytes).unwrap();
    says(&copy.get().unwrap_err(), &model, &["sha256"]);

    bytes.truncate(1_000_000);
    fs::write(&model, &bytes).unwrap();
    says(&copy.get().unwrap_err(), &model, &["expected", "1000000 bytes"]);

    fs::remove_file(&model).unwrap();
    says(&copy.get().unwrap_err(), &model, &["No such file"]);
}

#[test]
fn a_manifest_that_makes_no_sense() {
    let copy = Copy::of("silero-vad-v6");
    copy.edit_manifest("kind = \"vad\"", "kind = \"telepathy\"");
    says(&copy.get().unwrap_err(), &copy.file("heimdex-model.toml"), &["telepathy"]);

    let copy = Copy::of("silero-vad-v6");
    copy.edit_manifest("path = \"silero", "path = \"../silero");
    says(&copy.get().unwrap_err(), &copy.file("heimdex-model.toml"), &["leaves the folder"]);

    let copy = Copy::of("silero-vad-v6");
    copy.edit_manifest("id = \"silero-vad-v6\"", "id = \"silero-vad-v5\"");
    says(&copy.get().unwrap_err(), &copy.file("heimdex-model.toml"), &["silero-vad-v5"]);
}

#[test]
fn a_model_of_another_kind() {
    let registry = registry();
    let text = registry.get("all-minilm-l6-v2").unwrap();
    let vad = registry.get("silero-vad-v6").unwrap();
    for message in [
        Whisper::load(&text, &AsrOptions::default()).err().unwrap().to_string(),
        Vad::load(&text).err().unwrap().to_string(),
        TextEmbedder::load(&vad, 1).err().unwrap().to_string(),
    ] {
        assert!(message.contains("is of kind") && message.contains("heimdex-model.toml"), "{message}");
    }
}

#[test]
fn vectors_of_another_dimension_than_promised() {
    let copy = Copy::of("all-minilm-l6-v2");
    copy.edit_manifest("dimension = 384", "dimension = 768");
    let error = TextEmbedder::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("model.onnx"), &["768", "384"]);
}

#[test]
fn a_graph_with_other_inputs_and_a_file_that_is_no_graph() {
    let copy = Copy::of("all-minilm-l6-v2");
    let other = fs::read(registry().get("silero-vad-v6").unwrap().folder.join("silero_vad_v6.onnx")).unwrap();
    copy.replace("model.onnx", &other);
    let error = TextEmbedder::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("model.onnx"), &["input_ids", "speech_probs"]);

    copy.replace("model.onnx", b"not a graph");
    let error = TextEmbedder::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("model.onnx"), &["an ONNX graph"]);
}

#[test]
fn a_speech_model_that_the_engine_refuses() {
    let copy = Copy::of("whisper-tiny.en");
    copy.replace("model.bin", b"not a model");
    let error = Whisper::load(&copy.get().unwrap(), &AsrOptions::default()).err().unwrap();
    says(&error, &copy.file("model.bin"), &["a Whisper model for CTranslate2"]);

    let copy = Copy::of("whisper-tiny.en");
    copy.replace("tokenizer.json", b"{}");
    let error = Whisper::load(&copy.get().unwrap(), &AsrOptions::default()).err().unwrap();
    says(&error, &copy.file("tokenizer.json"), &["a tokenizer"]);
}

#[test]
fn a_reader_whose_parts_are_not_what_they_should_be() {
    let copy = Copy::of("pp-ocr-v6");
    copy.edit_manifest("characters = 18708", "characters = 6623");
    let error = TextReader::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("ppocrv6_rec.onnx"), &["a dictionary of 6623 characters", "18708"]);

    // Detector and recogniser swapped.
    let copy = Copy::of("pp-ocr-v6");
    copy.edit_manifest("detector = \"ppocrv6_det.onnx\"", "detector = \"ppocrv6_rec.onnx\"");
    let error = TextReader::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("ppocrv6_rec.onnx"), &["a map of 64 × 32 probabilities"]);
    let copy = Copy::of("pp-ocr-v6");
    copy.edit_manifest("recognizer = \"ppocrv6_rec.onnx\"", "recognizer = \"ppocrv6_det.onnx\"");
    let error = TextReader::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("ppocrv6_det.onnx"), &["a dictionary in the metadata"]);

    // A graph of another kind, no graph at all, a file that is not listed, no table.
    let copy = Copy::of("pp-ocr-v6");
    let other = fs::read(registry().get("silero-vad-v6").unwrap().folder.join("silero_vad_v6.onnx")).unwrap();
    copy.replace("ppocrv6_det.onnx", &other);
    let error = TextReader::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("ppocrv6_det.onnx"), &["one input and one output", "speech_probs"]);
    let copy = Copy::of("pp-ocr-v6");
    copy.replace("ppocrv6_det.onnx", b"not a graph");
    let error = TextReader::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("ppocrv6_det.onnx"), &["an ONNX graph"]);
    let copy = Copy::of("pp-ocr-v6");
    copy.edit_manifest("detector = \"ppocrv6_det.onnx\"", "detector = \"det.onnx\"");
    let error = TextReader::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("heimdex-model.toml"), &["det.onnx"]);
    let copy = Copy::of("pp-ocr-v6");
    copy.edit_manifest("characters = 18708", "characters = 18708\nsize = 3");
    says(&copy.get().unwrap_err(), &copy.file("heimdex-model.toml"), &["size"]);

    let vad = registry().get("silero-vad-v6").unwrap();
    assert!(TextReader::load(&vad, 1).err().unwrap().to_string().contains("is of kind"));
}

#[test]
fn a_face_model_that_is_not_what_it_says() {
    let copy = Copy::of("blazeface-dlib");
    copy.edit_manifest("dimension = 128", "dimension = 512");
    let error = FaceAnalyzer::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("embedder.onnx"), &["512", "128"]);

    let copy = Copy::of("blazeface-dlib");
    let landmarks = fs::read(copy.file("landmarks.onnx")).unwrap();
    copy.replace("detector.onnx", &landmarks);
    let error = FaceAnalyzer::load(&copy.get().unwrap(), 1).err().unwrap();
    says(&error, &copy.file("detector.onnx"), &["picture", "boxes", "points"]);

    for (from, to, wrong) in [
        ("same = 0.", "same = 7.", "face.same"),
        ("margin = 0.", "margin = -1.", "face.margin"),
        ("detector.onnx\"\nlandmarks", "eyes.onnx\"\nlandmarks", "eyes.onnx"),
        ("[face]", "[faces]", "faces"),
        ("dimension = 128\n", "", "dimension"),
    ] {
        let copy = Copy::of("blazeface-dlib");
        copy.edit_manifest(from, to);
        let error = copy.get().and_then(|manifest| FaceAnalyzer::load(&manifest, 1)).err().unwrap();
        says(&error, &copy.file("heimdex-model.toml"), &[wrong]);
    }
    let vad = registry().get("silero-vad-v6").unwrap();
    assert!(FaceAnalyzer::load(&vad, 1).err().unwrap().to_string().contains("is of kind"));
}

#[test]
fn a_face_model_of_the_other_architecture_that_is_not_what_it_says() {
    let load = |copy: &Copy| copy.get().and_then(|manifest| FaceAnalyzer::load(&manifest, 1)).err().unwrap();
    let copy = Copy::of_fixture("yunet-tiny");
    copy.edit_manifest("dimension = 48", "dimension = 128");
    says(&load(&copy), &copy.file("embedder.onnx"), &["dimension 128", "dimension 48"]);

    // Each in the other one's place: a detector has more than one output, an embedder none of a detector's.
    let copy = Copy::of_fixture("yunet-tiny");
    let (detector, embedder) =
        (fs::read(copy.file("detector.onnx")).unwrap(), fs::read(copy.file("embedder.onnx")).unwrap());
    copy.replace("embedder.onnx", &detector);
    says(&load(&copy), &copy.file("embedder.onnx"), &["one input and one output", "cls_8"]);
    let copy = Copy::of_fixture("yunet-tiny");
    copy.replace("detector.onnx", &embedder);
    says(&load(&copy), &copy.file("detector.onnx"), &["kps_32", "fc1"]);
    let copy = Copy::of_fixture("yunet-tiny");
    copy.replace("detector.onnx", b"not a graph");
    says(&load(&copy), &copy.file("detector.onnx"), &["an ONNX graph"]);

    for (from, to, wrong) in [
        ("architecture = \"yunet_sface\"", "architecture = \"yunet_arcface\"", "yunet_arcface"),
        ("architecture = \"yunet_sface\"", "architecture = \"blazeface_dlib\"", "face.landmarks"),
        ("architecture = \"yunet_sface\"\n", "", "face.landmarks"),
        ("margin = 0.02", "margin = 0.02\nlandmark_score = 0.9", "blazeface_dlib"),
        ("embedder = \"embedder.onnx\"", "embedder = \"sface.onnx\"", "sface.onnx"),
        ("detector_score = 0.7", "detector_score = 7.0", "face.detector_score"),
    ] {
        let copy = Copy::of_fixture("yunet-tiny");
        copy.edit_manifest(from, to);
        says(&load(&copy), &copy.file("heimdex-model.toml"), &[wrong]);
    }
}
