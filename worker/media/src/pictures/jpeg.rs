//! JPEG in and out.

use std::path::Path;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::Rgb;
use crate::error::{MediaError, Result};

/// Baseline JPEG, 4:2:0.
pub fn encode_jpeg(picture: &Rgb, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(picture.width * picture.height / 4);
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let side = |size: usize| u16::try_from(size).map_err(|error| MediaError::failed("encode JPEG", error));
    encoder
        .encode(&picture.data, side(picture.width)?, side(picture.height)?, ColorType::Rgb)
        .map_err(|error| MediaError::failed("encode JPEG", error))?;
    Ok(bytes)
}

/// Reads one of our own JPEGs from a file.
pub fn read_jpeg(path: &Path) -> Result<Rgb> {
    decode_jpeg(&std::fs::read(path).map_err(MediaError::io("read a frame"))?)
}

/// Decodes one of our own JPEGs.
pub fn decode_jpeg(bytes: &[u8]) -> Result<Rgb> {
    let options = zune_core::options::DecoderOptions::default()
        .jpeg_set_out_colorspace(zune_core::colorspace::ColorSpace::RGB)
        .set_max_width(8192)
        .set_max_height(8192);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(bytes), options);
    let data = decoder.decode().map_err(|error| MediaError::failed("read a frame", format!("{error:?}")))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| MediaError::failed("read a frame", "no size"))?;
    Ok(Rgb { width, height, data })
}
