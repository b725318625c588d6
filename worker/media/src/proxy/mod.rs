//! A version of a video that every browser plays: MP4 with H.264 (8 bit, 4:2:0) and AAC.
//!
//! A track that fits already is copied bit by bit; the others are decoded and encoded anew, at most 1280 pixels long. The
//! source is read once, in order. HDR is not tone-mapped and interlaced pictures stay interlaced.

pub mod clip;
mod picture;
mod sound;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::picture::PictureTrack;
use self::sound::SoundTrack;
use crate::audio::{self, TrackChoice};
use crate::av::encode::SOUND_RATE;
use crate::av::input::{Read1, Source};
use crate::av::mux::Mp4Writer;
use crate::av::stream::{codec_name, picture_facts};
use crate::error::{MediaError, RejectCode, Result};
use crate::sniff::Container;

/// How large a proxy may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyOptions {
    /// Nothing after this media time is taken over; normally the video's length.
    pub max_ms: u64,
    /// Of pictures that are encoded anew, pixels.
    pub long_side: u32,
}

/// Bytes a second that pictures and sound encoded anew take at most.
pub const MAX_BYTES_PER_S: u64 = (crate::av::encode::MAX_PICTURE_BITS + 2 * crate::av::encode::SOUND_BITS) as u64 / 8;

/// How a track came into the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    Copied,
    Encoded,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyReport {
    pub picture: Made,
    /// `None`: the source has no sound that can be decoded.
    pub sound: Option<Made>,
    pub size_bytes: u64,
}

/// Which part of the source's time is taken over, in microseconds of media time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// Packets before this are not copied; pictures and sound before 0 are never encoded.
    first_us: i64,
    end_us: i64,
    /// How much later than the end a picture may be.
    slack_us: i64,
}

impl Span {
    /// Everything up to the length that was measured. Containers without time stamps of presentation (AVI) show pictures a
    /// little later than they count them.
    fn whole(options: &ProxyOptions) -> Self {
        let end_us = i64::try_from(options.max_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        Self { first_us: i64::MIN, end_us, slack_us: picture::SLACK_US }
    }
}

/// Which tracks, and how they are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    picture: (usize, Made),
    sound: Option<(usize, Made)>,
}

/// Writes the proxy of `source` to `target`.
pub fn make(source: &Path, target: &Path, options: &ProxyOptions, mut progress: impl FnMut(u8)) -> Result<ProxyReport> {
    let plan = Plan::of(&Source::open(source)?)?;
    let span = Span::whole(options);
    let report = match write(Source::open(source)?, target, options, span, plan, &mut progress) {
        // What cannot be copied after all (time stamps that make no sense in MP4) can still be decoded.
        Err(MediaError::Failed { .. }) if plan != plan.all_encoded() => {
            write(Source::open(source)?, target, options, span, plan.all_encoded(), &mut progress)?
        }
        report => report?,
    };
    progress(100);
    Ok(report)
}

impl Plan {
    fn of(source: &Source) -> Result<Self> {
        let video =
            source.video_stream().ok_or_else(|| MediaError::rejected(RejectCode::NoVideoTrack, "no picture"))?;
        let facts = picture_facts(&video);
        // AVI has no time stamps of presentation, and those of a program stream are sparse.
        let timed = matches!(source.container, Container::Mp4 | Container::Matroska | Container::MpegTs);
        let fits = timed && facts.codec == "h264" && matches!(facts.pixel_format.as_str(), "yuv420p" | "yuvj420p");
        let made = |fits| if fits { Made::Copied } else { Made::Encoded };
        let mut sound = None;
        for index in audio::candidates(source, TrackChoice::Default) {
            // A track whose header is damaged can be copied, but not played.
            if audio::open(source, index, SOUND_RATE, 1)?.is_some() {
                let codec = source.streams().nth(index).map(|stream| codec_name(stream.parameters().id()));
                sound = Some((index, made(timed && codec.as_deref() == Some("aac"))));
                break;
            }
        }
        Ok(Self { picture: (facts.index, made(fits)), sound })
    }

    fn all_encoded(self) -> Self {
        let encoded = |(index, _)| (index, Made::Encoded);
        Self { picture: encoded(self.picture), sound: self.sound.map(encoded) }
    }
}

/// Reads from where the source stands.
fn write(
    mut source: Source,
    target: &Path,
    options: &ProxyOptions,
    span: Span,
    plan: Plan,
    progress: &mut impl FnMut(u8),
) -> Result<ProxyReport> {
    let wanted: Vec<_> = [Some(plan.picture.0), plan.sound.map(|(index, _)| index)].into_iter().flatten().collect();
    source.keep_only(&wanted);
    let mut writer = Mp4Writer::create(target)?;
    let mut picture = PictureTrack::open(&source, &mut writer, plan.picture, options)?;
    let mut sound = plan.sound.map(|chosen| SoundTrack::open(&source, &mut writer, chosen, options)).transpose()?;
    writer.begin()?;
    let end_us = span.end_us;
    loop {
        // A file that breaks in the middle is played up to there.
        let Read1::Packet(packet) = source.read() else { break };
        if packet.stream() == plan.picture.0 {
            let at_us = picture.push(&source, packet, &mut writer, span)?;
            if let Some(at_us) = at_us.filter(|_| end_us > 0) {
                progress((at_us.saturating_mul(100) / end_us).clamp(0, 99) as u8);
            }
        } else if let Some(sound) =
            sound.as_mut().filter(|_| plan.sound.is_some_and(|(index, _)| index == packet.stream()))
        {
            sound.push(&source, packet, &mut writer, span)?;
        }
        if picture.is_over() && sound.as_ref().is_none_or(SoundTrack::is_over) {
            break;
        }
    }
    let pictures = picture.finish(&source, &mut writer, span)?;
    if let Some(sound) = &mut sound {
        sound.finish(&source, &mut writer)?;
    }
    if pictures == 0 {
        return Err(MediaError::rejected(RejectCode::NoFrames, "no picture could be taken over"));
    }
    writer.finish()?;
    let size_bytes = std::fs::metadata(target).map_err(MediaError::io("look at the proxy"))?.len();
    Ok(ProxyReport { picture: plan.picture.1, sound: plan.sound.map(|(_, made)| made), size_bytes })
}
