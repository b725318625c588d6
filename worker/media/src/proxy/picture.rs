//! The picture track of a proxy: copied, or decoded, made smaller and encoded as H.264.

use ffmpeg_next as ffmpeg;

use super::{Made, ProxyOptions, Span};
use crate::av::decoder::{self, PictureDecoder};
use crate::av::encode::{H264Encoder, PICTURE_BASE, PictureSpec};
use crate::av::input::Source;
use crate::av::mux::Mp4Writer;
use crate::av::scale::{Scaler, Turns, target_size};
use crate::av::stream;
use crate::error::{MediaError, Result};

/// Pictures closer together than this are left out: 60 a second are enough for a proxy. Microseconds, with room for rounding.
const CLOSEST_US: i64 = 1_000_000 / 62;
/// How far past the end packets are looked at: pictures are coded in another order than they are shown.
pub(super) const SLACK_US: i64 = 1_000_000;
/// Of a file that does not say, or says nonsense.
const USUAL_FPS: (u32, u32) = (30, 1);

pub(super) struct PictureTrack {
    index: usize,
    base: ffmpeg::Rational,
    track: usize,
    way: Way,
    written: u64,
    over: bool,
}

enum Way {
    /// Nothing before the first keyframe can be shown.
    Copy {
        begun: bool,
    },
    Encode(Box<Encoding>),
}

struct Encoding {
    decoder: PictureDecoder,
    scaler: Scaler,
    encoder: H264Encoder,
    width: u32,
    height: u32,
    last_us: Option<i64>,
    /// How long a picture is shown as a rule.
    frame_us: i64,
}

impl PictureTrack {
    pub(super) fn open(
        source: &Source,
        writer: &mut Mp4Writer,
        (index, made): (usize, Made),
        options: &ProxyOptions,
    ) -> Result<Self> {
        let stream =
            source.streams().nth(index).ok_or_else(|| MediaError::failed("proxy", "the picture track vanished"))?;
        let (parameters, base) = (stream.parameters(), stream.time_base());
        let matrix = source.display_matrix(index);
        let (track, way) = match made {
            Made::Copied => (writer.add(&parameters, base, matrix)?, Way::Copy { begun: false }),
            Made::Encoded => {
                let facts = stream::picture_facts(&stream);
                // The matrix turns it, so it keeps lying as it lies; pixels become square.
                let (width, height) = target_size(
                    facts.width as usize,
                    facts.height as usize,
                    facts.sar,
                    Turns::default(),
                    options.long_side as usize,
                );
                let (width, height) = (width as u32, height as u32);
                let sane = |&(num, den): &(u32, u32)| den > 0 && (1..=120).contains(&(num / den));
                let fps = facts.average_rate.filter(sane).unwrap_or(USUAL_FPS);
                let encoder = H264Encoder::open(&PictureSpec { width, height, fps, colours: facts.colours })?;
                let track = writer.add(&encoder.parameters(), PICTURE_BASE, matrix)?;
                let decoder = PictureDecoder::open(&parameters, base, false)?;
                let frame_us = 1_000_000 * i64::from(fps.1) / i64::from(fps.0.max(1));
                let encoding =
                    Encoding { decoder, scaler: Scaler::new(), encoder, width, height, last_us: None, frame_us };
                (track, Way::Encode(Box::new(encoding)))
            }
        };
        Ok(Self { index, base, track, way, written: 0, over: false })
    }

    /// Takes a packet of the track and says at which media time it is.
    pub(super) fn push(
        &mut self,
        source: &Source,
        packet: ffmpeg::Packet,
        writer: &mut Mp4Writer,
        span: Span,
    ) -> Result<Option<i64>> {
        let at_us = packet.pts().or_else(|| packet.dts()).map(|ticks| source.media_us(ticks, self.base));
        self.over |= at_us.is_some_and(|at| at > span.end_us.saturating_add(SLACK_US));
        if self.over || packet.stream() != self.index {
            return Ok(at_us);
        }
        match &mut self.way {
            Way::Copy { begun } => {
                // By the time of decoding at the end, so that what a picture refers to comes along.
                let coded_us = packet.dts().map(|ticks| source.media_us(ticks, self.base)).or(at_us);
                let within = at_us.is_none_or(|at| at >= span.first_us)
                    && coded_us.is_none_or(|at| at <= span.end_us.saturating_add(span.slack_us));
                *begun |= packet.is_key() && within;
                if *begun && within {
                    self.written += 1;
                    writer.write(self.track, packet, self.base, source.origin_us)?;
                }
            }
            Way::Encode(encoding) => {
                encoding.decoder.send(&packet)?;
                self.written += encoding.drain(source, self.base, self.track, writer, span)?;
            }
        }
        Ok(at_us)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Writes what is still under way; how many pictures that makes.
    pub(super) fn finish(&mut self, source: &Source, writer: &mut Mp4Writer, span: Span) -> Result<u64> {
        if let Way::Encode(encoding) = &mut self.way {
            encoding.decoder.send_end();
            self.written += encoding.drain(source, self.base, self.track, writer, span)?;
            encoding.encoder.send(None, |packet| writer.write(self.track, packet, PICTURE_BASE, 0))?;
        }
        Ok(self.written)
    }
}

impl Encoding {
    fn drain(
        &mut self,
        source: &Source,
        base: ffmpeg::Rational,
        track: usize,
        writer: &mut Mp4Writer,
        span: Span,
    ) -> Result<u64> {
        let mut sent = 0;
        while let Some(frame) = self.decoder.receive()? {
            // A picture without a time stamp follows the one before it.
            let next_us = self.last_us.map_or(0, |last| last + self.frame_us);
            let at_us = decoder::ticks(&frame).map_or(next_us, |ticks| source.media_us(ticks, base));
            let outside = at_us < 0 || at_us > span.end_us.saturating_add(span.slack_us);
            if outside || self.last_us.is_some_and(|last| at_us < last + CLOSEST_US) {
                continue;
            }
            self.last_us = Some(at_us);
            let mut picture = self.scaler.yuv420(&frame, self.width, self.height)?;
            picture.set_pts(Some(at_us * i64::from(PICTURE_BASE.denominator()) / 1_000_000));
            self.encoder.send(Some(&picture), |packet| writer.write(track, packet, PICTURE_BASE, 0))?;
            sent += 1;
        }
        Ok(sent)
    }
}
