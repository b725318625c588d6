//! Cuts to the picture, in whatever a video may be packed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use common::{CUTS, Desk, FRAMES, cuts};
use heimdex_media::pictures::{FrameFacts, read_jpeg, select};
use heimdex_media::scene::{SceneOptions, SceneReport, Transition};
use heimdex_media::{Container, WarningCode};

fn assert_three_shots(report: &SceneReport, what: &str) {
    let found = cuts(report);
    assert_eq!(found.len(), 2, "{what}: {:?}", report.scenes);
    assert!(found.iter().zip(CUTS).all(|(&f, c)| f.abs_diff(c) <= 1), "{what}: {found:?}");
    assert!(report.frames_total.abs_diff(FRAMES) <= 1, "{what}: {}", report.frames_total);
    for scene in 0..3 {
        assert!(report.frames.iter().any(|frame| frame.scene == scene), "{what}: scene {scene} has no frame");
    }
    let last = report.scenes.last().expect("three scenes");
    assert!(last.end_ms.abs_diff(4800) <= 80, "{what}: ends at {}", last.end_ms);
}

#[tokio::test]
async fn h264_with_and_without_b_pictures_and_open_groups() {
    let desk = Desk::new();
    for (name, encoder) in [
        ("b.mp4", "-c:v libx264 -preset fast -bf 3 -g 250"),
        ("no_keys_at_cuts.mp4", "-c:v libx264 -preset fast -bf 3 -g 250 -sc_threshold 0"),
        ("plain.mp4", "-c:v libx264 -preset ultrafast -bf 0"),
        ("open.mp4", "-c:v libx264 -preset fast -bf 3 -g 12 -x264-params open-gop=1:scenecut=0"),
        ("deep.mov", "-c:v libx264 -preset fast -pix_fmt yuv420p10le"),
        ("wide.mkv", "-c:v libx264 -preset fast -pix_fmt yuv444p"),
        ("keys.ts", "-c:v libx264 -preset fast -g 10"),
        ("h264.avi", "-c:v libx264 -preset fast -bf 0"),
    ] {
        let path = desk.three_shots(name, encoder);
        assert_three_shots(&desk.scenes(&path).await, name);
    }
}

#[tokio::test]
async fn other_codecs_and_containers() {
    let desk = Desk::new();
    for (name, encoder) in [
        ("hevc.mp4", "-c:v libx265 -preset fast -x265-params log-level=none"),
        ("hevc10.mkv", "-c:v libx265 -preset fast -pix_fmt yuv420p10le -x265-params log-level=none"),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 500k"),
        ("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 500k"),
        ("av1.mkv", "-c:v libsvtav1 -preset 12"),
        ("mpeg4.avi", "-c:v mpeg4 -q:v 4"),
        ("mpeg4_b.mp4", "-c:v mpeg4 -q:v 4 -bf 2"),
        ("mpeg2.ts", "-c:v mpeg2video -q:v 4 -bf 2"),
        ("mpeg2.mpg", "-c:v mpeg2video -q:v 4 -bf 2 -f vob"),
        ("motion_jpeg.avi", "-c:v mjpeg -q:v 4"),
        ("prores.mov", "-c:v prores_ks"),
    ] {
        let path = desk.three_shots(name, encoder);
        let probe = desk.probe(&path).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(probe.duration_ms.abs_diff(4800) < 100, "{name}: {probe:?}");
        assert_three_shots(&desk.scenes(&path).await, name);
    }
}

#[tokio::test]
async fn the_result_does_not_depend_on_threads() {
    let desk = Desk::new();
    let path = desk.three_shots("v.mp4", "-c:v libx264 -preset fast -g 30 -bf 3");
    let with = |threads| SceneOptions { threads, ..SceneOptions::default() };
    let (one, four) = (desk.scenes_with(&path, with(1)).await, desk.scenes_with(&path, with(4)).await);
    assert_eq!(one, four);
}

#[tokio::test]
async fn a_phone_video_is_upright() {
    let desk = Desk::new();
    desk.three_shots("lying.mp4", "-c:v libx264 -preset ultrafast");
    desk.ffmpeg("-i lying.mp4 -c copy -metadata:s:v:0 rotate=90 phone.mp4");
    let probe = desk.probe(&desk.path("phone.mp4")).await.expect("a video");
    assert_eq!((probe.width, probe.height, probe.display_width, probe.display_height), (192, 108, 108, 192));
    assert!(probe.rotation == 90 || probe.rotation == 270, "{}", probe.rotation);
    let report = desk.scenes(&desk.path("phone.mp4")).await;
    assert_three_shots(&report, "phone");
    assert!(report.frames.iter().all(|frame| (frame.width, frame.height) == (108, 192)));
    // Which way is up is what ffmpeg's own player thinks.
    let last = report.frames.last().expect("frames");
    let seconds = format!("{}", last.at_ms as f64 / 1000.0);
    desk.ffmpeg_args(&["-i", "phone.mp4", "-ss", &seconds, "-frames:v", "1", "-q:v", "2", "upright.jpg"]);
    let (ours, theirs) = (read_jpeg(&last.path).expect("ours"), read_jpeg(&desk.path("upright.jpg")).expect("theirs"));
    assert_eq!((ours.width, ours.height), (theirs.width, theirs.height));
    let off: u64 = ours.data.iter().zip(&theirs.data).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    assert!(off / (ours.data.len() as u64) < 12, "differs by {} a sample", off / ours.data.len() as u64);
}

#[tokio::test]
async fn frames_at_uneven_times() {
    let desk = Desk::new();
    desk.three_shots("even.mkv", "-c:v libx264 -preset ultrafast -qp 10");
    desk.ffmpeg_args(&[
        "-i",
        "even.mkv",
        "-vf",
        "select='not(eq(mod(n,7),3))+not(mod(n,11))'",
        "-vsync",
        "vfr",
        "-c:v",
        "libx264",
        "uneven.mp4",
    ]);
    let probe = desk.probe(&desk.path("uneven.mp4")).await.expect("a video");
    assert!(probe.variable_frame_rate, "{probe:?}");
    let report = desk.scenes(&desk.path("uneven.mp4")).await;
    let starts: Vec<u64> = report.scenes.iter().map(|scene| scene.start_ms).collect();
    assert_eq!(starts.len(), 3, "{starts:?}");
    assert!(starts[1].abs_diff(1600) <= 80 && starts[2].abs_diff(3000) <= 80, "{starts:?}");
}

#[tokio::test]
async fn single_shots_and_single_seconds_and_names_in_any_script() {
    let desk = Desk::new();
    desk.ffmpeg_args(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=108x192:r=25:d=1",
        "-pix_fmt",
        "yuv420p",
        "민지 우는 장면 🎬.mp4",
    ]);
    let path = desk.path("민지 우는 장면 🎬.mp4");
    let probe = desk.probe(&path).await.expect("a video");
    assert_eq!((probe.frames, probe.duration_ms, probe.container), (25, 1000, Container::Mp4));
    assert!(probe.audio.is_empty() && !probe.variable_frame_rate && (probe.fps_num, probe.fps_den) == (25, 1));
    let report = desk.scenes(&path).await;
    assert_eq!(report.scenes.len(), 1);
    assert_eq!((report.scenes[0].transition_in, report.scenes[0].transition_out), (Transition::Edge, Transition::Edge));
    assert!(!report.frames.is_empty() && report.frames[0].height == 192);
}

#[tokio::test]
async fn a_truncated_file_is_indexed_up_to_there() {
    let desk = Desk::new();
    for (name, encoder) in [
        ("whole.mp4", "-c:v libx264 -preset ultrafast -g 12 -movflags +faststart"),
        ("whole.mkv", "-c:v libx264 -preset ultrafast -g 12"),
    ] {
        let bytes = std::fs::read(desk.three_shots(name, encoder)).expect("the video");
        let cut = desk.write(&format!("cut_{name}"), &bytes[..bytes.len() * 3 / 5]);
        let probe = desk.probe(&cut).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let warning = probe.warnings.iter().find(|w| w.code == WarningCode::Truncated);
        let at_ms = warning.and_then(|w| w.at_ms).unwrap_or_else(|| panic!("{name}: {:?}", probe.warnings));
        assert!((500..4500).contains(&at_ms) && probe.duration_ms < 4500, "{name}: {at_ms} {}", probe.duration_ms);
        let report = desk.scenes(&cut).await;
        assert!(report.truncated_at_ms.is_some() && !report.frames.is_empty(), "{name}");
    }
}

/// Two stills, faded or dissolved into each other around 2 s, with a flash at 1 s.
#[tokio::test]
async fn fades_dissolves_and_flashes() {
    let desk = Desk::new();
    for (effect, kind) in [("fadeblack", Transition::Fade), ("fade", Transition::Dissolve)] {
        let name = format!("{effect}.mp4");
        let graph = format!(
            "testsrc2=s=192x108:r=25,trim=end_frame=1,loop=loop=69:size=1:start=0,setpts=N/25/TB,\
             drawbox=t=fill:c=white:enable='between(n,25,26)',format=yuv420p[a];\
             smptehdbars=s=192x108:r=25,drawgrid=w=32:h=16:t=6:c=purple,trim=end_frame=70,setpts=N/25/TB,format=yuv420p[b];\
             [a][b]xfade=transition={effect}:duration=1:offset=1.6"
        );
        desk.ffmpeg_args(&["-filter_complex", &graph, "-c:v", "libx264", "-preset", "fast", &name]);
        let report = desk.scenes(&desk.path(&name)).await;
        assert_eq!(report.scenes.len(), 2, "{effect}: {:?}", report.scenes);
        let start_ms = report.scenes[1].start_ms;
        assert!(
            start_ms.abs_diff(2100) <= 300 && report.scenes[1].transition_in == kind,
            "{effect}: {:?}",
            report.scenes
        );
    }
}

#[tokio::test]
async fn frames_are_spaced_capped_and_selectable() {
    let desk = Desk::new();
    let path = desk.three_shots("v.mp4", "-c:v libx264 -preset fast");
    let report = desk.scenes(&path).await;
    let times: Vec<u64> = report.frames.iter().map(|frame| frame.at_ms).collect();
    assert!(times.windows(2).all(|w| w[0] < w[1]) && (5..=9).contains(&times.len()), "{times:?}");
    let on_disk = std::fs::read_dir(desk.path("frames")).expect("frames").count();
    assert_eq!(on_disk, report.frames.len(), "dropped frames are removed");
    for frame in &report.frames {
        let scene = &report.scenes[frame.scene];
        assert!((scene.start_ms..scene.end_ms).contains(&frame.at_ms));
    }
    let facts: Vec<FrameFacts> = report
        .frames
        .iter()
        .map(|f| FrameFacts { at_ms: f.at_ms, sharpness: f.sharpness, brightness: f.brightness, phash: f.phash })
        .collect();
    assert!(!select(&facts, 2).is_empty());
    let few = SceneOptions { max_frames: 2, ..SceneOptions::default() };
    assert!(desk.scenes_with(&path, few).await.frames.len() <= 5);
}

#[tokio::test]
async fn grain_that_changes_all_the_time_still_gives_a_frame_a_second() {
    let desk = Desk::new();
    let path = desk.path("grain.mp4");
    let source =
        "gradients=s=640x360:r=25:d=6:c0=0x102030:c1=0x405060:n=2:speed=0.01:seed=3,noise=alls=6:allf=t:all_seed=7";
    desk.ffmpeg_args(&[
        "-f",
        "lavfi",
        "-i",
        source,
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        path.to_str().expect("a path"),
    ]);
    let report = desk.scenes(&path).await;
    let times: Vec<u64> = report.frames.iter().map(|frame| frame.at_ms).collect();
    assert!((0..6).all(|second| times.iter().any(|at| at / 1000 == second)), "{times:?}");
}
