//! From a source to the sound artifact: mono, 16 kHz, 16 bit, FLAC.
//!
//! Speech recognition counts samples, so the artifact's sample `n` must be media time `n / 16000 s` everywhere: a track
//! that starts late is preceded by silence, one that starts before 0 (encoder priming) is trimmed, and holes in the
//! time stamps become silence.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use serde::{Deserialize, Serialize};

use crate::audio::loudness::LoudnessMeter;
use crate::av::input::{Read1, Source};
use crate::av::sound::{FlacWriter, SoundDecoder};
use crate::av::to_ms;
use crate::error::{MediaError, Result};
use crate::probe::has_decoder;

/// Samples a second of every artifact.
pub const SAMPLE_RATE: u32 = 16_000;

/// Time stamps may jitter this much before they are believed over the count of samples (containers round to 1–23 ms).
const JITTER_SAMPLES: i64 = SAMPLE_RATE as i64 * 40 / 1000;

/// Sound beyond this is not extracted when the caller gives no bound: a lying time stamp must not fill the disk.
const MAX_SAMPLES: i64 = SAMPLE_RATE as i64 * 3600 * 12;

/// Below this peak (−60 dBFS) a track counts as silent.
const SILENT_PEAK: f32 = 0.001;

/// Which sound track to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackChoice {
    /// The file's default track, else the first that can be decoded.
    #[default]
    Default,
    /// The stream with this index in the file.
    Stream(usize),
}

/// What was extracted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioInfo {
    /// Stream index of the track; `None` when the file has no usable one.
    pub track: Option<usize>,
    pub duration_ms: u64,
    pub sample_rate: u32,
    pub samples: u64,
    /// Media time of the track's first sound; before it the artifact is silent. Negative for trimmed priming.
    pub start_offset_ms: i64,
    /// Integrated loudness, LUFS (ITU-R BS.1770-4); `None` when everything is below its gate.
    pub loudness_lufs: Option<f64>,
    /// Largest absolute sample, 0–1.
    pub peak: f32,
    pub silent: bool,
    /// No track, or a track without one sample: no artifact was written.
    pub empty: bool,
    /// There are tracks, but their headers are damaged so that no decoder takes them.
    pub unreadable: bool,
    /// Silence put into holes of the time stamps, apart from a late start.
    pub gaps_ms: u64,
}

impl AudioInfo {
    fn nothing() -> Self {
        Self {
            track: None,
            duration_ms: 0,
            sample_rate: SAMPLE_RATE,
            samples: 0,
            start_offset_ms: 0,
            loudness_lufs: None,
            peak: 0.0,
            silent: true,
            empty: true,
            unreadable: false,
            gaps_ms: 0,
        }
    }
}

/// Extracts one track to `target` (FLAC). `max_ms` bounds the artifact, normally the video's length.
pub fn extract(
    source: &Path,
    target: &Path,
    choice: TrackChoice,
    max_ms: Option<u64>,
    mut progress: impl FnMut(u8),
) -> Result<AudioInfo> {
    let mut source = Source::open(source)?;
    let candidates = candidates(&source, choice);
    let opened = candidates.iter().find_map(|&index| open(&source, index).transpose());
    let Some((index, mut decoder, base)) = opened.transpose()? else {
        return Ok(AudioInfo { unreadable: !candidates.is_empty(), ..AudioInfo::nothing() });
    };
    source.keep_only(&[index]);
    let expected = max_ms.or_else(|| source.declared_us().map(|us| to_ms(us).max(0) as u64)).unwrap_or(0);
    let bound = max_ms.map_or(MAX_SAMPLES, |ms| (ms as i64 * i64::from(SAMPLE_RATE) / 1000).min(MAX_SAMPLES));
    let mut track = Timeline::new(FlacWriter::create(target, SAMPLE_RATE)?, bound);
    let mut ended = false;
    while !ended {
        match source.read() {
            Read1::Packet(packet) if packet.stream() != index => continue,
            Read1::Packet(packet) => decoder.send(Some(&packet))?,
            // A file that breaks in the middle is heard up to there.
            Read1::End | Read1::Broken => {
                decoder.send(None)?;
                ended = true;
            }
        }
        while let Some(frame) = decoder.receive()? {
            let at = frame.timestamp().or_else(|| frame.pts()).map(|ticks| source.media_us(ticks, base));
            track.place(&mut decoder, &frame, at)?;
        }
        if expected > 0 {
            let done = track.position * 1000 / i64::from(SAMPLE_RATE) * 100 / expected as i64;
            progress(done.clamp(0, 99) as u8);
        }
        ended |= track.position >= bound;
    }
    let info = track.finish(&mut decoder, index)?;
    if info.empty {
        std::fs::remove_file(target).map_err(MediaError::io("remove the empty sound artifact"))?;
    }
    progress(100);
    Ok(info)
}

/// Tracks that could be taken, best first.
fn candidates(source: &Source, choice: TrackChoice) -> Vec<usize> {
    let usable = |stream: &ffmpeg::Stream<'_>| {
        let parameters = stream.parameters();
        parameters.medium() == ffmpeg::media::Type::Audio && has_decoder(parameters.id())
    };
    let is_default =
        |stream: &ffmpeg::Stream<'_>| stream.disposition().contains(ffmpeg::format::stream::Disposition::DEFAULT);
    let mut streams: Vec<_> = source.streams().filter(usable).collect();
    match choice {
        TrackChoice::Stream(index) => streams.retain(|stream| stream.index() == index),
        TrackChoice::Default => streams.sort_by_key(|stream| !is_default(stream)),
    }
    streams.iter().map(ffmpeg::Stream::index).collect()
}

/// A decoder for a track, with the track's time base; `None` when its header is damaged.
fn open(source: &Source, index: usize) -> Result<Option<(usize, SoundDecoder, ffmpeg::Rational)>> {
    let stream = source.streams().nth(index).ok_or_else(|| MediaError::failed("sound", "stream vanished"))?;
    match SoundDecoder::open(&stream.parameters(), stream.time_base(), SAMPLE_RATE) {
        Ok(decoder) => Ok(Some((index, decoder, stream.time_base()))),
        Err(MediaError::Failed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts decoded sound where its time stamps say.
struct Timeline {
    writer: FlacWriter,
    meter: LoudnessMeter,
    /// Samples written so far, which is also the media time of the next one.
    position: i64,
    bound: i64,
    first: Option<i64>,
    gap_samples: i64,
    peak: f32,
    heard: bool,
}

impl Timeline {
    fn new(writer: FlacWriter, bound: i64) -> Self {
        Self {
            writer,
            meter: LoudnessMeter::new(SAMPLE_RATE),
            position: 0,
            bound,
            first: None,
            gap_samples: 0,
            peak: 0.0,
            heard: false,
        }
    }

    fn place(&mut self, decoder: &mut SoundDecoder, frame: &ffmpeg::frame::Audio, at_us: Option<i64>) -> Result<()> {
        let mut sound = Vec::new();
        let mut skip = 0;
        if let Some(at_us) = at_us {
            let target = (i128::from(at_us) * i128::from(SAMPLE_RATE) / 1_000_000) as i64;
            let first = self.first.is_none();
            self.first.get_or_insert(target);
            let ahead = target - (self.position + decoder.held());
            if ahead > JITTER_SAMPLES || (first && ahead > 0) {
                decoder.drain(&mut sound)?;
                self.write(&std::mem::take(&mut sound))?;
                let hole = target - self.position;
                self.gap_samples += if first { 0 } else { hole.max(0) };
                self.silence(hole)?;
            } else if ahead < -JITTER_SAMPLES || (first && ahead < 0) {
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
        self.write(sound.get(skip..).unwrap_or_default())
    }

    fn silence(&mut self, samples: i64) -> Result<()> {
        let zeros = vec![0.0; SAMPLE_RATE as usize];
        let mut left = samples.min(self.bound - self.position);
        while left > 0 {
            let now = left.min(zeros.len() as i64);
            self.write_raw(&zeros[..now as usize])?;
            left -= now;
        }
        Ok(())
    }

    fn write(&mut self, samples: &[f32]) -> Result<()> {
        self.heard |= !samples.is_empty();
        self.write_raw(samples)
    }

    fn write_raw(&mut self, samples: &[f32]) -> Result<()> {
        let room = usize::try_from(self.bound - self.position).unwrap_or(0);
        let samples = &samples[..samples.len().min(room)];
        self.peak = samples.iter().fold(self.peak, |peak, s| peak.max(s.abs()));
        self.meter.push(samples);
        self.position += samples.len() as i64;
        self.writer.push(samples)
    }

    fn finish(mut self, decoder: &mut SoundDecoder, index: usize) -> Result<AudioInfo> {
        let mut rest = Vec::new();
        decoder.drain(&mut rest)?;
        self.write(&rest)?;
        self.writer.finish()?;
        let to_ms = |samples: i64| samples * 1000 / i64::from(SAMPLE_RATE);
        let loudness_lufs = self.meter.integrated();
        Ok(AudioInfo {
            track: Some(index),
            duration_ms: to_ms(self.position) as u64,
            sample_rate: SAMPLE_RATE,
            samples: self.position as u64,
            start_offset_ms: to_ms(self.first.unwrap_or(0)),
            loudness_lufs,
            peak: self.peak,
            silent: loudness_lufs.is_none() || self.peak < SILENT_PEAK,
            empty: !self.heard || self.position == 0,
            unreadable: false,
            gaps_ms: to_ms(self.gap_samples) as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use ffmpeg_next as ffmpeg;

    use crate::av::micros;

    #[test]
    fn a_sample_is_where_its_time_stamp_says() {
        assert_eq!(micros(16_000, ffmpeg::Rational::new(1, 16_000)), 1_000_000);
        assert_eq!(micros(-1024, ffmpeg::Rational::new(1, 48_000)), -21_333);
    }
}
