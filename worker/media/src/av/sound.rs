//! Decoding one sound track to samples at a wanted rate and number of channels, and FLAC encoding.
#![allow(unsafe_code, reason = "channel layouts without a name and the encoder's header need FFmpeg's C interface")]

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::ptr;

use ffmpeg::codec::{decoder, encoder};
use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use super::input;
use crate::error::{MediaError, RejectCode, Result};

pub(crate) struct SoundDecoder {
    decoder: decoder::Audio,
    resampler: Resampler,
}

impl SoundDecoder {
    /// `channels` of what comes out: 1 or 2.
    pub(crate) fn open(
        parameters: &ffmpeg::codec::Parameters,
        base: ffmpeg::Rational,
        rate: u32,
        channels: usize,
    ) -> Result<Self> {
        let codec = decoder::find(parameters.id())
            .filter(|codec| input::is_allowed_decoder(codec.name()))
            .ok_or_else(|| MediaError::rejected(RejectCode::UnsupportedCodec, "sound codec"))?;
        let context = ffmpeg::codec::Context::from_parameters(parameters.clone())
            .map_err(|error| MediaError::ffmpeg("copy codec parameters", error))?;
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(base);
        // SAFETY: the context is allocated and not open yet; a plain field.
        unsafe { (*decoder.as_mut_ptr()).thread_count = 1 };
        let decoder = decoder
            .open_as(codec)
            .and_then(decoder::Opened::audio)
            .map_err(|error| MediaError::ffmpeg("open sound decoder", error))?;
        Ok(Self { decoder, resampler: Resampler { context: ptr::null_mut(), input: None, rate, channels } })
    }

    /// `None` is the end of the stream. Damaged packets are skipped.
    pub(crate) fn send(&mut self, packet: Option<&ffmpeg::Packet>) -> Result<()> {
        let sent = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        match sent {
            Err(error @ ffmpeg::Error::Other { errno: libc::ENOMEM }) => Err(MediaError::ffmpeg("decode sound", error)),
            _ => Ok(()),
        }
    }

    pub(crate) fn receive(&mut self) -> Result<Option<ffmpeg::frame::Audio>> {
        loop {
            let mut frame = ffmpeg::frame::Audio::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => return Ok(Some(frame)),
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => return Ok(None),
                Err(error @ ffmpeg::Error::Other { errno: libc::ENOMEM }) => {
                    return Err(MediaError::ffmpeg("decode sound", error));
                }
                Err(_) => {}
            }
        }
    }

    /// Appends `frame`, mixed and resampled, to `out` (interleaved). A few samples stay inside until more come or `drain`.
    pub(crate) fn resample(&mut self, frame: &ffmpeg::frame::Audio, out: &mut Vec<f32>) -> Result<()> {
        self.resampler.push(frame, out)
    }

    /// Samples a channel at the output rate that are inside the resampler.
    pub(crate) fn held(&self) -> i64 {
        self.resampler.held()
    }

    pub(crate) fn drain(&mut self, out: &mut Vec<f32>) -> Result<()> {
        self.resampler.drain(out)
    }
}

/// libswresample with its standard mixes: centre at full level, sides at −3 dB, surrounds lower, no LFE; normalised
/// so that it cannot clip (ITU-R BS.775-3, as in swresample/rematrix.c).
struct Resampler {
    context: *mut ffi::SwrContext,
    input: Option<(i32, i32, u64, i32)>,
    rate: u32,
    channels: usize,
}

// SAFETY: owned by one decoder; swresample contexts have no thread affinity.
unsafe impl Send for Resampler {}

impl Resampler {
    fn held(&self) -> i64 {
        if self.context.is_null() {
            return 0;
        }
        // SAFETY: an initialised context.
        unsafe { ffi::swr_get_delay(self.context, i64::from(self.rate)) }
    }

    fn push(&mut self, frame: &ffmpeg::frame::Audio, out: &mut Vec<f32>) -> Result<()> {
        // SAFETY: `frame` is a decoded frame: its format, layout and data planes are consistent, and it outlives the call.
        unsafe {
            let raw = &*frame.as_ptr();
            let channels = raw.ch_layout.nb_channels;
            let mask = if raw.ch_layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE {
                raw.ch_layout.u.mask
            } else {
                0
            };
            let key = (raw.format, channels, mask, raw.sample_rate);
            if raw.sample_rate <= 0 || channels <= 0 {
                return Ok(());
            }
            if self.input != Some(key) {
                self.drain(out)?;
                self.open(raw, channels, mask)?;
                self.input = Some(key);
            }
            self.convert(raw.extended_data.cast(), raw.nb_samples, out)
        }
    }

    fn drain(&mut self, out: &mut Vec<f32>) -> Result<()> {
        if self.context.is_null() {
            return Ok(());
        }
        self.convert(ptr::null_mut(), 0, out)?;
        self.input = None;
        Ok(())
    }

    fn open(&mut self, raw: &ffi::AVFrame, channels: i32, mask: u64) -> Result<()> {
        // SAFETY: layouts are initialised by FFmpeg before use and plain data for native orders; the context is checked.
        let code = unsafe {
            let mut source: ffi::AVChannelLayout = std::mem::zeroed();
            let known = mask != 0 && ffi::av_channel_layout_from_mask(&raw mut source, mask) == 0;
            if !known {
                ffi::av_channel_layout_default(&raw mut source, channels);
            }
            let mut target: ffi::AVChannelLayout = std::mem::zeroed();
            ffi::av_channel_layout_default(&raw mut target, self.channels as i32);
            ffi::swr_free(&raw mut self.context);
            let code = ffi::swr_alloc_set_opts2(
                &raw mut self.context,
                &raw mut target,
                ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT,
                self.rate as i32,
                &raw mut source,
                std::mem::transmute::<i32, ffi::AVSampleFormat>(raw.format),
                raw.sample_rate,
                0,
                ptr::null_mut(),
            );
            if code < 0 { code } else { ffi::swr_init(self.context) }
        };
        if code < 0 {
            return Err(MediaError::ffmpeg("mix sound", ffmpeg::Error::from(code)));
        }
        Ok(())
    }

    fn convert(&mut self, data: *mut *const u8, samples: i32, out: &mut Vec<f32>) -> Result<()> {
        // SAFETY: the context is open; `room` is what swresample itself says it may write for this input, and the vector
        // is that much longer than its filled part. Null input means flush (swresample.h).
        unsafe {
            let room = ffi::swr_get_out_samples(self.context, samples).max(0);
            let filled = out.len();
            out.resize(filled + room as usize * self.channels, 0.0);
            let mut target = out.as_mut_ptr().add(filled).cast::<u8>();
            let written = ffi::swr_convert(self.context, &raw mut target, room, data, samples);
            out.truncate(filled + written.max(0) as usize * self.channels);
            if written < 0 {
                return Err(MediaError::ffmpeg("resample", ffmpeg::Error::from(written)));
            }
        }
        Ok(())
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        // SAFETY: null or a context that only this value holds.
        unsafe { ffi::swr_free(&raw mut self.context) }
    }
}

/// Writes mono 16-bit FLAC (RFC 9639) as a plain `.flac` file.
pub(crate) struct FlacWriter {
    encoder: encoder::audio::Encoder,
    file: BufWriter<File>,
    pending: Vec<i16>,
    block: usize,
    samples: i64,
}

/// `fLaC`, then one metadata block, marked as the last, of type STREAMINFO (0) and 34 bytes (RFC 9639 §8.2).
const FLAC_HEADER: [u8; 8] = [b'f', b'L', b'a', b'C', 0x80, 0, 0, 34];

impl FlacWriter {
    pub(crate) fn create(path: &Path, rate: u32) -> Result<Self> {
        let fail = |error| MediaError::ffmpeg("open FLAC encoder", error);
        let codec = encoder::find(ffmpeg::codec::Id::FLAC).ok_or_else(|| fail(ffmpeg::Error::EncoderNotFound))?;
        let mut audio = ffmpeg::codec::Context::new_with_codec(codec).encoder().audio().map_err(fail)?;
        audio.set_rate(rate as i32);
        audio.set_format(ffmpeg::format::Sample::I16(ffmpeg::format::sample::Type::Packed));
        audio.set_channel_layout(ffmpeg::ChannelLayout::MONO);
        audio.set_time_base((1, rate as i32));
        let encoder = audio.open_as(codec).map_err(fail)?;
        let file = File::create(path).map_err(MediaError::io("create the sound artifact"))?;
        let block = (encoder.frame_size() as usize).max(256);
        let mut writer = Self { encoder, file: BufWriter::new(file), pending: Vec::new(), block, samples: 0 };
        writer.write_header()?;
        Ok(writer)
    }

    fn write_header(&mut self) -> Result<()> {
        let mut info = [0_u8; 34];
        // SAFETY: the FLAC encoder keeps its STREAMINFO of 34 bytes in `extradata` while it is open.
        unsafe {
            let raw = &*self.encoder.as_ptr();
            if raw.extradata_size as usize >= info.len() && !raw.extradata.is_null() {
                ptr::copy_nonoverlapping(raw.extradata, info.as_mut_ptr(), info.len());
            }
        }
        let io = MediaError::io("write the sound artifact");
        self.file.write_all(&FLAC_HEADER).and_then(|()| self.file.write_all(&info)).map_err(io)
    }

    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<()> {
        self.pending.extend(samples.iter().map(|&s| (s.clamp(-1.0, 1.0) * 32767.0).round() as i16));
        let mut start = 0;
        while self.pending.len() - start >= self.block {
            let block: Vec<i16> = self.pending[start..start + self.block].to_vec();
            self.encode(&block)?;
            start += self.block;
        }
        self.pending.drain(..start);
        Ok(())
    }

    fn encode(&mut self, block: &[i16]) -> Result<()> {
        let format = ffmpeg::format::Sample::I16(ffmpeg::format::sample::Type::Packed);
        let mut frame = ffmpeg::frame::Audio::new(format, block.len(), ffmpeg::ChannelLayout::MONO);
        frame.set_rate(self.encoder.rate());
        frame.set_pts(Some(self.samples));
        self.samples += block.len() as i64;
        frame.plane_mut::<i16>(0).copy_from_slice(block);
        self.encoder.send_frame(&frame).map_err(|error| MediaError::ffmpeg("encode FLAC", error))?;
        self.drain()
    }

    fn drain(&mut self) -> Result<()> {
        let mut packet = ffmpeg::Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            if let Some(data) = packet.data() {
                self.file.write_all(data).map_err(MediaError::io("write the sound artifact"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.pending);
        if !rest.is_empty() {
            self.encode(&rest)?;
        }
        self.encoder.send_eof().map_err(|error| MediaError::ffmpeg("encode FLAC", error))?;
        self.drain()?;
        // The number of samples and their MD5 are known only now.
        self.file.seek(SeekFrom::Start(0)).map_err(MediaError::io("rewind the sound artifact"))?;
        self.write_header()?;
        self.file.flush().map_err(MediaError::io("write the sound artifact"))
    }
}
