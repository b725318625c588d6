//! Writing in real H.264 video: drawn into pictures by FFmpeg, encoded, decoded, read.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;

use heimdex_models::ocr::{Line, Strokes};
use heimdex_models::{Picture, TextReader};
use support::registry;

const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
const BOLD: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";
const SERIF: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf";
const CHINESE: &str = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";

/// A text drawn into a picture: what, with which font, how high in pixels of the video, in which colour, and how far down (0 to 1).
struct Drawn {
    text: &'static str,
    font: &'static str,
    size: u32,
    colour: &'static str,
    down: f32,
}

const fn drawn(text: &'static str, font: &'static str, size: u32, colour: &'static str, down: f32) -> Drawn {
    Drawn { text, font, size, colour, down }
}

/// Backgrounds of a person's videos, as FFmpeg draws them: flat, in motion with grain, light, and of many colours, each of which is
/// given: one that is not, FFmpeg chooses anew each time.
const BACKGROUNDS: [&str; 4] = [
    "color=0x203040",
    "gradients=c0=0x0a1a3a:c1=0x604020:n=2:speed=0.01:seed=3,noise=alls=12:allf=t:all_seed=7",
    "color=0xe8e4d8,noise=alls=6:allf=t:all_seed=7",
    "gradients=c0=0x806040:c1=0x205040:c2=0x704868:c3=0x485878:n=4:speed=0.02:seed=5",
];

/// A second of H.264 with these texts, decoded and fitted into 1280 pixels, as the pipeline's candidates are.
fn picture(folder: &Path, background: &str, (width, height): (u32, u32), texts: &[Drawn]) -> (usize, usize, Vec<u8>) {
    let mut filters = vec!["format=yuv420p".to_owned()];
    for (n, text) in texts.iter().enumerate() {
        assert!(Path::new(text.font).is_file(), "{} is missing; scripts/test installs it", text.font);
        let file = folder.join(format!("text{n}.txt"));
        std::fs::write(&file, text.text).unwrap();
        filters.push(format!(
            "drawtext=fontfile={}:textfile={}:expansion=none:fontsize={}:fontcolor={}:x=(w-text_w)*0.3:y=h*{}",
            text.font,
            file.display(),
            text.size,
            text.colour,
            text.down
        ));
    }
    let video = folder.join("video.mp4");
    let (first, rest) = background.split_once(',').unwrap_or((background, "null"));
    let source = format!("{first}:s={width}x{height}:r=25:d=1");
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", &source, "-vf"])
        .arg(format!("{rest},{}", filters.join(",")))
        .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"])
        .arg(&video));
    let (w, h) = (1280, height * 1280 / width);
    let raw = run(Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-ss", "0.6", "-i"]).arg(&video).args([
        "-frames:v",
        "1",
        "-vf",
        &format!("scale={w}:{h}:flags=bilinear"),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]));
    (w as usize, h as usize, raw)
}

fn run(command: &mut Command) -> Vec<u8> {
    let done = command.output().expect("ffmpeg can be run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn reader() -> TextReader {
    TextReader::load(&registry().get("pp-ocr-v6").unwrap(), 1).unwrap()
}

fn read(reader: &TextReader, (width, height, rgb): &(usize, usize, Vec<u8>)) -> Vec<Line> {
    let picture = Picture::new(*width, *height, rgb).unwrap();
    reader.read(picture, &Strokes::of(picture)).unwrap()
}

/// Characters without blanks: where a blank is, is a matter of the font.
fn plain(text: &str) -> Vec<char> {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Characters that are wrong, missing or too many, at most as many as there should be.
fn wrong(truth: &str, lines: &[Line], down: f32) -> usize {
    let mut own: Vec<&Line> =
        lines.iter().filter(|line| (line.corners[0].1 + line.corners[2].1) / 2.0 > down - 0.02).collect();
    own.retain(|line| line.corners[0].1 < down + 0.08);
    own.sort_by(|a, b| a.corners[0].0.total_cmp(&b.corners[0].0));
    let found: String = own.iter().map(|line| line.text.as_str()).collect();
    let (truth, found) = (plain(truth), plain(&found));
    let mut row: Vec<usize> = (0..=found.len()).collect();
    for (i, expected) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, character) in found.iter().enumerate() {
            let substitute = diagonal + usize::from(character != expected);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[found.len()].min(truth.len())
}

/// Reads every background in both sizes and says how many of all characters were right.
fn share_right(texts: &[Drawn]) -> f64 {
    let (reader, folder) = (reader(), tempfile::tempdir().unwrap());
    let (mut all, mut bad) = (0, 0);
    for size in [(1920, 1080), (1280, 720)] {
        for background in BACKGROUNDS {
            // On a light background light letters are nobody's to read.
            let light = background.contains("e8e4d8");
            let texts: Vec<Drawn> =
                texts.iter().map(|text| Drawn { colour: if light { "black" } else { text.colour }, ..*text }).collect();
            let lines = read(&reader, &picture(folder.path(), background, size, &texts));
            for text in &texts {
                let errors = wrong(text.text, &lines, text.down);
                if errors > 0 {
                    println!("{size:?} {background}: {errors} wrong in {:?}: {lines:#?}", text.text);
                }
                all += plain(text.text).len();
                bad += errors;
            }
        }
    }
    let right = 1.0 - bad as f64 / all as f64;
    println!("{:.1} % of {all} characters are right", right * 100.0);
    right
}

#[test]
fn latin_letters_of_24_pixels_and_more_are_read() {
    let right = share_right(&[
        drawn("Breaking news: market falls 3.5%", FONT, 24, "white", 0.08),
        drawn("Platform 9 departures 14:25", BOLD, 28, "yellow", 0.22),
        drawn("Professor Anna Müller, Zürich", SERIF, 32, "white", 0.36),
        drawn("www.example.org/help", FONT, 24, "0xc0ffc0", 0.50),
        drawn("NO ENTRY WITHOUT TICKET", BOLD, 48, "white", 0.62),
        drawn("Chapter 2", SERIF, 96, "white", 0.78),
    ]);
    assert!(right >= 0.95, "{:.1} % of the characters are right", right * 100.0);
}

#[test]
fn chinese_letters_of_24_pixels_and_more_are_read() {
    let right = share_right(&[
        drawn("今天天气很好我们去公园", CHINESE, 24, "white", 0.1),
        drawn("北京大学图书馆", CHINESE, 32, "yellow", 0.3),
        drawn("请勿吸烟谢谢合作", CHINESE, 48, "white", 0.5),
        drawn("上海浦东国际机场", CHINESE, 72, "white", 0.7),
    ]);
    assert!(right >= 0.95, "{:.1} % of the characters are right", right * 100.0);
}

#[test]
fn a_line_says_where_it_is() {
    let (reader, folder) = (reader(), tempfile::tempdir().unwrap());
    let texts = [drawn("Somewhere in the middle", FONT, 60, "white", 0.5)];
    let lines = read(&reader, &picture(folder.path(), BACKGROUNDS[0], (1280, 720), &texts));
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let [a, b, c, d] = line.corners;
    assert!(a.0 < b.0 && a.1 < d.1 && (a.1 - b.1).abs() < 0.01 && (c.0 - b.0).abs() < 0.01, "{line:?}");
    assert!((0.45..0.53).contains(&a.1) && (0.54..0.64).contains(&d.1), "{line:?}");
    assert!(line.confidence > 0.9);
}

#[test]
fn turned_writing_is_read() {
    let (reader, folder) = (reader(), tempfile::tempdir().unwrap());
    let texts = [drawn("Departures 14:25", FONT, 60, "white", 0.45)];
    let (width, height, rgb) = picture(folder.path(), BACKGROUNDS[0], (1280, 1280), &texts);
    // A quarter to the left: read from below.
    let mut turned = vec![0; rgb.len()];
    for y in 0..height {
        for x in 0..width {
            let (from, to) = ((y * width + x) * 3, ((width - 1 - x) * height + y) * 3);
            turned[to..to + 3].copy_from_slice(&rgb[from..from + 3]);
        }
    }
    let lines = read(&reader, &(height, width, turned));
    assert_eq!(
        lines.iter().map(|line| plain(&line.text).into_iter().collect::<String>()).collect::<Vec<_>>(),
        ["Departures14:25"]
    );
}

#[test]
fn pictures_without_writing_give_none() {
    let (reader, folder) = (reader(), tempfile::tempdir().unwrap());
    for background in BACKGROUNDS {
        let lines = read(&reader, &picture(folder.path(), background, (1280, 720), &[]));
        assert!(lines.is_empty(), "{background}: {lines:#?}");
    }
    let mandelbrot = run(Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "mandelbrot=s=1280x720:start_scale=0.3"])
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]));
    let lines = read(&reader, &(1280, 720, mandelbrot));
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn the_smallest_pictures_are_no_trouble() {
    let reader = reader();
    for (width, height) in [(1, 1), (4, 4), (2, 720), (1280, 2), (33, 17)] {
        // Noise, so that there is something to look at.
        let rgb: Vec<u8> = (0..width * height * 3).map(|n| (n * 7919 % 251) as u8).collect();
        assert!(read(&reader, &(width, height, rgb)).is_empty(), "{width}×{height}");
    }
}
