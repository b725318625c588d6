//! Speech without its silences: the clips a voice detector kept, laid end to end, and the way back to original time.
//! Follows faster-whisper's `collect_chunks` and `SpeechTimestampsMap` (MIT, Systran).

use std::io;
use std::ops::Range;

use super::samples::{SAMPLE_RATE, Samples};

/// Clips of a source (ascending, disjoint sample ranges) that read as one piece of audio.
#[derive(Clone, Copy)]
pub(crate) struct Joined<'a> {
    pub source: &'a dyn Samples,
    pub clips: &'a [Range<usize>],
}

impl Samples for Joined<'_> {
    fn len(&self) -> usize {
        self.clips.iter().map(|clip| clip.len()).sum()
    }

    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()> {
        let (mut skip, mut filled) = (start, 0);
        for clip in self.clips {
            if filled == out.len() {
                break;
            }
            if skip >= clip.len() {
                skip -= clip.len();
                continue;
            }
            let take = (clip.len() - skip).min(out.len() - filled);
            self.source.read(clip.start + skip, &mut out[filled..filled + take])?;
            filled += take;
            skip = 0;
        }
        debug_assert_eq!(filled, out.len());
        Ok(())
    }
}

/// Maps times in joined audio back to times in the source.
pub struct Timeline {
    /// For each clip: where it ends in the joined audio (samples) and how much silence was taken out before it (s).
    clips: Vec<(usize, f64)>,
}

impl Timeline {
    /// From ascending, disjoint sample ranges.
    pub fn new(clips: &[Range<usize>]) -> Self {
        let (mut previous_end, mut silent) = (0, 0);
        let clips = clips
            .iter()
            .map(|clip| {
                silent += clip.start - previous_end;
                previous_end = clip.end;
                (clip.end - silent, silent as f64 / SAMPLE_RATE as f64)
            })
            .collect();
        Self { clips }
    }

    /// Index of the clip that holds `time_s` of the joined audio; a boundary belongs to the later clip, times past the end
    /// to the last.
    pub fn clip_at(&self, time_s: f64) -> usize {
        let sample = (time_s.max(0.0) * SAMPLE_RATE as f64) as usize;
        self.clips.partition_point(|(end, _)| *end <= sample).min(self.clips.len().saturating_sub(1))
    }

    /// The clip that a segment ending at `time_s` belongs to: a boundary belongs to the earlier clip.
    pub fn clip_ending_at(&self, time_s: f64) -> usize {
        let sample = (time_s.max(0.0) * SAMPLE_RATE as f64) as usize;
        self.clips.iter().position(|(end, _)| *end == sample).unwrap_or_else(|| self.clip_at(time_s))
    }

    /// Original time, in seconds rounded to hundredths, of a joined time that lies in `clip`.
    pub fn original_s(&self, time_s: f64, clip: usize) -> f64 {
        let silence = self.clips.get(clip).map_or(0.0, |(_, silence)| *silence);
        round_hundredths(silence + time_s)
    }
}

/// Seconds to two decimals, as every time in a transcript.
pub(crate) fn round_hundredths(time_s: f64) -> f64 {
    (time_s * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clips() -> impl Strategy<Value = Vec<Range<usize>>> {
        prop::collection::vec((0usize..40_000, 1usize..40_000), 1..8).prop_map(|parts| {
            let mut at = 0;
            parts
                .into_iter()
                .map(|(gap, length)| {
                    let start = at + gap;
                    at = start + length;
                    start..at
                })
                .collect()
        })
    }

    proptest! {
        /// Every sample's joined position maps back to its own place in the source.
        #[test]
        fn times_come_back_to_where_they_were(clips in clips(), pick in 0.0f64..1.0) {
            let total: usize = clips.iter().map(|clip| clip.len()).sum();
            let joined = ((total as f64 * pick) as usize).min(total - 1);
            let mut rest = joined;
            let mut truth = 0;
            for clip in &clips {
                if rest < clip.len() { truth = clip.start + rest; break; }
                rest -= clip.len();
            }
            let timeline = Timeline::new(&clips);
            // Half a sample in, so that the division by the rate cannot fall on the wrong side.
            let time_s = (joined as f64 + 0.5) / SAMPLE_RATE as f64;
            let found = timeline.original_s(time_s, timeline.clip_at(time_s));
            prop_assert!((found - truth as f64 / SAMPLE_RATE as f64).abs() <= 0.0051, "{found} for {truth}");
        }

        /// Restored times never run backwards, and reading the joined audio gives the clips in order.
        #[test]
        fn order_is_kept(clips in clips(), picks in prop::collection::vec(0.0f64..1.0, 2..20)) {
            let end = clips.last().map_or(0, |clip| clip.end);
            let source: Vec<f32> = (0..end).map(|index| index as f32).collect();
            let joined = Joined { source: &source, clips: &clips };
            let mut read = vec![0.0; joined.len()];
            joined.read(0, &mut read).unwrap();
            let truth: Vec<f32> = clips.iter().cloned().flatten().map(|index| index as f32).collect();
            prop_assert_eq!(&read, &truth);

            let timeline = Timeline::new(&clips);
            let mut picks: Vec<f64> = picks.iter().map(|pick| pick * read.len() as f64 / SAMPLE_RATE as f64).collect();
            picks.sort_by(f64::total_cmp);
            let restored: Vec<f64> = picks.iter().map(|time| timeline.original_s(*time, timeline.clip_at(*time))).collect();
            prop_assert!(restored.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
