//! Models of the production set's kinds, as small graphs of the same signature, and whether the catalogue describes each as loading it
//! needs.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use heimdex_models::{Kind, Manifest, ModelError, Registry, TextEmbedder};
use sha2::{Digest, Sha256};
use support::registry;

const ENCODER: &[u8] = include_bytes!("fixtures/tiny_encoder.onnx");

/// A folder as `scripts/models --production` makes it for multilingual-E5.
fn encoder(home: &Path, preprocessing: &str) -> TextEmbedder {
    let folder = home.join("tiny-e5");
    fs::create_dir(&folder).unwrap();
    let tokenizer = fs::read(registry().get("all-minilm-l6-v2").unwrap().folder.join("tokenizer.json")).unwrap();
    let mut files = String::new();
    for (name, bytes) in [("model.onnx", ENCODER), ("tokenizer.json", &tokenizer)] {
        fs::write(folder.join(name), bytes).unwrap();
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        files.push_str(&format!("  {{ path = \"{name}\", sha256 = \"{sha256}\", size_bytes = {} }},\n", bytes.len()));
    }
    let manifest = format!(
        "id = \"tiny-e5\"\nversion = \"1\"\nlicence = \"MIT\"\nsource = \"a test\"\nkind = \"text\"\nengine = \"onnx\"\ndimension = 4\n\
         languages = [\"*\"]\npreprocessing = {{ max_tokens = 512, output = \"last_hidden_state\"{preprocessing} }}\nfiles = [\n{files}]\n"
    );
    fs::write(folder.join("heimdex-model.toml"), manifest).unwrap();
    TextEmbedder::load(&Registry::open(home).unwrap().get("tiny-e5").unwrap(), 1).unwrap()
}

#[test]
fn an_encoder_without_token_types_is_pooled_by_us() {
    let home = tempfile::tempdir().unwrap();
    let embedder =
        encoder(home.path(), ", pooling = \"mean\", passage_prefix = \"passage: \", query_prefix = \"query: \"");
    assert_eq!(embedder.dimension(), 4);
    let texts = ["a man in a car", "a man in a car who talks at length about the best and the worst of times"];
    let together = embedder.embed(&texts).unwrap();
    for (text, vector) in texts.iter().zip(&together) {
        let alone = embedder.embed(&[text]).unwrap().remove(0);
        assert!(
            vector.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-6),
            "padding changed {vector:?} from {alone:?}"
        );
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        // (mean of ids, 1, its negative, 1), normalised.
        assert!(
            (vector[0] + vector[2]).abs() < 1e-6 && (vector[1] - vector[3]).abs() < 1e-6 && vector[1] > 0.0,
            "{vector:?}"
        );
    }
    // A query has another prefix, hence another vector.
    assert_ne!(embedder.embed_query(texts[0]).unwrap(), together[0]);
}

#[test]
fn the_first_token_may_stand_for_the_text() {
    let home = tempfile::tempdir().unwrap();
    let embedder = encoder(home.path(), ", pooling = \"cls\"");
    let vectors = embedder.embed(&["one", "another altogether"]).unwrap();
    // Every text begins with the same token.
    assert_eq!(vectors[0], vectors[1]);
}

const CATALOGUE: &str = include_str!("../../../scripts/models.d/production.toml");

/// A catalogue entry's manifest as `scripts/models.d/production.py` writes it, the files themselves left out.
fn described(folder: &Path, id: &str, entry: &toml::Table) -> Result<Manifest, ModelError> {
    let text = |key: &str| entry[key].as_str().unwrap();
    let mut files = String::new();
    for file in entry["files"].as_array().unwrap() {
        let from = file["from"].as_str().unwrap();
        let name = file.get("to").and_then(toml::Value::as_str).unwrap_or(from.rsplit('/').next().unwrap());
        files.push_str(&format!("  {{ path = \"{name}\", sha256 = \"{}\", size_bytes = 1 }},\n", "0".repeat(64)));
    }
    let (head, tables) = text("manifest").split_once("\n[").unwrap_or((text("manifest"), ""));
    let tables = if tables.is_empty() { String::new() } else { format!("[{tables}") };
    let manifest = format!(
        "id = \"{id}\"\nversion = \"1\"\nlicence = \"{}\"\nsource = \"{}\"\n{head}\nfiles = [\n{files}]\n{tables}",
        text("licence"),
        text("source"),
    );
    fs::write(folder.join("heimdex-model.toml"), manifest).unwrap();
    Manifest::read(folder)
}

#[test]
fn every_model_of_the_catalogue_says_what_loading_it_needs() {
    let home = tempfile::tempdir().unwrap();
    let catalogue: toml::Table = toml::from_str(CATALOGUE).unwrap();
    let mut kinds = Vec::new();
    for (id, entry) in &catalogue {
        let manifest = described(home.path(), id, entry.as_table().unwrap()).unwrap_or_else(|error| panic!("{error}"));
        manifest.check(manifest.kind).unwrap_or_else(|error| panic!("{id}: {error}"));
        // Those of the default model mean something else in another model's space.
        let says = entry["manifest"].as_str().unwrap().contains("similarity_even = ");
        assert!(says || !matches!(manifest.kind, Kind::Text | Kind::Image), "{id}: which similarity is even?");
        kinds.push(manifest.kind);
    }
    for kind in [Kind::Asr, Kind::Text, Kind::Image, Kind::Face] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn a_manifest_that_says_too_little_or_is_of_another_kind_is_refused_before_anything_is_loaded() {
    let home = tempfile::tempdir().unwrap();
    let catalogue: toml::Table = toml::from_str(CATALOGUE).unwrap();
    for (id, from, to, wrong) in [
        ("yunet-sface", "[face]", "[face]\nlandmarks = \"detector.onnx\"", "blazeface_dlib"),
        ("yunet-sface", "\"embedder.onnx\"", "\"sface.onnx\"", "sface.onnx"),
        ("yunet-sface", "kind = \"face\"", "kind = \"image\"", "image"),
        ("siglip2-base-patch16-224", "graph = \"text.onnx\"", "graph = \"words.onnx\"", "words.onnx"),
        ("siglip2-base-patch16-224", "similarity_floor = 0", "similarity_floor = 7", "image.similarity_floor"),
        ("multilingual-e5-small", "similarity_even = 0.8", "similarity_even = 0.6", "preprocessing.similarity_even"),
        ("multilingual-e5-small", "similarity_floor = 0", "similarity_floor = 7", "preprocessing.similarity_floor"),
        ("siglip2-base-patch16-224", "two_tower", "conse", "image.text_model"),
        ("siglip2-base-patch16-224", "dimension = 768\n", "", "dimension"),
    ] {
        let mut entry = catalogue[id].as_table().unwrap().clone();
        let manifest = entry["manifest"].as_str().unwrap();
        assert!(manifest.contains(from), "{manifest}");
        let spoilt = manifest.replace(from, to);
        entry.insert("manifest".to_owned(), toml::Value::String(spoilt));
        let manifest = described(home.path(), id, &entry).unwrap();
        let message = manifest.check(manifest.kind).unwrap_err().to_string();
        assert!(message.contains(wrong) && message.contains("heimdex-model.toml"), "`{wrong}` is not in: {message}");
        let another = if manifest.kind == Kind::Vad { Kind::Asr } else { Kind::Vad };
        assert!(manifest.check(another).unwrap_err().to_string().contains("is of kind"));
    }
}

#[test]
fn the_installed_models_say_what_loading_them_needs() {
    let registry = registry();
    for id in registry.ids().unwrap() {
        let manifest = registry.get(&id).unwrap();
        manifest.check(manifest.kind).unwrap_or_else(|error| panic!("{id}: {error}"));
    }
}
