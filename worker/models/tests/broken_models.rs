//! Models that are missing, cut short, swapped or not what they say: refused by name, with what mends it.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use heimdex_models::{AsrOptions, FaceAnalyzer, ModelError, Registry, TextEmbedder, Vad, Whisper};
use support::registry;
use tempfile::TempDir;

/// A copy of one real model that a test may spoil.
struct Copy {
    home: TempDir,
    id: &'static str,
}

impl Copy {
    fn of(id: &'static str) -> Self {
        let home = TempDir::new().unwrap();
        let source = registry().get(id).unwrap().folder;
        fs::create_dir(home.path().join(id)).unwrap();
        for entry in fs::read_dir(source).unwrap().flatten() {
            fs::copy(entry.path(), home.path().join(id).join(entry.file_name())).unwrap();
        }
        let copy = Self { home, id };
        let _ = fs::remove_file(copy.file(".verified"));
        copy
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(self.id).join(name)
    }

    fn edit_manifest(&self, from: &str, to: &str) {
        let path = self.file("heimdex-model.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn get(&self) -> Result<heimdex_models::Manifest, ModelError> {
        Registry::open(self.home.path()).unwrap().get(self.id)
    }

    /// Makes the manifest agree with a file that was put in place of another.
    fn replace(&self, name: &str, content: &[u8]) {
        use sha2::{Digest, Sha256};
        let digest =
            |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
        let old = fs::read(self.file(name)).unwrap();
        fs::write(self.file(name), content).unwrap();
        self.edit_manifest(&digest(&old), &digest(content));
        self.edit_manifest(&format!("size_bytes = {}", old.len()), &format!("size_bytes = {}", content.len()));
    }
}

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
