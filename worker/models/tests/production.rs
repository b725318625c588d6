//! Models of the production set's kinds, as small graphs of the same signature.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use heimdex_models::{Registry, TextEmbedder};
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
