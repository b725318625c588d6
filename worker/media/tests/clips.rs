//! Parts of videos: what is asked for is there, at the time it was, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::process::Command;

use common::Desk;
use heimdex_media::MediaError;
use heimdex_media::child::{Request, Response};
use heimdex_media::proxy::clip::ClipOptions;
use heimdex_media::proxy::{Made, ProxyReport};
use serde_json::Value;

/// Black for two seconds, white for two, black again; a tone with the white. A keyframe every second.
const SOURCE: &str = "-f lavfi -i color=black:s=320x180:r=25:d=6,drawbox=color=white:t=fill:enable='between(t,2,3.999)' \
                      -f lavfi -i sine=f=440:r=48000:d=6,volume=0:enable='lt(t,2)+gte(t,4)'";

fn request(desk: &Desk, name: &str, (start_ms, end_ms): (u64, u64), exact: bool) -> Request {
    let options = ClipOptions { start_ms, end_ms, exact, long_side: 320 };
    Request::CutClip { source: desk.path(name), target: desk.path("clip.mp4"), options }
}

async fn cut(desk: &Desk, name: &str, part: (u64, u64), exact: bool) -> ProxyReport {
    match desk.run(request(desk, name, part, exact)).await.unwrap_or_else(|error| panic!("{name}: {error}")).response {
        Response::CutClip { report } => report,
        other => panic!("not a clip: {other:?}"),
    }
}

/// How long each track is, in seconds, by FFmpeg's own tool.
fn lengths(desk: &Desk) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_streams", "-of", "json"])
        .arg(desk.path("clip.mp4"))
        .output()
        .expect("ffprobe runs");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let streams = seen["streams"].as_array().unwrap();
    streams.iter().map(|stream| stream["duration"].as_str().unwrap().parse().unwrap()).collect()
}

/// Mean brightness of each picture, 0 to 255.
fn brightness(desk: &Desk) -> Vec<u8> {
    desk.ffmpeg("-i clip.mp4 -map 0:v -vf scale=1:1 -f rawvideo -pix_fmt gray light.raw");
    std::fs::read(desk.path("light.raw")).unwrap()
}

#[tokio::test]
async fn an_exact_clip_begins_and_ends_at_the_picture() {
    let desk = Desk::new();
    for (name, codecs) in [
        ("b-frames.mp4", "-c:v libx264 -g 100 -bf 3 -pix_fmt yuv420p -c:a aac"),
        ("part2.mkv", "-c:v mpeg4 -g 100 -c:a mp3"),
    ] {
        desk.ffmpeg(&format!("{SOURCE} {codecs} {name}"));
        let report = cut(&desk, name, (2000, 4000), true).await;
        assert_eq!((report.picture, report.sound), (Made::Encoded, Some(Made::Encoded)), "{name}");
        let light = brightness(&desk);
        assert!((49..=51).contains(&light.len()), "{name}: {} pictures", light.len());
        assert!(light.iter().all(|&value| value > 200), "{name}: only the white: {light:?}");
        assert!(lengths(&desk).iter().all(|length| (length - 2.0).abs() < 0.1), "{name}: {:?}", lengths(&desk));
    }
}

#[tokio::test]
async fn a_fast_clip_begins_at_the_keyframe_before_and_copies() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{SOURCE} -c:v libx264 -g 25 -sc_threshold 0 -bf 2 -pix_fmt yuv420p -c:a aac fast.mp4"));
    let report = cut(&desk, "fast.mp4", (2500, 4500), false).await;
    assert_eq!((report.picture, report.sound), (Made::Copied, Some(Made::Copied)));
    let light = brightness(&desk);
    // From 2.0 s on: two seconds of white, then half a second of black, give or take pictures that others refer to.
    assert!((60..=66).contains(&light.len()), "{} pictures", light.len());
    assert!(light[..48].iter().all(|&value| value > 200), "{light:?}");
    assert!(light.last().is_some_and(|&value| value < 50), "{light:?}");
}

#[tokio::test]
async fn what_cannot_be_copied_is_cut_exactly_and_a_part_without_pictures_is_refused() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{SOURCE} -c:v mpeg4 -g 25 -c:a mp3 old.avi"));
    assert_eq!(cut(&desk, "old.avi", (2000, 4000), false).await.picture, Made::Encoded);
    assert!((lengths(&desk)[0] - 2.0).abs() < 0.2, "{:?}", lengths(&desk));
    let beyond = desk.run(request(&desk, "old.avi", (60_000, 61_000), true)).await;
    assert!(matches!(beyond, Err(MediaError::Rejected { .. })), "{beyond:?}");
}
