//! Versions for browsers: whatever goes in, H.264 with AAC comes out, in time with the source.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::process::Command;

use common::Desk;
use heimdex_media::child::{Limits, Request, Response};
use heimdex_media::proxy::{Made, ProxyOptions, ProxyReport};
use heimdex_media::{Limit, MediaError};
use serde_json::Value;

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=3";
const TONE: &str = "-f lavfi -i sine=f=440:r=48000:d=3";

fn request(desk: &Desk, name: &str) -> Request {
    let options = ProxyOptions { max_ms: 3000, long_side: 240 };
    Request::MakeProxy { source: desk.path(name), target: desk.path("proxy.mp4"), options }
}

async fn make(desk: &Desk, name: &str) -> ProxyReport {
    match desk.run(request(desk, name)).await.unwrap_or_else(|error| panic!("{name}: {error}")).response {
        Response::MakeProxy { report } => report,
        other => panic!("not a proxy: {other:?}"),
    }
}

/// What FFmpeg's own tool says of the proxy.
fn look(desk: &Desk) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_streams", "-show_format", "-count_frames", "-of", "json"])
        .arg(desk.path("proxy.mp4"))
        .output()
        .expect("ffprobe runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn seconds(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// Plays everywhere, lasts as long as the source, and begins with its index.
fn assert_plays(desk: &Desk, name: &str, with_sound: bool) -> Value {
    let seen = look(desk);
    let streams = seen["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 1 + usize::from(with_sound), "{name}: {seen}");
    assert_eq!((&streams[0]["codec_name"], &streams[0]["pix_fmt"]), (&"h264".into(), &"yuv420p".into()), "{name}");
    assert!(streams[0]["level"].as_i64().unwrap() <= 42, "{name}: a level that phones decode: {}", streams[0]["level"]);
    for stream in streams {
        assert!((seconds(&stream["duration"]) - 3.0).abs() < 0.1, "{name}: {stream}");
        assert!(seconds(&stream["start_time"]).abs() < 0.1, "{name}: {stream}");
    }
    if with_sound {
        assert_eq!(streams[1]["codec_name"], "aac", "{name}");
        assert!(streams[1]["channels"].as_i64().unwrap() <= 2);
    }
    let bytes = std::fs::read(desk.path("proxy.mp4")).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"), "{name}: the index comes first");
    seen
}

#[tokio::test]
async fn what_fits_already_is_copied_and_only_its_container_changes() {
    let desk = Desk::new();
    for name in ["v.mkv", "v.ts", "v.mov"] {
        desk.ffmpeg(&format!("{PICTURE} {TONE} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -ac 2 {name}"));
        let report = make(&desk, name).await;
        assert_eq!((report.picture, report.sound), (Made::Copied, Some(Made::Copied)), "{name}");
        let seen = assert_plays(&desk, name, true);
        assert_eq!(seen["streams"][0]["nb_read_frames"], "75", "{name}");
        assert_eq!(seen["streams"][0]["width"], 320, "{name}: not made smaller");
        assert_eq!(report.size_bytes, std::fs::metadata(desk.path("proxy.mp4")).unwrap().len());
    }
}

#[tokio::test]
async fn only_the_track_that_does_not_fit_is_encoded_anew() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{PICTURE} {TONE} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a ac3 ac3.mp4"));
    let report = make(&desk, "ac3.mp4").await;
    assert_eq!((report.picture, report.sound), (Made::Copied, Some(Made::Encoded)));
    assert_plays(&desk, "ac3.mp4", true);
    desk.ffmpeg(&format!(
        "{PICTURE} {TONE} -c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac hevc.mkv"
    ));
    let report = make(&desk, "hevc.mkv").await;
    assert_eq!((report.picture, report.sound), (Made::Encoded, Some(Made::Copied)));
    assert_plays(&desk, "hevc.mkv", true);
}

#[tokio::test]
async fn what_browsers_do_not_play_is_decoded_and_encoded_smaller() {
    let desk = Desk::new();
    for (name, codecs) in [
        ("ten-bit.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -c:a aac"),
        ("wide-colour.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv422p -an"),
        ("part2.avi", "-c:v mpeg4 -c:a mp3"),
        ("h264.avi", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -c:a pcm_s16le"),
        ("dvd.mpg", "-c:v mpeg2video -c:a mp2"),
        ("prores.mov", "-c:v prores_ks -c:a pcm_s24le"),
        ("surround.mkv", "-c:v ffv1 -c:a flac -ac 6"),
        ("rgb.mkv", "-c:v png -an"),
    ] {
        desk.ffmpeg(&format!("{PICTURE} {TONE} {codecs} {name}"));
        let report = make(&desk, name).await;
        assert_eq!(report.picture, Made::Encoded, "{name}");
        let seen = assert_plays(&desk, name, report.sound.is_some());
        assert_eq!((&seen["streams"][0]["width"], &seen["streams"][0]["height"]), (&240.into(), &136.into()), "{name}");
        let frames: i64 = seen["streams"][0]["nb_read_frames"].as_str().unwrap().parse().unwrap();
        assert!((74..=76).contains(&frames), "{name}: {frames}");
    }
}

#[tokio::test]
async fn rotation_and_a_late_sound_are_kept() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{PICTURE} -itsoffset 1 -f lavfi -i sine=f=440:r=48000:d=1 -c:v mpeg4 -c:a ac3 upright.mov"));
    desk.ffmpeg("-i upright.mov -c copy -metadata:s:v rotate=90 turned.mov");
    make(&desk, "turned.mov").await;
    let seen = look(&desk);
    let turned = seen["streams"][0]["side_data_list"].as_array().unwrap();
    assert!(
        turned.iter().any(|data| data["rotation"].as_i64().is_some_and(|degrees| degrees.abs() == 90)),
        "{turned:?}"
    );
    // A second of silence, then the tone: it is where it was.
    desk.ffmpeg("-i proxy.mp4 -map 0:a -f s16le -ac 1 -ar 16000 sound.raw");
    let samples: Vec<i16> = std::fs::read(desk.path("sound.raw"))
        .unwrap()
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let loudest = |from: usize, to: usize| samples[from..to].iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(loudest(0, 15_000) < 400, "silent before");
    assert!(loudest(18_000, 30_000) > 2000, "the tone after");
}

#[tokio::test]
async fn a_proxy_has_a_size_it_may_not_exceed_and_a_broken_file_a_code() {
    let mut desk = Desk::new();
    desk.ffmpeg("-f lavfi -i nullsrc=s=320x180:r=25:d=3,geq=random(1)*255:128:128 -c:v mpeg4 -q:v 2 noise.avi");
    desk.runner.limits = Limits { file_bytes: 20_000, ..Limits::default() };
    match desk.run(request(&desk, "noise.avi")).await {
        Err(MediaError::ResourceLimit { limit: Limit::FileSize, .. }) => {}
        other => panic!("not held back: {other:?}"),
    }
    desk.runner.limits = Limits::default();
    // Cut in the middle, it plays up to there; without pictures it is rejected.
    let bytes = std::fs::read(desk.path("noise.avi")).unwrap();
    desk.write("cut.avi", &bytes[..bytes.len() / 2]);
    make(&desk, "cut.avi").await;
    assert!(seconds(&look(&desk)["format"]["duration"]) > 0.5);
    desk.write("text.avi", "nothing at all");
    assert!(matches!(desk.run(request(&desk, "text.avi")).await, Err(MediaError::Rejected { .. })));
}
