//! H.264 and AAC encoders with the settings of a proxy.
#![allow(unsafe_code, reason = "threads and rate control are fields of FFmpeg's C context")]

use ffmpeg::codec::encoder;
use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use super::scale::Colours;
use crate::error::{MediaError, Result};

/// Ticks of encoded pictures: divides every usual frame rate.
pub(crate) const PICTURE_BASE: ffmpeg::Rational = ffmpeg::Rational(1, 90_000);
/// Samples a second of encoded sound.
pub(crate) const SOUND_RATE: u32 = 48_000;
pub(crate) const SOUND_BASE: ffmpeg::Rational = ffmpeg::Rational(1, SOUND_RATE as i32);

/// Bits a second that pictures never exceed over a buffer of two seconds.
pub(crate) const MAX_PICTURE_BITS: usize = 4_000_000;
/// Bits a second and channel.
pub(crate) const SOUND_BITS: usize = 80_000;
/// A seek lands on a keyframe; this many seconds is as far as it has to decode.
const KEYFRAME_EVERY_S: u32 = 3;
const THREADS: i32 = 2;

/// What the pictures are.
pub(crate) struct PictureSpec {
    pub width: u32,
    pub height: u32,
    /// Frames a second; a guess for rate control, the times of the pictures decide.
    pub fps: (u32, u32),
    pub colours: Colours,
}

pub(crate) struct H264Encoder {
    encoder: encoder::video::Encoder,
}

impl H264Encoder {
    pub(crate) fn open(spec: &PictureSpec) -> Result<Self> {
        let fail = |error| MediaError::ffmpeg("open the H.264 encoder", error);
        let codec = encoder::find_by_name("libx264").ok_or_else(|| fail(ffmpeg::Error::EncoderNotFound))?;
        let mut context = ffmpeg::codec::Context::new_with_codec(codec);
        // MP4 keeps parameter sets in its header.
        context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER);
        let mut video = context.encoder().video().map_err(fail)?;
        let (num, den) = spec.fps;
        video.set_width(spec.width);
        video.set_height(spec.height);
        video.set_format(ffmpeg::format::Pixel::YUV420P);
        video.set_aspect_ratio((1, 1));
        video.set_time_base(PICTURE_BASE);
        video.set_frame_rate(Some((num as i32, den as i32)));
        video.set_gop((KEYFRAME_EVERY_S * num / den.max(1)).clamp(12, 360));
        video.set_max_bit_rate(MAX_PICTURE_BITS);
        // SAFETY: the context is allocated and not open yet; plain fields that are documented as set by the user.
        unsafe {
            let raw = video.as_mut_ptr();
            (*raw).color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
            (*raw).colorspace = spec.colours.space;
            (*raw).color_primaries = spec.colours.primaries;
            (*raw).color_trc = spec.colours.transfer;
            (*raw).rc_buffer_size = 2 * MAX_PICTURE_BITS as libc::c_int;
            (*raw).thread_count = THREADS;
        }
        let mut options = ffmpeg::Dictionary::new();
        options.set("preset", "veryfast");
        options.set("profile", "high");
        options.set("crf", "23");
        let encoder = video.open_as_with(codec, options).map_err(fail)?;
        Ok(Self { encoder })
    }

    pub(crate) fn parameters(&self) -> ffmpeg::codec::Parameters {
        ffmpeg::codec::Parameters::from(&self.encoder)
    }

    /// `None` is the end. What is finished is handed to `take`.
    pub(crate) fn send(
        &mut self,
        frame: Option<&ffmpeg::frame::Video>,
        take: impl FnMut(ffmpeg::Packet) -> Result<()>,
    ) -> Result<()> {
        let sent = match frame {
            Some(frame) => self.encoder.send_frame(frame),
            None => self.encoder.send_eof(),
        };
        sent.map_err(|error| MediaError::ffmpeg("encode a picture", error))?;
        drain(&mut self.encoder, take)
    }
}

pub(crate) struct AacEncoder {
    encoder: encoder::audio::Encoder,
    layout: ffmpeg::ChannelLayout,
    samples: i64,
    pub(crate) channels: usize,
    /// Samples a channel that the encoder takes at a time.
    pub(crate) block: usize,
}

impl AacEncoder {
    /// `channels` is 1 or 2.
    pub(crate) fn open(channels: usize) -> Result<Self> {
        let fail = |error| MediaError::ffmpeg("open the AAC encoder", error);
        let codec = encoder::find(ffmpeg::codec::Id::AAC).ok_or_else(|| fail(ffmpeg::Error::EncoderNotFound))?;
        let mut context = ffmpeg::codec::Context::new_with_codec(codec);
        context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER);
        let mut audio = context.encoder().audio().map_err(fail)?;
        let layout = if channels == 1 { ffmpeg::ChannelLayout::MONO } else { ffmpeg::ChannelLayout::STEREO };
        audio.set_rate(SOUND_RATE as i32);
        audio.set_format(ffmpeg::format::Sample::F32(ffmpeg::format::sample::Type::Planar));
        audio.set_channel_layout(layout);
        audio.set_time_base(SOUND_BASE);
        audio.set_bit_rate(SOUND_BITS * channels);
        let encoder = audio.open_as(codec).map_err(fail)?;
        let block = encoder.frame_size().max(64) as usize;
        Ok(Self { encoder, layout, samples: 0, channels, block })
    }

    pub(crate) fn parameters(&self) -> ffmpeg::codec::Parameters {
        ffmpeg::codec::Parameters::from(&self.encoder)
    }

    /// At most `block` interleaved samples a channel; fewer only at the end.
    pub(crate) fn send(&mut self, samples: &[f32], take: impl FnMut(ffmpeg::Packet) -> Result<()>) -> Result<()> {
        let format = ffmpeg::format::Sample::F32(ffmpeg::format::sample::Type::Planar);
        let length = samples.len() / self.channels;
        let mut frame = ffmpeg::frame::Audio::new(format, length, self.layout);
        frame.set_rate(SOUND_RATE);
        frame.set_pts(Some(self.samples));
        self.samples += length as i64;
        for channel in 0..self.channels {
            let own = samples.iter().skip(channel).step_by(self.channels);
            for (out, sample) in frame.plane_mut::<f32>(channel).iter_mut().zip(own) {
                *out = *sample;
            }
        }
        self.encoder.send_frame(&frame).map_err(|error| MediaError::ffmpeg("encode sound", error))?;
        drain(&mut self.encoder, take)
    }

    pub(crate) fn finish(&mut self, take: impl FnMut(ffmpeg::Packet) -> Result<()>) -> Result<()> {
        self.encoder.send_eof().map_err(|error| MediaError::ffmpeg("encode sound", error))?;
        drain(&mut self.encoder, take)
    }
}

fn drain(encoder: &mut encoder::Encoder, mut take: impl FnMut(ffmpeg::Packet) -> Result<()>) -> Result<()> {
    loop {
        let mut packet = ffmpeg::Packet::empty();
        match encoder.receive_packet(&mut packet) {
            Ok(()) => take(packet)?,
            Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => return Ok(()),
            Err(error) => return Err(MediaError::ffmpeg("encode", error)),
        }
    }
}
