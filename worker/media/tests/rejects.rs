//! Files that are no videos, or not what was announced, each with its own code; and files that want FFmpeg to open others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::Desk;
use heimdex_media::probe::ProbeLimits;
use heimdex_media::{Declared, MediaError, RejectCode};

async fn rejected_as(desk: &Desk, name: &str, bytes: impl AsRef<[u8]>) -> RejectCode {
    let path = desk.write(name, bytes);
    desk.rejection(&path).await
}

#[test]
fn every_code_has_a_name_and_a_sentence() {
    let mut names: Vec<_> = RejectCode::ALL.iter().map(|code| code.code()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RejectCode::ALL.len());
    for code in RejectCode::ALL {
        assert!(code.message().ends_with('.'));
        assert_eq!(serde_json::to_value(code).expect("JSON"), code.code());
    }
}

#[tokio::test]
async fn what_is_no_video_is_told_apart() {
    let desk = Desk::new();
    assert_eq!(rejected_as(&desk, "empty.mp4", "").await, RejectCode::EmptyFile);
    assert_eq!(rejected_as(&desk, "text.mp4", "Dear diary,\nit rained.\n").await, RejectCode::NotAVideo);
    assert_eq!(rejected_as(&desk, "zeros.mp4", [0; 5000]).await, RejectCode::NotAVideo);
    assert_eq!(rejected_as(&desk, "zip.mp4", b"PK\x03\x04\x14\0\0\0\x08\0").await, RejectCode::NotAVideo);
    assert_eq!(
        rejected_as(&desk, "flash.flv", b"FLV\x01\x05\0\0\0\x09\0\0\0\0").await,
        RejectCode::UnsupportedContainer
    );
    desk.ffmpeg("-f lavfi -i testsrc2=s=64x64 -frames:v 1 still.png");
    assert_eq!(desk.rejection(&desk.path("still.png")).await, RejectCode::StillImage);
    desk.ffmpeg("-f lavfi -i testsrc2=s=64x64 -frames:v 1 still.jpg");
    assert_eq!(desk.rejection(&desk.path("still.jpg")).await, RejectCode::StillImage);
    desk.ffmpeg("-f lavfi -i sine=d=1 sound.m4a");
    assert_eq!(desk.rejection(&desk.path("sound.m4a")).await, RejectCode::NoVideoTrack);
    desk.ffmpeg("-f lavfi -i sine=d=1 sound.wav");
    assert_eq!(desk.rejection(&desk.path("sound.wav")).await, RejectCode::NoVideoTrack);
    desk.ffmpeg("-f lavfi -i sine=d=1 sound.mp3");
    assert_eq!(desk.rejection(&desk.path("sound.mp3")).await, RejectCode::NoVideoTrack);
}

#[tokio::test]
async fn broken_files_are_named_as_such() {
    let desk = Desk::new();
    let whole = std::fs::read(desk.three_shots("whole.mp4", "-c:v libx264 -preset ultrafast")).expect("the video");
    // ffmpeg writes moov at the end: half a file has none.
    assert_eq!(rejected_as(&desk, "half.mp4", &whole[..whole.len() / 2]).await, RejectCode::MoovMissing);
    assert_eq!(rejected_as(&desk, "head.mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f").await, RejectCode::Damaged);
    // The packets are there, but hold nothing that can be decoded.
    desk.three_shots("plain.mkv", "-c:v libx264 -preset ultrafast");
    desk.ffmpeg("-i plain.mkv -c copy -bsf:v noise=amount=1 noise.mkv");
    let outcome = desk.probe(&desk.path("noise.mkv")).await;
    assert!(matches!(outcome, Ok(_) | Err(MediaError::Rejected { .. })), "{outcome:?}");
}

#[tokio::test]
async fn announcements_are_compared_with_what_came() {
    let desk = Desk::new();
    let path = desk.three_shots("v.mp4", "-c:v libx264 -preset ultrafast");
    let size = std::fs::metadata(&path).expect("a size").len();
    let announce = |mime: &str, size_bytes| Declared { filename: "v.mp4".into(), mime: mime.into(), size_bytes };
    let code = |outcome| match outcome {
        Err(MediaError::Rejected { code, .. }) => Some(code),
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    };
    let limits = ProbeLimits::default();
    assert_eq!(code(desk.probe_as(&path, announce("video/mp4", Some(size)), limits).await), None);
    assert_eq!(
        code(desk.probe_as(&path, announce("video/mp4", Some(size + 1)), limits).await),
        Some(RejectCode::SizeMismatch)
    );
    assert_eq!(
        code(desk.probe_as(&path, announce("video/webm", Some(size)), limits).await),
        Some(RejectCode::TypeMismatch)
    );
    assert_eq!(code(desk.probe_as(&path, announce("image/png", None), limits).await), Some(RejectCode::TypeMismatch));
    let at_most = |max_duration_ms| ProbeLimits { max_duration_ms: Some(max_duration_ms) };
    assert_eq!(
        code(desk.probe_as(&path, announce("", None), at_most(4000)).await),
        None,
        "4.8 s pass 4 s and one of grace"
    );
    assert_eq!(code(desk.probe_as(&path, announce("", None), at_most(3000)).await), Some(RejectCode::TooLong));
}

#[tokio::test]
async fn lists_of_other_files_open_none_of_them() {
    let desk = Desk::new();
    desk.three_shots("real.ts", "-c:v libx264 -preset ultrafast");
    desk.three_shots("real.mp4", "-c:v libx264 -preset ultrafast");
    let real = desk.path("real.ts").display().to_string();
    let lists = [
        ("hls.m3u8", format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\n{real}\n#EXT-X-ENDLIST\n")),
        ("hls.mp4", format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\nfile://{real}\n#EXT-X-ENDLIST\n")),
        ("concat.mp4", format!("ffconcat version 1.0\nfile {real}\n")),
        ("bare_concat.mp4", format!("file '{real}'\n")),
        ("dash.mp4", format!("<?xml version=\"1.0\"?>\n<MPD type=\"static\"><BaseURL>{real}</BaseURL></MPD>")),
        ("picture.svg", format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"{real}\"/></svg>")),
        ("words.srt", "1\n00:00:00,000 --> 00:00:02,000\nHello\n".to_owned()),
        ("words.vtt", "WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n".to_owned()),
        ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n".to_owned()),
    ];
    for (name, text) in lists {
        assert_eq!(rejected_as(&desk, name, text).await, RejectCode::PlaylistNotAllowed, "{name}");
    }
}

/// A QuickTime file may keep its pictures in another file (a data reference). It must not be followed.
#[tokio::test]
async fn a_reference_movie_stays_without_pictures() {
    let desk = Desk::new();
    let path = desk.three_shots("v.mov", "-c:v mpeg4 -q:v 3");
    let mut bytes = std::fs::read(&path).expect("the video");
    // `url ` with the flag "in this very file" becomes an alias elsewhere.
    let at = bytes.windows(4).rposition(|w| w == b"url ").expect("a data reference");
    bytes[at..at + 8].copy_from_slice(b"alis\0\0\0\0");
    let reference = desk.write("reference.mov", bytes);
    match desk.probe(&reference).await {
        // FFmpeg either finds nothing, or reads the offsets from this very file: never another.
        Ok(probe) => assert_eq!(probe.frames, common::FRAMES),
        Err(MediaError::Rejected { .. }) => {}
        Err(other) => panic!("{other}"),
    }
}
