//! The sidecar: everything that was found in a video, as one JSON document for other programs.
//!
//! ```text
//! {
//!   "schema": "heimdex.sidecar/1",
//!   "video":  { video_id, original_filename, sha256, size_bytes, duration_ms, container, video_codec, audio_codec,
//!               width, height, fps, variable_fps, rotation, audio_tracks, loudness_lufs, creation_time },
//!   "run":    { run_id, language, models: { kind: id } },
//!   "scenes": [ { scene_id, ordinal, start_ms, end_ms, transition, motion, text, keyframe_ms,
//!                 tags: [ { tag, score, source } ], affect: { valence, arousal, energy } | null,
//!                 frames: [ { at_ms, sharpness, brightness } ],
//!                 on_screen: [ { start_ms, end_ms, text, confidence, box: [[x, y]; 4] } ] } ],
//!   "segments": [ { segment_no, start_ms, end_ms, text, avg_logprob, no_speech_prob,
//!                   words: [ { start_ms, end_ms, text, probability, scene_id } ] } ],
//!   "warnings": [ { code, message } ]
//! }
//! ```
//! All times are integer milliseconds from the start of the video. `width` and `height` are as displayed. Fields are only
//! ever added under the same schema number; whatever changes the meaning of one raises it. There is no time of writing
//! in it: the same video and the same models give the same bytes.

use heimdex_db::{
    RunId, SceneId, VideoId,
    moments::{
        frames::Frame,
        metadata::VideoMetadata,
        scenes::Scene,
        screen_texts::{OnScreen, ScreenText},
        tags::SceneTag,
        transcript,
    },
};
use serde::Serialize;
use serde_json::Value;

/// Name and version of the schema.
pub const SCHEMA: &str = "heimdex.sidecar/1";

/// What a sidecar is made of.
pub struct Parts<'a> {
    pub video_id: VideoId,
    pub run_id: RunId,
    pub original_filename: &'a str,
    pub sha256_hex: Option<String>,
    pub size_bytes: Option<i64>,
    pub metadata: &'a VideoMetadata,
    pub language: Option<&'a str>,
    pub models: &'a Value,
    pub warnings: &'a Value,
    /// In order.
    pub scenes: &'a [Scene],
    /// By scene, the surest first.
    pub tags: &'a [SceneTag],
    /// In order of time; those not chosen are left out.
    pub frames: &'a [Frame],
    /// In order of time.
    pub screen_texts: &'a [ScreenText],
    /// In order.
    pub segments: &'a [transcript::Segment],
    /// In order.
    pub words: &'a [transcript::Word],
}

#[derive(Serialize)]
struct Sidecar<'a> {
    schema: &'static str,
    video: Video<'a>,
    run: Run<'a>,
    scenes: Vec<SceneOut<'a>>,
    segments: Vec<SegmentOut<'a>>,
    warnings: &'a Value,
}

#[derive(Serialize)]
struct Video<'a> {
    video_id: VideoId,
    original_filename: &'a str,
    sha256: Option<String>,
    size_bytes: Option<i64>,
    duration_ms: i64,
    container: &'a str,
    video_codec: &'a str,
    audio_codec: Option<&'a str>,
    width: i32,
    height: i32,
    fps: f64,
    variable_fps: bool,
    rotation: i16,
    audio_tracks: &'a Value,
    loudness_lufs: Option<f64>,
    creation_time: Option<String>,
}

#[derive(Serialize)]
struct Run<'a> {
    run_id: RunId,
    language: Option<&'a str>,
    models: &'a Value,
}

#[derive(Serialize)]
struct SceneOut<'a> {
    scene_id: SceneId,
    ordinal: i32,
    start_ms: i64,
    end_ms: i64,
    transition: &'a str,
    motion: Option<f32>,
    text: &'a str,
    keyframe_ms: Option<i64>,
    tags: Vec<TagOut<'a>>,
    affect: Option<&'a Value>,
    frames: Vec<FrameOut>,
    on_screen: Vec<OnScreen>,
}

#[derive(Serialize)]
struct TagOut<'a> {
    tag: &'a str,
    score: f32,
    source: &'a str,
}

#[derive(Serialize)]
struct FrameOut {
    at_ms: i64,
    sharpness: f32,
    brightness: f32,
}

#[derive(Serialize)]
struct SegmentOut<'a> {
    segment_no: i32,
    start_ms: i64,
    end_ms: i64,
    text: &'a str,
    avg_logprob: Option<f32>,
    no_speech_prob: Option<f32>,
    words: Vec<WordOut<'a>>,
}

#[derive(Serialize)]
struct WordOut<'a> {
    start_ms: i64,
    end_ms: i64,
    text: &'a str,
    probability: f32,
    scene_id: Option<SceneId>,
}

/// Renders the document.
pub fn render(parts: &Parts<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let m = parts.metadata;
    let sidecar = Sidecar {
        schema: SCHEMA,
        video: Video {
            video_id: parts.video_id,
            original_filename: parts.original_filename,
            sha256: parts.sha256_hex.clone(),
            size_bytes: parts.size_bytes,
            duration_ms: m.duration_ms,
            container: &m.container,
            video_codec: &m.video_codec,
            audio_codec: m.audio_codec.as_deref(),
            width: m.width,
            height: m.height,
            fps: m.fps,
            variable_fps: m.variable_fps,
            rotation: m.rotation,
            audio_tracks: &m.audio_tracks,
            loudness_lufs: m.loudness_lufs,
            creation_time: m.creation_time.map(|at| at.to_rfc3339()),
        },
        run: Run { run_id: parts.run_id, language: parts.language, models: parts.models },
        scenes: parts.scenes.iter().map(|scene| scene_out(scene, parts)).collect(),
        segments: parts.segments.iter().map(|segment| segment_out(segment, parts.words)).collect(),
        warnings: parts.warnings,
    };
    let mut bytes = serde_json::to_vec_pretty(&sidecar)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn scene_out<'a>(scene: &'a Scene, parts: &Parts<'a>) -> SceneOut<'a> {
    let written = parts.screen_texts.iter().filter(|text| text.scene_id == scene.scene_id);
    let tags = parts.tags.iter().filter(|tag| tag.scene_id == scene.scene_id);
    let chosen = parts.frames.iter().filter(|frame| frame.sampled && frame.scene_id == scene.scene_id);
    SceneOut {
        scene_id: scene.scene_id,
        ordinal: scene.ordinal,
        start_ms: scene.start_ms,
        end_ms: scene.end_ms,
        transition: &scene.transition,
        motion: scene.motion,
        text: &scene.text,
        keyframe_ms: scene.keyframe_ms,
        tags: tags.map(|tag| TagOut { tag: &tag.tag, score: tag.score, source: &tag.source }).collect(),
        affect: scene.affect.as_ref(),
        frames: chosen
            .map(|frame| FrameOut { at_ms: frame.at_ms, sharpness: frame.sharpness, brightness: frame.brightness })
            .collect(),
        on_screen: written
            .map(|seen| OnScreen {
                start_ms: seen.start_ms,
                end_ms: seen.end_ms,
                text: seen.text.clone(),
                confidence: seen.confidence,
                corners: seen.corners.0,
            })
            .collect(),
    }
}

fn segment_out<'a>(segment: &'a transcript::Segment, words: &'a [transcript::Word]) -> SegmentOut<'a> {
    // Words are in order and those of a segment stand together.
    let from = words.partition_point(|word| word.segment_no < segment.segment_no);
    let own = words[from..].iter().take_while(|word| word.segment_no == segment.segment_no);
    SegmentOut {
        segment_no: segment.segment_no,
        start_ms: segment.start_ms,
        end_ms: segment.end_ms,
        text: &segment.text,
        avg_logprob: segment.avg_logprob,
        no_speech_prob: segment.no_speech_prob,
        words: own
            .map(|word| WordOut {
                start_ms: word.start_ms,
                end_ms: word.end_ms,
                text: &word.text,
                probability: word.probability,
                scene_id: word.scene_id,
            })
            .collect(),
    }
}
