//! A sheet of small pictures and the WebVTT that says which belongs to which time, as players show while seeking.

use std::path::PathBuf;

use super::webp::resize_to;
use super::{Rgb, encode_webp, read_jpeg};
use crate::error::Result;

/// WebP cannot be larger than this in either direction.
const MAX_SIDE: usize = 16_383;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpriteTile {
    /// One of our JPEG frames.
    pub jpeg: PathBuf,
    /// Shown from here to the next tile.
    pub at_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sprite {
    pub webp: Vec<u8>,
    /// WebVTT whose cues are `url#xywh=x,y,w,h` (Media Fragments URI 1.0, spatial).
    pub vtt: String,
    pub width: usize,
    pub height: usize,
}

/// Tiles in time order, `columns` a row, each fitted into `tile_width` × `tile_height` on black. `url` is what the cues name;
/// the last cue ends at `end_ms`. Tiles beyond what one WebP holds are thinned evenly. `None` without tiles.
pub fn sprite(
    tiles: &[SpriteTile],
    columns: usize,
    (tile_width, tile_height): (usize, usize),
    end_ms: u64,
    url: &str,
) -> Result<Option<Sprite>> {
    if tiles.is_empty() || tile_width == 0 || tile_height == 0 {
        return Ok(None);
    }
    let columns = columns.clamp(1, (MAX_SIDE / tile_width).max(1));
    let room = columns * (MAX_SIDE / tile_height).max(1);
    let thinned: Vec<&SpriteTile> = match tiles.len() {
        n if n <= room => tiles.iter().collect(),
        n => (0..room).map(|i| &tiles[i * n / room]).collect(),
    };
    let rows = thinned.len().div_ceil(columns);
    let (width, height) = (columns.min(thinned.len()) * tile_width, rows * tile_height);
    let mut sheet = Rgb { width, height, data: vec![0; width * height * 3] };
    let mut vtt = String::from("WEBVTT\n");
    for (n, tile) in thinned.iter().enumerate() {
        let (x, y) = (n % columns * tile_width, n / columns * tile_height);
        paste(&mut sheet, &read_jpeg(&tile.jpeg)?, x, y, tile_width, tile_height);
        let from = if n == 0 { 0 } else { tile.at_ms };
        let to = thinned.get(n + 1).map_or(end_ms.max(tile.at_ms + 1), |next| next.at_ms);
        vtt += &format!("\n{} --> {}\n{url}#xywh={x},{y},{tile_width},{tile_height}\n", stamp(from), stamp(to));
    }
    Ok(Some(Sprite { webp: encode_webp(&sheet, 70.0)?, vtt, width, height }))
}

fn paste(sheet: &mut Rgb, picture: &Rgb, x: usize, y: usize, tile_width: usize, tile_height: usize) {
    let factor = (tile_width as f64 / picture.width as f64).min(tile_height as f64 / picture.height as f64);
    let fitted = |size: usize, most: usize| ((size as f64 * factor).round() as usize).clamp(1, most);
    let (w, h) = (fitted(picture.width, tile_width), fitted(picture.height, tile_height));
    let small = resize_to(picture, w, h);
    let (left, top) = (x + (tile_width - w) / 2, y + (tile_height - h) / 2);
    for row in 0..h {
        let start = ((top + row) * sheet.width + left) * 3;
        sheet.data[start..start + w * 3].copy_from_slice(&small.data[row * w * 3..(row + 1) * w * 3]);
    }
}

/// `hh:mm:ss.mmm` (WebVTT §4.3).
fn stamp(ms: u64) -> String {
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::encode_jpeg;

    #[test]
    fn three_frames_become_a_sheet_with_cues() {
        let folder = tempfile::tempdir().expect("a folder");
        let tiles: Vec<SpriteTile> = [(0, 10), (1, 120), (2, 240)]
            .map(|(n, shade)| {
                let jpeg = folder.path().join(format!("{n}.jpg"));
                let picture = Rgb { width: 64, height: 36, data: vec![shade; 64 * 36 * 3] };
                std::fs::write(&jpeg, encode_jpeg(&picture, 85).expect("JPEG")).expect("written");
                SpriteTile { jpeg, at_ms: n * 1000 }
            })
            .to_vec();
        let sprite = sprite(&tiles, 2, (32, 18), 2500, "s.webp").expect("a sprite").expect("tiles");
        assert_eq!((sprite.width, sprite.height), (64, 36));
        assert!(sprite.webp.starts_with(b"RIFF"));
        assert!(sprite.vtt.ends_with("00:00:02.000 --> 00:00:02.500\ns.webp#xywh=0,18,32,18\n"), "{}", sprite.vtt);
    }
}
