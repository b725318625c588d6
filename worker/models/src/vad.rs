//! Voice activity: Silero VAD through ONNX Runtime, with faster-whisper's rules for turning probabilities into clips.
//!
//! Source: Silero VAD v6 (MIT) and `faster_whisper/vad.py` 1.2.1 (MIT).

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;

use crate::asr::{SAMPLE_RATE, Samples};
use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::onnx;

/// Samples a window: 32 ms.
const WINDOW: usize = 512;
/// Samples of the previous window that the network sees again.
const CONTEXT: usize = 64;
const STATE: usize = 128;
/// Windows a run of the network: about 33 s of audio, 2.4 MB.
const BATCH: usize = 1024;

/// How probabilities become clips; the defaults are faster-whisper's `vad_filter=True`.
#[derive(Debug, Clone, PartialEq)]
pub struct VadOptions {
    /// Speech begins at a probability of at least this.
    pub threshold: f32,
    /// Speech ends below this; default: 0.15 under the threshold.
    pub neg_threshold: Option<f32>,
    /// Shorter clips are dropped.
    pub min_speech_ms: u32,
    /// Longer clips are cut, at their last silence of 98 ms if there is one.
    pub max_speech_s: f64,
    /// A pause must last this long to end a clip.
    pub min_silence_ms: u32,
    /// Added on both sides of a clip.
    pub speech_pad_ms: u32,
}

impl Default for VadOptions {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            neg_threshold: None,
            min_speech_ms: 0,
            max_speech_s: f64::INFINITY,
            min_silence_ms: 2000,
            speech_pad_ms: 400,
        }
    }
}

impl VadOptions {
    /// What faster-whisper's batched pipeline uses: clips of at most 30 s, cut at pauses of 160 ms.
    pub fn for_batches() -> Self {
        Self { max_speech_s: 30.0, min_silence_ms: 160, ..Self::default() }
    }
}

/// A loaded voice activity detector; calls take turns.
pub struct Vad {
    session: Mutex<Session>,
}

impl Vad {
    /// Loads it from a verified manifest. One thread: the network is recurrent and tiny.
    ///
    /// # Errors
    /// [`ModelError::Runtime`] without ONNX Runtime, [`ModelError::Mismatch`] when the graph is another one.
    pub fn load(manifest: &Manifest) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Vad)?;
        let path = manifest.file_with_suffix("onnx")?;
        let session = onnx::session(manifest, &path, 1, onnx::Inputs::Alike)?;
        onnx::expect_names(manifest, &path, &session, &["input", "h", "c"], &["speech_probs", "hn", "cn"])?;
        Ok(Self { session: Mutex::new(session) })
    }

    /// The probability of speech in each window of 512 samples (32 ms); the last window is padded with silence.
    ///
    /// # Errors
    /// [`ModelError::Samples`], [`ModelError::Engine`], or [`ModelError::Cancelled`] when `cancel` says so.
    pub fn probabilities<S: Samples + ?Sized>(
        &self,
        samples: &S,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<f32>, ModelError> {
        let windows = samples.len() / WINDOW + 1;
        let mut probabilities = Vec::with_capacity(windows);
        let (mut h, mut c) = (vec![0.0f32; STATE], vec![0.0f32; STATE]);
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let row = WINDOW + CONTEXT;
        let mut audio = vec![0.0f32; BATCH * WINDOW + CONTEXT];
        while probabilities.len() < windows {
            if cancel() {
                return Err(ModelError::Cancelled);
            }
            let first = probabilities.len();
            let count = BATCH.min(windows - first);
            let at = first * WINDOW;
            // The end of the previous batch is the context of this one's first window.
            audio.copy_within(BATCH * WINDOW.., 0);
            let fresh = &mut audio[CONTEXT..];
            let available = (samples.len() - at).min(count * WINDOW);
            samples.read(at, &mut fresh[..available])?;
            fresh[available..].fill(0.0);
            if first + count == windows {
                // faster-whisper clears the tail of the last window (its context array is a view); kept for equal numbers.
                fresh[count * WINDOW - CONTEXT..count * WINDOW].fill(0.0);
            }
            let mut input = Vec::with_capacity(count * row);
            for index in 0..count {
                input.extend_from_slice(&audio[index * WINDOW..index * WINDOW + row]);
            }
            let outputs = session
                .run(ort::inputs![
                    "input" => TensorRef::from_array_view(([count, row], input.as_slice())).map_err(ModelError::onnx)?,
                    "h" => TensorRef::from_array_view(([1, 1, STATE], h.as_slice())).map_err(ModelError::onnx)?,
                    "c" => TensorRef::from_array_view(([1, 1, STATE], c.as_slice())).map_err(ModelError::onnx)?,
                ])
                .map_err(ModelError::onnx)?;
            let tensor = |name: &str| {
                outputs[name].try_extract_tensor::<f32>().map(|(_, data)| data.to_vec()).map_err(ModelError::onnx)
            };
            let found = tensor("speech_probs")?;
            if found.len() != count {
                return Err(ModelError::onnx(format!(
                    "the voice detector gave {} probabilities for {count} windows",
                    found.len()
                )));
            }
            probabilities.extend(found);
            (h, c) = (tensor("hn")?, tensor("cn")?);
        }
        Ok(probabilities)
    }

    /// The clips with speech: ascending, disjoint ranges of samples.
    ///
    /// # Errors
    /// As [`Vad::probabilities`].
    pub fn speech<S: Samples + ?Sized>(
        &self,
        samples: &S,
        options: &VadOptions,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Range<usize>>, ModelError> {
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let probabilities = self.probabilities(samples, cancel)?;
        Ok(clips(&probabilities, samples.len(), options))
    }
}

/// The state machine of `get_speech_timestamps`: probabilities of consecutive windows to clips.
fn clips(probabilities: &[f32], length: usize, options: &VadOptions) -> Vec<Range<usize>> {
    let rate = SAMPLE_RATE as f64;
    let samples = |ms: u32| rate * f64::from(ms) / 1000.0;
    let threshold = options.threshold;
    let neg_threshold = options.neg_threshold.unwrap_or((threshold - 0.15).max(0.01));
    let pad = samples(options.speech_pad_ms);
    let max_speech = rate * options.max_speech_s - WINDOW as f64 - 2.0 * pad;
    let (min_silence, min_cut_silence) = (samples(options.min_silence_ms), samples(98));
    let min_speech = samples(options.min_speech_ms);

    let mut speech: Vec<Range<usize>> = Vec::new();
    let mut start: Option<usize> = None;
    // Ends that may become the clip's: where the current pause began, where the last long enough pause began and ended.
    let (mut pause, mut cut_end, mut cut_next) = (0, 0, 0);
    for (index, probability) in probabilities.iter().copied().enumerate() {
        let now = WINDOW * index;
        if probability >= threshold && pause > 0 {
            pause = 0;
            if cut_next < cut_end {
                cut_next = now;
            }
        }
        let Some(begun) = start else {
            if probability >= threshold {
                start = Some(now);
            }
            continue;
        };
        if (now - begun) as f64 > max_speech {
            if cut_end > 0 {
                speech.push(begun..cut_end);
                start = (cut_next >= cut_end).then_some(cut_next);
                (cut_end, cut_next, pause) = (0, 0, 0);
            } else {
                speech.push(begun..now);
                start = None;
                (cut_end, cut_next, pause) = (0, 0, 0);
                continue;
            }
        }
        let Some(begun) = start else { continue };
        if probability < neg_threshold {
            if pause == 0 {
                pause = now;
            }
            if (now - pause) as f64 > min_cut_silence {
                cut_end = pause;
            }
            if ((now - pause) as f64) < min_silence {
                continue;
            }
            if (pause - begun) as f64 > min_speech {
                speech.push(begun..pause);
            }
            start = None;
            (cut_end, cut_next, pause) = (0, 0, 0);
        }
    }
    if let Some(begun) = start
        && (length - begun.min(length)) as f64 > min_speech
    {
        speech.push(begun..length);
    }
    widen(&mut speech, length, pad as usize);
    speech
}

/// Adds the padding; neighbours closer than two paddings share what lies between them.
fn widen(speech: &mut [Range<usize>], length: usize, pad: usize) {
    for index in 0..speech.len() {
        if index == 0 {
            speech[0].start = speech[0].start.saturating_sub(pad);
        }
        let end = speech[index].end;
        match speech.get(index + 1).map(|next| next.start) {
            Some(next) if next - end < 2 * pad => {
                let half = (next - end) / 2;
                speech[index].end += half;
                speech[index + 1].start = next - half;
            }
            Some(next) => {
                speech[index].end = (end + pad).min(length);
                speech[index + 1].start = next.saturating_sub(pad);
            }
            None => speech[index].end = (end + pad).min(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pause_of_two_seconds_parts_two_clips_and_a_shorter_one_does_not() {
        let second = SAMPLE_RATE / WINDOW;
        let part = |speech: f32, seconds: usize| std::iter::repeat_n(speech, seconds * second);
        let talk: Vec<f32> = part(0.0, 2)
            .chain(part(0.9, 3))
            .chain(part(0.1, 1))
            .chain(part(0.9, 2))
            .chain(part(0.1, 4))
            .chain(part(0.9, 1))
            .collect();
        let found = clips(&talk, talk.len() * WINDOW, &VadOptions::default());
        assert_eq!(found.len(), 2, "{found:?}");
        let pad = SAMPLE_RATE * 400 / 1000;
        assert_eq!(found[0].start, 2 * second * WINDOW - pad);
        assert_eq!(found[0].end, 8 * second * WINDOW + pad);
    }

    proptest! {
        #[test]
        fn clips_ascend_and_stay_inside(
            probabilities in prop::collection::vec(0.0f32..1.0, 1..3000),
            spare in 0usize..WINDOW,
            batched in any::<bool>(),
        ) {
            let length = probabilities.len() * WINDOW - spare.min(WINDOW - 1);
            let options = if batched { VadOptions::for_batches() } else { VadOptions::default() };
            let found = clips(&probabilities, length, &options);
            let mut at = 0;
            for clip in &found {
                prop_assert!(clip.start >= at && clip.start < clip.end && clip.end <= length, "{found:?}");
                prop_assert!(!batched || clip.len() <= 30 * SAMPLE_RATE, "{found:?}");
                at = clip.end;
            }
        }
    }
}
