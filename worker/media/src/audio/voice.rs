//! What can be heard, second by second: loudness and the pitch of voices.
//!
//! Pitch by YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111(4), 2002), steps 1 to 5,
//! on sound at half the artifact's rate: 40 looks a second, each at two windows of 25 ms. Memory grows by 12 bytes a second.

use serde::{Deserialize, Serialize};

use super::loudness::LoudnessMeter;

/// What voices reach, Hz.
const LOWEST_HZ: f32 = 60.0;
const HIGHEST_HZ: f32 = 500.0;
/// YIN's absolute threshold: more aperiodicity than this is no voice.
const THRESHOLD: f32 = 0.15;
/// Quieter than this (−50 dBFS, mean square) is no voice either.
const FLOOR: f32 = 1e-5;
const LOOKS_PER_S: usize = 40;

/// What was heard in each second; all three are of the same length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundCurve {
    /// K-weighted (ITU-R BS.1770-4), ungated, LUFS; `None` for digital silence.
    pub loudness_lufs: Vec<Option<f32>>,
    /// Median over the voiced parts; `None` where nothing is voiced.
    pub pitch_hz: Vec<Option<f32>>,
    /// Share of the second that is voiced, 0–1.
    pub voiced: Vec<f32>,
}

/// Measures pitch as sound comes in.
pub struct PitchMeter {
    /// Hz, of the halved sound.
    rate: f32,
    /// Halved samples that are still looked at.
    window: Vec<f32>,
    half: Option<f32>,
    hop: usize,
    longest: usize,
    looks: Vec<f32>,
    seconds: Vec<(Option<f32>, f32)>,
    /// Looks taken in the current second, voiced or not.
    taken: usize,
}

impl PitchMeter {
    /// For mono sound of `rate` samples a second.
    pub fn new(rate: u32) -> Self {
        let rate = rate as f32 / 2.0;
        Self {
            rate,
            window: Vec::new(),
            half: None,
            hop: (rate as usize / LOOKS_PER_S).max(1),
            longest: (rate / LOWEST_HZ).ceil() as usize + 1,
            looks: Vec::new(),
            seconds: Vec::new(),
            taken: 0,
        }
    }

    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            match self.half.take() {
                None => self.half = Some(sample),
                Some(before) => self.window.push((before + sample) / 2.0),
            }
        }
        let needed = self.hop + self.longest;
        let mut from = 0;
        while from + needed <= self.window.len() {
            let pitch = pitch(&self.window[from..from + needed], self.hop, self.rate);
            self.note(pitch);
            from += self.hop;
        }
        self.window.drain(..from);
    }

    fn note(&mut self, pitch: Option<f32>) {
        self.looks.extend(pitch);
        self.taken += 1;
        if self.taken == LOOKS_PER_S {
            self.end_second();
        }
    }

    fn end_second(&mut self) {
        let voiced = self.looks.len() as f32 / self.taken.max(1) as f32;
        self.looks.sort_unstable_by(f32::total_cmp);
        self.seconds.push((self.looks.get(self.looks.len() / 2).copied(), voiced));
        self.looks.clear();
        self.taken = 0;
    }

    /// Pitch and voiced share of each second, a begun one included.
    pub fn finish(mut self) -> Vec<(Option<f32>, f32)> {
        if self.taken > 0 {
            self.end_second();
        }
        self.seconds
    }
}

/// Puts both measures together, one entry for each second of the loudness.
pub(super) fn curve(loudness: &LoudnessMeter, pitch: PitchMeter) -> SoundCurve {
    let loudness_lufs = loudness.per_second();
    let mut seconds = pitch.finish();
    seconds.resize(loudness_lufs.len(), (None, 0.0));
    let (pitch_hz, voiced) = seconds.into_iter().unzip();
    SoundCurve { loudness_lufs, pitch_hz, voiced }
}

/// The fundamental frequency of `sound`, looked at in windows of `width` samples, the second one up to the longest period later.
fn pitch(sound: &[f32], width: usize, rate: f32) -> Option<f32> {
    let (first, longest) = (&sound[..width], sound.len() - width);
    if first.iter().map(|s| s * s).sum::<f32>() / (width as f32) < FLOOR {
        return None;
    }
    let shortest = (rate / HIGHEST_HZ) as usize;
    // Steps 2 and 3: the difference function, divided by its mean over shorter lags.
    let mut normal = vec![1.0_f32; longest];
    let mut sum = 0.0;
    for (lag, normal) in normal.iter_mut().enumerate().skip(1) {
        let difference: f32 = first.iter().zip(&sound[lag..lag + width]).map(|(a, b)| (a - b) * (a - b)).sum();
        sum += difference;
        *normal = if sum > 0.0 { difference * lag as f32 / sum } else { 1.0 };
    }
    // Step 4: the first dip below the threshold, followed to its bottom.
    let mut lag = (shortest.max(2)..longest - 1).find(|&lag| normal[lag] < THRESHOLD)?;
    while lag + 1 < longest - 1 && normal[lag + 1] < normal[lag] {
        lag += 1;
    }
    // Step 5: the bottom between samples.
    let (before, here, after) = (normal[lag - 1], normal[lag], normal[lag + 1]);
    let bend = before - 2.0 * here + after;
    let shift = if bend > 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 };
    let hz = rate / (lag as f32 + shift);
    (LOWEST_HZ..=HIGHEST_HZ).contains(&hz).then_some(hz)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 16_000;

    /// A tone with overtones, as a voice has them.
    fn voice(hz: f32, seconds: f32) -> Vec<f32> {
        let wave = |n: usize| {
            let at = n as f32 / RATE as f32 * hz * TAU;
            0.2 * (at.sin() + 0.5 * (2.0 * at).sin() + 0.3 * (3.0 * at).sin())
        };
        (0..(seconds * RATE as f32) as usize).map(wave).collect()
    }

    fn measure(sound: &[f32], piece: usize) -> SoundCurve {
        let (mut loudness, mut pitch) = (LoudnessMeter::new(RATE), PitchMeter::new(RATE));
        for part in sound.chunks(piece) {
            loudness.push(part);
            pitch.push(part);
        }
        curve(&loudness, pitch)
    }

    #[test]
    fn silence_and_noise_have_no_pitch() {
        let silence = measure(&[0.0; 3 * RATE as usize], 1000);
        assert_eq!(silence, SoundCurve { loudness_lufs: vec![None; 3], pitch_hz: vec![None; 3], voiced: vec![0.0; 3] });
        // A linear congruential generator's high bits.
        let mut state = 1_u64;
        let noise: Vec<f32> = (0..2 * RATE)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
            })
            .collect();
        let noise = measure(&noise, 4096);
        assert!(noise.voiced.iter().all(|&share| share < 0.1), "{noise:?}");
        assert!(noise.loudness_lufs.iter().all(|lufs| lufs.is_some_and(|l| l > -20.0)));
    }

    #[test]
    fn each_second_has_its_own_loudness_and_pitch() {
        let sound = [voice(110.0, 1.0), vec![0.0; RATE as usize], voice(220.0, 1.0).iter().map(|s| s / 10.0).collect()];
        let curve = measure(&sound.concat(), 333);
        let near = |hz: Option<f32>, wanted: f32| hz.is_some_and(|hz| (hz / wanted - 1.0).abs() < 0.02);
        assert!(near(curve.pitch_hz[0], 110.0) && near(curve.pitch_hz[2], 220.0), "{curve:?}");
        assert!(curve.voiced[0] > 0.9 && curve.voiced[1] < 0.1 && curve.voiced[2] > 0.8, "{curve:?}");
        let (loud, quiet) = (curve.loudness_lufs[0].unwrap(), curve.loudness_lufs[2].unwrap());
        assert!((loud - quiet - 20.0).abs() < 2.0, "a tenth is 20 dB less: {curve:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_voice_is_heard_at_its_pitch_however_the_sound_is_cut(hz in 70.0_f32..450.0, piece in 1_usize..9000) {
            let sound = voice(hz, 1.5);
            let curve = measure(&sound, piece);
            prop_assert_eq!(curve.loudness_lufs.len(), 2);
            let found = curve.pitch_hz[0].unwrap_or_default();
            prop_assert!((found / hz - 1.0).abs() < 0.02, "{} Hz heard as {}", hz, found);
            prop_assert_eq!(curve, measure(&sound, sound.len()));
        }
    }
}
