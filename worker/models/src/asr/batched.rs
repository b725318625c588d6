//! Pieces of at most 30 s of speech, decoded independently and several at once.
//! The idea and the packing are faster-whisper's `BatchedInferencePipeline` (MIT, Systran); checking each piece and decoding
//! doubtful or incomplete ones again, dropping silence, and cutting the words into sentences are ours.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use ct2rs::sys::WhisperAlignmentResult;

use super::captions;
use super::coverage::{Again, again};
use super::decode::Decoded;
use super::mel::{WINDOW_FRAMES, content_frames};
use super::samples::{SAMPLE_RATE, Samples};
use super::segments::{Draft, FRAME_S, split};
use super::timeline::Joined;
use super::tokens::Start;
use super::words::{TimedWord, align, end_by, place};
use super::{Heard, TranscribeOptions, Watch, Whisper};
use crate::error::ModelError;

const MEDIAN_FILTER: i64 = 7;

/// Of words at the end of a piece; few take longer, and of those a rest heard again begins a little early.
const LONGEST_WORD_S: f64 = 0.6;

/// How often a part of a piece may leave a part of its own to be decoded again.
const AGAIN_ROUNDS: usize = 2;

/// A piece's text and the times of its words, relative to its start.
struct Piece {
    decoded: Decoded,
    timed: Vec<TimedWord>,
}

/// Where the last word ends. One that seems to take longer than words do was drawn out by the alignment over whatever follows it.
fn end_of_speech(word: &TimedWord) -> f64 {
    word.end_s.min(word.start_s + LONGEST_WORD_S)
}

impl Piece {
    fn text_tokens(&self, eot: u32) -> usize {
        self.decoded.tokens.iter().filter(|token| **token < eot).count()
    }
}

impl Whisper {
    pub(crate) fn batched(
        &self,
        audio: &Joined<'_>,
        start: &Start,
        options: &TranscribeOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<Heard>, ModelError> {
        let pieces = self.decode_all(audio, pack(audio.clips), start, options, watch)?;
        let pieces = self.complete(audio, pieces, start, options, watch.cancel, AGAIN_ROUNDS)?;

        let (mut heard, mut last_speech_s) = (Vec::new(), 0.0);
        for (range, piece) in pieces {
            if piece.decoded.is_silence(options) {
                continue;
            }
            // To hundredths of a second, like every other time.
            let offset = range.start * 100 / SAMPLE_RATE;
            let frames = piece_frames(&range);
            let mut found = split(&piece.decoded.tokens, self.vocabulary.timestamp_begin, offset, frames);
            let (words, speech_end_s) =
                place(piece.timed, &mut found.drafts, self.vocabulary.eot, offset as f64 * FRAME_S, last_speech_s);
            last_speech_s = speech_end_s;
            for (draft, words) in found.drafts.iter().zip(words) {
                self.segments_of(draft, words, &piece.decoded, &mut heard)?;
            }
        }
        Ok(heard)
    }

    /// Decodes again what the texts of `pieces` (in order) leave out of their speech, at most `rounds` deep.
    fn complete(
        &self,
        audio: &Joined<'_>,
        pieces: Vec<(Range<usize>, Piece)>,
        start: &Start,
        options: &TranscribeOptions,
        cancel: &(dyn Fn() -> bool + Sync),
        rounds: usize,
    ) -> Result<Vec<(Range<usize>, Piece)>, ModelError> {
        let eot = self.vocabulary.eot;
        let plan = |(range, piece): &(Range<usize>, Piece)| match piece.decoded.is_silence(options) {
            true => Again::Nothing,
            false => again(range, piece.text_tokens(eot), piece.timed.last().map(end_of_speech), audio.clips),
        };
        let plans: Vec<Again> = pieces.iter().map(plan).collect();
        let ranges: Vec<Range<usize>> = plans.iter().flat_map(|plan| plan.ranges().iter().cloned()).collect();
        if rounds == 0 || ranges.is_empty() {
            return Ok(pieces);
        }
        let redone = self.decode_all(audio, ranges, start, options, &mut Watch { progress: &mut |_| (), cancel })?;
        let redone = self.complete(audio, redone, start, options, cancel, rounds - 1)?;
        let mut redone = redone.into_iter().peekable();
        let mut whole = Vec::with_capacity(pieces.len());
        for ((range, mut piece), plan) in pieces.into_iter().zip(plans) {
            let parts: Vec<_> = std::iter::from_fn(|| redone.next_if(|(part, _)| part.start < range.end)).collect();
            if let Again::Rest(rest) = &plan
                && parts.iter().any(|(_, part)| !part.decoded.is_silence(options) && part.text_tokens(eot) > 0)
            {
                end_by(&mut piece.timed, (rest.start - range.start) as f64 / SAMPLE_RATE as f64);
            }
            let more = parts.iter().map(|(_, part)| part.text_tokens(eot)).sum::<usize>() > piece.text_tokens(eot);
            if !(more && matches!(plan, Again::Halves(_))) {
                whole.push((range, piece));
            }
            if more || matches!(plan, Again::Rest(_)) {
                whole.extend(parts);
            }
        }
        Ok(whole)
    }

    fn segments_of(
        &self,
        draft: &Draft,
        words: Vec<TimedWord>,
        decoded: &Decoded,
        heard: &mut Vec<Heard>,
    ) -> Result<(), ModelError> {
        if words.is_empty() {
            let text = self.vocabulary.decode(&draft.tokens)?;
            if !text.trim().is_empty() {
                heard.push(Heard { start_s: draft.start_s, end_s: draft.end_s, text, words, quality: decoded.clone() });
            }
            return Ok(());
        }
        for run in captions::cut(words) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let text: String = run.iter().map(|word| word.text.as_str()).collect();
            heard.push(Heard { start_s: first.start_s, end_s: last.end_s, text, quality: decoded.clone(), words: run });
        }
        Ok(())
    }

    /// All pieces in order, decoded by as many threads as the engine has workers.
    fn decode_all(
        &self,
        audio: &Joined<'_>,
        ranges: Vec<Range<usize>>,
        start: &Start,
        options: &TranscribeOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<(Range<usize>, Piece)>, ModelError> {
        // Fewer, fuller batches would leave a worker idle on short audio.
        let size = options.batch_size.min(ranges.len().div_ceil(self.workers)).max(1);
        let batches: Vec<&[Range<usize>]> = ranges.chunks(size).collect();
        let prompt = match &options.initial_prompt {
            Some(text) => self.vocabulary.encode(&format!(" {}", text.trim()))?,
            None => Vec::new(),
        };
        let prompt = self.prompt(start, &prompt, options.timestamp_tokens)?;
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (send, receive) = mpsc::channel();
        let mut done: Vec<Option<Vec<Piece>>> = batches.iter().map(|_| None).collect();
        let mut failed = None;
        std::thread::scope(|scope| {
            for _ in 0..self.workers.min(batches.len()) {
                let (send, prompt, next, stop, batches) = (send.clone(), &prompt, &next, &stop, &batches);
                let cancel = watch.cancel;
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(batch) = batches.get(index).filter(|_| !stop.load(Ordering::Relaxed)) else { return };
                        let result = if cancel() {
                            Err(ModelError::Cancelled)
                        } else {
                            self.decode_pieces(audio, batch, start, prompt, options)
                        };
                        if send.send((index, result)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            let mut finished = 0;
            for (index, result) in receive {
                match result {
                    Ok(pieces) => {
                        done[index] = Some(pieces);
                        finished += 1;
                        (watch.progress)(finished as f32 / batches.len() as f32);
                    }
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        failed.get_or_insert(error);
                    }
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let pieces: Option<Vec<Vec<Piece>>> = done.into_iter().collect();
        let pieces = pieces.ok_or_else(|| ModelError::ctranslate2("a batch was lost: its thread ended early"))?;
        Ok(ranges.into_iter().zip(pieces.into_iter().flatten()).collect())
    }

    fn decode_pieces(
        &self,
        audio: &Joined<'_>,
        batch: &[Range<usize>],
        start: &Start,
        prompt: &[String],
        options: &TranscribeOptions,
    ) -> Result<Vec<Piece>, ModelError> {
        let mut features = Vec::with_capacity(batch.len() * self.mel.bands * WINDOW_FRAMES);
        let mut singles = Vec::with_capacity(batch.len());
        for range in batch {
            let mut samples = vec![0.0; range.len()];
            audio.read(range.start, &mut samples)?;
            singles.push(features.len());
            features.extend(self.mel.piece(&samples)?);
        }
        let encoded = self.encode(&mut features, batch.len())?;
        let prompts = vec![prompt.to_vec(); batch.len()];
        let mut decoded = self.decode_batch(&encoded, &prompts, options)?;
        if decoded.len() != batch.len() {
            return Err(ModelError::ctranslate2(format!("{} results for {} pieces", decoded.len(), batch.len())));
        }
        let length = self.mel.bands * WINDOW_FRAMES;
        for (result, from) in decoded.iter_mut().zip(singles) {
            if result.is_doubtful(options) {
                let alone = self.encode(&mut features[from..from + length], 1)?;
                *result = self.fall_back(&alone, prompt, Some(result.clone()), options)?;
            }
        }

        let text: Vec<Vec<u32>> = decoded
            .iter()
            .map(|result| result.tokens.iter().copied().filter(|token| *token < self.vocabulary.eot).collect())
            .collect();
        let aligned = self.align_all(&encoded, batch, start, &text)?;
        decoded
            .into_iter()
            .zip(text)
            .zip(aligned)
            .map(|((decoded, text), aligned)| {
                let timed = match aligned {
                    Some(aligned) => align(&self.vocabulary, &start.language, &text, &aligned)?,
                    None => Vec::new(),
                };
                Ok(Piece { decoded, timed })
            })
            .collect()
    }

    fn align_all(
        &self,
        encoded: &ct2rs::sys::StorageView<'_>,
        batch: &[Range<usize>],
        start: &Start,
        text: &[Vec<u32>],
    ) -> Result<Vec<Option<WhisperAlignmentResult>>, ModelError> {
        if text.iter().all(Vec::is_empty) {
            return Ok(batch.iter().map(|_| None).collect());
        }
        let sequence: Vec<usize> = start.tokens.iter().map(|token| *token as usize).collect();
        let tokens: Vec<Vec<usize>> =
            text.iter().map(|tokens| tokens.iter().map(|token| *token as usize).collect()).collect();
        let frames: Vec<usize> = batch.iter().map(piece_frames).collect();
        let aligned =
            self.engine.align(encoded, &sequence, &tokens, &frames, MEDIAN_FILTER).map_err(ModelError::ctranslate2)?;
        if aligned.len() != batch.len() {
            return Err(ModelError::ctranslate2(format!("{} alignments for {} pieces", aligned.len(), batch.len())));
        }
        Ok(aligned.into_iter().map(Some).collect())
    }
}

/// Frames of a piece as the aligner wants them: whole seconds, at most the window.
fn piece_frames(range: &Range<usize>) -> usize {
    (range.len().div_ceil(SAMPLE_RATE) * SAMPLE_RATE / 160)
        .min(WINDOW_FRAMES)
        .max(content_frames(range.len()).min(WINDOW_FRAMES))
}

/// Packs neighbouring clips into pieces of at most 30 s: ranges of the joined audio that cover it without gap.
fn pack(clips: &[Range<usize>]) -> Vec<Range<usize>> {
    let limit = WINDOW_FRAMES * 160;
    let (mut pieces, mut at) = (Vec::<Range<usize>>::new(), 0);
    for clip in clips {
        let mut left = clip.len();
        match pieces.last_mut() {
            Some(piece) if piece.len() + left <= limit => {
                piece.end += left;
                at += left;
                continue;
            }
            _ => {}
        }
        // A clip longer than a window (only with the caller's own options) is cut hard.
        while left > 0 {
            let take = left.min(limit);
            pieces.push(at..at + take);
            at += take;
            left -= take;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_cover_the_speech_in_order_and_fit_the_window(lengths in prop::collection::vec(1usize..700_000, 0..40)) {
            let clips: Vec<Range<usize>> = lengths.iter().scan(0, |at, length| { let start = *at + 10; *at = start + length; Some(start..*at) }).collect();
            let pieces = pack(&clips);
            let mut at = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.start, at);
                prop_assert!(!piece.is_empty() && piece.len() <= WINDOW_FRAMES * 160);
                at = piece.end;
            }
            prop_assert_eq!(at, lengths.iter().sum::<usize>());
        }
    }
}
