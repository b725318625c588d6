//! One picture that stands for the video, taken before anything else is known about it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::av::decoder::PictureDecoder;
use crate::av::input::{Read1, Source};
use crate::av::scale::{Rgb, Scaler, target_size};
use crate::av::{decoder, stream, to_ms};
use crate::error::{MediaError, RejectCode, Result};
use crate::pictures;
use crate::types::Probe;

pub const POSTER_LONG_SIDE: usize = 1280;
const QUALITY: f32 = 80.0;

/// Pictures looked at before the best so far is taken.
const MAX_LOOKS: usize = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poster {
    pub width: u32,
    pub height: u32,
    pub at_ms: u64,
    pub bytes: u64,
}

/// Writes a WebP of a picture near a tenth of the video, but no later than 10 s, that is neither black nor blank.
pub fn write(source: &Path, probe: &Probe, target: &Path) -> Result<Poster> {
    let wanted_us = (probe.duration_ms as i64 * 100).min(10_000_000);
    let found = match look(source, wanted_us)? {
        Some(found) => Some(found),
        // The place cannot be reached in a damaged file; its beginning can.
        None => look(source, 0)?,
    };
    let (picture, at_us) =
        found.ok_or_else(|| MediaError::rejected(RejectCode::NoFrames, "no picture for a poster"))?;
    let bytes = pictures::encode_webp(&picture, QUALITY)?;
    std::fs::write(target, &bytes).map_err(MediaError::io("write the poster"))?;
    Ok(Poster {
        width: picture.width as u32,
        height: picture.height as u32,
        at_ms: to_ms(at_us).max(0) as u64,
        bytes: bytes.len() as u64,
    })
}

fn look(path: &Path, wanted_us: i64) -> Result<Option<(Rgb, i64)>> {
    let mut source = Source::open(path)?;
    let Some(video) = source.video_stream() else { return Ok(None) };
    let (index, base, facts) = (video.index(), video.time_base(), stream::picture_facts(&video));
    let mut decoder = PictureDecoder::open(&video.parameters(), base, false)?;
    source.keep_only(&[index]);
    if wanted_us > 0 && source.seek(wanted_us).is_err() {
        return Ok(None);
    }
    let turns = source.turns(index);
    let mut scaler = Scaler::new();
    let mut best: Option<(f64, Rgb, i64)> = None;
    let (mut looks, mut ended) = (0, false);
    while !ended && looks < MAX_LOOKS {
        match source.read() {
            Read1::Packet(packet) if packet.stream() != index => continue,
            Read1::Packet(packet) => drop(decoder.send(&packet)?),
            Read1::End | Read1::Broken => {
                decoder.send_end();
                ended = true;
            }
        }
        while let Some(frame) = decoder.receive()? {
            // Neighbours are alike: every eighth picture is enough to get out of a fade.
            looks += 1;
            if looks % 8 != 1 {
                continue;
            }
            let (w, h) = (frame.width() as usize, frame.height() as usize);
            let (w, h) = target_size(w, h, facts.sar, turns, POSTER_LONG_SIDE);
            let picture = scaler.rgb(&frame, w, h, turns)?;
            let worth = pictures::contrast(&picture);
            let at_us = decoder::ticks(&frame).map_or(0, |ticks| source.media_us(ticks, base));
            if best.as_ref().is_none_or(|(most, ..)| worth > *most) {
                best = Some((worth, picture, at_us));
            }
            if worth > 20.0 {
                ended = true;
                break;
            }
        }
    }
    Ok(best.map(|(_, picture, at_us)| (picture, at_us)))
}
