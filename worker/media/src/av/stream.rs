//! Facts about one stream, read from its codec parameters.
#![allow(unsafe_code, reason = "codec parameters are fields of FFmpeg's C structs")]

use std::ffi::CStr;

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use super::scale::{Colours, matrix};
use crate::probe::has_decoder;
use crate::types::AudioTrack;

pub(crate) struct PictureFacts {
    pub index: usize,
    pub codec: String,
    pub width: u32,
    pub height: u32,
    /// Width of a sample divided by its height.
    pub sar: f64,
    pub average_rate: Option<(u32, u32)>,
    pub pixel_format: String,
    pub bit_depth: u32,
    pub hdr: bool,
    pub colours: Colours,
}

fn text(pointer: *const libc::c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: FFmpeg's names are static, NUL-terminated strings; null is handled above.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

/// What the file says under `key`. Files say anything, also what is no UTF-8: ffmpeg-next's own `get` takes it for text unseen.
pub(crate) fn tag(metadata: &ffmpeg::DictionaryRef<'_>, key: &CStr) -> Option<String> {
    // SAFETY: the dictionary outlives the call; an entry's value is a NUL-terminated string of FFmpeg's, copied at once.
    unsafe {
        let entry = ffi::av_dict_get(metadata.as_ptr(), key.as_ptr(), std::ptr::null(), 0);
        if entry.is_null() { None } else { text((*entry).value) }
    }
}

pub(crate) fn codec_name(id: ffmpeg::codec::Id) -> String {
    // SAFETY: the function only looks into a static table and always returns a string.
    text(unsafe { ffi::avcodec_get_name(id.into()) }).unwrap_or_default()
}

pub(crate) fn picture_facts(stream: &ffmpeg::Stream<'_>) -> PictureFacts {
    let parameters = stream.parameters();
    let id = parameters.id();
    // SAFETY: the parameters belong to the stream, which outlives this function; only plain fields are read, and the
    // pixel format is passed on to look-ups that accept any value.
    unsafe {
        let raw = &*parameters.as_ptr();
        let descriptor = ffi::av_pix_fmt_desc_get(std::mem::transmute::<i32, ffi::AVPixelFormat>(raw.format));
        let sar = [raw.sample_aspect_ratio, (*stream.as_ptr()).sample_aspect_ratio]
            .into_iter()
            .map(|r| f64::from(r.num) / f64::from(r.den.max(1)))
            .find(|&r| (0.05..20.0).contains(&r))
            .unwrap_or(1.0);
        let rate = stream.avg_frame_rate();
        let transfer = raw.color_trc;
        PictureFacts {
            index: stream.index(),
            codec: codec_name(id),
            width: raw.width.max(0) as u32,
            height: raw.height.max(0) as u32,
            sar,
            average_rate: (rate.numerator() > 0 && rate.denominator() > 0)
                .then(|| (rate.numerator() as u32, rate.denominator() as u32)),
            pixel_format: descriptor.as_ref().and_then(|d| text(d.name)).unwrap_or_default(),
            bit_depth: descriptor.as_ref().map_or(8, |d| d.comp[0].depth.max(1) as u32),
            colours: Colours { space: matrix(raw.color_space, raw.height), primaries: raw.color_primaries, transfer },
            hdr: transfer == ffi::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084
                || transfer == ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67,
        }
    }
}

pub(crate) fn audio_track(stream: &ffmpeg::Stream<'_>, start_ms: i64) -> AudioTrack {
    let parameters = stream.parameters();
    // SAFETY: as in `picture_facts`.
    let (channels, sample_rate) = unsafe {
        let raw = &*parameters.as_ptr();
        (raw.ch_layout.nb_channels.max(0) as u32, raw.sample_rate.max(0) as u32)
    };
    let metadata = stream.metadata();
    let said = |key: &CStr| tag(&metadata, key).filter(|value| !value.is_empty() && value != "und");
    AudioTrack {
        index: stream.index(),
        codec: codec_name(parameters.id()),
        channels,
        sample_rate,
        language: said(c"language"),
        title: said(c"title"),
        default: stream.disposition().contains(ffmpeg::format::stream::Disposition::DEFAULT),
        start_ms,
        supported: has_decoder(parameters.id()) && channels > 0,
    }
}

/// Outside the file's edit list: needed for decoding, never shown.
pub(crate) fn is_discarded(packet: &ffmpeg::Packet) -> bool {
    packet.flags().bits() & ffi::AV_PKT_FLAG_DISCARD != 0
}
