//! Decoding one piece as cheaply as its content allows.
//!
//! Most pictures of a video differ little from their neighbours, and in most codecs many of them are referred to by no other
//! picture. When the pictures around such a one, both decoded already because it depends on them, are alike, it cannot hide
//! a cut and is skipped. Where they differ, everything in between is decoded exactly, so cuts are found to the picture. Where
//! nothing can be skipped (no B pictures, or a codec that does not tell), this is simply a full decode.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use ffmpeg_next as ffmpeg;

use super::detector::Thresholds;
use super::feed::{Part, Piece};
use super::keep::{Keeper, Kept};
use super::signature::{Reducer, Signature, plain};
use crate::av::decoder::{self, Effort, PictureDecoder};
use crate::av::micros;
use crate::av::scale::Turns;
use crate::av::stream::is_discarded;
use crate::error::Result;

/// Pictures further apart than this are not trusted to stand for what is between them.
const MAX_GAP_US: i64 = 600_000;

/// Signatures kept to compare with; more than any codec reorders.
const NEAR: usize = 48;

/// A decoded picture as the detector sees it.
pub(super) struct Sample {
    /// Number of the picture in the file, in display order, from 0.
    pub frame: u64,
    pub us: i64,
    pub signature: Arc<Signature>,
}

/// Everything that every piece has in common.
pub(super) struct Plan<'a> {
    pub codec: ffmpeg::codec::Id,
    pub base: ffmpeg::Rational,
    pub origin_us: i64,
    pub width: usize,
    pub height: usize,
    pub sar: f64,
    pub turns: Turns,
    pub thresholds: Thresholds,
    pub frame_us: i64,
    pub interval_us: i64,
    pub long_side: usize,
    pub jpeg_quality: u8,
    pub out_dir: &'a Path,
}

/// What is sent to the merger; pieces arrive in any order, the batches of one piece in display order.
pub(super) struct Batch {
    pub piece: usize,
    pub samples: Vec<Sample>,
    pub kept: Vec<Kept>,
    pub last: bool,
    pub decoded: u64,
    pub damaged: u64,
}

pub(super) struct Scanner<'a> {
    plan: &'a Plan<'a>,
    decoder: PictureDecoder,
    reducer: Reducer,
    near: BTreeMap<i64, Arc<Signature>>,
    /// Time stamps of the piece's pictures, sorted, for their numbers.
    stamps: Vec<i64>,
    keeper: Keeper,
    /// Every packet so far says when it is shown. Program streams do not; there pictures are counted, and none is skipped.
    all_stamped: bool,
    first_frame: u64,
    shown: u64,
    start: Option<i64>,
    end: Option<i64>,
    batch: Batch,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, parameters: &ffmpeg::codec::Parameters) -> Result<Self> {
        Ok(Self {
            decoder: PictureDecoder::open(parameters, plan.base, true)?,
            reducer: Reducer::new(plan.width, plan.height),
            near: BTreeMap::new(),
            stamps: Vec::new(),
            keeper: Keeper::new(plan),
            all_stamped: true,
            first_frame: 0,
            shown: 0,
            start: None,
            end: None,
            batch: Batch { piece: 0, samples: Vec::new(), kept: Vec::new(), last: false, decoded: 0, damaged: 0 },
            plan,
        })
    }

    /// Scans one piece; `false` when nobody wants the results any more.
    pub(super) fn scan(&mut self, piece: &Piece, results: &SyncSender<Result<Batch>>) -> Result<bool> {
        self.decoder.flush();
        self.near.clear();
        self.stamps.clear();
        (self.first_frame, self.shown) = (piece.first_frame, 0);
        (self.start, self.end) = (None, None);
        self.all_stamped = true;
        self.keeper.start_piece(piece.index);
        while let Ok(part) = piece.parts.recv() {
            self.scan_part(&part)?;
            if !self.send(piece.index, false, results) {
                return Ok(false);
            }
        }
        self.decoder.send_end();
        self.drain()?;
        self.keeper.end_interval(self.plan, &mut self.batch.kept)?;
        Ok(self.send(piece.index, true, results))
    }

    fn send(&mut self, piece: usize, last: bool, results: &SyncSender<Result<Batch>>) -> bool {
        let empty = Batch { piece, samples: Vec::new(), kept: Vec::new(), last: false, decoded: 0, damaged: 0 };
        let batch = std::mem::replace(&mut self.batch, empty);
        results.send(Ok(Batch { piece, last, ..batch })).is_ok()
    }

    fn scan_part(&mut self, part: &Part) -> Result<()> {
        // The whole part's time stamps first: a picture's number is its rank among all of them.
        self.end = part.tail.first().and_then(ffmpeg::Packet::pts);
        let own = part.packets.iter().chain(part.tail.iter().skip(1));
        self.stamps.extend(own.filter(|packet| !is_discarded(packet)).filter_map(ffmpeg::Packet::pts));
        self.stamps.sort_unstable();
        self.all_stamped &= part.packets.iter().all(|packet| packet.pts().is_some());
        for packet in &part.packets {
            if self.start.is_none() {
                self.start = packet.pts();
            }
            self.decode(packet)?;
        }
        for packet in &part.tail {
            self.decode(packet)?;
        }
        Ok(())
    }

    fn decode(&mut self, packet: &ffmpeg::Packet) -> Result<()> {
        self.decoder.set_effort(self.effort(packet.pts()));
        if !self.decoder.send(packet)? {
            self.batch.damaged += 1;
        }
        for frame in self.decoder.take_fresh() {
            if let Some(stamp) = frame.pts() {
                let signature = Arc::new(self.reducer.reduce(&frame)?);
                self.remember(stamp, signature);
            }
        }
        self.drain()
    }

    fn remember(&mut self, stamp: i64, signature: Arc<Signature>) {
        self.near.insert(stamp, signature);
        while self.near.len() > NEAR {
            self.near.pop_first();
        }
    }

    fn effort(&self, stamp: Option<i64>) -> Effort {
        let Some(stamp) = stamp.filter(|_| self.all_stamped && self.decoder.sees_coding_order()) else {
            return Effort::Exact;
        };
        let before = self.near.range(..stamp).next_back();
        let after = self.near.range(stamp + 1..).next();
        match (before, after) {
            (Some((from, a)), Some((to, b)))
                if micros(to - from, self.plan.base) <= MAX_GAP_US
                    && plain(a, b) < self.plan.thresholds.suspicion(a, b) =>
            {
                Effort::References
            }
            _ => Effort::Exact,
        }
    }

    fn drain(&mut self) -> Result<()> {
        while let Some(frame) = self.decoder.receive()? {
            self.batch.decoded += 1;
            self.show(frame)?;
        }
        Ok(())
    }

    /// A picture in display order.
    fn show(&mut self, frame: ffmpeg::frame::Video) -> Result<()> {
        let stamp = decoder::ticks(&frame);
        // Outside this piece: leading pictures of its first keyframe, or the keyframe of the next.
        let outside = stamp.is_some_and(|stamp| {
            self.start.is_some_and(|start| stamp < start) || self.end.is_some_and(|end| stamp >= end)
        });
        if outside {
            return Ok(());
        }
        let signature = match stamp.and_then(|stamp| self.near.get(&stamp)) {
            Some(signature) => Arc::clone(signature),
            None => {
                let signature = Arc::new(self.reducer.reduce(&frame)?);
                if let Some(stamp) = stamp {
                    self.remember(stamp, Arc::clone(&signature));
                }
                signature
            }
        };
        let rank = match stamp {
            Some(stamp) if self.all_stamped => self.stamps.partition_point(|&other| other < stamp) as u64,
            _ => self.shown,
        };
        let number = self.first_frame + rank;
        let us = match stamp {
            Some(stamp) => micros(stamp, self.plan.base).saturating_sub(self.plan.origin_us),
            None => number as i64 * self.plan.frame_us,
        };
        self.shown += 1;
        self.keeper.look(self.plan, frame, us, &signature, &mut self.batch.kept)?;
        self.batch.samples.push(Sample { frame: number, us, signature });
        Ok(())
    }
}
