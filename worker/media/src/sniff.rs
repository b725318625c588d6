//! Which container a file is, told from its first bytes alone.
//!
//! FFmpeg's own probing would happily choose a playlist demuxer that opens other files, so it is never asked: the
//! container is decided here against an allow-list, and FFmpeg is then forced to that one demuxer.
//! Signatures: ISO/IEC 14496-12 (boxes), RFC 8794 (EBML), RIFF, ISO/IEC 13818-1 (TS and PS), and file(1)'s magic for the rest.

use serde::{Deserialize, Serialize};

use crate::error::RejectCode;

/// Containers that may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// MP4, MOV, M4V, 3GP: the ISO base media family.
    Mp4,
    /// Matroska and WebM.
    Matroska,
    Avi,
    MpegTs,
    MpegPs,
}

impl Container {
    /// FFmpeg's name of the only demuxer that may open it.
    pub(crate) fn demuxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mov",
            Self::Matroska => "matroska",
            Self::Avi => "avi",
            Self::MpegTs => "mpegts",
            Self::MpegPs => "mpeg",
        }
    }

    /// Broadcast containers count time from an arbitrary clock; the others from the start of the presentation.
    pub(crate) fn clock_is_arbitrary(self) -> bool {
        matches!(self, Self::MpegTs | Self::MpegPs)
    }
}

/// How many bytes `sniff` wants to see (fewer when the file is shorter).
pub const SNIFF_BYTES: usize = 64 * 1024;

/// Decides from the first bytes of a file.
pub fn sniff(head: &[u8]) -> Result<Container, RejectCode> {
    use RejectCode::{EmptyFile, NoVideoTrack, NotAVideo, StillImage, UnsupportedContainer};
    if head.is_empty() {
        return Err(EmptyFile);
    }
    let at = |offset: usize, magic: &[u8]| head.get(offset..offset + magic.len()) == Some(magic);
    if at(4, b"ftyp") {
        let brand = head.get(8..12).unwrap_or_default();
        return match brand {
            b"heic" | b"heix" | b"mif1" | b"avif" | b"heim" | b"heis" => Err(StillImage),
            b"crx " => Err(StillImage),
            _ => Ok(Container::Mp4),
        };
    }
    let boxes: [&[u8]; 8] = [b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof", b"styp"];
    if boxes.iter().any(|name| at(4, name)) {
        return Ok(Container::Mp4);
    }
    if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
        return Ok(Container::Matroska);
    }
    if at(0, b"RIFF") || at(0, b"RIFX") {
        return match head.get(8..12).unwrap_or_default() {
            b"AVI " => Ok(Container::Avi),
            b"WEBP" => Err(StillImage),
            b"WAVE" => Err(NoVideoTrack),
            _ => Err(NotAVideo),
        };
    }
    if at(0, &[0, 0, 1, 0xba]) {
        return Ok(Container::MpegPs);
    }
    let pictures: [&[u8]; 11] = [
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"8BPS",
        b"\0\0\x01\0",
        b"\x76\x2f\x31\x01",
        b"\0\0\0\x0cJXL ",
        b"qoif",
    ];
    if pictures.iter().any(|magic| at(0, magic)) && !is_text(head) {
        return Err(StillImage);
    }
    let sounds: [&[u8]; 7] = [b"ID3", b"fLaC", b"#!AMR", b"MThd", b"FORM", b"wvpk", b"\x0bw"];
    if sounds.iter().any(|magic| at(0, magic)) || is_mpeg_audio(head) {
        return Err(NoVideoTrack);
    }
    if at(0, b"OggS") {
        let has_picture = [b"\x80theora".as_slice(), b"OVP80", b"BBCD"].iter().any(|magic| contains(head, magic));
        return Err(if has_picture { UnsupportedContainer } else { NoVideoTrack });
    }
    let others: [&[u8]; 7] =
        [b"FLV\x01", &[0x30, 0x26, 0xb2, 0x75], b".RMF", b"DKIF", b"YUV4MPEG2", &[0, 0, 1, 0xb3], &[0, 0, 0, 1]];
    if others.iter().any(|magic| at(0, magic)) || is_mxf(head) {
        return Err(UnsupportedContainer);
    }
    if is_transport_stream(head) {
        return Ok(Container::MpegTs);
    }
    if is_text(head) {
        return Err(if refers_to_files(head) { RejectCode::PlaylistNotAllowed } else { NotAVideo });
    }
    Err(NotAVideo)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn is_mxf(head: &[u8]) -> bool {
    contains(head, &[0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0d, 0x01, 0x02])
}

/// An ADTS or MPEG audio frame header followed by another where it says.
fn is_mpeg_audio(head: &[u8]) -> bool {
    let [0xff, second, _, third, fourth, fifth, ..] = *head else { return false };
    let is_adts = second & 0xf6 == 0xf0;
    if is_adts {
        let length = (usize::from(third & 3) << 11) | (usize::from(fourth) << 3) | usize::from(fifth >> 5);
        return length > 7 && head.get(length) == Some(&0xff);
    }
    second & 0xe0 == 0xe0 && second & 0x06 != 0 && second & 0x18 != 0x08
}

/// Sync bytes every 188 (TS), 192 (M2TS: four bytes of time code first) or 204 bytes (with error correction).
fn is_transport_stream(head: &[u8]) -> bool {
    [188_usize, 192, 204].into_iter().any(|packet| {
        (0..packet.min(head.len())).any(|start| {
            let wanted = ((head.len() - start) / packet).min(8);
            wanted >= 3 && (0..wanted).all(|n| head[start + n * packet] == 0x47)
        })
    })
}

/// Printable in UTF-8 or UTF-16, judged by the first 4 KiB.
fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(4096)];
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    let control = head.iter().filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)).count();
    if control > 0 {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.valid_up_to() + 4 > head.len(),
    }
}

/// Texts that FFmpeg would follow to other files, or show as if they were video: playlists, manifests, subtitles, SVG.
fn refers_to_files(head: &[u8]) -> bool {
    let text: String =
        head.iter().take(4096).filter(|&&b| b != 0).map(|&b| char::from(b).to_ascii_lowercase()).collect();
    let text = text.trim_start_matches(['\u{ef}', '\u{bb}', '\u{bf}', '\u{ff}', '\u{fe}']).trim_start();
    let openings = [
        "#extm3u",
        "ffconcat",
        "file ",
        "file:",
        "[playlist]",
        "webvtt",
        "[script info]",
        "v=0",
        "[reference]",
        "http://",
        "https://",
        "rtsp://",
        "rtmp://",
        "concat:",
        "{\\rtf",
        "#ext-x-",
        "stream ",
        "1\n00:",
        "1\r\n00:",
        "{1}{",
    ];
    let anywhere =
        ["<mpd", "<svg", "<smil", "<asx", "<smoothstreamingmedia", "<playlist", "<tt ", "<html", "\nfile '", "#ext-x-"];
    openings.iter().any(|opening| text.starts_with(opening))
        || anywhere.iter().any(|mark| text.contains(mark))
        || text.contains(" --> ")
}

/// Whether an announced MIME type can belong to what the file turned out to be. Browsers announce many names for one
/// container, and nothing or `application/octet-stream` when they do not know.
pub fn mime_fits(mime: &str, container: Container) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let family = match mime.as_str() {
        "" | "application/octet-stream" | "binary/octet-stream" => return true,
        "video/mp4" | "video/quicktime" | "video/x-m4v" | "video/m4v" | "video/3gpp" | "video/3gpp2"
        | "application/mp4" => &[Container::Mp4][..],
        "video/x-matroska" | "video/matroska" | "video/webm" | "application/x-matroska" => &[Container::Matroska],
        "video/x-msvideo" | "video/avi" | "video/msvideo" | "video/vnd.avi" => &[Container::Avi],
        "video/mp2t" | "video/vnd.dlna.mpeg-tts" => &[Container::MpegTs],
        "video/mpeg" | "video/mp2p" | "video/mpg" => &[Container::MpegPs, Container::MpegTs],
        other => return other.starts_with("video/") && !other.contains("flv") && !other.contains("ogg"),
    };
    family.contains(&container)
}
