//! Scenes: where the shots of a video begin and end, how much moves in them, and clean frames that stand for them. One decode.

mod assemble;
mod detector;
mod feed;
mod keep;
mod scan;
mod signature;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use serde::{Deserialize, Serialize};

pub use detector::Transition;

use crate::av::input::Source;
use crate::av::{decoder, stream, to_ms};
use crate::error::{MediaError, RejectCode, Result};
use crate::types::{Warning, WarningCode};
use assemble::assemble;
use detector::{Detector, Thresholds};
use feed::{Fed, Piece, feed};
use scan::{Batch, Plan, Scanner};

/// How to look for scenes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SceneOptions {
    /// Decoders at work at the same time; 0 takes one per processor, at most 8.
    pub threads: usize,
    /// Shorter scenes are joined to their neighbours.
    pub min_scene_ms: u64,
    /// Candidate frames are at most this far apart, as long as `max_frames` allows.
    pub frame_interval_ms: u64,
    /// Hard cap on candidate frames, besides one per scene.
    pub max_frames: usize,
    pub frame_long_side: usize,
    pub jpeg_quality: u8,
    /// The length that `probe` measured; without it the container's word is taken. Only for progress, spacing and truncation.
    pub duration_ms: Option<u64>,
}

impl Default for SceneOptions {
    fn default() -> Self {
        Self {
            threads: 0,
            min_scene_ms: 500,
            frame_interval_ms: 1000,
            max_frames: 3600,
            frame_long_side: 1280,
            jpeg_quality: 85,
            duration_ms: None,
        }
    }
}

/// `start` is inside, `end` is not: the next scene starts there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    pub start_ms: u64,
    pub end_ms: u64,
    /// Numbers of pictures in display order, from 0.
    pub start_frame: u64,
    pub end_frame: u64,
    /// Mean change per second, 0 (still) to 1 (everything changes all the time).
    pub motion: f32,
    pub transition_in: Transition,
    pub transition_out: Transition,
}

/// A clean picture from inside a scene, as a JPEG file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateFrame {
    pub at_ms: u64,
    /// Index into [`SceneReport::scenes`].
    pub scene: usize,
    pub path: PathBuf,
    pub width: u32,
    pub height: u32,
    /// Variance of the Laplacian.
    pub sharpness: f32,
    /// Mean luma, 0–1.
    pub brightness: f32,
    pub phash: u64,
    /// Mean saturation (HSV), 0–1.
    pub saturation: f32,
    /// Mean of red minus blue, −1 (cold) to 1 (warm).
    pub warmth: f32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneReport {
    /// In order, without gaps, from the first picture to the end; never empty.
    pub scenes: Vec<Scene>,
    /// In order; every scene has at least one unless all its pictures are damaged.
    pub frames: Vec<CandidateFrame>,
    /// Mean frames a second.
    pub fps: f64,
    pub frames_total: u64,
    /// Pictures that were really decoded.
    pub frames_decoded: u64,
    /// Where the pictures end, when that is well before the promised end.
    pub truncated_at_ms: Option<u64>,
    pub warnings: Vec<Warning>,
}

/// Finds scenes of `source` and writes candidate frames into the existing folder `out_dir`.
///
/// The result depends on the file and the options only, not on the number of threads.
pub fn detect(
    source: &Path,
    options: &SceneOptions,
    out_dir: &Path,
    mut progress: impl FnMut(u8),
) -> Result<SceneReport> {
    let mut source = Source::open(source)?;
    let video =
        source.video_stream().ok_or_else(|| MediaError::rejected(RejectCode::NoVideoTrack, "no picture track"))?;
    let facts = stream::picture_facts(&video);
    let (index, base, parameters) = (video.index(), video.time_base(), crate::av::own_parameters(&video.parameters()));
    if i64::from(facts.width) * i64::from(facts.height) > decoder::MAX_PIXELS {
        return Err(MediaError::rejected(RejectCode::ResolutionTooLarge, format!("{}x{}", facts.width, facts.height)));
    }
    source.keep_only(&[index]);
    let promised_us = options.duration_ms.map(|ms| ms as i64 * 1000).or(source.declared_us()).unwrap_or(0);
    let rate = facts.average_rate.map_or(25.0, |(num, den)| f64::from(num) / f64::from(den)).clamp(0.01, 1000.0);
    let plan = Plan {
        codec: parameters.id(),
        base,
        origin_us: source.origin_us,
        width: facts.width as usize,
        height: facts.height as usize,
        sar: facts.sar,
        turns: source.turns(index),
        thresholds: Thresholds::default(),
        frame_us: (1e6 / rate) as i64,
        interval_us: frame_interval_us(options, promised_us),
        long_side: options.frame_long_side.clamp(16, 4096),
        jpeg_quality: options.jpeg_quality.clamp(1, 100),
        out_dir,
    };
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(2, usize::from).min(8),
        n => n.min(32),
    };
    let scanners: Vec<Scanner<'_>> = (0..threads).map(|_| Scanner::new(&plan, &parameters)).collect::<Result<_>>()?;
    let (piece_sender, piece_receiver) = sync_channel(1);
    let (result_sender, result_receiver) = sync_channel(threads * 2);
    let piece_receiver = Mutex::new(piece_receiver);
    let (fed, merged) = std::thread::scope(|scope| {
        let source = &mut source;
        let feeder = scope.spawn(move || feed(source, index, piece_sender));
        let (plan, piece_receiver) = (&plan, &piece_receiver);
        for scanner in scanners {
            let results = result_sender.clone();
            scope.spawn(move || work(scanner, piece_receiver, &results));
        }
        drop(result_sender);
        let merged = Merged::collect(result_receiver, plan, promised_us, &mut progress);
        // Workers that are gone leave the feeder talking to nobody.
        if let Ok(pieces) = piece_receiver.lock() {
            while merged.is_err() && pieces.try_recv().is_ok() {}
        }
        (feeder.join(), merged)
    });
    let fed = fed.map_err(|_| MediaError::failed("scenes", "the reader panicked"))?;
    let merged = merged?;
    if merged.shown == 0 {
        return Err(MediaError::rejected(RejectCode::NoFrames, "nothing could be decoded"));
    }
    let report = assemble(merged, fed, options, rate, promised_us, source.container.clock_is_arbitrary());
    progress(100);
    report
}

/// One second, or more for videos so long that this would exceed the cap.
fn frame_interval_us(options: &SceneOptions, duration_us: i64) -> i64 {
    let wanted = options.frame_interval_ms.clamp(100, 3_600_000) as i64 * 1000;
    let needed = duration_us / options.max_frames.max(1) as i64;
    wanted.max(needed)
}

fn work(mut scanner: Scanner<'_>, pieces: &Mutex<Receiver<Piece>>, results: &SyncSender<Result<Batch>>) {
    let next = || pieces.lock().ok()?.recv().ok();
    let mut run = || -> Result<()> {
        while let Some(piece) = next() {
            if !scanner.scan(&piece, results)? {
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = run() {
        // The merger has gone when another worker failed first.
        let _ = results.send(Err(error));
    }
}

/// Everything that came out of the pieces, in order.
struct Merged {
    detector: Detector,
    motion: Vec<(i64, f32)>,
    kept: Vec<keep::Kept>,
    shown: u64,
    decoded: u64,
    damaged: u64,
    first: (u64, i64),
    end_us: i64,
}

impl Merged {
    fn collect(
        results: Receiver<Result<Batch>>,
        plan: &Plan<'_>,
        promised_us: i64,
        progress: &mut impl FnMut(u8),
    ) -> Result<Self> {
        let mut merged = Self {
            detector: Detector::new(plan.thresholds),
            motion: Vec::new(),
            kept: Vec::new(),
            shown: 0,
            decoded: 0,
            damaged: 0,
            first: (0, 0),
            end_us: 0,
        };
        let mut waiting: BTreeMap<usize, Vec<Batch>> = BTreeMap::new();
        let mut current = 0;
        let mut previous = None;
        for batch in results {
            waiting.entry(batch.as_ref().map_or(0, |b| b.piece)).or_default().push(batch?);
            while let Some(batches) = waiting.remove(&current) {
                let mut last = false;
                for batch in batches {
                    last |= batch.last;
                    merged.take(batch, plan, &mut previous);
                }
                if !last {
                    break;
                }
                current += 1;
            }
            if promised_us > 0 {
                progress((merged.end_us.max(0) as i128 * 100 / promised_us as i128).min(99) as u8);
            }
        }
        Ok(merged)
    }

    fn take(
        &mut self,
        batch: Batch,
        plan: &Plan<'_>,
        previous: &mut Option<(i64, std::sync::Arc<signature::Signature>)>,
    ) {
        self.decoded += batch.decoded;
        self.damaged += batch.damaged;
        self.kept.extend(batch.kept);
        for sample in batch.samples {
            // Before the presentation starts: decoded for others' sake, never shown.
            if sample.us < 0 && sample.us + plan.frame_us <= 0 {
                continue;
            }
            if self.shown == 0 {
                self.first = (sample.frame, sample.us);
            }
            self.shown += 1;
            self.end_us = self.end_us.max(sample.us + plan.frame_us);
            if let Some((us, before)) = previous.replace((sample.us, std::sync::Arc::clone(&sample.signature))) {
                let seconds = ((sample.us - us) as f32 / 1e6).max(1e-3);
                self.motion.push((sample.us, signature::plain(&before, &sample.signature) / seconds));
            }
            self.detector.push(sample);
        }
    }
}
