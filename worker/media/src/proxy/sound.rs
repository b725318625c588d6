//! The sound track of a proxy: copied, or decoded and encoded as AAC with one or two channels.

use ffmpeg_next as ffmpeg;

use super::{Made, ProxyOptions, Span};
use crate::audio::timeline::{SoundSink, Timeline};
use crate::av::encode::{AacEncoder, SOUND_BASE, SOUND_RATE};
use crate::av::input::Source;
use crate::av::mux::Mp4Writer;
use crate::av::sound::SoundDecoder;
use crate::error::{MediaError, Result};

pub(super) struct SoundTrack {
    base: ffmpeg::Rational,
    track: usize,
    way: Way,
    over: bool,
}

enum Way {
    Copy,
    Encode(Box<Encoding>),
}

struct Encoding {
    decoder: SoundDecoder,
    timeline: Timeline<AacSink>,
}

impl SoundTrack {
    pub(super) fn open(
        source: &Source,
        writer: &mut Mp4Writer,
        (index, made): (usize, Made),
        options: &ProxyOptions,
    ) -> Result<Self> {
        let stream =
            source.streams().nth(index).ok_or_else(|| MediaError::failed("proxy", "the sound track vanished"))?;
        let (parameters, base) = (stream.parameters(), stream.time_base());
        let (track, way) = match made {
            Made::Copied => (writer.add(&parameters, base, None)?, Way::Copy),
            Made::Encoded => {
                let channels = if crate::av::stream::audio_track(&stream, 0).channels > 1 { 2 } else { 1 };
                let decoder = SoundDecoder::open(&parameters, base, SOUND_RATE, channels)?;
                let encoder = AacEncoder::open(channels)?;
                let track = writer.add(&encoder.parameters(), SOUND_BASE, None)?;
                let bound = i64::try_from(options.max_ms).unwrap_or(i64::MAX / 100_000) * i64::from(SOUND_RATE) / 1000;
                let sink = AacSink { encoder, pending: Vec::new(), done: Vec::new() };
                let timeline = Timeline::new(sink, SOUND_RATE, channels, bound);
                (track, Way::Encode(Box::new(Encoding { decoder, timeline })))
            }
        };
        Ok(Self { base, track, way, over: false })
    }

    pub(super) fn push(
        &mut self,
        source: &Source,
        packet: ffmpeg::Packet,
        writer: &mut Mp4Writer,
        span: Span,
    ) -> Result<()> {
        let at_us = packet.pts().or_else(|| packet.dts()).map(|ticks| source.media_us(ticks, self.base));
        self.over |= at_us.is_some_and(|at| at > span.end_us);
        if self.over {
            return Ok(());
        }
        match &mut self.way {
            Way::Copy if at_us.is_some_and(|at| at < span.first_us) => Ok(()),
            Way::Copy => writer.write(self.track, packet, self.base, source.origin_us),
            Way::Encode(encoding) => {
                encoding.decoder.send(Some(&packet))?;
                encoding.drain(source, self.base, self.track, writer)
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match &self.way {
            Way::Copy => self.over,
            Way::Encode(encoding) => self.over || encoding.timeline.is_full(),
        }
    }

    pub(super) fn finish(&mut self, source: &Source, writer: &mut Mp4Writer) -> Result<()> {
        let Way::Encode(encoding) = &mut self.way else { return Ok(()) };
        encoding.decoder.send(None)?;
        encoding.drain(source, self.base, self.track, writer)?;
        encoding.timeline.finish(&mut encoding.decoder)?;
        encoding.timeline.sink.finish()?;
        encoding.timeline.sink.hand_over(self.track, writer)
    }
}

impl Encoding {
    fn drain(&mut self, source: &Source, base: ffmpeg::Rational, track: usize, writer: &mut Mp4Writer) -> Result<()> {
        while let Some(frame) = self.decoder.receive()? {
            let at_us = frame.timestamp().or_else(|| frame.pts()).map(|ticks| source.media_us(ticks, base));
            self.timeline.place(&mut self.decoder, &frame, at_us)?;
        }
        self.timeline.sink.hand_over(track, writer)
    }
}

/// Collects samples into the encoder's blocks, and its packets until they are handed over.
struct AacSink {
    encoder: AacEncoder,
    pending: Vec<f32>,
    done: Vec<ffmpeg::Packet>,
}

impl AacSink {
    fn finish(&mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.pending);
        if !rest.is_empty() {
            self.encoder.send(&rest, |packet| {
                self.done.push(packet);
                Ok(())
            })?;
        }
        self.encoder.finish(|packet| {
            self.done.push(packet);
            Ok(())
        })
    }

    fn hand_over(&mut self, track: usize, writer: &mut Mp4Writer) -> Result<()> {
        for packet in self.done.drain(..) {
            writer.write(track, packet, SOUND_BASE, 0)?;
        }
        Ok(())
    }
}

impl SoundSink for AacSink {
    fn write(&mut self, samples: &[f32]) -> Result<()> {
        self.pending.extend_from_slice(samples);
        let block = self.encoder.block * self.encoder.channels;
        let whole = self.pending.len() / block * block;
        for samples in self.pending[..whole].chunks_exact(block) {
            self.encoder.send(samples, |packet| {
                self.done.push(packet);
                Ok(())
            })?;
        }
        self.pending.drain(..whole);
        Ok(())
    }
}
