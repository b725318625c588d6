//! Reading pixels straight from a decoded picture, whatever its bit depth and chroma layout.
#![allow(unsafe_code, reason = "planes of an AVFrame are raw pointers")]

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

/// One plane; samples are 8 bit, or 16 bit little endian with `shift` bits too many.
#[derive(Clone, Copy)]
pub(crate) struct Plane<'a> {
    data: &'a [u8],
    stride: usize,
    pub width: usize,
    pub height: usize,
    shift: Option<u32>,
}

impl<'a> Plane<'a> {
    /// Row `y` as bytes when samples are 8 bit.
    #[inline]
    pub(crate) fn row8(&self, y: usize) -> Option<&'a [u8]> {
        if self.shift.is_some() {
            return None;
        }
        let start = y * self.stride;
        self.data.get(start..start + self.width)
    }

    /// Copies row `y` into `out`, reduced to 8 bit.
    pub(crate) fn copy_row(&self, y: usize, out: &mut [u8]) {
        let start = y * self.stride;
        match self.shift {
            None => {
                if let Some(row) = self.data.get(start..start + self.width) {
                    out[..self.width].copy_from_slice(row);
                }
            }
            Some(shift) => {
                if let Some(row) = self.data.get(start..start + self.width * 2) {
                    for (out, pair) in out.iter_mut().zip(row.chunks_exact(2)) {
                        *out = (u16::from_le_bytes([pair[0], pair[1]]) >> shift).min(255) as u8;
                    }
                }
            }
        }
    }
}

/// Luma and, where the format has them, both chroma planes.
pub(crate) struct Planes<'a> {
    pub luma: Plane<'a>,
    pub chroma: Option<[Plane<'a>; 2]>,
}

impl<'a> Planes<'a> {
    /// `None` for layouts that are not planar YUV or grey (RGB, palettes, packed YUV, upside-down pictures).
    pub(crate) fn of(frame: &'a ffmpeg::frame::Video) -> Option<Self> {
        // SAFETY: `frame` is a valid AVFrame; the descriptor is null or points to a static table.
        let (raw, descriptor) = unsafe {
            let raw = &*frame.as_ptr();
            (raw, ffi::av_pix_fmt_desc_get(std::mem::transmute::<i32, ffi::AVPixelFormat>(raw.format)).as_ref()?)
        };
        let refused = ffi::AV_PIX_FMT_FLAG_RGB
            | ffi::AV_PIX_FMT_FLAG_PAL
            | ffi::AV_PIX_FMT_FLAG_BITSTREAM
            | ffi::AV_PIX_FMT_FLAG_HWACCEL
            | ffi::AV_PIX_FMT_FLAG_BE
            | ffi::AV_PIX_FMT_FLAG_FLOAT;
        if descriptor.flags & u64::from(refused as u32) != 0 || raw.width <= 0 || raw.height <= 0 {
            return None;
        }
        let (width, height) = (raw.width as usize, raw.height as usize);
        let plane = |component: usize, width: usize, height: usize| -> Option<Plane<'a>> {
            let part = &descriptor.comp[component];
            let bytes = if part.depth > 8 { 2 } else { 1 };
            let stride = usize::try_from(raw.linesize[component]).ok()?;
            if part.plane != component as i32
                || part.step != bytes
                || part.depth > 16
                || stride < width * bytes as usize
            {
                return None;
            }
            let pointer = raw.data[component];
            if pointer.is_null() {
                return None;
            }
            let length = stride * (height - 1) + width * bytes as usize;
            // SAFETY: FFmpeg allocates at least `linesize` bytes for each of the plane's rows (av_image_fill_plane_sizes);
            // the last row is counted only as far as its pixels. The slice borrows the frame, which owns the buffer.
            let data = unsafe { std::slice::from_raw_parts(pointer, length) };
            let shift = (bytes == 2).then_some((part.depth + part.shift - 8).max(0) as u32);
            Some(Plane { data, stride, width, height, shift })
        };
        let luma = plane(0, width, height)?;
        let chroma = if descriptor.nb_components >= 3 {
            let round_up = |size: usize, log2: u8| (size + (1 << log2) - 1) >> log2;
            let (w, h) = (round_up(width, descriptor.log2_chroma_w), round_up(height, descriptor.log2_chroma_h));
            Some([plane(1, w, h)?, plane(2, w, h)?])
        } else {
            None
        };
        Some(Self { luma, chroma })
    }
}
