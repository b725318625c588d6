//! The seek loop: window after window, each beginning where the text of the last one ended.
//! Follows faster-whisper's `generate_segments` (MIT, Systran).

use super::mel::{WINDOW_FRAMES, content_frames};
use super::samples::Samples;
use super::segments::{FRAME_S, split};
use super::timeline::Joined;
use super::tokens::Start;
use super::words::{align, place};
use super::{Heard, TranscribeOptions, Watch, Whisper};
use crate::error::ModelError;

/// Above this sampling temperature the text is too doubtful to prime the next window.
const PROMPT_RESET_TEMPERATURE: f32 = 0.5;
const MEDIAN_FILTER: i64 = 7;

impl Whisper {
    pub(crate) fn sequential(
        &self,
        audio: &Joined<'_>,
        start: &Start,
        options: &TranscribeOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<Heard>, ModelError> {
        let content = content_frames(audio.len());
        let peak = self.mel.peak(audio)?;
        let mut said = match &options.initial_prompt {
            Some(prompt) => self.vocabulary.encode(&format!(" {}", prompt.trim()))?,
            None => Vec::new(),
        };
        let (mut prompt_from, mut seek, mut last_speech_s) = (0, 0, 0.0);
        let mut heard = Vec::new();
        while seek < content {
            if (watch.cancel)() {
                return Err(ModelError::Cancelled);
            }
            let frames = WINDOW_FRAMES.min(content - seek);
            let offset_s = seek as f64 * FRAME_S;
            let mut features = self.mel.window(audio, seek, frames, peak)?;
            let encoded = self.encode(&mut features, 1)?;
            let prompt = self.prompt(start, &said[prompt_from..], true)?;
            let decoded = self.decode_with_fallback(&encoded, &prompt, options)?;
            let window_end = seek + frames;
            if decoded.no_speech_prob > options.no_speech_threshold && decoded.avg_logprob <= options.logprob_threshold
            {
                seek = window_end;
                continue;
            }

            let mut found = split(&decoded.tokens, self.vocabulary.timestamp_begin, seek, frames);
            seek = found.seek;
            let text: Vec<u32> = decoded.tokens.iter().copied().filter(|token| *token < self.vocabulary.eot).collect();
            let timed = if text.is_empty() {
                Vec::new()
            } else {
                let sequence: Vec<usize> = start.tokens.iter().map(|token| *token as usize).collect();
                let tokens = [text.iter().map(|token| *token as usize).collect()];
                let aligned = self
                    .engine
                    .align(&encoded, &sequence, &tokens, &[frames], MEDIAN_FILTER)
                    .map_err(ModelError::ctranslate2)?;
                let aligned = aligned.first().ok_or_else(|| ModelError::ctranslate2("no alignment for a window"))?;
                align(&self.vocabulary, &start.language, &text, aligned)?
            };
            let (words, speech_end_s) = place(timed, &mut found.drafts, self.vocabulary.eot, offset_s, last_speech_s);
            let last_word_s = words.iter().flatten().last().map(|word| word.end_s);
            if !found.ends_with_single_timestamp {
                let end_s = last_word_s.or(found.drafts.last().map(|draft| draft.end_s));
                if let Some(end_s) = end_s
                    && end_s > offset_s
                {
                    seek = (end_s / FRAME_S).round() as usize;
                }
            }
            last_speech_s = last_word_s.or(found.drafts.last().map(|draft| draft.end_s)).unwrap_or(speech_end_s);
            // Every window goes forward, whatever the model wrote.
            seek = seek.max(window_end - frames + 1);

            for (draft, words) in found.drafts.into_iter().zip(words) {
                let text = self.vocabulary.decode(&draft.tokens)?;
                if draft.start_s == draft.end_s || text.trim().is_empty() {
                    continue;
                }
                said.extend(&draft.tokens);
                heard.push(Heard { start_s: draft.start_s, end_s: draft.end_s, text, words, quality: decoded.clone() });
            }
            if !options.condition_on_previous_text || decoded.temperature > PROMPT_RESET_TEMPERATURE {
                prompt_from = said.len();
            }
            (watch.progress)(seek.min(content) as f32 / content as f32);
        }
        Ok(heard)
    }
}
