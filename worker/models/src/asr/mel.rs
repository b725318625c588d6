//! Log-mel spectrogram, as Whisper was trained on it.
//!
//! Radford et al. 2022, in the form of faster-whisper's `FeatureExtractor`: periodic Hann window of 400 samples, hop 160,
//! centred with reflection, power spectrum, Slaney mel filters, log10 floored at 1e-10, range cut to 8 below the
//! loudest value of the *whole* audio, then (x + 4) / 4. Because of "the whole audio" a window cannot be finished alone:
//! [`Mel::peak`] goes over everything once (cheap: a few milliseconds for 30 s), [`Mel::window`] then computes
//! any part, equal to what the whole computation would give, in memory that does not grow with the length.

use std::io;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::samples::{SAMPLE_RATE, Samples};

/// Samples between two frames.
pub(crate) const HOP: usize = 160;
/// Frames of the encoder's window: 30 s.
pub(crate) const WINDOW_FRAMES: usize = 3000;
const FFT: usize = 400;
const BINS: usize = FFT / 2 + 1;
const FLOOR: f32 = 1e-10;

pub(crate) struct Mel {
    pub bands: usize,
    fft: Arc<dyn RealToComplex<f32>>,
    hann: Vec<f32>,
    /// For each band the first bin with weight and the weights from there.
    filters: Vec<(usize, Vec<f32>)>,
}

/// Number of frames with content: one per whole hop.
pub(crate) fn content_frames(samples: usize) -> usize {
    samples / HOP
}

impl Mel {
    pub(crate) fn new(bands: usize) -> Self {
        let hann =
            (0..FFT).map(|n| (0.5 - 0.5 * (2.0 * std::f64::consts::PI * n as f64 / FFT as f64).cos()) as f32).collect();
        Self { bands, fft: RealFftPlanner::new().plan_fft_forward(FFT), hann, filters: filters(bands) }
    }

    /// The largest log10 mel value in the audio, from which the range is cut.
    pub(crate) fn peak(&self, audio: &dyn Samples) -> io::Result<f32> {
        let frames = content_frames(audio.len()) + 1;
        let mut peak = FLOOR.log10();
        let mut start = 0;
        while start < frames {
            let count = WINDOW_FRAMES.min(frames - start);
            let values = self.log_mel(audio, start, count)?;
            peak = values.iter().copied().fold(peak, f32::max);
            start += count;
        }
        Ok(peak)
    }

    /// Features of `count` frames from `start`, padded with zeros to [`WINDOW_FRAMES`]: shape `[bands, 3000]`, row-major.
    pub(crate) fn window(&self, audio: &dyn Samples, start: usize, count: usize, peak: f32) -> io::Result<Vec<f32>> {
        let values = self.log_mel(audio, start, count)?;
        Ok(self.finish(&values, count, peak))
    }

    /// A whole short piece (≤ 30 s) with its own peak, as the batched mode feeds it.
    pub(crate) fn piece(&self, audio: &dyn Samples) -> io::Result<Vec<f32>> {
        let frames = content_frames(audio.len());
        // The frame centred on the very end counts for the peak, though it is not fed.
        let values = self.log_mel(audio, 0, frames + 1)?;
        let peak = values.iter().copied().fold(FLOOR.log10(), f32::max);
        Ok(self.finish(&values, frames.min(WINDOW_FRAMES), peak))
    }

    fn finish(&self, values: &[f32], count: usize, peak: f32) -> Vec<f32> {
        let mut features = vec![0.0; self.bands * WINDOW_FRAMES];
        for (frame, bands) in values.chunks_exact(self.bands).take(count).enumerate() {
            for (band, value) in bands.iter().enumerate() {
                features[band * WINDOW_FRAMES + frame] = (value.max(peak - 8.0) + 4.0) / 4.0;
            }
        }
        features
    }

    /// log10 mel of `count` frames from `start`, `[frames, bands]`.
    fn log_mel(&self, audio: &dyn Samples, start: usize, count: usize) -> io::Result<Vec<f32>> {
        let waveform = centred(audio, start, count)?;
        let mut values = vec![0.0; count * self.bands];
        let mut frame = vec![0.0; FFT];
        let mut spectrum = vec![Complex::default(); BINS];
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = [0.0f32; BINS];
        for (index, bands) in values.chunks_exact_mut(self.bands).enumerate() {
            for ((target, sample), window) in frame.iter_mut().zip(&waveform[index * HOP..]).zip(&self.hann) {
                *target = sample * window;
            }
            self.fft.process_with_scratch(&mut frame, &mut spectrum, &mut scratch).map_err(io::Error::other)?;
            for (target, value) in power.iter_mut().zip(&spectrum) {
                *target = value.norm_sqr();
            }
            for (target, (first, weights)) in bands.iter_mut().zip(&self.filters) {
                let energy: f32 = weights.iter().zip(&power[*first..]).map(|(weight, value)| weight * value).sum();
                *target = energy.max(FLOOR).log10();
            }
        }
        Ok(values)
    }
}

/// The samples that frames `start..start + count` look at: 200 before the first centre to 200 after the last, mirrored at the
/// front, zero after the end.
fn centred(audio: &dyn Samples, start: usize, count: usize) -> io::Result<Vec<f32>> {
    let half = FFT / 2;
    let mut waveform = vec![0.0; count.saturating_sub(1) * HOP + FFT];
    let first = start * HOP;
    let from = first.saturating_sub(half);
    let until = (first + waveform.len() - half).min(audio.len());
    let lead = half - (first - from);
    if until > from {
        audio.read(from, &mut waveform[lead..lead + until - from])?;
    }
    // numpy's "reflect": the sample at the edge is not repeated.
    for offset in 1..=lead {
        waveform[lead - offset] = waveform.get(lead + offset).copied().unwrap_or(0.0);
    }
    Ok(waveform)
}

/// Slaney-style mel filters (librosa's default), linear below 1 kHz and logarithmic above, each of unit area.
fn filters(bands: usize) -> Vec<(usize, Vec<f32>)> {
    const MAX_MEL: f64 = 45.245_640_471_924_965;
    const HZ_PER_MEL: f64 = 200.0 / 3.0;
    let log_step = 6.4f64.ln() / 27.0;
    let edges: Vec<f64> = (0..bands + 2)
        .map(|index| {
            let mel = MAX_MEL * index as f64 / (bands + 1) as f64;
            if mel >= 1000.0 / HZ_PER_MEL {
                1000.0 * (log_step * (mel - 1000.0 / HZ_PER_MEL)).exp()
            } else {
                HZ_PER_MEL * mel
            }
        })
        .collect();
    (0..bands)
        .map(|band| {
            let (low, centre, high) = (edges[band], edges[band + 1], edges[band + 2]);
            let weights: Vec<f32> = (0..BINS)
                .map(|bin| {
                    let hz = bin as f64 * SAMPLE_RATE as f64 / FFT as f64;
                    let rise = (hz - low) / (centre - low);
                    let fall = (high - hz) / (high - centre);
                    (rise.min(fall).max(0.0) * 2.0 / (high - low)) as f32
                })
                .collect();
            let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or(0);
            let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
            (first, weights[first..=last].to_vec())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `tones()` in tests/fixtures/make_fixtures.py.
    fn tones() -> Vec<f32> {
        let mut state = 1u32;
        let mut wave: Vec<f32> = (0..49_600)
            .map(|n| {
                let t = f64::from(n) / 16_000.0;
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f64::from(state) / 4_294_967_296.0 - 0.5;
                (0.3 * (2.0 * std::f64::consts::PI * (200.0 * t + 600.0 * t * t)).sin() + 0.01 * noise) as f32
            })
            .collect();
        wave[20_000] = 0.9;
        wave
    }

    fn every_tenth_frame(features: &[f32], bands: usize, frames: usize) -> Vec<f32> {
        (0..frames)
            .step_by(10)
            .flat_map(|frame| (0..bands).map(move |band| features[band * WINDOW_FRAMES + frame]))
            .collect()
    }

    #[test]
    fn features_equal_faster_whispers() {
        let fixtures: [(usize, &[u8]); 2] = [
            (80, include_bytes!("../../tests/fixtures/mel_80.f32")),
            (128, include_bytes!("../../tests/fixtures/mel_128.f32")),
        ];
        let audio = tones();
        for (bands, bytes) in fixtures {
            let truth: Vec<f32> =
                bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
            let found = Mel::new(bands).piece(&audio).unwrap();
            let found = every_tenth_frame(&found, bands, content_frames(audio.len()));
            assert_eq!(found.len(), truth.len());
            let worst = found.iter().zip(&truth).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{bands} bands are off by {worst}");
        }
    }

    #[test]
    fn a_part_computed_alone_equals_the_whole() {
        let mel = Mel::new(80);
        let audio = tones();
        let frames = content_frames(audio.len());
        let whole = mel.piece(&audio).unwrap();
        let peak = mel.peak(&audio).unwrap();
        let part = mel.window(&audio, 100, frames - 100, peak).unwrap();
        for band in 0..80 {
            let (whole, part) =
                (&whole[band * WINDOW_FRAMES..][100..frames], &part[band * WINDOW_FRAMES..][..frames - 100]);
            assert_eq!(whole, part, "band {band}");
        }
    }
}
