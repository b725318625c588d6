//! Real speech through the real models.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use heimdex_models::asr::Mode;
use heimdex_models::{AsrOptions, ModelError, TranscribeOptions, Transcript, Vad, VadOptions, Whisper};
use support::{TWO_CITIES, onsets_ms, plain, registry, two_cities, wer};

fn whisper(workers: usize) -> Whisper {
    let options = AsrOptions { threads: 2, workers, ..AsrOptions::default() };
    Whisper::load(&registry().get("whisper-tiny.en").unwrap(), &options).unwrap()
}

fn vad() -> Vad {
    Vad::load(&registry().get("silero-vad-v6").unwrap()).unwrap()
}

fn transcribe(samples: &Vec<f32>, mode: Mode) -> Transcript {
    let workers = if mode == Mode::Batched { 2 } else { 1 };
    let options = TranscribeOptions { mode, ..TranscribeOptions::default() };
    whisper(workers).transcribe(samples, &options, Some(&vad()), |_| (), || false).unwrap()
}

fn is_the_text_at_its_times(transcript: &Transcript, onsets: &[u64]) {
    let said: Vec<String> = transcript.segments.iter().flat_map(|segment| plain(&segment.text)).collect();
    let rate = wer(&plain(TWO_CITIES), &said);
    assert!(rate <= 0.08, "word error rate {rate:.3}: {said:?}");

    let words: Vec<_> = transcript.segments.iter().flat_map(|segment| &segment.words).collect();
    assert!(words.windows(2).all(|pair| pair[0].start_ms <= pair[1].start_ms), "words run backwards");
    assert!(words.iter().all(|word| word.start_ms <= word.end_ms && word.end_ms <= transcript.duration_ms));
    for onset in onsets {
        let nearest = words.iter().map(|word| word.start_ms.abs_diff(*onset)).min().unwrap();
        assert!(nearest <= 500, "speech sets in at {onset} ms, the nearest word is {nearest} ms away");
    }
    for segment in &transcript.segments {
        let text: String =
            segment.words.iter().flat_map(|word| [if word.space_before { " " } else { "" }, &word.text]).collect();
        assert_eq!(text.trim(), segment.text);
    }
}

#[test]
fn a_reading_is_heard_word_for_word_in_pieces() {
    let speech = two_cities();
    let transcript = transcribe(&speech, Mode::Batched);
    is_the_text_at_its_times(&transcript, &onsets_ms(&speech));
    assert_eq!((transcript.language.as_deref(), transcript.language_assumed), (Some("en"), true));
    let longest = transcript.segments.iter().map(|segment| segment.end_ms - segment.start_ms).max().unwrap();
    assert!(longest <= 11_000, "a segment of {longest} ms is too long to read");
}

#[test]
fn a_reading_is_heard_word_for_word_in_sequence() {
    let speech = two_cities();
    is_the_text_at_its_times(&transcribe(&speech, Mode::Sequential), &onsets_ms(&speech));
}

#[test]
fn speech_that_starts_late_and_pauses_long_keeps_its_times() {
    let speech = two_cities();
    let quiet = vec![0.0; 16_000 * 20];
    let late: Vec<f32> = [&quiet[..], &speech[..16_000 * 21], &quiet, &speech[16_000 * 21..], &quiet].concat();
    for mode in [Mode::Batched, Mode::Sequential] {
        let transcript = transcribe(&late, mode);
        is_the_text_at_its_times(&transcript, &onsets_ms(&late));
        assert!(transcript.speech_ms < 50_000, "{} ms of speech", transcript.speech_ms);
    }
}

/// Whisper answers this piece with its first sentence alone.
#[test]
fn a_text_that_stops_too_early_is_not_the_last_word() {
    let speech = two_cities();
    let hasty: Vec<f32> = (0..16_000 * 9).map(|n| speech[n * 5 / 4]).collect();
    let transcript = transcribe(&[&hasty[..], &speech[..16_000 * 20]].concat(), Mode::Batched);
    let said: Vec<String> = transcript.segments.iter().flat_map(|segment| plain(&segment.text)).collect();
    for (words, times) in [("age of foolishness", 2), ("epoch of incredulity", 1), ("season of light", 1)] {
        let found = said.windows(3).filter(|three| three.join(" ") == words).count();
        assert!(found >= times, "“{words}” is said {times} times: {said:?}");
    }
}

#[test]
fn silence_and_nothing_at_all_give_an_empty_transcript() {
    let (whisper, vad) = (whisper(2), vad());
    for length in [0, 1, 159, 512, 16_000 * 5] {
        let transcript = whisper
            .transcribe(&vec![0.0f32; length], &TranscribeOptions::default(), Some(&vad), |_| (), || false)
            .unwrap();
        assert!(transcript.segments.is_empty(), "{length} samples of silence gave {transcript:?}");
        assert_eq!(transcript.language.as_deref(), Some("en"));
    }
}

#[test]
fn half_a_second_of_speech_and_noise_do_not_fail() {
    let (whisper, vad, speech) = (whisper(2), vad(), two_cities());
    let noise: Vec<f32> = speech
        .iter()
        .rev()
        .scan(1u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state as f32 / u32::MAX as f32 - 0.5) * 0.3)
        })
        .take(16_000 * 4)
        .collect();
    for audio in [speech[16_000..24_000].to_vec(), noise] {
        for vad in [None, Some(&vad)] {
            whisper.transcribe(&audio, &TranscribeOptions::default(), vad, |_| (), || false).unwrap();
        }
    }
}

#[test]
fn the_same_audio_gives_the_same_transcript_and_sixteen_bits_do_too() {
    let speech: Vec<i16> = two_cities()[..16_000 * 15].iter().map(|sample| (sample * 32767.0) as i16).collect();
    let (whisper, vad) = (whisper(2), vad());
    let run = || whisper.transcribe(&speech, &TranscribeOptions::default(), Some(&vad), |_| (), || false).unwrap();
    let first = run();
    assert_eq!(first, run());
    assert!(first.segments[0].text.contains("best of times"), "{first:?}");
}

#[test]
fn progress_ascends_to_the_end_and_cancelling_stops() {
    let speech = two_cities();
    let (whisper, vad) = (whisper(2), vad());
    let options = TranscribeOptions { batch_size: 1, ..TranscribeOptions::default() };
    let mut shares = Vec::new();
    whisper.transcribe(&speech, &options, Some(&vad), |share| shares.push(share), || false).unwrap();
    assert!(shares.windows(2).all(|pair| pair[0] < pair[1]) && shares.last() == Some(&1.0), "{shares:?}");

    for mode in [Mode::Batched, Mode::Sequential] {
        let asked = AtomicUsize::new(0);
        let cancel = || asked.fetch_add(1, Ordering::Relaxed) >= 2;
        let options = TranscribeOptions { mode, ..options.clone() };
        let stopped = whisper.transcribe(&speech, &options, Some(&vad), |_| (), cancel);
        assert!(matches!(stopped, Err(ModelError::Cancelled)), "{stopped:?}");
    }
}

/// The clips that faster-whisper 1.2.1 finds in the same recording, in samples, at three settings.
#[test]
fn the_voice_detector_finds_faster_whispers_clips() {
    let speech = two_cities();
    let (vad, never) = (vad(), || false);
    let near = |found: Vec<std::ops::Range<usize>>, truth: &[(usize, usize)]| {
        assert_eq!(found.len(), truth.len(), "{found:?}");
        for (clip, (start, end)) in found.iter().zip(truth) {
            // Resampling differs by a hair, so a border may fall into the neighbouring window.
            assert!(
                clip.start.abs_diff(*start) <= 512 && clip.end.abs_diff(*end) <= 512,
                "{clip:?} for {start}..{end}"
            );
        }
    };
    near(vad.speech(&speech, &VadOptions::default(), &never).unwrap(), &[(13_056, 673_536)]);
    let batches = vad.speech(&speech, &VadOptions::for_batches(), &never).unwrap();
    assert_eq!((batches.len(), batches[0].start.abs_diff(13_056) <= 512), (15, true), "{batches:?}");
    let paused: Vec<f32> = [&speech[..160_000], &[0.0; 80_000], &speech[160_000..320_000]].concat();
    near(vad.speech(&paused, &VadOptions::default(), &never).unwrap(), &[(13_056, 166_656), (248_064, 400_000)]);
}
