//! Inputs made by the ffmpeg command line, and the child that looks at them.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use heimdex_media::child::{Finished, Limits, Request, Response, Runner};
use heimdex_media::probe::ProbeLimits;
use heimdex_media::scene::{SceneOptions, SceneReport};
use heimdex_media::{Declared, MediaError, Probe, RejectCode};
use tempfile::TempDir;

pub struct Desk {
    pub folder: TempDir,
    pub runner: Runner,
}

/// Three shots of 40, 35 and 45 pictures at 25 a second, 192×108: pictures of quite different colour and texture, all moving.
pub const CUTS: [u64; 2] = [40, 75];
pub const FRAMES: u64 = 120;

const THREE_SHOTS: &str = "testsrc2=s=192x108:r=25,trim=end_frame=40,setpts=N/25/TB[a];\
    mandelbrot=s=192x108:r=25:start_scale=0.3,trim=end_frame=35,setpts=N/25/TB[b];\
    gradients=s=192x108:r=25:c0=yellow:c1=navy:n=2:speed=0.02:seed=3,drawgrid=w=24:h=24:t=3:c=red,trim=end_frame=45,setpts=N/25/TB[c];\
    [a][b][c]concat=n=3,format=yuv420p";

impl Desk {
    pub fn new() -> Self {
        let runner = Runner { exe: env!("CARGO_BIN_EXE_heimdex-media-child").into(), limits: Limits::default() };
        Self { folder: tempfile::tempdir().expect("a folder"), runner }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("an input written");
        path
    }

    /// Runs ffmpeg in the folder; `args` are split at blanks.
    pub fn ffmpeg(&self, args: &str) {
        self.ffmpeg_args(&args.split_whitespace().collect::<Vec<_>>());
    }

    pub fn ffmpeg_args(&self, args: &[&str]) {
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-y"])
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .expect("ffmpeg runs");
        assert!(output.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Three shots, encoded by `encoder` (options separated by blanks) into `name`.
    pub fn three_shots(&self, name: &str, encoder: &str) -> PathBuf {
        let mut args = vec!["-filter_complex", THREE_SHOTS];
        args.extend(encoder.split_whitespace());
        args.push(name);
        self.ffmpeg_args(&args);
        self.path(name)
    }

    pub async fn probe_as(&self, source: &Path, declared: Declared, limits: ProbeLimits) -> Result<Probe, MediaError> {
        let request =
            Request::Probe { source: source.into(), declared, limits, poster: Some(self.path("poster.webp")) };
        match self.run(request).await?.response {
            Response::Probe { probe, poster } => {
                let poster = poster.expect("a poster was asked for");
                assert!(std::fs::read(self.path("poster.webp")).expect("a poster").starts_with(b"RIFF"));
                assert!(poster.bytes > 0 && poster.width > 0);
                Ok(*probe)
            }
            other => panic!("not a probe: {other:?}"),
        }
    }

    pub async fn probe(&self, source: &Path) -> Result<Probe, MediaError> {
        self.probe_as(source, Declared::default(), ProbeLimits::default()).await
    }

    pub async fn rejection(&self, source: &Path) -> RejectCode {
        match self.probe(source).await {
            Err(MediaError::Rejected { code, .. }) => code,
            other => panic!("{} was not rejected: {other:?}", source.display()),
        }
    }

    pub async fn scenes(&self, source: &Path) -> SceneReport {
        self.scenes_with(source, SceneOptions::default()).await
    }

    pub async fn scenes_with(&self, source: &Path, options: SceneOptions) -> SceneReport {
        let out_dir = self.path("frames");
        std::fs::create_dir_all(&out_dir).expect("a folder for frames");
        match self.run(Request::DetectScenes { source: source.into(), out_dir, options }).await {
            Ok(Finished { response: Response::DetectScenes { report }, .. }) => *report,
            other => panic!("{}: {other:?}", source.display()),
        }
    }

    pub async fn run(&self, request: Request) -> Result<Finished, MediaError> {
        self.runner.run(request, Duration::from_secs(120), |_| ()).await
    }
}

/// First pictures of all scenes but the first.
pub fn cuts(report: &SceneReport) -> Vec<u64> {
    report.scenes.iter().skip(1).map(|scene| scene.start_frame).collect()
}
