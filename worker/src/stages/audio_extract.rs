//! Audio: one mono track for speech recognition.
//! Reads: source object. Writes: audio artifact (16 kHz, lossless), loudness, loudness and pitch of each second. Again: same key, rows replaced.

use heimdex_db::{
    keys,
    moments::{
        metadata,
        sound::{self, SoundCurve},
    },
    runs,
};
use heimdex_media::{
    audio::TrackChoice,
    child::{Request, Response},
};

use crate::{
    child,
    stage::{Job, Outcome, StageContext, StageError},
};

/// 16-bit samples at 16 kHz, with room for what does not compress.
const BYTES_PER_S: u64 = 2 * 16_000 * 5 / 4;

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    let known = metadata::find(cx.db(), job.video_id).await?;
    if known.audio_tracks.as_array().is_none_or(Vec::is_empty) {
        return no_audio(cx, job, false).await;
    }
    let size_bytes = u64::try_from(job.subject.declared_size_bytes).unwrap_or(0);
    let source = cx.scratch().source(cx.store(), job.video_id, size_bytes).await?;
    let duration_ms = u64::try_from(known.duration_ms).unwrap_or(0);
    let folder = cx.scratch().folder((duration_ms / 1000 + 1) * BYTES_PER_S + (1 << 20)).await?;
    let file = folder.path().join("audio.flac");
    let request = Request::ExtractAudio {
        source: source.path().to_owned(),
        target: file.clone(),
        track: TrackChoice::Default,
        max_ms: Some(duration_ms),
    };
    let Response::ExtractAudio { audio } =
        child::run(cx, request, child::deadline(known.duration_ms, 1), (5, 90)).await?
    else {
        return Err(child::wrong_answer());
    };
    if audio.empty {
        return no_audio(cx, job, audio.unreadable).await;
    }
    let key = keys::artifact(job.video_id, job.run_id, "audio.flac");
    cx.store().put_file(&key, &file, "audio/flac").await?;

    let mut tx = cx.fenced_tx().await?;
    runs::set_artifact(&mut tx, job.run_id, "audio", &key).await?;
    metadata::set_loudness(&mut tx, job.video_id, audio.loudness_lufs).await?;
    let curve = SoundCurve {
        loudness_lufs: audio.curve.loudness_lufs,
        pitch_hz: audio.curve.pitch_hz,
        voiced: audio.curve.voiced,
    };
    sound::replace(&mut tx, job.run_id, job.owner_id, Some(&curve)).await?;
    cx.commit(tx).await?;
    Ok(if audio.silent { Outcome::nothing("silence") } else { Outcome::done() })
}

async fn no_audio(cx: &StageContext, job: &Job, unreadable: bool) -> Result<Outcome, StageError> {
    let mut tx = cx.fenced_tx().await?;
    if unreadable {
        let message = "The sound of this video is damaged and was left out.";
        runs::warn(&mut tx, job.video_id, "audio_damaged", message).await?;
    }
    runs::forget_artifact(&mut tx, job.run_id, "audio").await?;
    metadata::set_loudness(&mut tx, job.video_id, None).await?;
    sound::replace(&mut tx, job.run_id, job.owner_id, None).await?;
    cx.commit(tx).await?;
    Ok(Outcome::nothing("no audio"))
}
