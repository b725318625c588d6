//! Which language is spoken, and hence what stands before the text.

use super::mel::{WINDOW_FRAMES, content_frames};
use super::samples::Samples;
use super::timeline::Joined;
use super::tokens::Start;
use super::{TranscribeOptions, Whisper};
use crate::error::ModelError;

impl Whisper {
    /// The start sequence, with the probability of the language when it had to be detected from the first 30 s of speech.
    pub(crate) fn start(
        &self,
        audio: &Joined<'_>,
        options: &TranscribeOptions,
    ) -> Result<(Start, Option<f32>), ModelError> {
        if !self.is_multilingual() {
            return Ok((self.vocabulary.english_only(), None));
        }
        let unknown = |language: &str| ModelError::Engine {
            engine: "Whisper",
            reason: format!("the model does not know the language `{language}`"),
        };
        if let Some(language) = &options.language {
            return Ok((self.vocabulary.in_language(language).ok_or_else(|| unknown(language))?, None));
        }
        let frames = content_frames(audio.len()).min(WINDOW_FRAMES);
        let peak = self.mel.peak(audio)?;
        let mut features = self.mel.window(audio, 0, frames, peak)?;
        let encoded = self.encode(&mut features, 1)?;
        let ranked = self.engine.detect_language(&encoded).map_err(ModelError::ctranslate2)?;
        let best = ranked
            .first()
            .and_then(|languages| languages.first())
            .ok_or_else(|| ModelError::ctranslate2("no language detected"))?;
        // The engine names the token, `<|de|>`; its bridge keeps the fields private, but prints them.
        let (language, probability) = language_fields(best)?;
        let start = self.vocabulary.in_language(&language).ok_or_else(|| unknown(&language))?;
        Ok((start, Some(probability)))
    }
}

fn language_fields(found: &ct2rs::sys::DetectionResult) -> Result<(String, f32), ModelError> {
    let text = format!("{found:?}");
    let language = text.split("<|").nth(1).and_then(|rest| rest.split("|>").next());
    let probability = text.rsplit(": ").next().and_then(|rest| rest.trim_end_matches([' ', '}']).parse().ok());
    match (language, probability) {
        (Some(language), Some(probability)) => Ok((language.to_owned(), probability)),
        _ => Err(ModelError::ctranslate2(format!("unreadable language detection {text}"))),
    }
}
