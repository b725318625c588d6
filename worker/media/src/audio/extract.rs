//! From a source to the sound artifact: mono, 16 kHz, 16 bit, FLAC.
//!
//! Speech recognition counts samples, so the artifact's sample `n` must be media time `n / 16000 s` everywhere
//! ([`super::timeline`]).

use std::path::Path;

use ffmpeg_next as ffmpeg;
use serde::{Deserialize, Serialize};

use crate::audio::loudness::LoudnessMeter;
use crate::audio::timeline::{SoundSink, Timeline};
use crate::audio::voice::{self, PitchMeter, SoundCurve};
use crate::av::input::{Read1, Source};
use crate::av::sound::{FlacWriter, SoundDecoder};
use crate::av::to_ms;
use crate::error::{MediaError, Result};
use crate::probe::has_decoder;

/// Samples a second of every artifact.
pub const SAMPLE_RATE: u32 = 16_000;

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
    pub curve: SoundCurve,
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
            curve: SoundCurve::default(),
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
    let opened = candidates.iter().find_map(|&index| open(&source, index, SAMPLE_RATE, 1).transpose());
    let Some((index, mut decoder, base)) = opened.transpose()? else {
        return Ok(AudioInfo { unreadable: !candidates.is_empty(), ..AudioInfo::nothing() });
    };
    source.keep_only(&[index]);
    let expected = max_ms.or_else(|| source.declared_us().map(|us| to_ms(us).max(0) as u64)).unwrap_or(0);
    let bound = max_ms.map_or(MAX_SAMPLES, |ms| (ms as i64 * i64::from(SAMPLE_RATE) / 1000).min(MAX_SAMPLES));
    let sink = Artifact {
        writer: FlacWriter::create(target, SAMPLE_RATE)?,
        meter: LoudnessMeter::new(SAMPLE_RATE),
        pitch: PitchMeter::new(SAMPLE_RATE),
        peak: 0.0,
    };
    let mut track = Timeline::new(sink, SAMPLE_RATE, 1, bound);
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
        ended |= track.is_full();
    }
    let info = finish(track, &mut decoder, index)?;
    if info.empty {
        std::fs::remove_file(target).map_err(MediaError::io("remove the empty sound artifact"))?;
    }
    progress(100);
    Ok(info)
}

/// Tracks that could be taken, best first.
pub(crate) fn candidates(source: &Source, choice: TrackChoice) -> Vec<usize> {
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
pub(crate) fn open(
    source: &Source,
    index: usize,
    rate: u32,
    channels: usize,
) -> Result<Option<(usize, SoundDecoder, ffmpeg::Rational)>> {
    let stream = source.streams().nth(index).ok_or_else(|| MediaError::failed("sound", "stream vanished"))?;
    match SoundDecoder::open(&stream.parameters(), stream.time_base(), rate, channels) {
        Ok(decoder) => Ok(Some((index, decoder, stream.time_base()))),
        Err(MediaError::Failed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The artifact, and what is measured while it is written.
struct Artifact {
    writer: FlacWriter,
    meter: LoudnessMeter,
    pitch: PitchMeter,
    peak: f32,
}

impl SoundSink for Artifact {
    fn write(&mut self, samples: &[f32]) -> Result<()> {
        self.peak = samples.iter().fold(self.peak, |peak, s| peak.max(s.abs()));
        self.meter.push(samples);
        self.pitch.push(samples);
        self.writer.push(samples)
    }
}

fn finish(mut track: Timeline<Artifact>, decoder: &mut SoundDecoder, index: usize) -> Result<AudioInfo> {
    track.finish(decoder)?;
    let Artifact { writer, meter, pitch, peak } = track.sink;
    writer.finish()?;
    let to_ms = |samples: i64| samples * 1000 / i64::from(SAMPLE_RATE);
    let loudness_lufs = meter.integrated();
    Ok(AudioInfo {
        track: Some(index),
        duration_ms: to_ms(track.position) as u64,
        sample_rate: SAMPLE_RATE,
        samples: track.position as u64,
        start_offset_ms: to_ms(track.first.unwrap_or(0)),
        loudness_lufs,
        peak,
        silent: loudness_lufs.is_none() || peak < SILENT_PEAK,
        empty: !track.heard || track.position == 0,
        unreadable: false,
        gaps_ms: to_ms(track.gap_samples) as u64,
        curve: voice::curve(&meter, pitch),
    })
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
