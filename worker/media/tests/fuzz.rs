//! Files as nobody makes them: flipped, cut, spliced and repeated bytes of every container, through the sandboxed child. Whatever
//! happens, it ends in time, and as something that has a name.
//!
//! The cases follow from their numbers alone. `HEIMDEX_FUZZ_CASES=5000` looks longer, `HEIMDEX_FUZZ_FROM=5000` elsewhere, and
//! `HEIMDEX_FUZZ_KEEP=<folder>` keeps the files that crash a decoder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::Desk;
use heimdex_media::audio::TrackChoice;
use heimdex_media::child::{Request, Response};
use heimdex_media::probe::ProbeLimits;
use heimdex_media::scene::SceneOptions;
use heimdex_media::{Declared, MediaError};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// Looked at by scripts/test.
const CASES: u64 = 120;
/// Children at work at the same time.
const HANDS: usize = 2;
/// A second of video: whoever is not done by then hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// One second in every container, with most codecs.
fn seeds(desk: &Desk) -> Vec<Vec<u8>> {
    let input = "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=f=440:r=16000:d=1";
    let x264 = "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p";
    let kinds = [
        ("a.mp4", format!("{x264} -c:a aac")),
        ("b.mp4", format!("{x264} -c:a aac -movflags frag_keyframe+empty_moov")),
        ("c.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac".to_owned()),
        ("d.mov", "-c:v prores_ks -profile:v 0 -c:a pcm_s16le".to_owned()),
        ("e.mov", "-c:v mjpeg -pix_fmt yuvj420p -c:a alac".to_owned()),
        ("f.mkv", format!("{x264} -c:a flac")),
        ("g.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus".to_owned()),
        ("h.mkv", "-c:v libaom-av1 -cpu-used 8 -usage realtime -c:a libvorbis".to_owned()),
        ("i.avi", "-c:v mpeg4 -q:v 4 -g 10 -c:a libmp3lame".to_owned()),
        ("j.avi", "-c:v ffv1 -c:a ac3".to_owned()),
        ("k.ts", format!("{x264} -c:a aac")),
        ("l.ts", "-c:v mpeg2video -q:v 4 -c:a mp2".to_owned()),
        ("m.mpg", "-c:v mpeg2video -q:v 4 -c:a mp2".to_owned()),
    ];
    kinds
        .iter()
        .map(|(name, encoder)| {
            desk.ffmpeg(&format!("{input} {encoder} {name}"));
            std::fs::read(desk.path(name)).unwrap()
        })
        .collect()
}

/// What chance does to a file.
struct Vandal(StdRng);

impl Vandal {
    fn of_case(case: u64) -> Self {
        Self(StdRng::seed_from_u64(case))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    /// Headers are where a parser decides: half of all damage is done in the first 2 KiB.
    fn place(&mut self, bytes: &[u8]) -> usize {
        let end = if self.below(2) == 0 { bytes.len().min(2048) } else { bytes.len() };
        self.below(end)
    }

    fn file(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(3) {
            self.damage(&mut bytes, seeds);
        }
        bytes
    }

    fn damage(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        if bytes.is_empty() {
            return;
        }
        let at = self.place(bytes);
        match self.below(8) {
            0 => bytes.truncate(at),
            1 => {
                for _ in 0..=self.below(40) {
                    let at = self.place(bytes);
                    bytes[at] ^= 1 << self.below(8);
                }
            }
            2 => {
                let end = (at + 1 + self.below(64)).min(bytes.len());
                self.0.fill_bytes(&mut bytes[at..end]);
            }
            // Sizes and counts at their ends.
            3 => {
                let value = [[0; 4], [0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0x80, 0, 0, 0]][self.below(4)];
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&value[..end - at]);
            }
            4 => {
                let end = (at + self.below(4096)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let part = bytes[at..(at + self.below(4096)).min(bytes.len())].to_vec();
                let to = self.place(bytes);
                bytes.splice(to..to, part);
            }
            6 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let end = (at + self.below(20_000)).min(bytes.len());
                bytes[at..end].fill(0);
            }
        }
    }
}

/// All that is done with a file, as the stages do it; each step's name and end.
async fn look(desk: &Desk, file: &Path, case: u64) -> Vec<(&'static str, Result<(), MediaError>)> {
    let own = desk.path(&format!("out-{case}"));
    std::fs::create_dir(&own).unwrap();
    let run = async |request| desk.runner.run(request, DEADLINE, |_| ()).await.map(|finished| finished.response);
    let poster = Some(own.join("poster.webp"));
    let limits = ProbeLimits { max_duration_ms: Some(600_000) };
    let probed = run(Request::Probe { source: file.into(), declared: Declared::default(), limits, poster }).await;
    let mut ends = Vec::new();
    match probed {
        Ok(Response::Probe { probe, .. }) => {
            let (source, max_ms) = (file.to_owned(), Some(probe.duration_ms));
            let target = own.join("sound.flac");
            let sound = Request::ExtractAudio { source: source.clone(), target, track: TrackChoice::Default, max_ms };
            let options = SceneOptions { duration_ms: max_ms, ..SceneOptions::default() };
            let scenes = Request::DetectScenes { source, out_dir: own.clone(), options };
            ends.push(("sound", run(sound).await.map(drop)));
            ends.push(("scenes", run(scenes).await.map(drop)));
        }
        other => ends.push(("probe", other.map(drop))),
    }
    std::fs::remove_dir_all(&own).unwrap();
    ends
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_at_all_crashes_or_hangs() {
    let desk = Arc::new(Desk::new());
    let seeds = Arc::new(seeds(&desk));
    let from = number("HEIMDEX_FUZZ_FROM", 0);
    let end = from + number("HEIMDEX_FUZZ_CASES", CASES);
    let next = Arc::new(AtomicU64::new(from));
    let hands: Vec<_> = (0..HANDS)
        .map(|_| {
            let (desk, seeds, next) = (Arc::clone(&desk), Arc::clone(&seeds), Arc::clone(&next));
            tokio::spawn(async move {
                let mut ends = Vec::new();
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    if case >= end {
                        return ends;
                    }
                    let bytes = Vandal::of_case(case).file(&seeds);
                    let file = desk.write(&format!("case-{case}"), &bytes);
                    for (step, ended) in look(&desk, &file, case).await {
                        if let (Err(MediaError::Crashed { .. }), Ok(keep)) =
                            (&ended, std::env::var("HEIMDEX_FUZZ_KEEP"))
                        {
                            std::fs::copy(&file, Path::new(&keep).join(format!("case-{case}"))).unwrap();
                        }
                        ends.push((case, step, ended));
                    }
                    std::fs::remove_file(file).unwrap();
                }
            })
        })
        .collect();
    let (mut counts, mut bad) = (BTreeMap::new(), Vec::new());
    for hand in hands {
        for (case, step, ended) in hand.await.unwrap() {
            let name = match &ended {
                Ok(()) => "well".to_owned(),
                Err(MediaError::Rejected { code, .. }) => code.to_string(),
                Err(MediaError::ResourceLimit { limit, .. }) => format!("limit of {limit:?}"),
                Err(error) => {
                    bad.push(format!("case {case}, {step}: {error}"));
                    "badly".to_owned()
                }
            };
            *counts.entry((step, name)).or_insert(0) += 1;
        }
    }
    println!("{counts:#?}");
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), end - from, bad.join("\n"));
}
