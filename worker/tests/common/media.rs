//! Small videos made on the spot by FFmpeg: generated pictures, a synthetic voice.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// What the voice says in [`spoken`].
pub const SPOKEN: &str = "It was the best of times. It was the worst of times. We had everything before us.";

fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder")).path()
}

fn ffmpeg(arguments: &[&str], to: &Path) {
    let made = Command::new("ffmpeg").args(["-hide_banner", "-v", "error", "-y"]).args(arguments).arg(to).output();
    let made = made.expect("ffmpeg can be run");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Makes `name` in the folder of this process by ffmpeg; `arguments` are split at blanks, and name files of that folder.
pub fn make(name: &str, arguments: &str) -> PathBuf {
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-v", "error", "-nostdin", "-y"])
        .args(arguments.split_whitespace())
        .arg(name)
        .env("SVT_LOG", "1")
        .current_dir(folder())
        .output()
        .expect("ffmpeg can be run");
    assert!(made.status.success(), "{name}: {}", String::from_utf8_lossy(&made.stderr));
    folder().join(name)
}

/// Nine seconds, three scenes with hard cuts, one voice.
pub fn spoken() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = folder().join("spoken.mp4");
        let voice = format!("flite=text='{SPOKEN}':voice=slt");
        ffmpeg(
            &[
                "-f",
                "lavfi",
                "-i",
                "testsrc2=s=640x360:r=25:d=3",
                "-f",
                "lavfi",
                "-i",
                "mandelbrot=s=640x360:r=25:start_scale=0.4,trim=duration=3",
                "-f",
                "lavfi",
                "-i",
                "smptehdbars=s=640x360:r=25:d=3",
                "-f",
                "lavfi",
                "-i",
                &voice,
                "-filter_complex",
                "[0][1][2]concat=n=3:v=1:a=0,format=yuv420p[v];[3]apad,atrim=duration=9[a]",
                "-map",
                "[v]",
                "-map",
                "[a]",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-g",
                "50",
                "-c:a",
                "aac",
                "-t",
                "9",
            ],
            &file,
        );
        file
    })
}

/// Two seconds of one picture without sound.
pub fn silent() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = folder().join("silent.mp4");
        ffmpeg(
            &[
                "-f",
                "lavfi",
                "-i",
                "testsrc2=s=320x240:r=25:d=2",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
            ],
            &file,
        );
        file
    })
}

/// Two seconds that no browser plays: MPEG-4 part 2 with MP2 in an AVI.
pub fn old_fashioned() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = folder().join("old.avi");
        let picture = "testsrc2=s=320x240:r=25:d=2";
        ffmpeg(&["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=2", "-c:v", "mpeg4", "-c:a", "mp2"], &file);
        file
    })
}

/// Sound without a picture.
pub fn audio_only() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = folder().join("sound.mp4");
        ffmpeg(&["-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac"], &file);
        file
    })
}

/// A file with this content.
pub fn bytes(name: &str, content: &[u8]) -> PathBuf {
    let file = folder().join(name);
    std::fs::write(&file, content).expect("written");
    file
}
