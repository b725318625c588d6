//! Reading a source once and cutting it into pieces that can be decoded independently and at the same time.
//!
//! A piece starts at a keyframe and ends before another; where the next keyframe is followed by pictures that are shown
//! before it (an open group of pictures), these and the keyframe travel along as a tail. A piece without a keyframe for
//! long is handed on in parts to the same decoder, so memory stays bounded whatever the file.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ffmpeg_next as ffmpeg;

use crate::av::input::{Read1, Source};
use crate::av::stream::is_discarded;

/// A piece has at least this many pictures: starting a decoder costs something.
const MIN_PACKETS: usize = 48;
/// A part is handed on when it holds so much.
const MAX_PART_PACKETS: usize = 400;
const MAX_PART_BYTES: usize = 12 << 20;
/// Pictures shown before a keyframe that follow it in the file; more is no leading picture but a broken clock.
const MAX_LEADING: usize = 32;

/// Packets of one piece, in decoding order.
#[derive(Default)]
pub(super) struct Part {
    pub packets: Vec<ffmpeg::Packet>,
    /// The next piece's keyframe and leading pictures; only in the last part. The leading ones are this piece's too.
    pub tail: Vec<ffmpeg::Packet>,
}

/// A piece of the video, for one decoder.
pub(super) struct Piece {
    pub index: usize,
    /// Pictures (in the file) before this piece.
    pub first_frame: u64,
    pub parts: Receiver<Part>,
}

/// How reading ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fed {
    pub frames: u64,
    pub broken: bool,
    pub corrupt: u64,
}

/// Reads all packets of stream `video` and hands pieces to whoever is free. Ends early when nobody listens any more.
pub(super) fn feed(source: &mut Source, video: usize, pieces: SyncSender<Piece>) -> Fed {
    let mut fed = Fed::default();
    let mut cutter = Cutter::new(pieces);
    loop {
        match source.read() {
            Read1::Packet(packet) if packet.stream() != video => {}
            Read1::Packet(packet) => {
                fed.corrupt += u64::from(packet.is_corrupt());
                fed.frames += u64::from(!is_discarded(&packet));
                if cutter.push(packet).is_none() {
                    return fed;
                }
            }
            Read1::End => break,
            Read1::Broken => {
                fed.broken = true;
                break;
            }
        }
    }
    // Nobody listening is the same end.
    let _ = cutter.finish();
    fed
}

struct Cutter {
    pieces: SyncSender<Piece>,
    next_index: usize,
    /// Pictures in the pieces before the current one, and in it.
    before: u64,
    inside: u64,
    part: Part,
    bytes: usize,
    /// A keyframe at which the piece will end, with the leading pictures seen so far.
    border: Vec<ffmpeg::Packet>,
    all_stamped: bool,
    out: Option<SyncSender<Part>>,
}

impl Cutter {
    fn new(pieces: SyncSender<Piece>) -> Self {
        Self {
            pieces,
            next_index: 0,
            before: 0,
            inside: 0,
            part: Part::default(),
            bytes: 0,
            border: Vec::new(),
            all_stamped: true,
            out: None,
        }
    }

    /// `None` when nobody listens.
    fn push(&mut self, packet: ffmpeg::Packet) -> Option<()> {
        if let Some(key) = self.border.first() {
            let is_leading = !packet.is_key() && packet.pts() < key.pts() && packet.pts().is_some();
            if is_leading && self.border.len() <= MAX_LEADING {
                self.border.push(packet);
                return Some(());
            }
            self.end_piece()?;
        }
        // Without time stamps nobody can tell which pictures are shown before a keyframe: such a stream stays one piece.
        self.all_stamped &= packet.pts().is_some();
        if packet.is_key() && self.all_stamped && self.inside >= MIN_PACKETS as u64 {
            self.border.push(packet);
            return Some(());
        }
        self.keep(packet)
    }

    fn keep(&mut self, packet: ffmpeg::Packet) -> Option<()> {
        self.inside += u64::from(!is_discarded(&packet));
        self.bytes += packet.size();
        self.part.packets.push(packet);
        if self.part.packets.len() >= MAX_PART_PACKETS || self.bytes >= MAX_PART_BYTES {
            self.send_part()?;
        }
        Some(())
    }

    fn send_part(&mut self) -> Option<()> {
        if self.out.is_none() {
            let (sender, parts) = sync_channel(1);
            let piece = Piece { index: self.next_index, first_frame: self.before, parts };
            self.pieces.send(piece).ok()?;
            self.next_index += 1;
            self.out = Some(sender);
        }
        self.bytes = 0;
        self.out.as_ref()?.send(std::mem::take(&mut self.part)).ok()
    }

    fn end_piece(&mut self) -> Option<()> {
        let border = std::mem::take(&mut self.border);
        // Leading pictures are shown before the border: they count here, though the file has them after it.
        let leading = border.iter().skip(1).filter(|packet| !is_discarded(packet)).count() as u64;
        if border.len() > 1 {
            self.part.tail = border.clone();
        }
        self.send_part()?;
        self.out = None;
        self.before += self.inside + leading;
        self.inside = 0;
        // The next decoder needs the keyframe, and skips what it cannot show.
        for packet in border.into_iter().take(1) {
            self.keep(packet)?;
        }
        Some(())
    }

    fn finish(mut self) -> Option<()> {
        if !self.border.is_empty() {
            self.end_piece()?;
        }
        self.send_part()
    }
}
