//! Sound: where words end up, however the file was put together.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::Desk;
use heimdex_media::audio::{AudioInfo, PcmReader, TrackChoice, read_pcm_f32};
use heimdex_media::child::{Request, Response};

async fn extract(desk: &Desk, name: &str, track: TrackChoice) -> (AudioInfo, Vec<f32>) {
    let target = desk.path("sound.flac");
    let request = Request::ExtractAudio { source: desk.path(name), target: target.clone(), track, max_ms: None };
    match desk.run(request).await.expect("sound extracted").response {
        Response::ExtractAudio { audio } if audio.empty => (audio, Vec::new()),
        Response::ExtractAudio { audio } => (audio, read_pcm_f32(&target).expect("our own FLAC")),
        other => panic!("not sound: {other:?}"),
    }
}

/// Root mean square between two media times.
fn level(samples: &[f32], from_ms: usize, to_ms: usize) -> f32 {
    let part = &samples[from_ms * 16..to_ms * 16];
    (part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32).sqrt()
}

const PICTURE: &str = "-f lavfi -i testsrc2=s=64x64:r=25:d=3";

#[tokio::test]
async fn a_tone_comes_out_as_long_as_it_went_in() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{PICTURE} -f lavfi -i sine=f=440:r=44100:d=3 -c:a aac v.mp4"));
    let (audio, samples) = extract(&desk, "v.mp4", TrackChoice::Default).await;
    assert!(audio.duration_ms.abs_diff(3000) < 60, "{audio:?}");
    assert_eq!(
        (audio.samples, audio.sample_rate, audio.silent, audio.empty),
        (samples.len() as u64, 16_000, false, false)
    );
    assert!(audio.loudness_lufs.is_some_and(|lufs| (-30.0..-10.0).contains(&lufs)), "{audio:?}");
    assert!(level(&samples, 100, 2900) > 0.05);
    assert_eq!(PcmReader::open(&desk.path("sound.flac")).expect("FLAC").samples(), audio.samples);
}

#[tokio::test]
async fn speech_that_starts_late_stays_late() {
    let desk = Desk::new();
    for name in ["late.mp4", "late.mkv", "late.mov"] {
        desk.ffmpeg(&format!("{PICTURE} -itsoffset 1.5 -f lavfi -i sine=f=440:r=48000:d=1 -c:a aac {name}"));
        let (audio, samples) = extract(&desk, name, TrackChoice::Default).await;
        assert!(level(&samples, 0, 1400) < 0.001, "{name}: silent before");
        assert!(level(&samples, 1600, 2400) > 0.05, "{name}: heard after");
        assert!((audio.start_offset_ms - 1500).abs() < 60, "{name}: {audio:?}");
    }
}

#[tokio::test]
async fn a_hole_in_the_time_stamps_becomes_silence() {
    let desk = Desk::new();
    desk.ffmpeg(&format!(
        "{PICTURE} -f lavfi -i sine=f=440:r=48000:d=3 -af aselect='not(between(t,1,2))' -c:a pcm_s16le hole.mkv"
    ));
    let (audio, samples) = extract(&desk, "hole.mkv", TrackChoice::Default).await;
    assert!(level(&samples, 1100, 1900) < 0.01 && level(&samples, 2100, 2900) > 0.05, "{audio:?}");
    assert!(audio.gaps_ms.abs_diff(1000) < 60, "{audio:?}");
}

#[tokio::test]
async fn no_sound_and_silence_are_not_failures() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{PICTURE} mute.mp4"));
    let (audio, _) = extract(&desk, "mute.mp4", TrackChoice::Default).await;
    assert!(audio.empty && audio.silent && audio.track.is_none());
    assert!(!desk.path("sound.flac").exists());
    desk.ffmpeg(&format!("{PICTURE} -f lavfi -i anullsrc=r=48000:d=3 -shortest -c:a aac silent.mp4"));
    let (audio, samples) = extract(&desk, "silent.mp4", TrackChoice::Default).await;
    assert!(audio.silent && !audio.empty && audio.loudness_lufs.is_none() && samples.len() > 40_000, "{audio:?}");
}

#[tokio::test]
async fn surround_and_several_tracks() {
    let desk = Desk::new();
    // Only the centre speaks: it must survive the mix.
    desk.ffmpeg_args(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=25:d=2",
        "-f",
        "lavfi",
        "-i",
        "aevalsrc=0|0|0.5*sin(880*t)|0|0|0:c=5.1:s=48000:d=2",
        "-f",
        "lavfi",
        "-i",
        "anullsrc=r=48000:cl=mono:d=2",
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map",
        "2:a",
        "-c:a",
        "ac3",
        "-disposition:a:1",
        "default",
        "-disposition:a:0",
        "0",
        "-metadata:s:a:0",
        "language=eng",
        "two.mkv",
    ]);
    let probe = desk.probe(&desk.path("two.mkv")).await.expect("a video");
    assert_eq!(probe.audio.iter().map(|track| track.channels).collect::<Vec<_>>(), [6, 1]);
    assert_eq!(probe.audio[0].language.as_deref(), Some("eng"));
    let (audio, samples) = extract(&desk, "two.mkv", TrackChoice::Stream(1)).await;
    assert!(level(&samples, 200, 1800) > 0.1, "{audio:?}");
    let (audio, _) = extract(&desk, "two.mkv", TrackChoice::Default).await;
    assert!(audio.silent && audio.track == Some(2), "the default track is the silent one: {audio:?}");
}

#[tokio::test]
async fn a_track_whose_header_is_damaged_is_left_out() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{PICTURE} -f lavfi -i sine=f=440:r=48000:d=3 -map 0:v -map 1:a -map 1:a -c:a:0 flac -c:a:1 pcm_s16le -disposition:a:0 default two.mkv"));
    desk.ffmpeg("-i two.mkv -map 0:v -map 0:a:0 -c copy one.mkv");
    for name in ["two.mkv", "one.mkv"] {
        let mut bytes = std::fs::read(desk.path(name)).expect("the video");
        let at = bytes.windows(4).position(|window| window == b"fLaC").expect("FLAC's header");
        bytes[at..at + 42].fill(0);
        desk.write(name, bytes);
    }
    let (audio, samples) = extract(&desk, "two.mkv", TrackChoice::Default).await;
    assert!(audio.track == Some(2) && level(&samples, 100, 2900) > 0.05, "the other track is heard: {audio:?}");
    let (audio, _) = extract(&desk, "one.mkv", TrackChoice::Default).await;
    assert!(audio.empty && audio.unreadable, "{audio:?}");
}

#[tokio::test]
async fn a_name_that_is_no_text_is_read_as_far_as_it_is() {
    let desk = Desk::new();
    desk.ffmpeg(&format!("{PICTURE} -f lavfi -i sine=d=3 -c:a flac -metadata:s:a:0 title=Director named.mkv"));
    let mut bytes = std::fs::read(desk.path("named.mkv")).expect("the video");
    let at = bytes.windows(8).position(|window| window == b"Director").expect("the title");
    bytes[at + 3] = 0xff;
    let probe = desk.probe(&desk.write("named.mkv", bytes)).await.expect("a video");
    assert_eq!(probe.audio[0].title.as_deref(), Some("Dir\u{fffd}ctor"));
}
