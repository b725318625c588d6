//! Photos: JPEG, PNG or WebP in, an upright JPEG without metadata out.
//!
//! The kind is told from the first bytes, never from a name. EXIF's orientation is respected (EXIF 2.32, tag 0x0112); everything else that
//! a camera wrote (place, time, owner) is left behind, since only pixels are carried over. Of an animation the first picture
//! counts.

use std::{
    io::{BufReader, Read, Seek},
    path::Path,
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use serde::{Deserialize, Serialize};

use crate::error::{MediaError, RejectCode, Result};
use crate::pictures::{Rgb, encode_jpeg, resize};

/// What cameras of today make, and no more: decoded, with 16 bits a channel, it is half a gigabyte.
pub const MAX_PIXELS: u64 = 64_000_000;
const MAX_SIDE: u32 = 20_000;
const MAX_ALLOC: u64 = 768 << 20;
const MAX_PNG_CHUNK: u64 = 64 << 20;
/// Good enough to be looked at, and for a face to be recognised.
const QUALITY: u8 = 92;
const FORMATS: [ImageFormat; 3] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// Pixels, upright.
    pub width: u32,
    pub height: u32,
    /// As it was sent.
    pub source_width: u32,
    pub source_height: u32,
}

/// Reads the photo `source` and writes it to `target`; its long side is at most `long_side` pixels.
///
/// # Errors
/// Rejected as `empty_file`, `not_a_picture`, `picture_too_large` or `picture_damaged`.
pub fn write(source: &Path, target: &Path, long_side: usize) -> Result<Still> {
    let mut file = BufReader::new(std::fs::File::open(source).map_err(MediaError::io("open the photo"))?);
    let format = format_of(&mut file)?;
    let mut reader = ImageReader::with_format(file, format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // Of a PNG this bounds what is inflated before the pixels, such as a colour profile.
    limits.max_alloc = Some(if format == ImageFormat::Png { MAX_PNG_CHUNK } else { MAX_ALLOC });
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(rejected)?;
    let (source_width, source_height) = decoder.dimensions();
    if u64::from(source_width) * u64::from(source_height) > MAX_PIXELS {
        let detail = format!("{source_width}×{source_height}");
        return Err(MediaError::rejected(RejectCode::PictureTooLarge, detail));
    }
    // A photo whose orientation cannot be read is taken as it lies.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(rejected)?;
    let small = shrink(decoded, long_side);
    let mut upright = DynamicImage::ImageRgb8(small);
    upright.apply_orientation(orientation);
    let picture = rgb(upright.into_rgb8());
    let jpeg = encode_jpeg(&picture, QUALITY)?;
    std::fs::write(target, &jpeg).map_err(MediaError::io("write the photo"))?;
    Ok(Still { width: picture.width as u32, height: picture.height as u32, source_width, source_height })
}

fn format_of(file: &mut (impl Read + Seek)) -> Result<ImageFormat> {
    let mut head = [0_u8; 16];
    let mut read = 0;
    while read < head.len() {
        match file.read(&mut head[read..]).map_err(MediaError::io("read the photo"))? {
            0 => break,
            n => read += n,
        }
    }
    file.rewind().map_err(MediaError::io("read the photo"))?;
    if read == 0 {
        return Err(MediaError::rejected(RejectCode::EmptyFile, "no bytes"));
    }
    let format = image::guess_format(&head[..read]).ok().filter(|format| FORMATS.contains(format));
    format.ok_or_else(|| MediaError::rejected(RejectCode::NotAPicture, "neither JPEG, PNG nor WebP"))
}

/// Shrunk first, so that turning moves few pixels. What is transparent is put on white.
fn shrink(decoded: DynamicImage, long_side: usize) -> RgbImage {
    let opaque = if decoded.color().has_alpha() {
        let mut on_white = RgbImage::new(decoded.width(), decoded.height());
        for (to, from) in on_white.pixels_mut().zip(decoded.into_rgba8().pixels()) {
            let [r, g, b, a] = from.0;
            let mix = |part: u8| ((u32::from(part) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
            to.0 = [mix(r), mix(g), mix(b)];
        }
        on_white
    } else {
        decoded.into_rgb8()
    };
    let small = resize(&rgb(opaque), long_side);
    let (width, height) = (small.width as u32, small.height as u32);
    RgbImage::from_raw(width, height, small.data).unwrap_or_default()
}

fn rgb(picture: RgbImage) -> Rgb {
    Rgb { width: picture.width() as usize, height: picture.height() as usize, data: picture.into_raw() }
}

// By value, as `map_err` gives it.
#[allow(clippy::needless_pass_by_value)]
fn rejected(error: ImageError) -> MediaError {
    let code = match &error {
        ImageError::Limits(_) => RejectCode::PictureTooLarge,
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            return MediaError::failed("read the photo", error);
        }
        _ => RejectCode::PictureDamaged,
    };
    MediaError::rejected(code, error.to_string())
}
