//! Opening a source so that FFmpeg can read that one file and nothing else.
//!
//! Four walls, each enough by itself: the demuxer is forced (no probing), libavformat gets its bytes from a file that
//! we opened (no protocol is ever asked), its hook for opening further files refuses, and decoders are an allow-list.
#![allow(unsafe_code, reason = "FFmpeg's demuxer can only be forced and fenced through its C interface")]

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::ptr;

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use super::clock::Clock;
use super::scale::Turns;
use super::{micros, ticks};
use crate::error::{MediaError, RejectCode, Result};
use crate::sniff::{self, Container};

/// Decoders that may run, by FFmpeg's names. Everything else is `unsupported_codec`.
const VIDEO_DECODERS: &str = "h264,hevc,vp8,vp9,libdav1d,mpeg4,msmpeg4,msmpeg4v2,mpeg1video,mpeg2video,h263,mjpeg,prores,\
dnxhd,ffv1,theora,dvvideo,huffyuv,ffvhuff,utvideo,rawvideo,cinepak,flv,vc1,wmv1,wmv2,wmv3,qtrle,png";
const AUDIO_DECODERS: &str = "aac,aac_latm,mp3,mp3float,mp2,mp2float,mp1,mp1float,ac3,eac3,dca,opus,vorbis,flac,alac,amrnb,\
amrwb,truehd,mlp,wmav1,wmav2,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,gsm_ms,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,\
pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_u8,pcm_s8,pcm_mulaw,pcm_alaw,pcm_bluray,pcm_dvd";

/// Read buffer between the file and the demuxer.
const IO_BUFFER_BYTES: usize = 256 * 1024;

pub(crate) fn is_allowed_decoder(name: &str) -> bool {
    VIDEO_DECODERS.split(',').chain(AUDIO_DECODERS.split(',')).any(|allowed| allowed == name)
}

pub(crate) struct Source {
    input: ffmpeg::format::context::Input,
    pub container: Container,
    /// Media time 0 in the file's own clock, microseconds.
    pub origin_us: i64,
    /// Makes time stamps continuous where the container's may jump.
    clock: Option<Clock>,
    /// Streams to read, where the clock has to see the others too.
    wanted: Option<Vec<usize>>,
}

/// What is read from the demuxer.
pub(crate) enum Read1 {
    Packet(ffmpeg::Packet),
    End,
    /// The file ended or broke in the middle.
    Broken,
}

/// Refuses every further file a demuxer asks for.
unsafe extern "C" fn refuse_open(
    _: *mut ffi::AVFormatContext,
    _: *mut *mut ffi::AVIOContext,
    _: *const libc::c_char,
    _: libc::c_int,
    _: *mut *mut ffi::AVDictionary,
) -> libc::c_int {
    ffi::AVERROR(libc::EPERM)
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        super::init();
        let mut file = File::open(path).map_err(MediaError::io("open the source"))?;
        let mut head = Vec::new();
        (&mut file)
            .take(sniff::SNIFF_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(MediaError::io("read the source"))?;
        let container = sniff::sniff(&head).map_err(|code| MediaError::rejected(code, "first bytes"))?;
        std::io::Seek::rewind(&mut file).map_err(MediaError::io("rewind the source"))?;
        let input = open_as(file, container)?;
        let clock = container.clock_is_arbitrary().then(Clock::default);
        let mut source = Self { input, container, origin_us: 0, clock, wanted: None };
        if container.clock_is_arbitrary() {
            // SAFETY: `input` owns a context that was opened successfully and lives as long as `source`.
            let start = unsafe { (*source.input.as_ptr()).start_time };
            source.origin_us = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
        }
        Ok(source)
    }

    pub(crate) fn input(&self) -> &ffmpeg::format::context::Input {
        &self.input
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = ffmpeg::Stream<'_>> {
        self.input.streams()
    }

    /// The picture track: FFmpeg's choice, never a cover image.
    pub(crate) fn video_stream(&self) -> Option<ffmpeg::Stream<'_>> {
        let is_picture_track = |stream: &ffmpeg::Stream<'_>| {
            stream.parameters().medium() == ffmpeg::media::Type::Video
                && !stream.disposition().contains(ffmpeg::format::stream::Disposition::ATTACHED_PIC)
        };
        let best = self.input.streams().best(ffmpeg::media::Type::Video).filter(is_picture_track);
        best.or_else(|| self.input.streams().find(is_picture_track))
    }

    /// The display matrix of a stream, as the file has it (ISO/IEC 14496-12 §8.3.2).
    pub(crate) fn display_matrix(&self, stream: usize) -> Option<[i32; 9]> {
        // SAFETY: the index is checked against `nb_streams`; the returned side data belongs to the stream, holds `size`
        // bytes and is copied before anything else happens.
        unsafe {
            let context = self.input.as_ptr();
            if stream >= (*context).nb_streams as usize {
                return None;
            }
            let mut size = 0;
            let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
            let data = ffi::av_stream_get_side_data(*(*context).streams.add(stream), kind, &raw mut size);
            if data.is_null() || (size as usize) < size_of::<[i32; 9]>() {
                return None;
            }
            Some(data.cast::<[i32; 9]>().read_unaligned())
        }
    }

    /// Clockwise quarter turns that make the picture upright.
    pub(crate) fn turns(&self, stream: usize) -> Turns {
        let Some(matrix) = self.display_matrix(stream) else { return Turns(0) };
        let degrees = f64::from(matrix[1]).atan2(f64::from(matrix[0])).to_degrees();
        Turns(((degrees / 90.0).round() as i32).rem_euclid(4) as u8)
    }

    /// Tells the demuxer to skip every other stream.
    pub(crate) fn keep_only(&mut self, wanted: &[usize]) {
        if self.clock.is_some() {
            // A jump must move all streams alike, whichever of them is looked at.
            self.wanted = Some(wanted.to_vec());
            return;
        }
        // SAFETY: `streams` is an array of `nb_streams` valid pointers owned by the open context, and `&mut self`
        // excludes other users; `discard` is a field meant to be set by callers (avformat.h).
        unsafe {
            let context = self.input.as_mut_ptr();
            for index in 0..(*context).nb_streams as usize {
                let stream = *(*context).streams.add(index);
                let keep = wanted.contains(&index);
                (*stream).discard =
                    if keep { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
            }
        }
    }

    pub(crate) fn read(&mut self) -> Read1 {
        loop {
            let mut packet = ffmpeg::Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => return Read1::End,
                Err(_) => return Read1::Broken,
            }
            self.set_right(&mut packet);
            if self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&packet.stream())) {
                return Read1::Packet(packet);
            }
        }
    }

    /// Puts a packet's time stamps on the continuous clock.
    fn set_right(&mut self, packet: &mut ffmpeg::Packet) {
        let (Some(clock), Some(stream)) = (&mut self.clock, self.input.stream(packet.stream())) else { return };
        let (base, medium) = (stream.time_base(), stream.parameters().medium());
        let Some(dts) = packet.dts().or_else(|| packet.pts()) else { return };
        if !matches!(medium, ffmpeg::media::Type::Video | ffmpeg::media::Type::Audio) {
            return;
        }
        let offset_us = clock.offset(packet.stream(), micros(dts, base), micros(packet.duration(), base));
        if offset_us != 0 {
            let offset = ticks(offset_us, base);
            packet.set_dts(packet.dts().map(|dts| dts.saturating_add(offset)));
            packet.set_pts(packet.pts().map(|pts| pts.saturating_add(offset)));
        }
    }

    /// Goes to the keyframe at or before media time `us`. Errors are reported, the position is then undefined.
    pub(crate) fn seek(&mut self, us: i64) -> Result<()> {
        let target = us.saturating_add(self.origin_us);
        if let Some(clock) = &mut self.clock {
            clock.forget();
        }
        // SAFETY: the context is open and exclusively borrowed; stream -1 means AV_TIME_BASE units (avformat.h).
        let code = unsafe { ffi::avformat_seek_file(self.input.as_mut_ptr(), -1, i64::MIN, target, target, 0) };
        if code < 0 { Err(MediaError::ffmpeg("seek", ffmpeg::Error::from(code))) } else { Ok(()) }
    }

    /// Media time of a time stamp of `stream`, microseconds.
    pub(crate) fn media_us(&self, ticks: i64, base: ffmpeg::Rational) -> i64 {
        micros(ticks, base).saturating_sub(self.origin_us)
    }

    /// The container's own idea of its length, microseconds; it may lie.
    pub(crate) fn declared_us(&self) -> Option<i64> {
        Some(self.input.duration()).filter(|&us| us > 0)
    }
}

fn open_as(file: File, container: Container) -> Result<ffmpeg::format::context::Input> {
    let mut io = ffmpeg::format::context::StreamIo::from_read_seek_with_capacity(file, IO_BUFFER_BYTES)
        .map_err(|error| MediaError::ffmpeg("allocate input", error))?;
    let mut options = ffmpeg::Dictionary::new();
    options.set("format_whitelist", container.demuxer());
    options.set("protocol_whitelist", "file");
    options.set("codec_whitelist", &format!("{VIDEO_DECODERS},{AUDIO_DECODERS}"));
    options.set("max_streams", "64");
    if container == Container::Mp4 {
        options.set("enable_drefs", "0");
        options.set("use_absolute_path", "0");
    }
    let name = CString::new(container.demuxer()).map_err(|error| MediaError::failed("demuxer name", error))?;
    // SAFETY: `name` is a valid C string for the call; the returned pointer is to a static or null.
    let format = unsafe { ffi::av_find_input_format(name.as_ptr()) };
    if format.is_null() {
        return Err(MediaError::failed("open input", format!("FFmpeg has no {} demuxer", container.demuxer())));
    }
    // SAFETY: the allocation is checked before use; `pb` outlives the context because both end up in one `Input`, and on
    // failure `avformat_open_input` frees the context but not a custom `pb` (avformat.h), which `io` still owns.
    // `options` is handed over by pointer and taken back so that what remains is freed once.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(MediaError::ffmpeg("allocate input", ffmpeg::Error::Other { errno: libc::ENOMEM }));
        }
        (*context).pb = io.as_mut_ptr();
        (*context).io_open = Some(refuse_open);
        let mut raw = options.disown();
        let code = ffi::avformat_open_input(&raw mut context, ptr::null(), format, &raw mut raw);
        drop(ffmpeg::Dictionary::own(raw));
        if code < 0 {
            return Err(broken("open", ffmpeg::Error::from(code)));
        }
        let input = ffmpeg::format::context::Input::wrap_with_custom_io(context, io);
        let code = ffi::avformat_find_stream_info(context, ptr::null_mut());
        if code < 0 {
            return Err(broken("read stream headers", ffmpeg::Error::from(code)));
        }
        Ok(input)
    }
}

fn broken(what: &str, error: ffmpeg::Error) -> MediaError {
    match MediaError::ffmpeg(what, error) {
        MediaError::Failed { what, detail } => MediaError::rejected(RejectCode::Damaged, format!("{what}: {detail}")),
        other => other,
    }
}
