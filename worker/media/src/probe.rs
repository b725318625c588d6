//! Looking at a file before anything is done with it: is it a video we can index, and what is in it?
//!
//! Besides the headers, every packet's time stamp is read once (nothing is decoded but one picture): headers lie about
//! length, and only the packets tell where a truncated file ends and whether the frame rate is constant.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use ffmpeg_next as ffmpeg;
use serde::{Deserialize, Serialize};

use crate::av::decoder::{MAX_PIXELS, PictureDecoder};
use crate::av::input::{self, Read1, Source};
use crate::av::{stream, to_ms};
use crate::error::{MediaError, RejectCode, Result};
use crate::sniff::{Container, mime_fits};
use crate::types::{AudioTrack, Declared, Probe, Warning, WarningCode};

/// Tolerance on the length limit: encoders round up to whole frames and sound packets.
const LENGTH_TOLERANCE_MS: u64 = 1000;

/// Frame intervals that are looked at for the frame rate guess.
const MAX_INTERVALS: usize = 20_000;

/// What an account may upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeLimits {
    pub max_duration_ms: Option<u64>,
}

/// Says what a file is, or rejects it.
pub fn probe(path: &Path, declared: &Declared, limits: ProbeLimits) -> Result<Probe> {
    let size_bytes = std::fs::metadata(path).map_err(MediaError::io("stat the source"))?.len();
    if size_bytes == 0 {
        return Err(MediaError::rejected(RejectCode::EmptyFile, "0 bytes"));
    }
    if let Some(announced) = declared.size_bytes.filter(|&announced| announced != size_bytes) {
        return Err(MediaError::rejected(RejectCode::SizeMismatch, format!("announced {announced}, got {size_bytes}")));
    }
    let layout = BoxLayout::read(path)?;
    let mut source = match Source::open(path) {
        Err(MediaError::Rejected { code: RejectCode::Damaged, detail }) if layout.is_some_and(|l| !l.has_index) => {
            return Err(MediaError::rejected(RejectCode::MoovMissing, detail));
        }
        opened => opened?,
    };
    if !mime_fits(&declared.mime, source.container) {
        let detail = format!("announced {:?}, got {:?}", declared.mime, source.container);
        return Err(MediaError::rejected(RejectCode::TypeMismatch, detail));
    }
    let facts = {
        let video = source.video_stream().ok_or_else(|| match source.streams().count() {
            0 => MediaError::rejected(RejectCode::Damaged, "no streams"),
            _ => MediaError::rejected(RejectCode::NoVideoTrack, "no picture track"),
        })?;
        stream::picture_facts(&video)
    };
    if i64::from(facts.width) * i64::from(facts.height) > MAX_PIXELS {
        return Err(MediaError::rejected(RejectCode::ResolutionTooLarge, format!("{}x{}", facts.width, facts.height)));
    }
    drop(open_decoder(&source, facts.index)?);
    let scan = Scan::run(&mut source, facts.index, limits)?;
    if scan.frames == 0 {
        return Err(MediaError::rejected(RejectCode::NoFrames, "no picture packets"));
    }
    let duration_ms = to_ms(scan.end_us).max(0) as u64;
    if limits.max_duration_ms.is_some_and(|max| duration_ms > max + LENGTH_TOLERANCE_MS) {
        return Err(too_long(duration_ms));
    }
    let turns = source.turns(facts.index);
    let (fps_num, fps_den, variable_frame_rate) = scan.frame_rate(facts.average_rate);
    let (display_width, display_height) = display_size(facts.width, facts.height, facts.sar, turns.0);
    let mut probe = Probe {
        container: source.container,
        size_bytes,
        duration_ms,
        video_codec: facts.codec,
        width: facts.width,
        height: facts.height,
        display_width,
        display_height,
        rotation: u32::from(turns.0) * 90,
        fps_num,
        fps_den,
        variable_frame_rate,
        frames: scan.frames,
        pixel_format: facts.pixel_format,
        bit_depth: facts.bit_depth,
        audio: audio_tracks(&source, &scan),
        bitrate: (size_bytes * 8 * 1000).checked_div(duration_ms).unwrap_or(0),
        creation_time: stream::tag(&source.input().metadata(), c"creation_time"),
        warnings: Vec::new(),
    };
    probe.warnings = warnings(&source, &scan, &probe, layout, declared, facts.hdr);
    check_decodable(path, facts.index)?;
    Ok(probe)
}

fn too_long(duration_ms: u64) -> MediaError {
    MediaError::rejected(RejectCode::TooLong, format!("{duration_ms} ms"))
}

fn open_decoder(source: &Source, index: usize) -> Result<PictureDecoder> {
    let stream = source.streams().nth(index).ok_or_else(|| MediaError::failed("probe", "stream vanished"))?;
    PictureDecoder::open(&stream.parameters(), stream.time_base(), false)
}

/// Decodes until the first picture; a video without one cannot be indexed.
fn check_decodable(path: &Path, index: usize) -> Result<()> {
    let mut source = Source::open(path)?;
    source.keep_only(&[index]);
    let mut decoder = open_decoder(&source, index)?;
    while let Read1::Packet(packet) = source.read() {
        if packet.stream() == index {
            decoder.send(&packet)?;
            if decoder.receive()?.is_some() {
                return Ok(());
            }
        }
    }
    decoder.send_end();
    match decoder.receive()? {
        Some(_) => Ok(()),
        None => Err(MediaError::rejected(RejectCode::NoFrames, "nothing could be decoded")),
    }
}

fn display_size(width: u32, height: u32, sar: f64, turns: u8) -> (u32, u32) {
    let (w, h) = ((f64::from(width) * sar).round() as u32, height);
    if turns % 2 == 1 { (h, w) } else { (w, h) }
}

/// What the packets say.
struct Scan {
    frames: u64,
    end_us: i64,
    video_end_us: i64,
    video_times_us: Vec<i64>,
    audio_starts_us: Vec<(usize, i64)>,
    corrupt: u64,
    broken: bool,
}

impl Scan {
    fn run(source: &mut Source, video: usize, limits: ProbeLimits) -> Result<Self> {
        let bases: Vec<_> = source.streams().map(|s| (s.time_base(), s.parameters().medium())).collect();
        let mut scan = Self {
            frames: 0,
            end_us: 0,
            video_end_us: 0,
            video_times_us: Vec::new(),
            audio_starts_us: Vec::new(),
            corrupt: 0,
            broken: false,
        };
        let too_late = limits.max_duration_ms.map(|max| (max + LENGTH_TOLERANCE_MS + 60_000) as i64 * 1000);
        loop {
            let packet = match source.read() {
                Read1::Packet(packet) => packet,
                Read1::End => break,
                Read1::Broken => {
                    scan.broken = true;
                    break;
                }
            };
            let Some(&(base, medium)) = bases.get(packet.stream()) else { continue };
            let is_video = packet.stream() == video;
            if !is_video && medium != ffmpeg::media::Type::Audio {
                continue;
            }
            scan.corrupt += u64::from(packet.is_corrupt());
            let discarded = stream::is_discarded(&packet);
            scan.frames += u64::from(is_video && !discarded);
            let Some(ticks) = packet.pts().or_else(|| packet.dts()) else { continue };
            let start = source.media_us(ticks, base);
            let end = start.saturating_add(crate::av::micros(packet.duration().max(0), base));
            if discarded {
                continue;
            }
            scan.end_us = scan.end_us.max(end);
            if is_video {
                scan.video_end_us = scan.video_end_us.max(end);
                if scan.video_times_us.len() < MAX_INTERVALS {
                    scan.video_times_us.push(start);
                }
            } else if !scan.audio_starts_us.iter().any(|&(index, _)| index == packet.stream()) {
                scan.audio_starts_us.push((packet.stream(), start));
            }
            if too_late.is_some_and(|limit| end > limit) {
                return Err(too_long(to_ms(end).max(0) as u64));
            }
        }
        scan.video_times_us.sort_unstable();
        Ok(scan)
    }

    /// Frames a second as a fraction, and whether the rate varies.
    fn frame_rate(&self, average: Option<(u32, u32)>) -> (u32, u32, bool) {
        let mut intervals: Vec<i64> = self.video_times_us.windows(2).map(|w| w[1] - w[0]).filter(|&d| d > 0).collect();
        if intervals.is_empty() {
            let (num, den) = average.unwrap_or((25, 1));
            return (num, den, false);
        }
        let span: i64 = intervals.iter().sum();
        let measured = intervals.len() as f64 * 1e6 / span as f64;
        intervals.sort_unstable();
        let median = intervals[intervals.len() / 2];
        // Matroska counts in milliseconds, so steady video alternates between 33 and 34.
        let tolerance = (median / 10).max(2000);
        let odd = intervals.iter().filter(|&&d| (d - median).abs() > tolerance).count();
        let variable = odd * 50 > intervals.len();
        let fits = |&(num, den): &(u32, u32)| {
            let rate = f64::from(num) / f64::from(den.max(1));
            (rate / measured - 1.0).abs() < 0.02
        };
        match average.filter(fits) {
            Some((num, den)) => (num, den, variable),
            None => ((measured * 1000.0).round().max(1.0) as u32, 1000, variable),
        }
    }
}

fn audio_tracks(source: &Source, scan: &Scan) -> Vec<AudioTrack> {
    source
        .streams()
        .filter(|stream| stream.parameters().medium() == ffmpeg::media::Type::Audio)
        .map(|stream| {
            let start = scan.audio_starts_us.iter().find(|&&(index, _)| index == stream.index());
            stream::audio_track(&stream, to_ms(start.map_or(0, |&(_, us)| us)))
        })
        .collect()
}

fn warnings(
    source: &Source,
    scan: &Scan,
    probe: &Probe,
    layout: Option<BoxLayout>,
    declared: &Declared,
    hdr: bool,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, message: String, at_ms| warnings.push(Warning { code, message, at_ms });
    let missing_us = source.declared_us().unwrap_or(0) - scan.end_us;
    let ends_early = !source.container.clock_is_arbitrary() && missing_us > 1_000_000 && missing_us > scan.end_us / 50;
    if scan.broken || layout.is_some_and(|l| l.is_cut) || ends_early {
        let at_ms = to_ms(scan.video_end_us).max(0) as u64;
        let message = format!("The file ends in the middle; it was indexed up to {}.", clock(at_ms));
        warn(WarningCode::Truncated, message, Some(at_ms));
    } else if scan.corrupt > 0 {
        let message = match scan.corrupt {
            1 => "One part of the file is damaged and was left out.".to_owned(),
            parts => format!("{parts} parts of the file are damaged and were left out."),
        };
        warn(WarningCode::Damaged, message, None);
    }
    if hdr {
        warn(WarningCode::Hdr, "The video is HDR; thumbnails look paler than the video.".into(), None);
    }
    for track in probe.audio.iter().filter(|track| !track.supported) {
        let message = format!("Sound track {} ({}) is not supported and was left out.", track.index, track.codec);
        warn(WarningCode::AudioUnsupported, message, None);
    }
    if let Some(expected) = container_of_extension(&declared.filename).filter(|&e| e != probe.container) {
        let message = format!("The name suggests {expected:?}, but the file is {:?}.", probe.container);
        warn(WarningCode::Extension, message, None);
    }
    warnings
}

fn container_of_extension(filename: &str) -> Option<Container> {
    match Path::new(filename).extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "mp4" | "mov" | "m4v" | "3gp" | "qt" => Some(Container::Mp4),
        "mkv" | "webm" => Some(Container::Matroska),
        "avi" => Some(Container::Avi),
        "ts" | "mts" | "m2ts" => Some(Container::MpegTs),
        _ => None,
    }
}

/// `h:mm:ss`, or `m:ss` below an hour.
fn clock(ms: u64) -> String {
    let s = ms / 1000;
    match s / 3600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// The top-level boxes of an ISO base media file (ISO/IEC 14496-12 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BoxLayout {
    has_index: bool,
    /// A box is longer than the file.
    is_cut: bool,
}

impl BoxLayout {
    /// `None` for other containers. Reads only box headers, and at most 100,000 of them.
    fn read(path: &Path) -> Result<Option<Self>> {
        let mut file = File::open(path).map_err(MediaError::io("open the source"))?;
        let size = file.metadata().map_err(MediaError::io("stat the source"))?.len();
        let mut layout = Self { has_index: false, is_cut: false };
        let mut at = 0;
        for _ in 0..100_000 {
            let mut header = [0_u8; 16];
            if at + 8 > size || file.seek(SeekFrom::Start(at)).is_err() {
                break;
            }
            let wanted = header.len().min((size - at) as usize);
            file.read_exact(&mut header[..wanted]).map_err(MediaError::io("read the source"))?;
            let name = &header[4..8];
            if at == 0
                && !matches!(
                    name,
                    b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"moof" | b"styp"
                )
            {
                return Ok(None);
            }
            layout.has_index |= matches!(name, b"moov" | b"moof");
            let short = u64::from(u32::from_be_bytes([header[0], header[1], header[2], header[3]]));
            let length = match short {
                0 => size - at,
                1 => header[8..16].iter().fold(0, |value, &byte| (value << 8) | u64::from(byte)),
                length => length,
            };
            if length < 8 {
                break;
            }
            let Some(end) = at.checked_add(length) else { break };
            layout.is_cut |= end > size;
            at = end;
        }
        Ok(Some(layout))
    }
}

/// True when a decoder for this codec may run here.
pub(crate) fn has_decoder(id: ffmpeg::codec::Id) -> bool {
    ffmpeg::codec::decoder::find(id).is_some_and(|codec| input::is_allowed_decoder(codec.name()))
}
