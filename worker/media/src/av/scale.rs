//! From a decoded picture to upright RGB of a wanted size.
#![allow(unsafe_code, reason = "colour matrices and formats only known at run time go through swscale's C interface")]

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use crate::error::{MediaError, Result};

/// An upright picture, 8 bit RGB, rows without padding: `data.len() == width * height * 3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    pub width: usize,
    pub height: usize,
    pub data: Vec<u8>,
}

/// Clockwise quarter turns that make the picture upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Turns(pub u8);

/// Size of the upright picture: sample aspect ratio applied, turned, long side at most `long_side`, never enlarged.
pub(crate) fn target_size(width: usize, height: usize, sar: f64, turns: Turns, long_side: usize) -> (usize, usize) {
    // Stretching only ever shrinks one side, so no pixels are invented.
    let (w, h) = if sar >= 1.0 { (width as f64, height as f64 / sar) } else { (width as f64 * sar, height as f64) };
    let factor = (long_side as f64 / w.max(h)).min(1.0);
    let even = |size: f64| ((size * factor / 2.0).round() as usize * 2).max(2);
    let (w, h) = (even(w), even(h));
    if turns.0 % 2 == 1 { (h, w) } else { (w, h) }
}

/// How the numbers of a picture stand for colours (ITU-T H.273).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours {
    pub space: ffi::AVColorSpace,
    pub primaries: ffi::AVColorPrimaries,
    pub transfer: ffi::AVColorTransferCharacteristic,
}

/// The colour matrix of a picture `height` lines high: its own, or, where it has none or does not say, what players assume:
/// BT.709 for high definition, BT.601 below.
pub(crate) fn matrix(space: ffi::AVColorSpace, height: i32) -> ffi::AVColorSpace {
    match space {
        ffi::AVColorSpace::AVCOL_SPC_UNSPECIFIED | ffi::AVColorSpace::AVCOL_SPC_RGB if height >= 720 => {
            ffi::AVColorSpace::AVCOL_SPC_BT709
        }
        ffi::AVColorSpace::AVCOL_SPC_UNSPECIFIED | ffi::AVColorSpace::AVCOL_SPC_RGB => {
            ffi::AVColorSpace::AVCOL_SPC_SMPTE170M
        }
        space => space,
    }
}

/// What a context is good for: size and format of the input, size of the output, range, colours and format of the output.
type Key = (i32, i32, i32, usize, usize, i32, i32, i32);

/// Keeps one swscale context as long as its input does not change.
pub(crate) struct Scaler {
    context: *mut ffi::SwsContext,
    key: Option<Key>,
}

// SAFETY: the context is owned by this value alone and swscale contexts have no thread affinity.
unsafe impl Send for Scaler {}

impl Scaler {
    pub(crate) fn new() -> Self {
        Self { context: std::ptr::null_mut(), key: None }
    }

    /// Scales `frame` to `width` × `height` (the upright size) and turns it.
    pub(crate) fn rgb(
        &mut self,
        frame: &ffmpeg::frame::Video,
        width: usize,
        height: usize,
        turns: Turns,
    ) -> Result<Rgb> {
        let (w, h) = if turns.0 % 2 == 1 { (height, width) } else { (width, height) };
        let mut data = vec![0_u8; w * h * 3];
        self.run(frame, w, h, ffi::AVPixelFormat::AV_PIX_FMT_RGB24, &mut [(&mut data, w * 3)])?;
        Ok(turn(Rgb { width: w, height: h, data }, turns))
    }

    /// Scales `frame` to planar 4:4:4 YUV of `width` × `height`, for layouts whose planes cannot be read directly.
    pub(crate) fn yuv444(&mut self, frame: &ffmpeg::frame::Video, width: usize, height: usize) -> Result<[Vec<u8>; 3]> {
        let size = width * height;
        let mut planes = [vec![0_u8; size], vec![0_u8; size], vec![0_u8; size]];
        let [y, u, v] = &mut planes;
        self.run(
            frame,
            width,
            height,
            ffi::AVPixelFormat::AV_PIX_FMT_YUV444P,
            &mut [(y, width), (u, width), (v, width)],
        )?;
        Ok(planes)
    }

    /// Scales `frame` to planar 4:2:0 of `width` × `height` (even), as an encoder takes it. The colour matrix stays the
    /// frame's own ([`Colours`]), the range becomes that of video.
    pub(crate) fn yuv420(
        &mut self,
        frame: &ffmpeg::frame::Video,
        width: u32,
        height: u32,
    ) -> Result<ffmpeg::frame::Video> {
        let format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        let mut picture = ffmpeg::frame::Video::new(ffmpeg::format::Pixel::YUV420P, width, height);
        // SAFETY: `frame` is valid for the whole call; `picture` was just allocated by FFmpeg for this format and size with the
        // padding swscale wants, which a null plane would contradict.
        unsafe {
            self.prepare(frame, width as usize, height as usize, format, true)?;
            let (source, target) = (&*frame.as_ptr(), &mut *picture.as_mut_ptr());
            if target.data[0].is_null() {
                return Err(MediaError::ffmpeg("allocate a picture", ffmpeg::Error::Other { errno: libc::ENOMEM }));
            }
            ffi::sws_scale(
                self.context,
                source.data.as_ptr().cast::<*const u8>(),
                source.linesize.as_ptr(),
                0,
                source.height,
                target.data.as_ptr(),
                target.linesize.as_ptr(),
            );
        }
        Ok(picture)
    }

    fn run(
        &mut self,
        frame: &ffmpeg::frame::Video,
        width: usize,
        height: usize,
        format: ffi::AVPixelFormat,
        planes: &mut [(&mut Vec<u8>, usize)],
    ) -> Result<()> {
        // SAFETY: `frame` is valid for the whole call. Destination slices are as large as their stride times the rows swscale writes (`height`), and swscale's
        // vector code may write past a row only inside the padding that `pad` below provides.
        unsafe {
            let raw = &*frame.as_ptr();
            self.prepare(frame, width, height, format, false)?;
            const PAD: usize = 64;
            let mut pointers = [std::ptr::null_mut(); 4];
            let mut strides = [0_i32; 4];
            for (index, (plane, stride)) in planes.iter_mut().enumerate() {
                plane.resize(*stride * height + PAD, 0);
                pointers[index] = plane.as_mut_ptr();
                strides[index] = *stride as i32;
            }
            let source = raw.data.as_ptr().cast::<*const u8>();
            ffi::sws_scale(
                self.context,
                source,
                raw.linesize.as_ptr(),
                0,
                raw.height,
                pointers.as_ptr(),
                strides.as_ptr(),
            );
            for (plane, stride) in planes.iter_mut() {
                plane.truncate(*stride * height);
            }
        }
        Ok(())
    }

    /// Makes the context for this input and output, unless it is there. `keep_matrix`: the output has the input's colour
    /// matrix, else the default's.
    ///
    /// # Safety
    /// `frame` must hold a picture; its format is only passed on.
    unsafe fn prepare(
        &mut self,
        frame: &ffmpeg::frame::Video,
        width: usize,
        height: usize,
        format: ffi::AVPixelFormat,
        keep_matrix: bool,
    ) -> Result<()> {
        // SAFETY: the caller's frame is valid, swscale copies what it needs, and the old context is freed once.
        unsafe {
            let raw = &*frame.as_ptr();
            let (range, space) = (raw.color_range as i32, raw.colorspace as i32);
            let key = (raw.width, raw.height, raw.format, width, height, range, space, format as i32);
            if self.key == Some(key) {
                return Ok(());
            }
            ffi::sws_freeContext(self.context);
            self.key = None;
            self.context = ffi::sws_getContext(
                raw.width,
                raw.height,
                std::mem::transmute::<i32, ffi::AVPixelFormat>(raw.format),
                width as i32,
                height as i32,
                format,
                ffi::SWS_BILINEAR as i32,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null(),
            );
            if self.context.is_null() {
                return Err(MediaError::failed("scale", format!("pixel format {}", raw.format)));
            }
            let full = i32::from(range == ffi::AVColorRange::AVCOL_RANGE_JPEG as i32);
            let source = ffi::sws_getCoefficients(matrix(raw.colorspace, raw.height) as i32);
            let target = if keep_matrix { source } else { ffi::sws_getCoefficients(ffi::SWS_CS_DEFAULT as i32) };
            // Refused for some layouts (grey, RGB), whose defaults are right.
            ffi::sws_setColorspaceDetails(self.context, source, full, target, 0, 0, 1 << 16, 1 << 16);
            self.key = Some(key);
        }
        Ok(())
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: null or a context from `sws_getContext` that nobody else holds.
        unsafe { ffi::sws_freeContext(self.context) }
    }
}

/// Turns a picture clockwise by quarter turns.
fn turn(picture: Rgb, turns: Turns) -> Rgb {
    let Rgb { width, height, data } = picture;
    let at = |x: usize, y: usize| -> [u8; 3] {
        let start = (y * width + x) * 3;
        [data[start], data[start + 1], data[start + 2]]
    };
    let build = |width: usize, height: usize, pixel: &dyn Fn(usize, usize) -> [u8; 3]| {
        let mut out = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                out.extend_from_slice(&pixel(x, y));
            }
        }
        Rgb { width, height, data: out }
    };
    match turns.0 % 4 {
        1 => build(height, width, &|x, y| at(y, height - 1 - x)),
        2 => build(width, height, &|x, y| at(width - 1 - x, height - 1 - y)),
        3 => build(height, width, &|x, y| at(width - 1 - y, x)),
        _ => Rgb { width, height, data },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_video_stands_upright() {
        // Two pixels, red left and blue right; a quarter turn clockwise puts red on top.
        let lying = Rgb { width: 2, height: 1, data: vec![255, 0, 0, 0, 0, 255] };
        let upright = turn(lying.clone(), Turns(1));
        assert_eq!((upright.width, upright.height, upright.data), (1, 2, vec![255, 0, 0, 0, 0, 255]));
        assert_eq!(turn(lying.clone(), Turns(3)).data, vec![0, 0, 255, 255, 0, 0]);
        assert_eq!(turn(lying, Turns(2)).data, vec![0, 0, 255, 255, 0, 0]);
    }

    #[test]
    fn sizes_keep_the_shape_that_is_seen() {
        assert_eq!(target_size(1920, 1080, 1.0, Turns(0), 1280), (1280, 720));
        assert_eq!(target_size(1920, 1080, 1.0, Turns(1), 1280), (720, 1280));
        assert_eq!(target_size(720, 576, 16.0 / 11.0, Turns(0), 1280), (720, 396));
        assert_eq!(target_size(320, 240, 1.0, Turns(0), 1280), (320, 240));
    }
}
