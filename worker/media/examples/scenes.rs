//! Finds the scenes of one file and prints them as JSON with what it cost, for benchmarks.
//!
//! `scenes FILE [--threads N] [--frames DIR] [--full]`

use std::path::PathBuf;
use std::time::Instant;

use heimdex_media::scene::{self, SceneOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = SceneOptions::default();
    let (mut file, mut frames, mut full) = (None, None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => options.threads = arguments.next().ok_or("--threads needs a number")?.parse()?,
            "--frames" => frames = arguments.next().map(PathBuf::from),
            "--full" => full = true,
            path => file = Some(PathBuf::from(path)),
        }
    }
    let file = file.ok_or("which file?")?;
    let scratch = std::env::temp_dir().join(format!("heimdex-scenes-{}", std::process::id()));
    let out_dir = frames.clone().unwrap_or_else(|| scratch.clone());
    std::fs::create_dir_all(&out_dir)?;
    let started = Instant::now();
    let report = scene::detect(&file, &options, &out_dir, |_| ())?;
    let wall_s = started.elapsed().as_secs_f64();
    let mut answer = serde_json::json!({
        "file": file,
        "wall_s": wall_s,
        "cpu_s": cpu_s(),
        "fps": report.frames_total as f64 / wall_s,
        "frames_total": report.frames_total,
        "frames_decoded": report.frames_decoded,
        "candidate_frames": report.frames.len(),
        "cuts": report.scenes.iter().skip(1).map(|scene| scene.start_frame).collect::<Vec<_>>(),
        "kinds": report.scenes.iter().skip(1).map(|scene| scene.transition_in).collect::<Vec<_>>(),
    });
    if full {
        answer["report"] = serde_json::to_value(&report)?;
    }
    println!("{}", serde_json::to_string_pretty(&answer)?);
    if frames.is_none() {
        std::fs::remove_dir_all(&scratch)?;
    }
    Ok(())
}

/// User and system time of this process, seconds (proc(5), fields 14 and 15 of stat, in ticks of 10 ms).
fn cpu_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
