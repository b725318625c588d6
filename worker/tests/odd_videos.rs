//! Videos that are odd but valid: each goes through all twelve stages and is found where it should be.
//!
//! Five seconds of two scenes and one voice, in every container, codec and bad habit people have; one worker indexes them all.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::{Path, PathBuf};

use common::{Announced, Uploaded, World, media};
use heimdex_db::{Stage, keys};
use serde_json::{Value, json};

/// When the second scene begins.
const CUT_MS: i64 = 2400;
/// When the voice begins.
const VOICE_MS: i64 = 730;
/// Whisper puts words to a fiftieth of a second, but not always to the right one.
const VOICE_SLACK_MS: i64 = 500;

/// A video and what is to be found in it.
struct Odd {
    file: PathBuf,
    filename: String,
    mime: &'static str,
    duration_ms: i64,
    /// First and other scenes' starts.
    scenes: Vec<i64>,
    /// When "It was the best of times" is said.
    said_ms: Vec<i64>,
    /// What the row of `video_metadata` says, among others.
    metadata: Value,
    warnings: Vec<&'static str>,
    audio_note: Option<&'static str>,
}

/// Two scenes and the voice, as in the source of all of them.
fn odd(file: PathBuf, mime: &'static str) -> Odd {
    Odd {
        filename: file.file_name().unwrap().to_str().unwrap().to_owned(),
        file,
        mime,
        duration_ms: 5000,
        scenes: vec![0, CUT_MS],
        said_ms: vec![VOICE_MS],
        metadata: json!({ "width": 320, "height": 180 }),
        warnings: Vec::new(),
        audio_note: None,
    }
}

impl Odd {
    fn lasts(mut self, duration_ms: i64) -> Self {
        self.duration_ms = duration_ms;
        self
    }

    fn scenes(mut self, starts: &[i64]) -> Self {
        self.scenes = starts.to_vec();
        self
    }

    fn said(mut self, times: &[i64]) -> Self {
        self.said_ms = times.to_vec();
        self
    }

    fn is(mut self, metadata: Value) -> Self {
        let (Value::Object(own), Value::Object(more)) = (&mut self.metadata, metadata) else { panic!("no objects") };
        own.extend(more);
        self
    }

    fn warns(mut self, code: &'static str) -> Self {
        self.warnings.push(code);
        self
    }

    fn notes(mut self, note: &'static str) -> Self {
        self.audio_note = Some(note);
        self
    }
}

/// The first `percent` of a file's bytes.
fn cut_short(file: &Path, name: &str, percent: usize) -> PathBuf {
    let bytes = std::fs::read(file).unwrap();
    media::bytes(name, &bytes[..bytes.len() * percent / 100])
}

fn one_after_the_other(name: &str, files: [&Path; 2]) -> PathBuf {
    media::bytes(name, &files.map(|file| std::fs::read(file).unwrap()).concat())
}

const X264: &str = "-c:v libx264 -preset ultrafast -g 25";

fn all() -> Vec<Odd> {
    let voice = format!("flite=text='{}':voice=slt,adelay=500,apad=whole_dur=5", "It was the best of times.");
    // Arguments are split at blanks, and a filter graph from a file is not.
    media::bytes("voice.txt", voice.as_bytes());
    media::make("voice.wav", "-filter_complex_script voice.txt -ar 48000 -t 5");
    let pictures = "-f lavfi -i testsrc2=s=320x180:r=25:d=2.4 -f lavfi -i smptehdbars=s=320x180:r=25:d=2.6";
    media::make(
        "base.mkv",
        &format!(
            "{pictures} -i voice.wav -filter_complex [0][1]concat=n=2,format=yuv420p[v] -map [v] -map 2:a {X264} -c:a pcm_s16le -t 5"
        ),
    );
    let from = |name: &str, options: &str| media::make(name, &format!("-i base.mkv {options}"));
    let h264 = |name: &str, options: &str| from(name, &format!("{X264} -c:a aac {options}"));
    let plain = h264("plain.mp4", "-movflags faststart");
    let fragmented = h264("fragmented.mp4", "-movflags frag_keyframe+empty_moov");
    let stream = h264("stream.ts", "");
    let later = h264("later.ts", "-output_ts_offset 5000");
    let kept = from("kept.mkv", &format!("{X264} -c:a libopus"));
    vec![
        odd(plain.clone(), "video/mp4")
            .is(json!({ "video_codec": "h264", "audio_codec": "aac", "bit_depth": 8, "variable_fps": false })),
        odd(h264("no_audio.mp4", "-an"), "video/mp4").said(&[]).notes("no audio"),
        odd(
            media::make(
                "silence.mp4",
                &format!("-i base.mkv -f lavfi -i anullsrc=r=48000:d=5 -map 0:v -map 1:a {X264} -c:a aac"),
            ),
            "video/mp4",
        )
        .said(&[])
        .notes("silence"),
        odd(h264("one_second.mp4", "-t 1"), "video/mp4").lasts(1000).scenes(&[0]).said(&[]),
        odd(h264("single_shot.mp4", "-t 2.2"), "video/mp4").lasts(2200).scenes(&[0]),
        odd(h264("variable.mp4", "-vf select='lt(n,30)+not(mod(n,3))' -fps_mode vfr"), "video/mp4")
            .is(json!({ "variable_fps": true }))
            .scenes(&[0, CUT_MS]),
        odd(media::make("phone.mp4", "-i plain.mp4 -c copy -metadata:s:v rotate=90"), "video/mp4")
            .is(json!({ "width": 180, "height": 320 })),
        odd(h264("portrait.mp4", "-vf scale=180:320,setsar=1"), "video/mp4")
            .is(json!({ "width": 180, "height": 320, "rotation": 0 })),
        odd(h264("anamorphic.mp4", "-vf setsar=2"), "video/mp4").is(json!({ "width": 640, "height": 180 })),
        odd(h264("ten_bit.mp4", "-pix_fmt yuv420p10le"), "video/mp4").is(json!({ "bit_depth": 10 })),
        odd(
            from("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 -c:a aac"),
            "video/mp4",
        )
        .is(json!({ "video_codec": "hevc" })),
        odd(
            from("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -vf scale=319:179,setsar=1 -c:a libopus"),
            "video/webm",
        )
        .is(json!({ "video_codec": "vp9", "audio_codec": "opus", "width": 319, "height": 179 })),
        odd(from("av1.mkv", "-c:v libsvtav1 -preset 12 -c:a libopus"), "video/x-matroska")
            .is(json!({ "video_codec": "av1" })),
        odd(from("mpeg4.avi", "-c:v mpeg4 -q:v 4 -g 25 -c:a libmp3lame"), "video/x-msvideo")
            .is(json!({ "video_codec": "mpeg4", "container": "avi" })),
        odd(from("prores.mov", "-c:v prores_ks -profile:v 0 -c:a pcm_s16le"), "video/quicktime")
            .is(json!({ "video_codec": "prores" })),
        odd(kept.clone(), "video/x-matroska").is(json!({ "container": "matroska" })),
        odd(from("program.mpg", "-c:v mpeg2video -q:v 3 -g 15 -c:a mp2"), "video/mpeg")
            .is(json!({ "video_codec": "mpeg2video", "container": "mpeg_ps" })),
        odd(stream.clone(), "video/mp2t").is(json!({ "container": "mpeg_ts" })),
        odd(fragmented, "video/mp4"),
        // Only the centre speaks.
        odd(h264("surround.mp4", "-af pan=5.1|FC=c0"), "video/mp4"),
        // The first track is noise in another language; the default one is the voice.
        odd(
            media::make(
                "tracks.mkv",
                &format!(
                    "-i base.mkv -f lavfi -i anoisesrc=d=5:a=0.1:r=48000 -map 0:v -map 1:a -map 0:a {X264} -c:a aac -disposition:a:0 0 -disposition:a:1 default"
                ),
            ),
            "video/x-matroska",
        ),
        odd(
            media::make(
                "late.mp4",
                &format!("-i base.mkv -itsoffset 1.5 -i voice.wav -map 0:v -map 1:a {X264} -c:a aac -t 5"),
            ),
            "video/mp4",
        )
        .said(&[VOICE_MS + 1500]),
        odd(
            media::make(
                "late.mkv",
                &format!("-i base.mkv -itsoffset 1.5 -i voice.wav -map 0:v -map 1:a {X264} -c:a aac -t 5"),
            ),
            "video/x-matroska",
        )
        .said(&[VOICE_MS + 1500]),
        odd(from("wavpack.mkv", &format!("{X264} -c:a wavpack")), "video/x-matroska")
            .said(&[])
            .warns("audio_unsupported")
            .notes("no audio"),
        Odd { filename: "민지 «été» 🎬 \u{202e}.mp4".to_owned(), ..odd(h264("unicode.mp4", ""), "video/mp4") },
        Odd { filename: "wrong.avi".to_owned(), ..odd(h264("extension.mp4", ""), "video/mp4").warns("extension") },
        odd(cut_short(&plain, "cut.mp4", 75), "video/mp4").lasts(2100).scenes(&[0]).warns("truncated"),
        odd(cut_short(&kept, "cut.mkv", 75), "video/x-matroska").lasts(2100).scenes(&[0]).warns("truncated"),
        // Broadcast containers do not say how long they are: nobody can tell that something is missing.
        odd(cut_short(&stream, "cut.ts", 75), "video/mp2t").lasts(2100).scenes(&[0]),
        // The clock jumps at the seam, and so does the count of packets, which is what damage looks like.
        odd(one_after_the_other("jump.ts", [&stream, &later]), "video/mp2t")
            .lasts(10_000)
            .scenes(&[0, CUT_MS, 5000, 5000 + CUT_MS])
            .said(&[VOICE_MS, 5000 + VOICE_MS])
            .warns("damaged"),
        odd(one_after_the_other("back.ts", [&later, &stream]), "video/mp2t")
            .lasts(10_000)
            .scenes(&[0, CUT_MS, 5000, 5000 + CUT_MS])
            .said(&[VOICE_MS, 5000 + VOICE_MS])
            .warns("damaged"),
    ]
}

/// Everything that is not as it should be.
async fn faults(world: &World, video: Uploaded, odd: &Odd) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |right: bool, what: String| {
        if !right {
            wrong.push(format!("{}: {what}", odd.filename));
        }
    };
    let (state, failure, warnings, poster): (String, Option<String>, Value, Option<String>) =
        sqlx::query_as("SELECT state::text, failure_code, warnings, poster_key FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    if state != "indexed" {
        check(false, format!("{state} ({failure:?}): {:?}", world.failures(video).await));
        return wrong;
    }
    let codes: Vec<_> = warnings.as_array().unwrap().iter().map(|warning| warning["code"].clone()).collect();
    check(
        odd.warnings.iter().all(|code| codes.contains(&json!(code)))
            && codes.len() >= odd.warnings.len()
            && (codes.is_empty() || !odd.warnings.is_empty()),
        format!("warnings {warnings}, expected {:?}", odd.warnings),
    );
    check(poster.is_some(), "no poster".to_owned());
    for &stage in Stage::ALL {
        let (state, note, _) = world.job(video, stage).await;
        check(state == "completed", format!("{stage} is {state}"));
        if stage == Stage::AudioExtract {
            check(note.as_deref() == odd.audio_note, format!("{stage} says {note:?}"));
        }
    }
    let spent = world.attempts_spent(video).await;
    check(spent == 0, format!("{spent} attempts too many"));

    let metadata: Value = sqlx::query_scalar("SELECT to_jsonb(m) FROM video_metadata m WHERE video_id = $1")
        .bind(video.video_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    for (name, value) in odd.metadata.as_object().unwrap() {
        check(metadata[name] == *value, format!("{name} is {}, not {value}", metadata[name]));
    }
    let duration_ms = metadata["duration_ms"].as_i64().unwrap();
    // A truncated file ends where its last whole packet ends.
    let slack_ms = if odd.filename.starts_with("cut") { 800 } else { 120 };
    check((duration_ms - odd.duration_ms).abs() <= slack_ms, format!("{duration_ms} ms, not {}", odd.duration_ms));

    let scenes: Vec<(i64, i64, Option<String>, String)> =
        sqlx::query_as("SELECT start_ms, end_ms, thumbnail_key, text FROM scenes WHERE run_id = $1 ORDER BY ordinal")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .unwrap();
    let starts: Vec<_> = scenes.iter().map(|scene| scene.0).collect();
    let near =
        |a: &[i64], b: &[i64], slack: i64| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= slack);
    check(near(&starts, &odd.scenes, 130), format!("scenes begin at {starts:?}, not {:?}", odd.scenes));
    check(scenes.windows(2).all(|pair| pair[0].1 == pair[1].0), format!("gaps between {scenes:?}"));
    let end = scenes.last().map_or(0, |scene| scene.1);
    check((end - duration_ms).abs() <= 250, format!("scenes end at {end}, the video at {duration_ms}"));
    for (start, _, thumbnail, _) in &scenes {
        let there = match thumbnail {
            Some(key) => world.store.head(key).await.unwrap().is_some(),
            None => false,
        };
        check(there, format!("the scene at {start} has no picture"));
    }

    let words: Vec<(i64, i64, String)> =
        sqlx::query_as("SELECT start_ms, end_ms, text FROM transcript_words WHERE run_id = $1 ORDER BY word_no")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .unwrap();
    check(
        words.iter().all(|word| word.0 <= word.1 && word.1 <= duration_ms + 100),
        format!("words beyond the end: {words:?}"),
    );
    let best: Vec<_> =
        words.iter().filter(|word| word.2.trim().eq_ignore_ascii_case("best")).map(|word| word.0).collect();
    // "It was the" comes before.
    let expected: Vec<_> = odd.said_ms.iter().map(|at| at + 450).collect();
    check(near(&best, &expected, VOICE_SLACK_MS), format!("\"best\" is said at {best:?}, not {expected:?}: {words:?}"));
    if odd.said_ms.is_empty() {
        check(words.is_empty() || odd.audio_note.is_none(), format!("words out of nothing: {words:?}"));
    }

    let artifacts: Value = sqlx::query_scalar("SELECT artifacts FROM runs WHERE run_id = $1")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    match artifacts["sidecar"].as_str() {
        Some(key) => {
            let sidecar: Value = serde_json::from_slice(&world.object(key).await).unwrap();
            check(sidecar["scenes"].as_array().map(Vec::len) == Some(scenes.len()), format!("sidecar: {sidecar}"));
        }
        None => check(false, "no sidecar".to_owned()),
    }
    check(
        world.store.head(&keys::artifact(video.video_id, video.run_id, "audio.flac")).await.unwrap().is_none(),
        "the sound is still there".to_owned(),
    );
    wrong
}

#[tokio::test]
async fn odd_but_valid_videos_are_indexed_like_any_other() {
    let world = World::new().await;
    let worker = world.worker("one").start();
    let owner = world.owner("enterprise").await;
    let odds = all();
    let mut videos = Vec::new();
    for odd in &odds {
        let announced =
            Announced { filename: odd.filename.clone(), mime_type: odd.mime.to_owned(), ..Announced::of(&odd.file) };
        videos.push(world.upload_as(owner, &odd.file, &announced).await);
    }
    let mut wrong = Vec::new();
    for (odd, &video) in odds.iter().zip(&videos) {
        world.video_becomes(video, &["indexed", "failed"]).await;
        world.at_rest(video).await;
        wrong.extend(faults(&world, video, odd).await);
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(worker.terminate().await, Some(0));
    assert!(world.scratch_files().is_empty(), "{:?}", world.scratch_files());
}
