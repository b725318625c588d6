//! Speech to text with word times: Whisper on CTranslate2.
//!
//! The engine encodes, decodes and aligns; what surrounds it (features, windows, quality checks, word clean-up) is here,
//! after faster-whisper 1.2.1, so that the same audio gives the same words.

mod batched;
mod captions;
mod coverage;
mod decode;
mod language;
mod mel;
mod packing;
mod samples;
mod segments;
mod sequential;
mod timeline;
pub(crate) mod tokens;
mod words;

use ct2rs::sys::{self, Config, StorageView};
use serde::Serialize;

pub use packing::keep_weights_unpacked;
pub use samples::{SAMPLE_RATE, Samples, WavFile};
pub use timeline::Timeline;

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::vad::{Vad, VadOptions};
use mel::Mel;
use timeline::Joined;
use tokens::Vocabulary;
use words::TimedWord;

/// Number format of the weights while computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ComputeType {
    /// 8-bit integers where it matters: least memory, fast on every CPU.
    #[default]
    Int8,
    Float32,
    /// What the model was stored as, or the nearest the CPU can do.
    Stored,
}

impl std::str::FromStr for ComputeType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "int8" => Ok(Self::Int8),
            "float32" => Ok(Self::Float32),
            "default" => Ok(Self::Stored),
            other => Err(format!("compute type `{other}` is none of int8, float32, default")),
        }
    }
}

/// How the model is loaded.
#[derive(Debug, Clone)]
pub struct AsrOptions {
    /// CPU threads in all. `OMP_NUM_THREADS` has no say.
    pub threads: usize,
    pub compute_type: ComputeType,
    /// Independent workers among which the threads are divided. More workers suit [`Mode::Batched`] (windows in parallel, no
    /// waiting within a window), one suits [`Mode::Sequential`]. More than one only after [`keep_weights_unpacked`].
    pub workers: usize,
}

impl Default for AsrOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, compute_type: ComputeType::default(), workers: threads }
    }
}

/// In which order windows are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Speech is packed into pieces of at most 30 s that are decoded independently, several at once. Needs a voice detector;
    /// without one it falls back to [`Mode::Sequential`].
    #[default]
    Batched,
    /// One window after the other, each beginning where the last one's text ended and knowing that text.
    Sequential,
}

/// What is tried when a window's text looks wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Fallback {
    None,
    /// Again, with penalties for repetition. Deterministic.
    #[default]
    Penalties,
    /// Sampling at these temperatures in turn, as the original does (0.2, 0.4, … 1.0). Another result each time.
    Temperatures(Vec<f32>),
}

/// How audio is transcribed.
#[derive(Debug, Clone)]
pub struct TranscribeOptions {
    pub mode: Mode,
    pub beam_size: usize,
    /// ISO 639-1; `None` lets a multilingual model find out. English-only models ignore it.
    pub language: Option<String>,
    /// Text that primes the model (names, spelling).
    pub initial_prompt: Option<String>,
    /// Sequential mode: each window sees the text before it.
    pub condition_on_previous_text: bool,
    /// Batched mode: pieces decoded in one call.
    pub batch_size: usize,
    /// Batched mode: let the model write timestamp tokens. Words are aligned either way; without them decoding is quicker.
    pub timestamp_tokens: bool,
    pub compression_ratio_threshold: f32,
    pub logprob_threshold: f32,
    pub no_speech_threshold: f32,
    pub fallback: Fallback,
    /// `None`: what suits the mode.
    pub vad: Option<VadOptions>,
}

impl Default for TranscribeOptions {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            beam_size: 5,
            language: None,
            initial_prompt: None,
            condition_on_previous_text: true,
            batch_size: 4,
            timestamp_tokens: false,
            compression_ratio_threshold: 2.4,
            logprob_threshold: -1.0,
            no_speech_threshold: 0.6,
            fallback: Fallback::default(),
            vad: None,
        }
    }
}

/// A spoken word; times are milliseconds of the original audio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    pub start_ms: u64,
    pub end_ms: u64,
    /// With the punctuation that belongs to it, without surrounding space.
    pub text: String,
    /// Whether a space parts it from the word before (false in Chinese, Japanese, Thai and the like).
    pub space_before: bool,
    /// Mean probability of its tokens, 0..1.
    pub probability: f32,
}

/// A sentence or part of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
    /// Mean log probability of the tokens of the window it came from.
    pub avg_logprob: f32,
    pub no_speech_prob: f32,
    pub compression_ratio: f32,
    /// 0 unless the window was decoded again by sampling.
    pub temperature: f32,
    pub words: Vec<Word>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transcript {
    /// ISO 639-1; `None` when nothing was said and the model would have had to listen to know.
    pub language: Option<String>,
    /// The model knows only this language: nobody listened which one it is.
    pub language_assumed: bool,
    /// Of a detected language, 0..1.
    pub language_probability: Option<f32>,
    /// Length of the audio, and of what was left of it after the voice detector.
    pub duration_ms: u64,
    pub speech_ms: u64,
    /// Ascending.
    pub segments: Vec<Segment>,
}

/// A loaded Whisper model.
pub struct Whisper {
    pub(crate) engine: sys::Whisper,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) mel: Mel,
    workers: usize,
}

/// The caller's two ends of a long call.
pub(crate) struct Watch<'a> {
    /// Receives the finished share, 0..1, ascending.
    pub progress: &'a mut dyn FnMut(f32),
    pub cancel: &'a (dyn Fn() -> bool + Sync),
}

/// A segment before its times are brought back to the original audio.
pub(crate) struct Heard {
    pub start_s: f64,
    pub end_s: f64,
    pub text: String,
    pub words: Vec<TimedWord>,
    pub quality: decode::Decoded,
}

impl Whisper {
    /// Loads the model of a verified manifest: any directory as faster-whisper takes them (`model.bin`, `config.json`,
    /// `tokenizer.json`, a vocabulary).
    ///
    /// # Errors
    /// [`ModelError::Manifest`] for a model of another kind, [`ModelError::Mismatch`] when the engine or tokenizer refuses it.
    pub fn load(manifest: &Manifest, options: &AsrOptions) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Asr)?;
        let vocabulary = Vocabulary::load(manifest)?;
        let workers = match packing::weights_are_unpacked() {
            true => options.workers.clamp(1, options.threads.max(1)),
            false => 1,
        };
        let config = Config {
            compute_type: match options.compute_type {
                ComputeType::Int8 => sys::ComputeType::INT8,
                ComputeType::Float32 => sys::ComputeType::FLOAT32,
                ComputeType::Stored => sys::ComputeType::DEFAULT,
            },
            // One entry a worker; those on the same device share the weights.
            device_indices: vec![0; workers],
            num_threads_per_replica: (options.threads / workers).max(1),
            max_queued_batches: -1,
            ..Config::default()
        };
        let engine = sys::Whisper::new(&manifest.folder, config).map_err(|error| ModelError::Mismatch {
            id: manifest.id.clone(),
            path: manifest.folder.join("model.bin"),
            expected: "a Whisper model for CTranslate2".to_owned(),
            found: format!("{error:#}"),
        })?;
        let mel = Mel::new(engine.n_mels());
        Ok(Self { engine, vocabulary, mel, workers })
    }

    /// Whether it knows more than English.
    pub fn is_multilingual(&self) -> bool {
        self.engine.is_multilingual()
    }

    /// Transcribes 16 kHz mono audio. Silence gives an empty transcript.
    ///
    /// `vad` finds the speech first; without it everything is decoded. `progress` receives the finished share (0..1, ascending)
    /// on the calling thread; `cancel` is asked between windows, from any thread. Memory does not grow with the audio's
    /// length beyond what `samples` itself holds.
    ///
    /// # Errors
    /// [`ModelError::Samples`], [`ModelError::Engine`], [`ModelError::Cancelled`].
    pub fn transcribe<S: Samples + ?Sized>(
        &self,
        samples: &S,
        options: &TranscribeOptions,
        vad: Option<&Vad>,
        mut progress: impl FnMut(f32),
        cancel: impl Fn() -> bool + Sync,
    ) -> Result<Transcript, ModelError> {
        let source: &dyn Samples = &samples;
        let total = source.len();
        let mode = if vad.is_some() { options.mode } else { Mode::Sequential };
        let clips = match vad {
            Some(vad) => {
                let fitting = match mode {
                    Mode::Batched => VadOptions::for_batches(),
                    Mode::Sequential => VadOptions::default(),
                };
                vad.speech(&source, options.vad.as_ref().unwrap_or(&fitting), &cancel)?
            }
            None if total > 0 => std::iter::once(0..total).collect(),
            None => Vec::new(),
        };
        let joined = Joined { source, clips: &clips };
        let milliseconds = |samples: usize| (samples as u64 * 1000) / SAMPLE_RATE as u64;
        let mut transcript = Transcript {
            language: (!self.is_multilingual()).then(|| "en".to_owned()),
            language_assumed: !self.is_multilingual(),
            language_probability: None,
            duration_ms: milliseconds(total),
            speech_ms: milliseconds(joined.len()),
            segments: Vec::new(),
        };
        if joined.is_empty() {
            return Ok(transcript);
        }
        let (start, probability) = self.start(&joined, options)?;
        transcript.language = Some(start.language.clone());
        transcript.language_probability = probability;
        let mut watch = Watch { progress: &mut progress, cancel: &cancel };
        let heard = match mode {
            Mode::Batched => self.batched(&joined, &start, options, &mut watch)?,
            Mode::Sequential => self.sequential(&joined, &start, options, &mut watch)?,
        };
        let timeline = Timeline::new(&clips);
        transcript.segments = heard.iter().map(|segment| restore(segment, &timeline)).collect();
        Ok(transcript)
    }

    /// Encodes windows of features, `[count, bands, 3000]` laid end to end.
    pub(crate) fn encode(&self, features: &mut [f32], count: usize) -> Result<StorageView<'static>, ModelError> {
        let shape = [count, self.mel.bands, mel::WINDOW_FRAMES];
        let view = StorageView::new(&shape, features, sys::Device::CPU).map_err(ModelError::ctranslate2)?;
        self.engine.encode(&view, false).map_err(ModelError::ctranslate2)
    }
}

/// Brings a segment's times back to the original audio; a word's start and end belong to the same clip.
fn restore(heard: &Heard, timeline: &Timeline) -> Segment {
    let milliseconds = |time_s: f64| (time_s.max(0.0) * 1000.0).round() as u64;
    let words: Vec<Word> = heard
        .words
        .iter()
        .map(|word| {
            let clip = timeline.clip_at(f64::midpoint(word.start_s, word.end_s));
            let start_ms = milliseconds(timeline.original_s(word.start_s, clip));
            Word {
                start_ms,
                end_ms: milliseconds(timeline.original_s(word.end_s, clip)).max(start_ms),
                text: word.text.trim().to_owned(),
                space_before: word.text.starts_with(' '),
                probability: word.probability,
            }
        })
        .collect();
    let (start_ms, end_ms) = match (words.first(), words.last()) {
        (Some(first), Some(last)) => (first.start_ms, last.end_ms),
        _ => {
            let start = timeline.original_s(heard.start_s, timeline.clip_at(heard.start_s));
            let end = timeline.original_s(heard.end_s, timeline.clip_ending_at(heard.end_s));
            (milliseconds(start), milliseconds(end))
        }
    };
    Segment {
        start_ms,
        end_ms: end_ms.max(start_ms),
        text: heard.text.trim().to_owned(),
        avg_logprob: heard.quality.avg_logprob,
        no_speech_prob: heard.quality.no_speech_prob,
        compression_ratio: heard.quality.compression_ratio,
        temperature: heard.quality.temperature,
        words,
    }
}
