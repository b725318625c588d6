//! Integrated loudness of mono sound, ITU-R BS.1770-4.
//!
//! Filter coefficients for any sample rate are derived from the analogue prototypes as in De Man, "Evaluation of
//! Implementations of the EBU R128 Loudness Measurement" (AES 2018), which reproduce the standard's table at 48 kHz.

use std::f64::consts::PI;

/// Blocks quieter than this never count, LUFS.
const ABSOLUTE_GATE: f64 = -70.0;
/// Nor blocks this much quieter than the mean of the others, LU.
const RELATIVE_GATE: f64 = -10.0;

#[derive(Clone, Copy)]
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    x: [f64; 2],
    y: [f64; 2],
}

impl Biquad {
    fn run(&mut self, input: f64) -> f64 {
        let output = self.b[0] * input + self.b[1] * self.x[0] + self.b[2] * self.x[1]
            - self.a[0] * self.y[0]
            - self.a[1] * self.y[1];
        self.x = [input, self.x[0]];
        self.y = [output, self.y[0]];
        output
    }

    /// The head's shelf: +4 dB above 1.7 kHz.
    fn shelf(rate: f64) -> Self {
        let (f0, gain, q) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
        let k = (PI * f0 / rate).tan();
        let vh = 10_f64.powf(gain / 20.0);
        let vb = vh.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        Self {
            b: [(vh + vb * k / q + k * k) / a0, 2.0 * (k * k - vh) / a0, (vh - vb * k / q + k * k) / a0],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
            x: [0.0; 2],
            y: [0.0; 2],
        }
    }

    /// The RLB high-pass at 38 Hz.
    fn high_pass(rate: f64) -> Self {
        let (f0, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
        let k = (PI * f0 / rate).tan();
        let a0 = 1.0 + k / q + k * k;
        Self {
            b: [1.0, -2.0, 1.0],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
            x: [0.0; 2],
            y: [0.0; 2],
        }
    }
}

/// Measures as sound comes in; memory grows by 8 bytes per 100 ms.
pub struct LoudnessMeter {
    shelf: Biquad,
    high_pass: Biquad,
    step: usize,
    in_step: usize,
    energy: f64,
    steps: Vec<f64>,
}

impl LoudnessMeter {
    pub fn new(rate: u32) -> Self {
        let step = (rate / 10).max(1) as usize;
        let rate = f64::from(rate);
        Self {
            shelf: Biquad::shelf(rate),
            high_pass: Biquad::high_pass(rate),
            step,
            in_step: 0,
            energy: 0.0,
            steps: Vec::new(),
        }
    }

    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            let weighted = self.high_pass.run(self.shelf.run(f64::from(sample)));
            self.energy += weighted * weighted;
            self.in_step += 1;
            if self.in_step == self.step {
                self.steps.push(self.energy / self.step as f64);
                (self.energy, self.in_step) = (0.0, 0);
            }
        }
    }

    /// Loudness of each second by itself, ungated, LUFS; a begun last one included. `None` for digital silence.
    pub fn per_second(&self) -> Vec<Option<f32>> {
        let mut seconds: Vec<_> =
            self.steps.chunks(10).map(|steps| steps.iter().sum::<f64>() / steps.len() as f64).collect();
        if self.in_step > 0 && self.steps.len().is_multiple_of(10) {
            seconds.push(self.energy / self.in_step as f64);
        }
        seconds.into_iter().map(|power| (power > 1e-12).then(|| (-0.691 + 10.0 * power.log10()) as f32)).collect()
    }

    /// Integrated loudness in LUFS over blocks of 400 ms that overlap by 75 %; `None` when no block passes the gate.
    pub fn integrated(&self) -> Option<f64> {
        let loudness = |power: f64| -0.691 + 10.0 * power.log10();
        let blocks: Vec<f64> = self.steps.windows(4).map(|w| w.iter().sum::<f64>() / 4.0).collect();
        let mean_above = |gate: f64| {
            let loud: Vec<f64> = blocks.iter().copied().filter(|&p| p > 0.0 && loudness(p) > gate).collect();
            (!loud.is_empty()).then(|| loud.iter().sum::<f64>() / loud.len() as f64)
        };
        let rough = loudness(mean_above(ABSOLUTE_GATE)?);
        mean_above(ABSOLUTE_GATE.max(rough + RELATIVE_GATE)).map(loudness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BS.1770-4: a full-scale 997 Hz sine in one channel reads −3.01 LUFS.
    #[test]
    fn a_reference_tone_reads_what_the_standard_says() {
        for rate in [16_000, 48_000] {
            let mut meter = LoudnessMeter::new(rate);
            let tone: Vec<f32> =
                (0..rate * 3).map(|n| (2.0 * PI * 997.0 * f64::from(n) / f64::from(rate)).sin() as f32).collect();
            meter.push(&tone);
            let lufs = meter.integrated().expect("a loud tone passes the gate");
            assert!((lufs + 3.01).abs() < 0.1, "{rate} Hz: {lufs}");
        }
    }

    #[test]
    fn silence_has_no_loudness() {
        let mut meter = LoudnessMeter::new(16_000);
        meter.push(&[0.0; 32_000]);
        assert_eq!(meter.integrated(), None);
    }
}
