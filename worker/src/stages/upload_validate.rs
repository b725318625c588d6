//! Validation: is the object the file that was announced, and a video?
//! Reads: source object. Writes: metadata, sha256, warnings, poster; or rejects. Again: same key, rows replaced.

use std::{io::Read, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use heimdex_db::{
    keys,
    moments::metadata::{self, VideoMetadata},
    runs::{self, ValidObject},
};
use heimdex_media::{
    Declared, MediaError, Probe, RejectCode,
    child::{Request, Response},
    probe::ProbeLimits,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::blocking;
use crate::{
    child,
    stage::{Job, Outcome, StageContext, StageError},
};

/// Reading every packet's header of the largest file.
const DEADLINE: Duration = Duration::from_secs(600);
const POSTER_BYTES: u64 = 8 << 20;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let subject = &job.subject;
    let head = cx.store().head(&keys::source(job.video_id)).await?.ok_or_else(|| StageError::missing("the object"))?;
    let declared_bytes = u64::try_from(subject.declared_size_bytes).unwrap_or(0);
    if head.size_bytes == 0 {
        return Err(MediaError::rejected(RejectCode::EmptyFile, "0 bytes").into());
    }
    if head.size_bytes != declared_bytes {
        let detail = format!("announced {declared_bytes}, got {}", head.size_bytes);
        return Err(MediaError::rejected(RejectCode::SizeMismatch, detail).into());
    }
    let source = cx.scratch().source(cx.store(), job.video_id, head.size_bytes).await?;
    cx.progress(40);
    let sha256 = {
        let (path, cancel) = (source.path().to_owned(), cx.cancel.clone());
        blocking(move || hash(&path, &cancel)).await?
    };
    cx.progress(50);

    let folder = cx.scratch().folder(POSTER_BYTES).await?;
    let poster_file = folder.path().join("poster.webp");
    let limit_s = cx.config().limits.of(subject.tier).max_duration_s;
    let request = Request::Probe {
        source: source.path().to_owned(),
        declared: Declared {
            filename: subject.original_filename.clone(),
            mime: subject.mime_type.clone(),
            size_bytes: Some(declared_bytes),
        },
        limits: ProbeLimits { max_duration_ms: limit_s.and_then(|limit| u64::try_from(limit).ok()?.checked_mul(1000)) },
        poster: Some(poster_file.clone()),
    };
    let Response::Probe { probe, poster } = child::run(cx, request, DEADLINE, (50, 90)).await? else {
        return Err(child::wrong_answer());
    };
    let poster_key = keys::poster(job.video_id);
    if poster.is_some() {
        cx.store().put_file(&poster_key, &poster_file, "image/webp").await?;
    }

    let mut tx = cx.fenced_tx().await?;
    let object = ValidObject {
        size_bytes: subject.declared_size_bytes,
        sha256: &sha256,
        poster_key: poster.is_some().then_some(poster_key.as_str()),
    };
    runs::accept_object(&mut tx, job.video_id, &object).await?;
    metadata::replace(&mut tx, job.video_id, &row(&probe)).await?;
    for warning in &probe.warnings {
        let code = json!(warning.code);
        runs::warn(&mut tx, job.video_id, code.as_str().unwrap_or("warning"), &warning.message).await?;
    }
    let twin = runs::same_bytes(&mut *tx, job.owner_id, &sha256, job.video_id).await?;
    cx.commit(tx).await?;
    // A person may have reasons to keep two; it is only said.
    Ok(twin.map_or_else(Outcome::done, |_| Outcome::nothing("duplicate")))
}

fn hash(path: &Path, cancel: &CancellationToken) -> Result<[u8; 32], StageError> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        if cancel.is_cancelled() {
            return Err(StageError::Cancelled);
        }
        hasher.update(&buffer[..read]);
    }
}

fn row(probe: &Probe) -> VideoMetadata {
    let small = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let heard = probe.audio.iter().find(|track| track.default && track.supported);
    let heard = heard.or_else(|| probe.audio.iter().find(|track| track.supported)).or(probe.audio.first());
    VideoMetadata {
        container: json!(probe.container).as_str().unwrap_or("unknown").to_owned(),
        duration_ms: i64::try_from(probe.duration_ms).unwrap_or(i64::MAX),
        width: small(probe.display_width),
        height: small(probe.display_height),
        fps: f64::from(probe.fps_num) / f64::from(probe.fps_den.max(1)),
        variable_fps: probe.variable_frame_rate,
        rotation: i16::try_from(probe.rotation).unwrap_or(0),
        video_codec: probe.video_codec.clone(),
        bit_depth: i16::try_from(probe.bit_depth).ok(),
        pixel_format: Some(probe.pixel_format.clone()).filter(|format| !format.is_empty()),
        bit_rate: i64::try_from(probe.bitrate).ok(),
        audio_codec: heard.map(|track| track.codec.clone()),
        audio_tracks: probe.audio.iter().map(|track| {
            json!({
                "index": track.index, "codec": track.codec, "channels": track.channels, "sample_rate": track.sample_rate,
                "language": track.language, "start_ms": track.start_ms,
            })
        }).collect::<Value>(),
        loudness_lufs: None,
        creation_time: probe.creation_time.as_deref().and_then(parse_time),
    }
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}
