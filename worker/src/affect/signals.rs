//! What each fact about a scene says about its affect. Every constant is explained in `docs/affect.md`.

use super::Signal;

/// What is known of a scene; `None` where it is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub duration_s: f64,
    /// Mean change a second, 0 (still) to 1.
    pub motion: Option<f64>,
    /// Of everything heard in it, LUFS.
    pub loudness_lufs: Option<f64>,
    /// There is sound, and in this scene it is digital silence.
    pub silent: bool,
    /// Loudness of its spoken seconds over that of the video's, LU.
    pub voice_lu: Option<f64>,
    /// Pitch of its spoken seconds over that of the video's.
    pub pitch_semitones: Option<f64>,
    /// How long voices are heard in it, seconds.
    pub voiced_s: f64,
    pub words: usize,
    /// How long these words take, pauses left out, seconds.
    pub spoken_s: f64,
    /// Of what is said, −1 to 1.
    pub text_valence: Option<f64>,
    /// Mean luma, 0 to 1.
    pub brightness: Option<f64>,
    /// Mean saturation (HSV), 0 to 1.
    pub saturation: Option<f64>,
    /// −1 (cold) to 1 (warm).
    pub warmth: Option<f64>,
    /// Of the faces in it.
    pub expression: Option<Expression>,
}

/// What faces express.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expression {
    /// −1 to 1.
    pub valence: f64,
    /// 0 to 1.
    pub arousal: f64,
    /// 0 to 1.
    pub reliability: f64,
}

/// Words after which a text's valence is as sure as it gets.
const ENOUGH_WORDS: f64 = 12.0;
/// Voiced seconds after which a voice's pitch and loudness are.
const ENOUGH_VOICE_S: f64 = 3.0;
/// Mean change a second at which motion counts as two thirds of the most.
const LIVELY_MOTION: f64 = 0.15;

/// Signals of valence, arousal and energy.
pub fn signals(facts: &Facts) -> [Vec<Signal>; 3] {
    let signal = |source, weight, heard| Signal { source, weight, heard };
    let colour = facts.brightness.zip(facts.saturation);
    let expression = facts.expression;
    let voice = (facts.voiced_s / ENOUGH_VOICE_S).clamp(0.0, 1.0);
    let motion = facts.motion.map(|motion| (1.0, 1.0 - (-motion.max(0.0) / LIVELY_MOTION).exp()));
    // An empty scene has no pace.
    let lasts = facts.duration_s > 0.0;

    let valence = vec![
        signal("text", 0.55, facts.text_valence.map(|value| ((facts.words as f64 / ENOUGH_WORDS).min(1.0), value))),
        signal("expression", 0.35, expression.map(|e| (e.reliability, e.valence))),
        signal(
            "colour",
            0.10,
            colour.map(|(brightness, saturation)| (1.0, pleasure(brightness, saturation, facts.warmth))),
        ),
    ];
    let arousal = vec![
        signal("voice_loudness", 0.25, facts.voice_lu.map(|lu| (voice, 0.5 + lu / 20.0))),
        signal("voice_pitch", 0.20, facts.pitch_semitones.map(|semitones| (voice, 0.5 + semitones / 12.0))),
        signal(
            "speech_rate",
            0.10,
            (facts.spoken_s > 0.0).then(|| ((facts.spoken_s / ENOUGH_VOICE_S).min(1.0), rate(facts))),
        ),
        signal("motion", 0.20, motion),
        signal("colour", 0.05, colour.map(|(brightness, saturation)| (1.0, excitement(brightness, saturation)))),
        signal("expression", 0.20, expression.map(|e| (e.reliability, e.arousal))),
    ];
    let energy = vec![
        signal("loudness", 0.45, loudness(facts).map(|value| (1.0, value))),
        signal("motion", 0.35, motion),
        signal("pace", 0.20, lasts.then(|| (1.0, pace(facts.duration_s)))),
    ];
    [valence, arousal, energy]
}

/// −1 to 1. Valdez and Mehrabian (1994): pleasure = 0.69 brightness + 0.22 saturation; here from the middle of both, and a little for warmth.
fn pleasure(brightness: f64, saturation: f64, warmth: Option<f64>) -> f64 {
    (0.69 * (brightness - 0.5) + 0.22 * (saturation - 0.5) + 0.1 * warmth.unwrap_or(0.0)) / 0.455
}

/// 0 to 1. Valdez and Mehrabian (1994): arousal = −0.31 brightness + 0.60 saturation, from its least to its most.
fn excitement(brightness: f64, saturation: f64) -> f64 {
    (0.60 * saturation - 0.31 * brightness + 0.31) / 0.91
}

/// 0 at one word a second, 1 at five.
fn rate(facts: &Facts) -> f64 {
    (facts.words as f64 / facts.spoken_s - 1.0) / 4.0
}

/// 0 at −50 LUFS and in silence, 1 at −10.
fn loudness(facts: &Facts) -> Option<f64> {
    if facts.silent { Some(0.0) } else { facts.loudness_lufs.map(|lufs| (lufs + 50.0) / 40.0) }
}

/// 1 for shots of a second and less, 0 for those of 30 and more.
fn pace(duration_s: f64) -> f64 {
    1.0 - (duration_s.max(1.0).ln() / 30.0_f64.ln()).min(1.0)
}
