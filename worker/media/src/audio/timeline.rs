//! Putting decoded sound where its time stamps say: sample 0 is media time 0, a track that starts late is preceded by
//! silence, one that starts before 0 (encoder priming) is trimmed, and holes in the time stamps become silence.

use ffmpeg_next as ffmpeg;

use crate::av::sound::SoundDecoder;
use crate::error::Result;

/// Time stamps may jitter this much before they are believed over the count of samples (containers round to 1–23 ms).
const JITTER_MS: i64 = 40;

/// Where the samples go, interleaved.
pub(crate) trait SoundSink {
    fn write(&mut self, samples: &[f32]) -> Result<()>;
}

/// Counts in samples a channel.
pub(crate) struct Timeline<S> {
    pub sink: S,
    rate: i64,
    channels: usize,
    /// Written so far, which is also the media time of the next sample.
    pub position: i64,
    bound: i64,
    /// Where the track begins.
    pub first: Option<i64>,
    /// Silence put into holes.
    pub gap_samples: i64,
    /// Anything but silence of ours has been written.
    pub heard: bool,
}

impl<S: SoundSink> Timeline<S> {
    /// Nothing is written beyond `bound`.
    pub(crate) fn new(sink: S, rate: u32, channels: usize, bound: i64) -> Self {
        Self { sink, rate: i64::from(rate), channels, position: 0, bound, first: None, gap_samples: 0, heard: false }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.position >= self.bound
    }

    pub(crate) fn place(
        &mut self,
        decoder: &mut SoundDecoder,
        frame: &ffmpeg::frame::Audio,
        at_us: Option<i64>,
    ) -> Result<()> {
        let mut sound = Vec::new();
        let mut skip = 0;
        if let Some(at_us) = at_us {
            let jitter = self.rate * JITTER_MS / 1000;
            let target = (i128::from(at_us) * i128::from(self.rate) / 1_000_000) as i64;
            let first = self.first.is_none();
            self.first.get_or_insert(target);
            let ahead = target - (self.position + decoder.held());
            if ahead > jitter || (first && ahead > 0) {
                decoder.drain(&mut sound)?;
                self.write(&std::mem::take(&mut sound))?;
                let hole = target - self.position;
                self.gap_samples += if first { 0 } else { hole.max(0) };
                self.silence(hole)?;
            } else if ahead < -jitter || (first && ahead < 0) {
                skip = usize::try_from(-ahead).unwrap_or(0);
            }
        }
        if skip > 0 {
            // Overlapping or before 0: what comes out of this frame is shortened by as much.
            decoder.drain(&mut sound)?;
            self.write(&std::mem::take(&mut sound))?;
        }
        decoder.resample(frame, &mut sound)?;
        if skip > 0 {
            decoder.drain(&mut sound)?;
        }
        self.write(sound.get(skip * self.channels..).unwrap_or_default())
    }

    /// Writes what the decoder still holds.
    pub(crate) fn finish(&mut self, decoder: &mut SoundDecoder) -> Result<()> {
        let mut rest = Vec::new();
        decoder.drain(&mut rest)?;
        self.write(&rest)
    }

    fn silence(&mut self, samples: i64) -> Result<()> {
        let zeros = vec![0.0; self.rate as usize * self.channels];
        let mut left = samples.min(self.bound - self.position);
        while left > 0 {
            let now = left.min(self.rate);
            self.put(&zeros[..now as usize * self.channels])?;
            left -= now;
        }
        Ok(())
    }

    fn write(&mut self, samples: &[f32]) -> Result<()> {
        self.heard |= !samples.is_empty();
        self.put(samples)
    }

    fn put(&mut self, samples: &[f32]) -> Result<()> {
        let room = usize::try_from(self.bound - self.position).unwrap_or(0) * self.channels;
        let samples = &samples[..samples.len().min(room)];
        self.position += (samples.len() / self.channels) as i64;
        self.sink.write(samples)
    }
}
