//! From features to tokens: one call of the engine, the quality checks on what it gave, and what is tried when they fail.
//!
//! The checks are Whisper's (Radford et al. 2022, §4.5): text that compresses too well repeats itself; a low average log
//! probability means guessing; both together with a high no-speech probability mean silence. Whisper then samples at rising
//! temperatures. CTranslate2's random generator cannot be seeded again once a thread has used it, so sampling would give
//! another transcript each time a job is repeated. The default therefore decodes again under penalties for repetition, which
//! is deterministic; sampling stays available as [`Fallback::Temperatures`].

use std::io::Write;

use ct2rs::sys::{StorageView, WhisperOptions};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::tokens::Start;
use super::{Fallback, TranscribeOptions, Whisper};
use crate::error::ModelError;

/// Longest sequence of the decoder, prompt included.
const MAX_LENGTH: usize = 448;
/// The first timestamp of a window may be at most 1 s (50 × 20 ms).
const MAX_INITIAL_TIMESTAMP: usize = 50;

/// One window's text, with how sure the model was.
#[derive(Debug, Clone)]
pub(crate) struct Decoded {
    pub tokens: Vec<u32>,
    pub avg_logprob: f32,
    pub no_speech_prob: f32,
    pub compression_ratio: f32,
    pub temperature: f32,
}

/// How a window is decoded once.
#[derive(Clone, Copy)]
struct Attempt {
    temperature: f32,
    penalties: bool,
}

impl Decoded {
    pub(crate) fn is_silence(&self, options: &TranscribeOptions) -> bool {
        self.no_speech_prob > options.no_speech_threshold && self.avg_logprob < options.logprob_threshold
    }

    pub(crate) fn is_doubtful(&self, options: &TranscribeOptions) -> bool {
        let repeats = self.compression_ratio > options.compression_ratio_threshold;
        (repeats || self.avg_logprob < options.logprob_threshold) && !self.is_silence(options)
    }
}

impl Whisper {
    /// Prompt of a window: previous text (at most half the decoder's length), then the start sequence.
    pub(crate) fn prompt(&self, start: &Start, previous: &[u32], timestamps: bool) -> Result<Vec<String>, ModelError> {
        let mut tokens = Vec::new();
        if !previous.is_empty() {
            tokens.push(self.vocabulary.sot_prev);
            tokens.extend(&previous[previous.len().saturating_sub(MAX_LENGTH / 2 - 1)..]);
        }
        tokens.extend(&start.tokens);
        if !timestamps {
            tokens.push(self.vocabulary.no_timestamps);
        }
        self.vocabulary.spell(&tokens)
    }

    /// Decodes a batch of encoded windows, each with its prompt, once and without fallback.
    pub(crate) fn decode_batch(
        &self,
        encoded: &StorageView,
        prompts: &[Vec<String>],
        options: &TranscribeOptions,
    ) -> Result<Vec<Decoded>, ModelError> {
        self.attempt(encoded, prompts, options, Attempt { temperature: 0.0, penalties: false })
    }

    /// Decodes one encoded window, again in other ways while the result is doubtful.
    pub(crate) fn decode_with_fallback(
        &self,
        encoded: &StorageView,
        prompt: &[String],
        options: &TranscribeOptions,
    ) -> Result<Decoded, ModelError> {
        let first = self.decode_batch(encoded, &[prompt.to_vec()], options)?;
        self.fall_back(encoded, prompt, first.into_iter().next(), options)
    }

    /// Given the first result, tries the fallbacks while the best so far is doubtful.
    pub(crate) fn fall_back(
        &self,
        encoded: &StorageView,
        prompt: &[String],
        first: Option<Decoded>,
        options: &TranscribeOptions,
    ) -> Result<Decoded, ModelError> {
        let Some(first) = first else {
            return Err(ModelError::ctranslate2("no result for a window"));
        };
        if !first.is_doubtful(options) {
            return Ok(first);
        }
        let attempts: Vec<Attempt> = match &options.fallback {
            Fallback::None => Vec::new(),
            Fallback::Penalties => vec![Attempt { temperature: 0.0, penalties: true }],
            Fallback::Temperatures(list) => {
                list.iter().map(|temperature| Attempt { temperature: *temperature, penalties: false }).collect()
            }
        };
        let mut tried = vec![first];
        for attempt in attempts {
            let found = self.attempt(encoded, &[prompt.to_vec()], options, attempt)?;
            let Some(found) = found.into_iter().next() else { continue };
            if !found.is_doubtful(options) {
                return Ok(found);
            }
            tried.push(found);
        }
        // All doubtful: the likeliest of those that do not repeat themselves, else the likeliest.
        let last_temperature = tried.last().map_or(0.0, |result| result.temperature);
        let quiet = tried.iter().any(|result| result.compression_ratio <= options.compression_ratio_threshold);
        tried
            .into_iter()
            .filter(|result| !quiet || result.compression_ratio <= options.compression_ratio_threshold)
            .max_by(|a, b| a.avg_logprob.total_cmp(&b.avg_logprob))
            .map(|best| Decoded { temperature: last_temperature, ..best })
            .ok_or_else(|| ModelError::ctranslate2("no result for a window"))
    }

    fn attempt(
        &self,
        encoded: &StorageView,
        prompts: &[Vec<String>],
        options: &TranscribeOptions,
        attempt: Attempt,
    ) -> Result<Vec<Decoded>, ModelError> {
        let sampling = attempt.temperature > 0.0;
        let settings = WhisperOptions {
            beam_size: if sampling { 1 } else { options.beam_size },
            patience: 1.0,
            length_penalty: 1.0,
            repetition_penalty: if attempt.penalties { 1.2 } else { 1.0 },
            no_repeat_ngram_size: if attempt.penalties { 4 } else { 0 },
            max_length: MAX_LENGTH,
            sampling_topk: if sampling { 0 } else { 1 },
            sampling_temperature: if sampling { attempt.temperature } else { 1.0 },
            num_hypotheses: if sampling { 5 } else { 1 },
            return_scores: true,
            return_logits_vocab: false,
            return_no_speech_prob: true,
            max_initial_timestamp_index: MAX_INITIAL_TIMESTAMP,
            suppress_blank: true,
            suppress_tokens: self.vocabulary.suppressed.clone(),
        };
        let results = self.engine.generate(encoded, prompts, &settings).map_err(ModelError::ctranslate2)?;
        results
            .into_iter()
            .map(|result| {
                let tokens: Vec<u32> = result
                    .sequences_ids
                    .first()
                    .into_iter()
                    .flatten()
                    .filter_map(|token| u32::try_from(*token).ok())
                    .collect();
                // The engine divides the sum of log probabilities by the length; Whisper counts the end token too.
                let length = tokens.len() as f32;
                let score = result.scores.first().copied().unwrap_or(f32::NEG_INFINITY);
                let text = self.vocabulary.decode(&tokens)?;
                Ok(Decoded {
                    avg_logprob: score * length / (length + 1.0),
                    no_speech_prob: result.no_speech_prob,
                    compression_ratio: compression_ratio(text.trim()),
                    temperature: attempt.temperature,
                    tokens,
                })
            })
            .collect()
    }
}

/// Bytes of the text over its bytes after zlib; above about 2.4 it repeats itself.
pub(crate) fn compression_ratio(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(packed) => text.len() as f32 / packed.len().max(1) as f32,
        // Writing to memory does not fail.
        Err(_) => 0.0,
    }
}
