//! Embeds the lines of a text file and prints JSON: sentences a second in batches, milliseconds for one alone, and the vectors.
//!
//! `cargo run --release -p heimdex-models --example embed -- FILE [threads=2] [repeat=3] [vectors=false]`.
//! Needs `HEIMDEX_MODELS_DIR` and `ORT_DYLIB_PATH`.

use std::time::Instant;

use heimdex_models::{Registry, TextEmbedder};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: embed FILE [key=value …]")?;
    let (mut model, mut threads, mut repeat, mut with_vectors) = ("all-minilm-l6-v2".to_owned(), 2, 3, false);
    for argument in arguments {
        match argument.split_once('=').ok_or("arguments are key=value")? {
            ("model", value) => value.clone_into(&mut model),
            ("threads", value) => threads = value.parse()?,
            ("repeat", value) => repeat = value.parse()?,
            ("vectors", value) => with_vectors = value.parse()?,
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let began = Instant::now();
    let registry = Registry::open(std::env::var_os("HEIMDEX_MODELS_DIR").ok_or("HEIMDEX_MODELS_DIR is not set")?)?;
    let embedder = TextEmbedder::load(&registry.get(&model)?, threads)?;
    let load_s = began.elapsed().as_secs_f64();

    let text = std::fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.first().ok_or("the file has no lines")?;
    let (mut batch_s, mut single_ms, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repeat {
        let began = Instant::now();
        vectors = embedder.embed(&lines)?;
        batch_s.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        embedder.embed_query(first)?;
        single_ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let best = batch_s.iter().copied().fold(f64::INFINITY, f64::min);
    let report = serde_json::json!({
        "sentences": lines.len(),
        "load_s": load_s,
        "batch_s": batch_s,
        "sentences_per_s": lines.len() as f64 / best,
        "single_ms": single_ms,
        "vectors": with_vectors.then_some(vectors),
    });
    println!("{report:#}");
    Ok(())
}
