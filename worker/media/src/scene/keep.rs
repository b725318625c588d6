//! Candidate frames: clean pictures, one a second or more, encoded as they come by.
//!
//! Which frame stands for which scene is decided later; here each stretch of time without a visible change gives the
//! sharpest of a few. A change ends the stretch, so a scene shorter than the interval still gets its own.

use std::path::PathBuf;
use std::sync::Arc;

use ffmpeg_next as ffmpeg;

use super::scan::Plan;
use super::signature::{Signature, plain};
use crate::av::decoder;
use crate::av::planes::Planes;
use crate::av::scale::{Scaler, target_size};
use crate::error::{MediaError, Result};
use crate::pictures;

/// Pictures so close to a change are often blurred, or blends of two fields.
const SETTLE_US: i64 = 90_000;
/// A stretch gives at most one picture in this time, however wild the content.
const MIN_STRETCH_US: i64 = 240_000;
/// Pictures looked at in one stretch.
const LOOKS: i64 = 4;

/// A candidate frame on disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub us: i64,
    pub path: PathBuf,
    pub width: u32,
    pub height: u32,
    pub sharpness: f32,
    pub brightness: f32,
    pub phash: u64,
    pub colour: pictures::Colour,
}

/// What a picture is worth, the picture and when it is shown.
type Best = (f32, ffmpeg::frame::Video, i64);

pub(super) struct Keeper {
    scaler: Scaler,
    piece: usize,
    count: usize,
    previous: Option<Arc<Signature>>,
    stretch_start: i64,
    bin: i64,
    settled_at: i64,
    next_look: i64,
    last_kept: i64,
    best: Option<Best>,
    /// Of the pictures close to a change: for a second of nothing else, as grain, flicker and confetti make it.
    unsettled: Option<Best>,
    /// H.264 pictures that were decoded without the loop filter are not shown to people.
    b_pictures_are_rough: bool,
}

impl Keeper {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        Self {
            scaler: Scaler::new(),
            piece: 0,
            count: 0,
            previous: None,
            stretch_start: i64::MIN,
            bin: i64::MIN,
            settled_at: i64::MIN,
            next_look: i64::MIN,
            last_kept: i64::MIN / 2,
            best: None,
            unsettled: None,
            b_pictures_are_rough: plan.codec == ffmpeg::codec::Id::H264,
        }
    }

    pub(super) fn start_piece(&mut self, piece: usize) {
        (self.piece, self.count) = (piece, 0);
        (self.previous, self.best, self.unsettled) = (None, None, None);
        (self.bin, self.next_look, self.settled_at) = (i64::MIN, i64::MIN, i64::MIN);
        self.last_kept = i64::MIN / 2;
    }

    /// Shows the keeper a picture, in display order.
    pub(super) fn look(
        &mut self,
        plan: &Plan<'_>,
        frame: ffmpeg::frame::Video,
        us: i64,
        signature: &Arc<Signature>,
        kept: &mut Vec<Kept>,
    ) -> Result<()> {
        let changed = match self.previous.replace(Arc::clone(signature)) {
            Some(previous) => plain(&previous, signature) > plan.thresholds.change(&previous, signature),
            None => true,
        };
        let bin = us.div_euclid(plan.interval_us);
        if bin != self.bin {
            self.end_interval(plan, kept)?;
        }
        if changed || bin != self.bin {
            self.flush(plan, kept)?;
            self.bin = bin;
            self.stretch_start = us;
            self.next_look = us;
        }
        if changed && us > 0 && self.count > 0 {
            self.settled_at = us + SETTLE_US;
        }
        let clean = !(decoder::is_damaged(&frame) || self.b_pictures_are_rough && decoder::is_b(&frame));
        let settled = us >= self.settled_at;
        let best = if settled { &mut self.best } else { &mut self.unsettled };
        let wanted = us >= self.next_look || best.is_none();
        if clean && wanted && us - self.last_kept >= MIN_STRETCH_US {
            if settled {
                self.next_look = us + plan.interval_us / LOOKS;
            }
            let worth = quick_worth(&frame, signature);
            if best.as_ref().is_none_or(|(most, ..)| worth > *most) {
                *best = Some((worth, frame, us));
            }
        }
        Ok(())
    }

    /// Ends an interval, and with it the stretch: if all of it was close to a change, the best of that is better than nothing.
    pub(super) fn end_interval(&mut self, plan: &Plan<'_>, kept: &mut Vec<Kept>) -> Result<()> {
        let unsettled = self.unsettled.take();
        if self.best.is_none() && self.last_kept < self.bin.saturating_mul(plan.interval_us) {
            self.best = unsettled;
        }
        self.flush(plan, kept)
    }

    /// Encodes the best of the stretch, if there is one.
    fn flush(&mut self, plan: &Plan<'_>, kept: &mut Vec<Kept>) -> Result<()> {
        let Some((_, frame, us)) = self.best.take() else { return Ok(()) };
        let (w, h) = (frame.width() as usize, frame.height() as usize);
        let (width, height) = target_size(w, h, plan.sar, plan.turns, plan.long_side);
        let picture = self.scaler.rgb(&frame, width, height, plan.turns)?;
        let path = plan.out_dir.join(format!("frame-{:05}-{:04}.jpg", self.piece, self.count));
        let bytes = pictures::encode_jpeg(&picture, plan.jpeg_quality)?;
        std::fs::write(&path, bytes).map_err(MediaError::io("write a frame"))?;
        self.count += 1;
        self.last_kept = us;
        let measures = pictures::measure(&picture);
        kept.push(Kept {
            us,
            path,
            width: width as u32,
            height: height as u32,
            sharpness: measures.sharpness,
            brightness: measures.brightness,
            phash: measures.phash,
            colour: measures.colour,
        });
        Ok(())
    }
}

/// Sharpness on a few rows, lowered for pictures that are nearly black, white or blank. Only compared within a stretch.
fn quick_worth(frame: &ffmpeg::frame::Video, signature: &Signature) -> f32 {
    let exposure = (signature.spread / 20.0).clamp(0.05, 1.0);
    let Some(planes) = Planes::of(frame) else { return signature.spread };
    let luma = planes.luma;
    let mut row = vec![0; luma.width];
    let (mut sum, mut count) = (0_u64, 1_u64);
    for y in (0..luma.height).step_by((luma.height / 48).max(1)) {
        luma.copy_row(y, &mut row);
        let squares: u32 =
            row.windows(3).map(|w| (2 * i32::from(w[1]) - i32::from(w[0]) - i32::from(w[2])).pow(2) as u32).sum();
        sum += u64::from(squares);
        count += row.len() as u64;
    }
    (sum as f32 / count as f32) * exposure
}
