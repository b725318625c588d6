//! Pictures as the image models take them: decoded by the caller, resized and turned into tensors here.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use serde::Deserialize;

use crate::error::ModelError;

/// An 8-bit sRGB picture, row by row from the top, three bytes a pixel, without padding.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    width: usize,
    height: usize,
    rgb: &'a [u8],
}

impl<'a> Picture<'a> {
    /// # Errors
    /// [`ModelError::Picture`] when a side is 0 or `rgb` is not `width × height × 3` bytes.
    pub fn new(width: usize, height: usize, rgb: &'a [u8]) -> Result<Self, ModelError> {
        if width == 0 || height == 0 || width.checked_mul(height).and_then(|n| n.checked_mul(3)) != Some(rgb.len()) {
            let reason = format!("{width}×{height} pixels in {} bytes", rgb.len());
            return Err(ModelError::Picture { reason });
        }
        Ok(Self { width, height, rgb })
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn rgb(&self) -> &'a [u8] {
        self.rgb
    }

    /// The part from (`left`, `top`), in pixels, resized to `width` × `height`, bilinear. Parts of a pixel count; what lies outside of
    /// the picture is left out.
    ///
    /// # Errors
    /// [`ModelError::Picture`] when nothing of the part lies in the picture.
    pub fn resized_part(&self, part: Part, width: usize, height: usize) -> Result<OwnedPicture, ModelError> {
        self.resized_part_by(Filter::Bilinear, part, width, height)
    }

    /// As [`Self::resized_part`], by another filter.
    ///
    /// # Errors
    /// As [`Self::resized_part`].
    pub fn resized_part_by(
        &self,
        filter: Filter,
        part: Part,
        width: usize,
        height: usize,
    ) -> Result<OwnedPicture, ModelError> {
        let wrong = |reason: String| ModelError::Picture { reason };
        let part = part.within(self.width as f64, self.height as f64);
        if !(part.width >= 1.0 && part.height >= 1.0) || width == 0 || height == 0 {
            return Err(wrong(format!("nothing of {part:?} lies in {}×{} pixels", self.width, self.height)));
        }
        let side = |n: usize| u32::try_from(n).map_err(|error| wrong(error.to_string()));
        let from = ImageRef::new(side(self.width)?, side(self.height)?, self.rgb, PixelType::U8x3)
            .map_err(|error| wrong(error.to_string()))?;
        let mut to = Image::new(side(width)?, side(height)?, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter.into())).crop(
            part.left,
            part.top,
            part.width,
            part.height,
        );
        Resizer::new().resize(&from, &mut to, &options).map_err(|error| wrong(error.to_string()))?;
        Ok(OwnedPicture { width, height, rgb: to.into_vec() })
    }

    /// The whole picture, resized; the ratio of its sides is the caller's business.
    ///
    /// # Errors
    /// As [`Self::resized_part`].
    pub fn resized(&self, width: usize, height: usize) -> Result<OwnedPicture, ModelError> {
        let whole = Part { left: 0.0, top: 0.0, width: self.width as f64, height: self.height as f64 };
        self.resized_part(whole, width, height)
    }

    /// Appends the picture to `tensor` as three planes (red, green, blue), each value `(byte / 255 - mean) / std`.
    pub fn append_planes(&self, mean: [f32; 3], std: [f32; 3], tensor: &mut Vec<f32>) {
        tensor.reserve(self.rgb.len());
        for channel in 0..3 {
            let (scale, offset) = (1.0 / (255.0 * std[channel]), mean[channel] / std[channel]);
            tensor.extend(self.rgb.chunks_exact(3).map(|pixel| f32::from(pixel[channel]) * scale - offset));
        }
    }
}

/// How pictures are resized: with a support that grows as the picture shrinks, as Pillow's filters of these names do, so nothing is
/// skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    #[default]
    Bilinear,
    Bicubic,
}

impl From<Filter> for FilterType {
    fn from(filter: Filter) -> Self {
        match filter {
            Filter::Bilinear => Self::Bilinear,
            // Pillow's, with a = -0.5.
            Filter::Bicubic => Self::CatmullRom,
        }
    }
}

/// A rectangle in a picture's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Part {
    pub(crate) fn within(self, width: f64, height: f64) -> Self {
        let (left, top) = (self.left.clamp(0.0, width), self.top.clamp(0.0, height));
        Self {
            left,
            top,
            width: (self.left + self.width).clamp(left, width) - left,
            height: (self.top + self.height).clamp(top, height) - top,
        }
    }
}

/// A picture that owns its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedPicture {
    pub width: usize,
    pub height: usize,
    /// As in [`Picture`].
    pub rgb: Vec<u8>,
}

impl OwnedPicture {
    pub fn as_picture(&self) -> Picture<'_> {
        Picture { width: self.width, height: self.height, rgb: &self.rgb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_another_size_is_refused() {
        assert!(Picture::new(2, 2, &[0; 11]).is_err());
        assert!(Picture::new(0, 2, &[]).is_err());
        assert!(Picture::new(usize::MAX, 2, &[0; 12]).is_err());
    }

    #[test]
    fn a_part_is_cut_out_and_resized() {
        // Left half black, right half white.
        let rgb: Vec<u8> = (0..8 * 4).flat_map(|n| [if n % 8 < 4 { 0 } else { 255 }; 3]).collect();
        let picture = Picture::new(8, 4, &rgb).unwrap();
        let right = picture.resized_part(Part { left: 6.0, top: 0.0, width: 40.0, height: 4.0 }, 2, 2).unwrap();
        assert_eq!(right.rgb, [255; 12]);
        assert!(picture.resized_part(Part { left: 8.0, top: 0.0, width: 4.0, height: 4.0 }, 2, 2).is_err());
        let mut tensor = Vec::new();
        right.as_picture().append_planes([0.5; 3], [0.5; 3], &mut tensor);
        assert_eq!(tensor, [1.0; 12]);
    }
}
