//! What people upload that is no video, or not one for us: each is told apart, rejected once, and leaves nothing behind; and
//! nothing an owner's bytes refer to is ever opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::{
    fs::FileTimes,
    net::TcpListener,
    path::{Path, PathBuf},
    time::SystemTime,
};

use common::{Announced, Uploaded, World, media};
use heimdex_db::{Stage, UserId, keys};

/// A file, what its owner says about it, and the code of its rejection.
struct Bad {
    file: PathBuf,
    announced: Announced,
    code: &'static str,
}

/// Announced by a browser that does not know the type.
fn bad(file: PathBuf, code: &'static str) -> Bad {
    let announced = Announced { mime_type: "application/octet-stream".to_owned(), ..Announced::of(&file) };
    Bad { file, announced, code }
}

/// A folder of files and a web server that uploads point at.
struct Bait {
    /// A playable video.
    canary: PathBuf,
    web: TcpListener,
}

impl Bait {
    fn new() -> Self {
        let canary = media::make("canary.ts", "-f lavfi -i testsrc2=s=64x64:r=10:d=1 -c:v mpeg2video");
        let web = TcpListener::bind("127.0.0.1:0").unwrap();
        web.set_nonblocking(true).unwrap();
        let bait = Self { canary, web };
        bait.set_times(SystemTime::UNIX_EPOCH);
        bait
    }

    fn set_times(&self, accessed: SystemTime) {
        let file = std::fs::File::options().write(true).open(&self.canary).unwrap();
        file.set_times(FileTimes::new().set_accessed(accessed).set_modified(SystemTime::now())).unwrap();
    }

    fn url(&self) -> String {
        format!("http://{}/clip.ts", self.web.local_addr().unwrap())
    }

    fn read_at(&self) -> SystemTime {
        std::fs::metadata(&self.canary).unwrap().accessed().unwrap()
    }

    fn assert_untouched(&self) {
        assert!(self.web.accept().is_err(), "somebody followed a URL");
        assert_eq!(self.read_at(), SystemTime::UNIX_EPOCH, "somebody read the file that was referred to");
        // Had somebody read it, it would show.
        std::fs::read(&self.canary).unwrap();
        if self.read_at() == SystemTime::UNIX_EPOCH {
            eprintln!("this file system keeps no access times: only the URLs were watched");
        }
    }
}

/// Texts that FFmpeg's own probing follows to other files and hosts, under honest and dishonest names.
fn playlists(bait: &Bait) -> Vec<Bad> {
    let (file, url) = (bait.canary.display(), bait.url());
    let hls = |target: String| format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n");
    let texts = [
        ("hls_file.mp4", hls(file.to_string())),
        ("hls_url.m3u8", hls(url.clone())),
        ("hls_concat.ts", hls(format!("concat:{url}|file:{file}"))),
        ("hls_late.mp4", format!("{}{}", "#\n".repeat(600), hls(url.clone()))),
        ("concat.txt", format!("ffconcat version 1.0\nfile {file}\nfile {url}\n")),
        ("bare_concat.mp4", format!("file '{file}'\n")),
        (
            "dash.mpd",
            format!(
                "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT5S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>"
            ),
        ),
        (
            "picture.svg",
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><image href=\"file://{file}\"/><image href=\"{url}\"/></svg>"
            ),
        ),
        ("words.srt", format!("1\n00:00:00,000 --> 00:00:02,000\n<img src=\"{url}\">\n")),
        ("words.vtt", format!("WEBVTT\n\n00:00.000 --> 00:02.000\n{url}\n")),
        ("words.ass", format!("[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: {file}\n")),
        ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n".to_owned()),
        ("list.pls", format!("[playlist]\nFile1={url}\n")),
        ("list.asx", format!("<asx version=\"3.0\"><entry><ref href=\"{url}\"/></entry></asx>")),
    ];
    texts.map(|(name, text)| bad(media::bytes(name, text.as_bytes()), "playlist_not_allowed")).into()
}

/// An AVI whose subtitle track is a playlist (the "GAB2" trick): FFmpeg gives such text to another demuxer.
fn avi_with_a_playlist(bait: &Bait) -> Bad {
    let chunk = |name: &[u8], data: &[u8]| {
        let mut chunk = [name, &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    };
    let list = |name: &[u8], data: &[u8]| chunk(b"LIST", &[name, data].concat());
    let words = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", bait.url());
    let mut subtitle = b"GAB2\0\x02\0".to_vec();
    subtitle.extend(words(&[2]));
    subtitle.extend(b"s\0");
    subtitle.extend([4, 0]);
    subtitle.extend(words(&[u32::try_from(text.len()).unwrap()]));
    subtitle.extend(text.as_bytes());
    let main = chunk(b"avih", &words(&[40_000, 0, 0, 0x10, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0]));
    let header = chunk(b"strh", &[&b"txts"[..], &words(&[0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0])].concat());
    let stream = list(b"strl", &[header, chunk(b"strf", &[])].concat());
    let body = [list(b"hdrl", &[main, stream].concat()), list(b"movi", &chunk(b"00tx", &subtitle))].concat();
    let file = chunk(b"RIFF", &[&b"AVI "[..], &body].concat());
    bad(media::bytes("subtitle.avi", &file), "no_video_track")
}

/// The bytes of a box's payload replaced by zeros.
fn without_pictures(file: &Path, name: &str) -> PathBuf {
    let mut bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(4).position(|window| window == b"mdat").unwrap() + 4;
    bytes[at..].fill(0);
    media::bytes(name, &bytes)
}

fn all(bait: &Bait) -> Vec<Bad> {
    let small = "-f lavfi -i testsrc2=s=64x64:r=25:d=1";
    let whole = media::make("whole.mp4", &format!("{small} -c:v libx264 -preset ultrafast"));
    let first = media::make("first.mp4", &format!("{small} -c:v libx264 -preset ultrafast -movflags faststart"));
    let half = {
        let bytes = std::fs::read(&whole).unwrap();
        media::bytes("half.mp4", &bytes[..bytes.len() / 2])
    };
    let text = media::bytes("notes.mp4", b"Dear diary, this is not a video.\n");
    let wrong = |announced: Announced, code| Bad { file: whole.clone(), announced, code };
    let mut all = vec![
        bad(media::bytes("empty.mp4", b""), "empty_file"),
        bad(text, "not_a_video"),
        bad(half, "moov_missing"),
        bad(media::audio_only().to_owned(), "no_video_track"),
        bad(media::make("sound.mkv", "-f lavfi -i sine=d=1 -c:a libopus"), "no_video_track"),
        bad(media::make("still.png", &format!("{small} -frames:v 1")), "still_image"),
        bad(media::make("still.mp4", &format!("{small} -frames:v 1 -f image2 -c:v mjpeg")), "still_image"),
        bad(without_pictures(&first, "blind.mp4"), "no_frames"),
        bad(media::make("codec.mov", &format!("{small} -c:v jpeg2000")), "unsupported_codec"),
        bad(
            media::make("vast.mkv", "-f lavfi -i color=s=8200x4400:r=25:d=0.04 -c:v mjpeg -pix_fmt yuvj420p"),
            "resolution_too_large",
        ),
        bad(media::make("long.mp4", "-f lavfi -i color=s=32x32:r=1:d=602 -c:v libx264 -preset ultrafast"), "too_long"),
        bad(media::make("flash.flv", &format!("{small} -c:v flv")), "unsupported_container"),
        bad(media::bytes("head.mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f"), "damaged"),
        wrong(Announced { size_bytes: 12, ..Announced::of(&whole) }, "size_mismatch"),
        wrong(Announced { mime_type: "video/webm".to_owned(), ..Announced::of(&whole) }, "type_mismatch"),
        avi_with_a_playlist(bait),
    ];
    all.extend(playlists(bait));
    all
}

/// Somebody of the free tier who has sent one file today.
async fn owner(world: &World, number: usize) -> UserId {
    let owner: UserId = sqlx::query_scalar("INSERT INTO users (email, tier) VALUES ($1, 'free') RETURNING user_id")
        .bind(format!("person-{number}@example.org"))
        .fetch_one(world.pool())
        .await
        .unwrap();
    let today = "INSERT INTO quota_usage VALUES ($1, 'uploads', current_date::timestamp AT TIME ZONE 'UTC', 1)";
    sqlx::query(today).bind(owner).execute(world.pool()).await.unwrap();
    owner
}

/// Everything that is not as it should be.
async fn faults(world: &World, bad: &Bad, video: Uploaded) -> Vec<String> {
    let mut wrong = Vec::new();
    let (state, code, message): (String, Option<String>, Option<String>) =
        sqlx::query_as("SELECT state::text, failure_code, failure_message FROM videos WHERE video_id = $1")
            .bind(video.video_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    let mut check = |right: bool, what: String| {
        if !right {
            wrong.push(format!("{}: {what}", bad.announced.filename));
        }
    };
    check(state == "failed" && code.as_deref() == Some(bad.code), format!("{state} {code:?}, not {}", bad.code));
    check(
        message.as_ref().is_some_and(|text| text.ends_with('.') && text.contains(' ')),
        format!("no sentence: {message:?}"),
    );
    check(world.attempts(video, Stage::UploadValidate).await.len() == 1, "tried again".to_owned());
    for &stage in Stage::ALL.iter().skip(1) {
        let (state, _, _) = world.job(video, stage).await;
        check(state == "cancelled", format!("{stage} is {state}"));
    }
    let used: i32 = sqlx::query_scalar("SELECT used FROM quota_usage WHERE user_id = $1")
        .bind(video.owner_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    check(used == 0, "the upload is not given back".to_owned());
    let objects = world.store.list(&keys::video_prefix(video.video_id)).await.unwrap();
    check(objects.iter().all(|key| *key == keys::source(video.video_id)), format!("objects are left: {objects:?}"));
    wrong
}

#[tokio::test]
async fn what_is_no_video_is_rejected_once_and_for_all() {
    let world = World::new().await;
    let worker = world.worker("one").start();
    let bait = Bait::new();
    let cases = all(&bait);
    bait.set_times(SystemTime::UNIX_EPOCH);
    let mut videos = Vec::new();
    for (number, bad) in cases.iter().enumerate() {
        videos.push(world.upload_as(owner(&world, number).await, &bad.file, &bad.announced).await);
    }
    let mut wrong = Vec::new();
    for (bad, &video) in cases.iter().zip(&videos) {
        world.video_becomes(video, &["failed", "indexed"]).await;
        wrong.extend(faults(&world, bad, video).await);
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    bait.assert_untouched();
    common::until("scratch space is empty", common::PATIENCE, async || world.scratch_files().is_empty().then_some(()))
        .await;
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test]
async fn a_free_account_has_its_limit_of_length() {
    let world = World::new().await;
    let _worker = world.worker("one").with("HEIMDEX_FREE_MAX_DURATION_S", "5").start();
    let owner = world.owner("free").await;
    let video = world.upload_as(owner, media::spoken(), &Announced::of(media::spoken())).await;
    world.video_becomes(video, &["failed"]).await;
    assert_eq!(world.job(video, Stage::UploadValidate).await.2.as_deref(), Some("too_long"));
    // The same file, for somebody who may.
    let video = world.upload(media::spoken()).await;
    world.video_becomes(video, &["indexed"]).await;
}
