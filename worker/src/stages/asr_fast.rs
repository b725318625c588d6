//! Speech: what is said, word by word.
//! Reads: audio artifact. Writes: segments and words with times and confidence, language. Again: rows replaced.

use std::{
    io::{BufWriter, Write},
    path::Path,
};

use heimdex_db::{
    moments::transcript::{self, Segment, Word},
    runs,
};
use heimdex_media::audio::PcmReader;
use heimdex_models::{TranscribeOptions, Transcript, WavFile};
use tokio_util::sync::CancellationToken;

use super::blocking;
use crate::{
    models::ModelFailure,
    stage::{Job, Outcome, StageContext, StageError},
};

/// Twelve hours of 16-bit sound at 16 kHz that does not compress.
const MAX_AUDIO_BYTES: u64 = 2 << 30;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let models = cx.models();
    let Some(whisper) = models.asr().await? else {
        return write(cx, job, None, &Transcribed::default(), Some("no model")).await;
    };
    let label = models.asr.as_ref().map(|model| model.label());
    let Some(key) = job.subject.artifact("audio") else {
        return write(cx, job, label, &Transcribed::default(), Some("no audio")).await;
    };
    let vad = models.vad().await?;
    let head = cx.store().head(key).await?.ok_or_else(|| StageError::missing("the audio artifact"))?;
    // The artifact, and the same sound uncompressed: read where needed, never held in memory.
    let folder = cx.scratch().folder((head.size_bytes * 8).max(1 << 20)).await?;
    let flac = folder.path().join("audio.flac");
    let wav = folder.path().join("audio.wav");
    cx.store().get_file(key, &flac, MAX_AUDIO_BYTES).await?;
    cx.progress(2);

    let (reporter, cancel) = (cx.clone(), cx.cancel.clone());
    let found = blocking(move || {
        let length_ms = unpack(&flac, &wav, &cancel)?;
        let samples = WavFile::open(&wav)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1")]
        let said = |share: f32| reporter.progress(5 + (share.clamp(0.0, 1.0) * 93.0) as u8);
        let heard =
            whisper.transcribe(&samples, &TranscribeOptions::default(), vad.as_deref(), said, || cancel.is_cancelled());
        Ok(Transcribed::new(heard.map_err(ModelFailure::from)?, length_ms))
    })
    .await?;
    drop(folder);
    let note = found.words.is_empty().then_some("no speech");
    write(cx, job, label, &found, note).await
}

/// A transcript as rows.
#[derive(Default)]
struct Transcribed {
    language: Option<String>,
    segments: Vec<Segment>,
    words: Vec<Word>,
}

impl Transcribed {
    /// Whisper hears in windows of 30 s, and may put the last words of a sound that breaks off behind its end, `length_ms`.
    fn new(transcript: Transcript, length_ms: u64) -> Self {
        let ms = |ms: u64| i64::try_from(ms.min(length_ms)).unwrap_or(i64::MAX);
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let mut found = Self::default();
        if !transcript.segments.is_empty() {
            found.language = transcript.language.map(|code| match transcript.language_assumed {
                true => format!("{code} (assumed)"),
                false => code,
            });
        }
        for (n, segment) in transcript.segments.into_iter().enumerate() {
            for word in segment.words {
                found.words.push(Word {
                    word_no: number(found.words.len()),
                    segment_no: number(n),
                    start_ms: ms(word.start_ms),
                    end_ms: ms(word.end_ms),
                    text: if word.space_before { format!(" {}", word.text) } else { word.text },
                    probability: word.probability,
                    scene_id: None,
                });
            }
            found.segments.push(Segment {
                segment_no: number(n),
                start_ms: ms(segment.start_ms),
                end_ms: ms(segment.end_ms),
                text: segment.text,
                avg_logprob: Some(segment.avg_logprob),
                no_speech_prob: Some(segment.no_speech_prob),
                compression_ratio: Some(segment.compression_ratio),
                temperature: Some(segment.temperature),
            });
        }
        found
    }
}

async fn write(
    cx: &StageContext,
    job: &Job,
    model: Option<String>,
    found: &Transcribed,
    note: Option<&str>,
) -> Result<Outcome, StageError> {
    let vad = cx.models().vad.as_ref().map(|vad| vad.label());
    let mut tx = cx.fenced_tx().await?;
    runs::set_model(&mut tx, job.run_id, "asr", model.as_deref()).await?;
    runs::set_model(&mut tx, job.run_id, "vad", vad.as_deref()).await?;
    runs::set_language(&mut tx, job.run_id, found.language.as_deref()).await?;
    transcript::replace(&mut tx, job.run_id, job.video_id, &found.segments, &found.words).await?;
    cx.commit(tx).await?;
    Ok(note.map_or_else(Outcome::done, Outcome::nothing))
}

/// Writes the artifact as a WAV file: RIFF, 16 kHz mono, 16-bit integers. Returns its length in milliseconds.
fn unpack(flac: &Path, wav: &Path, cancel: &CancellationToken) -> Result<u64, StageError> {
    let mut reader = PcmReader::open(flac)?;
    let rate = reader.sample_rate();
    let bytes = u32::try_from(reader.samples() * 2)
        .map_err(|_| StageError::transient("audio_too_long", anyhow::anyhow!("more than 4 GiB of sound")))?;
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(wav)?);
    file.write_all(b"RIFF")?;
    file.write_all(&bytes.saturating_add(36).to_le_bytes())?;
    file.write_all(b"WAVEfmt ")?;
    file.write_all(&16_u32.to_le_bytes())?;
    file.write_all(&1_u16.to_le_bytes())?;
    file.write_all(&1_u16.to_le_bytes())?;
    file.write_all(&rate.to_le_bytes())?;
    file.write_all(&(rate * 2).to_le_bytes())?;
    file.write_all(&2_u16.to_le_bytes())?;
    file.write_all(&16_u16.to_le_bytes())?;
    file.write_all(b"data")?;
    file.write_all(&bytes.to_le_bytes())?;
    let mut block = Vec::new();
    while reader.next_block(&mut block)? {
        if cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        for sample in block.drain(..) {
            #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of 16 bits")]
            let sample = (sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16;
            file.write_all(&sample.to_le_bytes())?;
        }
    }
    file.flush()?;
    Ok(reader.samples() * 1000 / u64::from(rate.max(1)))
}
