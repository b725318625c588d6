//! A single-threaded picture decoder that can be told, packet by packet, what it may leave out.
#![allow(unsafe_code, reason = "skipping, buffer callbacks and pixel limits are fields of FFmpeg's C context")]

use ffmpeg::codec::decoder;
use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use super::input;
use crate::error::{MediaError, RejectCode, Result};

/// Larger pictures are refused: 8192 × 4352, which holds 8K in both orientations.
pub(crate) const MAX_PIXELS: i64 = 8192 * 4352;

/// Pictures that decoding has just finished, in coding order, before the decoder gives them out in display order.
///
/// A B picture is coded after both its neighbours, so looking here tells whether it is worth decoding at all.
/// FFmpeg hands out picture buffers through `get_buffer2`; with one thread the picture is complete when
/// `avcodec_send_packet` returns (libavcodec/decode.c, `decode_simple_internal`).
#[derive(Default)]
struct Fresh {
    frames: Vec<ffmpeg::frame::Video>,
}

pub(crate) struct PictureDecoder {
    decoder: decoder::Video,
    fresh: Box<Fresh>,
    codec: ffmpeg::codec::Id,
    sees_coding_order: bool,
}

// SAFETY: the decoder, its context and `Fresh` are owned by this value alone and move together; FFmpeg's contexts have
// no thread affinity, and with one thread no callback runs outside our own calls.
unsafe impl Send for PictureDecoder {}

/// What may be left out for the next packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Everything, bit exact.
    Exact,
    /// Pictures that no other picture refers to are skipped; in H.264, B pictures are not deblocked.
    References,
}

unsafe extern "C" fn note_buffer(
    context: *mut ffi::AVCodecContext,
    frame: *mut ffi::AVFrame,
    flags: libc::c_int,
) -> libc::c_int {
    // SAFETY: FFmpeg calls this with its own valid context and frame; the default allocator is the documented base.
    let code = unsafe { ffi::avcodec_default_get_buffer2(context, frame, flags) };
    if code < 0 {
        return code;
    }
    // SAFETY: `opaque` was set to a boxed `Fresh` that lives as long as the decoder, and is only touched on the thread
    // that is inside `send_packet`; the clone holds its own references to the buffers.
    unsafe {
        let fresh = (*context).opaque.cast::<Fresh>();
        let clone = ffi::av_frame_clone(frame);
        if !fresh.is_null() && !clone.is_null() {
            (*clone).width = (*context).width;
            (*clone).height = (*context).height;
            (*fresh).frames.push(ffmpeg::frame::Video::wrap(clone));
        }
    }
    0
}

impl PictureDecoder {
    /// Opens the decoder for `parameters`; `watch` keeps pictures in coding order where the codec allows it.
    pub(crate) fn open(parameters: &ffmpeg::codec::Parameters, base: ffmpeg::Rational, watch: bool) -> Result<Self> {
        let id = parameters.id();
        let name = format!("{id:?}").to_lowercase();
        let codec = decoder::find(id)
            .filter(|codec| input::is_allowed_decoder(codec.name()))
            .ok_or_else(|| MediaError::rejected(RejectCode::UnsupportedCodec, name))?;
        let context = ffmpeg::codec::Context::from_parameters(parameters.clone())
            .map_err(|error| MediaError::ffmpeg("copy codec parameters", error))?;
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(base);
        let mut fresh = Box::<Fresh>::default();
        // libavcodec lends its own buffers to these alone: no wrapper around another library, no frame threads of its own.
        let sees_coding_order = watch
            && matches!(
                id,
                ffmpeg::codec::Id::H264
                    | ffmpeg::codec::Id::HEVC
                    | ffmpeg::codec::Id::MPEG4
                    | ffmpeg::codec::Id::MPEG2VIDEO
            );
        // SAFETY: the context is allocated and not yet open; these fields are documented as set by the user before
        // `avcodec_open2`. `fresh` is boxed, so its address stays the same when `Self` moves.
        unsafe {
            let raw = decoder.as_mut_ptr();
            (*raw).thread_count = 1;
            (*raw).max_pixels = MAX_PIXELS;
            (*raw).export_side_data |= ffi::AV_CODEC_EXPORT_DATA_FILM_GRAIN;
            if sees_coding_order {
                (*raw).opaque = (&raw mut *fresh).cast();
                (*raw).get_buffer2 = Some(note_buffer);
            }
        }
        let decoder = decoder.open_as(codec).and_then(decoder::Opened::video).map_err(|error| match error {
            ffmpeg::Error::Other { errno: libc::ENOMEM } => MediaError::ffmpeg("open decoder", error),
            error => MediaError::rejected(RejectCode::UnsupportedCodec, error.to_string()),
        })?;
        Ok(Self { decoder, fresh, codec: id, sees_coding_order })
    }

    pub(crate) fn sees_coding_order(&self) -> bool {
        self.sees_coding_order
    }

    pub(crate) fn set_effort(&mut self, effort: Effort) {
        let (skip, unfiltered) = match effort {
            Effort::Exact => (ffmpeg::Discard::Default, ffmpeg::Discard::Default),
            // HEVC encoders may code every picture as B, so there its filter stays on or pictures would drift.
            Effort::References if self.codec == ffmpeg::codec::Id::H264 => {
                (ffmpeg::Discard::NonReference, ffmpeg::Discard::Bidirectional)
            }
            Effort::References => (ffmpeg::Discard::NonReference, ffmpeg::Discard::Default),
        };
        self.decoder.skip_frame(skip);
        self.decoder.skip_loop_filter(unfiltered);
    }

    /// Sends one packet. A packet that cannot be decoded is the stream's damage and returns `false`; the decoder goes on.
    pub(crate) fn send(&mut self, packet: &ffmpeg::Packet) -> Result<bool> {
        match self.decoder.send_packet(packet) {
            Ok(()) => Ok(true),
            Err(error @ ffmpeg::Error::Other { errno: libc::ENOMEM }) => Err(MediaError::ffmpeg("decode", error)),
            Err(_) => Ok(false),
        }
    }

    pub(crate) fn send_end(&mut self) {
        // A second end of stream is refused with EOF, which is where we want to be.
        let _ = self.decoder.send_eof();
    }

    /// The next picture in display order, if one is ready.
    pub(crate) fn receive(&mut self) -> Result<Option<ffmpeg::frame::Video>> {
        loop {
            let mut frame = ffmpeg::frame::Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => return Ok(Some(frame)),
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => return Ok(None),
                Err(error @ ffmpeg::Error::Other { errno: libc::ENOMEM }) => {
                    return Err(MediaError::ffmpeg("decode", error));
                }
                // Damage in one picture: the decoder has consumed it, the next call gives the next.
                Err(_) => {}
            }
        }
    }

    /// Pictures finished since the last call, in coding order. Empty unless `sees_coding_order`.
    pub(crate) fn take_fresh(&mut self) -> Vec<ffmpeg::frame::Video> {
        std::mem::take(&mut self.fresh.frames)
    }

    /// Forgets everything, ready for a keyframe.
    pub(crate) fn flush(&mut self) {
        self.decoder.flush();
        self.fresh.frames.clear();
    }
}

/// Media time stamp of a decoded picture in its stream's ticks.
pub(crate) fn ticks(frame: &ffmpeg::frame::Video) -> Option<i64> {
    frame.timestamp().or_else(|| frame.pts())
}

pub(crate) fn is_b(frame: &ffmpeg::frame::Video) -> bool {
    frame.kind() == ffmpeg::picture::Type::B
}

/// The decoder had to invent parts of this picture.
pub(crate) fn is_damaged(frame: &ffmpeg::frame::Video) -> bool {
    // SAFETY: a valid frame; plain fields.
    unsafe {
        let raw = &*frame.as_ptr();
        raw.decode_error_flags != 0 || raw.flags & ffi::AV_FRAME_FLAG_CORRUPT as i32 != 0
    }
}
