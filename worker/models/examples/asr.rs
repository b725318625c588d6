//! Transcribes a 16 kHz mono WAV file and prints JSON: the transcript and how long each part took.
//!
//! `cargo run --release -p heimdex-models --example asr -- WAV [key=value …]` with the keys `model` (whisper-tiny.en), `vad`
//! (silero-vad-v6 or none), `mode` (batched or sequential), `beam`, `threads`, `workers`, `compute` (int8, float32, default),
//! `batch`, `timestamps` (true or false), `repeat`. Needs `HEIMDEX_MODELS_DIR` and `ORT_DYLIB_PATH`.

use std::path::Path;
use std::time::Instant;

use heimdex_models::asr::Mode;
use heimdex_models::{AsrOptions, Registry, Samples, TranscribeOptions, Vad, WavFile, Whisper};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    heimdex_models::asr::keep_weights_unpacked();
    let mut arguments = std::env::args().skip(1);
    let wav = arguments.next().ok_or("usage: asr WAV [key=value …]")?;
    let (mut load, mut options) = (AsrOptions::default(), TranscribeOptions::default());
    let (mut model, mut vad, mut repeat, mut workers) =
        ("whisper-tiny.en".to_owned(), "silero-vad-v6".to_owned(), 1, None);
    for argument in arguments {
        let (key, value) = argument.split_once('=').ok_or("arguments are key=value")?;
        match key {
            "model" => value.clone_into(&mut model),
            "vad" => value.clone_into(&mut vad),
            "mode" if value == "batched" => options.mode = Mode::Batched,
            "mode" if value == "sequential" => options.mode = Mode::Sequential,
            "beam" => options.beam_size = value.parse()?,
            "threads" => load.threads = value.parse()?,
            "workers" => workers = Some(value.parse()?),
            "compute" => load.compute_type = value.parse()?,
            "batch" => options.batch_size = value.parse()?,
            "timestamps" => options.timestamp_tokens = value.parse()?,
            "repeat" => repeat = value.parse()?,
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    load.workers = workers.unwrap_or(if options.mode == Mode::Batched { load.threads } else { 1 });

    let began = Instant::now();
    let registry = Registry::open(std::env::var_os("HEIMDEX_MODELS_DIR").ok_or("HEIMDEX_MODELS_DIR is not set")?)?;
    let whisper = Whisper::load(&registry.get(&model)?, &load)?;
    let vad = if vad == "none" { None } else { Some(Vad::load(&registry.get(&vad)?)?) };
    let load_s = began.elapsed().as_secs_f64();

    let audio = WavFile::open(Path::new(&wav))?;
    let (mut walls, mut cpus, mut transcript) = (Vec::new(), Vec::new(), None);
    for _ in 0..repeat {
        let (began, cpu) = (Instant::now(), cpu_s()?);
        transcript = Some(whisper.transcribe(&audio, &options, vad.as_ref(), |_| (), || false)?);
        walls.push(began.elapsed().as_secs_f64());
        cpus.push(cpu_s()? - cpu);
    }
    let report = serde_json::json!({
        "audio_s": audio.len() as f64 / 16_000.0,
        "load_s": load_s,
        "wall_s": walls,
        "cpu_s": cpus,
        "peak_rss_kib": status("VmHWM")?,
        "options": format!("{load:?} {options:?}"),
        "transcript": transcript,
    });
    println!("{report:#}");
    Ok(())
}

/// CPU seconds of all threads of this process so far.
fn cpu_s() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields.get(11).zip(fields.get(12)).ok_or("unreadable /proc/self/stat")?;
    Ok((ticks.0.parse::<f64>()? + ticks.1.parse::<f64>()?) / 100.0)
}

fn status(key: &str) -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(key)).ok_or("no such key in /proc/self/status")?;
    Ok(line.split_whitespace().nth(1).ok_or("no value")?.parse()?)
}
