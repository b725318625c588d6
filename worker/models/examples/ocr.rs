//! Reads the writing in pictures and prints each picture's lines as JSON, and how long it took.
//!
//! `cargo run --release -p heimdex-models --example ocr -- [threads=1] [model=ID] [repeat=1] [follow=false] PICTURE...` (JPEG or PNG).
//! With `follow=true` the pictures are of one video: as in the worker, one that shows the same as the last one that was read,
//! wherever there may be writing, is not read (`read` is false, and the lines are of that one).
//! Needs `HEIMDEX_MODELS_DIR` and `ORT_DYLIB_PATH`.

use std::time::{Duration, Instant};

use heimdex_models::ocr::{Line, Strokes};
use heimdex_models::{Picture, Registry, TextReader};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let (mut model, mut threads, mut repeat, mut follow, mut files) =
        ("pp-ocr-v6".to_owned(), 1, 1_u32, false, Vec::new());
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("model", value)) => value.clone_into(&mut model),
            Some(("threads", value)) => threads = value.parse()?,
            Some(("repeat", value)) => repeat = value.parse()?,
            Some(("follow", value)) => follow = value.parse()?,
            _ => files.push(argument),
        }
    }
    let registry = Registry::open(std::env::var_os("HEIMDEX_MODELS_DIR").ok_or("HEIMDEX_MODELS_DIR is not set")?)?;
    let reader = TextReader::load(&registry.get(&model)?, threads)?;
    let (mut all, mut last): (_, Option<(Strokes, Vec<Line>)>) = (Duration::ZERO, None);
    for file in &files {
        let decoded = image::open(file)?.to_rgb8();
        let picture = Picture::new(decoded.width() as usize, decoded.height() as usize, decoded.as_raw())?;
        let (mut looking, mut reading) = (Duration::ZERO, Duration::ZERO);
        let (mut strokes, mut read, mut lines) = (Strokes::of(picture), true, Vec::new());
        for _ in 0..repeat.max(1) {
            let began = Instant::now();
            strokes = Strokes::of(picture);
            let same = last.as_ref().filter(|(last, _)| follow && last.same_as(&strokes));
            let looked = began.elapsed();
            read = same.is_none();
            lines = match same {
                Some((_, lines)) => lines.clone(),
                None => reader.read(picture, &strokes)?,
            };
            looking += looked / repeat.max(1);
            reading += (began.elapsed() - looked) / repeat.max(1);
        }
        all += looking + reading;
        let share = strokes.share();
        if read {
            last = Some((strokes, lines.clone()));
        }
        let ms = |time: Duration| (time.as_secs_f64() * 1e4).round() / 10.0;
        let lines: Vec<_> = lines
            .iter()
            .map(|line| json!({ "text": line.text, "confidence": line.confidence, "corners": line.corners }))
            .collect();
        let looked = json!({ "file": file, "looking_ms": ms(looking), "reading_ms": ms(reading), "share": share, "read": read, "lines": lines });
        println!("{looked}");
    }
    eprintln!("{} pictures, {:.1} ms each", files.len(), all.as_secs_f64() * 1e3 / files.len().max(1) as f64);
    Ok(())
}
