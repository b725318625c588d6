//! Embeds generated pictures of 1280 × 720 and prints JSON: pictures a second, resizing included, and the most memory that was used.
//!
//! `cargo run --release -p heimdex-models --example image -- [model=efficientnet-lite0-conse] [threads=2] [batch=8] [count=64]`.
//! Needs `HEIMDEX_MODELS_DIR` and `ORT_DYLIB_PATH`.

use std::time::Instant;

use heimdex_models::{ImageOptions, Picture, Registry, image};

type Failure = Box<dyn std::error::Error>;

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Pictures in one call, as the stage has them.
const CALL: usize = 8;

fn main() -> Result<(), Failure> {
    let (mut model, mut options, mut count) =
        ("efficientnet-lite0-conse".to_owned(), ImageOptions { threads: 2, ..ImageOptions::default() }, 64);
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').ok_or("arguments are key=value")? {
            ("model", value) => value.clone_into(&mut model),
            ("threads", value) => options.threads = value.parse()?,
            ("batch", value) => options.batch = value.parse()?,
            ("count", value) => count = value.parse()?,
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let registry = Registry::open(std::env::var_os("HEIMDEX_MODELS_DIR").ok_or("HEIMDEX_MODELS_DIR is not set")?)?;
    let manifest = registry.get(&model)?;
    let before = most_memory_mib()?;
    let began = Instant::now();
    let encoder = image::load_pictures(&manifest, options)?;
    let load_s = began.elapsed().as_secs_f64();

    let shown: Vec<Vec<u8>> = (0..CALL).map(generated).collect();
    let pictures: Result<Vec<_>, _> = shown.iter().map(|rgb| Picture::new(WIDTH, HEIGHT, rgb)).collect();
    let pictures = pictures?;
    encoder.embed_pictures(&pictures)?;
    let began = Instant::now();
    let calls = usize::div_ceil(count, CALL);
    for _ in 0..calls {
        encoder.embed_pictures(&pictures)?;
    }
    let took_s = began.elapsed().as_secs_f64();
    let report = serde_json::json!({
        "model": model,
        "threads": options.threads,
        "batch": options.batch,
        "load_s": load_s,
        "pictures_per_s": (calls * CALL) as f64 / took_s,
        "ms_per_picture": took_s * 1000.0 / (calls * CALL) as f64,
        "mib_before": before,
        "mib_most": most_memory_mib()?,
    });
    println!("{report:#}");
    Ok(())
}

/// Waves of colour, different for each `n`.
fn generated(n: usize) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            rgb.extend([(x * (n + 1) / 5) as u8, (y * (n + 2) / 3) as u8, ((x * y) >> (n + 4)) as u8]);
        }
    }
    rgb
}

/// The most memory this process has had (proc(5), `VmHWM`), in MiB.
fn most_memory_mib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
