//! How a scene feels: valence, arousal and energy, from whatever there is to tell by. `docs/affect.md` says where each number comes
//! from and what it is not good for.
//!
//! Each dimension is a weighted mean of its sources and of a neutral prior. A source's weight is what it is worth at best times how far it
//! can be relied on here; an absent source has none and is never guessed. So `value = Σ share · source + (1 − Σ share) · neutral`.

mod expression;
mod facts;
mod signals;
mod text;

use serde::Serialize;

pub use expression::expression;
pub use facts::{Video, facts};
pub use signals::{Expression, Facts, signals};
pub use text::Valence;

/// Changes whenever the same facts give other numbers; runs record it.
pub const VERSION: &str = "heimdex-affect@1";
/// What the prior weighs, in the units of the sources' weights.
const PRIOR: f64 = 0.15;

/// One scene's affect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Affect {
    /// Pleasant or unpleasant, −1 to 1.
    pub valence: Option<Dimension>,
    /// How excited people seem, 0 (calm) to 1.
    pub arousal: Option<Dimension>,
    /// How much goes on, 0 (nothing) to 1.
    pub energy: Option<Dimension>,
}

/// A number and what it was made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dimension {
    pub value: f64,
    /// Weight of what there was, of what there could have been, 0 to 1.
    pub confidence: f64,
    /// The weightiest first.
    pub sources: Vec<Source>,
}

/// What one source says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Source {
    pub source: &'static str,
    /// In the dimension's own range.
    pub value: f64,
    /// Of the whole, 0 to 1; the rest is the neutral prior.
    pub share: f64,
}

/// What a source can be worth and is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    pub source: &'static str,
    /// At best.
    pub weight: f64,
    /// 0 to 1, and the value; `None`: absent.
    pub heard: Option<(f64, f64)>,
}

impl Dimension {
    /// Puts signals together; `None` when none is there.
    fn of(signals: &[Signal], neutral: f64, range: (f64, f64)) -> Option<Self> {
        let possible: f64 = signals.iter().map(|signal| signal.weight).sum();
        let there: Vec<(&'static str, f64, f64)> = signals
            .iter()
            .filter_map(|signal| {
                let (reliability, value) = signal.heard?;
                let sane = reliability.is_finite() && value.is_finite() && reliability > 0.0;
                sane.then(|| (signal.source, signal.weight * reliability.min(1.0), value.clamp(range.0, range.1)))
            })
            .collect();
        let sum: f64 = there.iter().map(|(_, weight, _)| weight).sum();
        if sum <= 0.0 {
            return None;
        }
        let mut sources: Vec<_> = there
            .iter()
            .map(|&(source, weight, value)| Source {
                source,
                value: rounded(value),
                share: rounded(weight / (sum + PRIOR)),
            })
            .collect();
        sources.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.source.cmp(b.source)));
        let shares: f64 = sources.iter().map(|s| s.share).sum();
        let value = sources.iter().map(|s| s.share * s.value).sum::<f64>() + (1.0 - shares) * neutral;
        Some(Self {
            value: rounded(value.clamp(range.0, range.1)),
            confidence: rounded((sum / possible).min(1.0)),
            sources,
        })
    }
}

/// To three places: more would pretend.
fn rounded(x: f64) -> f64 {
    // No negative zero in what people read.
    (x * 1000.0).round() / 1000.0 + 0.0
}

/// The affect of a scene with these facts; `None` when nothing at all is known.
pub fn affect(facts: &Facts) -> Option<Affect> {
    let [valence, arousal, energy] = signals(facts);
    let affect = Affect {
        valence: Dimension::of(&valence, 0.0, (-1.0, 1.0)),
        arousal: Dimension::of(&arousal, 0.5, (0.0, 1.0)),
        energy: Dimension::of(&energy, 0.5, (0.0, 1.0)),
    };
    (affect.valence.is_some() || affect.arousal.is_some() || affect.energy.is_some()).then_some(affect)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(range: std::ops::Range<f64>) -> impl Strategy<Value = Option<f64>> {
        prop::option::of(range)
    }

    prop_compose! {
        fn facts()(
            duration_s in 0.0_f64..5000.0, motion in number(-1.0..2.0), loudness in number(-90.0..10.0), silent in any::<bool>(),
            voice in number(-40.0..40.0), pitch in number(-60.0..60.0), voiced_s in 0.0_f64..100.0,
            words in 0_usize..500, spoken_s in 0.0_f64..100.0,
            valence in number(-3.0..3.0), brightness in number(0.0..1.0), saturation in number(0.0..1.0), warmth in number(-1.0..1.0),
            smile in prop::option::of((-1.0_f64..1.0, 0.0_f64..1.0)),
        ) -> Facts {
            Facts {
                duration_s, motion, loudness_lufs: loudness, silent, voice_lu: voice, pitch_semitones: pitch, voiced_s, words, spoken_s,
                text_valence: valence, brightness, saturation, warmth,
                expression: smile.map(|(valence, reliability)| Expression { valence, arousal: 0.4, reliability }),
            }
        }
    }

    proptest! {
        #[test]
        fn any_facts_give_numbers_in_their_ranges_that_their_sources_add_up_to(facts in facts()) {
            let Some(found) = affect(&facts) else { return Ok(()) };
            for (dimension, neutral, least) in [(found.valence, 0.0, -1.0), (found.arousal, 0.5, 0.0), (found.energy, 0.5, 0.0)] {
                let Some(dimension) = dimension else { continue };
                prop_assert!((least..=1.0).contains(&dimension.value), "{:?}", dimension);
                prop_assert!((0.0..=1.0).contains(&dimension.confidence));
                let shares: f64 = dimension.sources.iter().map(|s| s.share).sum();
                prop_assert!((0.0..1.0).contains(&shares), "the prior keeps its part: {:?}", dimension);
                let sum: f64 = dimension.sources.iter().map(|s| s.share * s.value).sum::<f64>() + (1.0 - shares) * neutral;
                prop_assert!((sum - dimension.value).abs() < 1e-2, "{:?}", dimension);
                prop_assert!(dimension.sources.is_sorted_by(|a, b| a.share >= b.share));
            }
        }

        #[test]
        fn an_absent_source_is_left_out_and_takes_confidence_along(facts in facts()) {
            let without = Facts { expression: None, text_valence: None, ..facts.clone() };
            let valence = |facts: &Facts| affect(facts).and_then(|a| a.valence);
            if let Some(rest) = valence(&without) {
                prop_assert!(rest.sources.iter().all(|s| s.source == "colour"));
                prop_assert!(rest.confidence <= valence(&facts).map_or(1.0, |all| all.confidence));
            }
        }
    }

    #[test]
    fn nothing_known_gives_nothing() {
        assert_eq!(affect(&Facts::default()), None);
    }

    #[test]
    fn louder_faster_and_brighter_is_more_in_each_dimension() {
        let dull = Facts {
            duration_s: 30.0,
            motion: Some(0.0),
            loudness_lufs: Some(-50.0),
            voice_lu: Some(-10.0),
            pitch_semitones: Some(-4.0),
            voiced_s: 5.0,
            words: 12,
            spoken_s: 8.0,
            text_valence: Some(-0.8),
            brightness: Some(0.1),
            saturation: Some(0.1),
            warmth: Some(0.0),
            ..Facts::default()
        };
        let lively = Facts {
            duration_s: 1.5,
            motion: Some(0.6),
            loudness_lufs: Some(-12.0),
            voice_lu: Some(8.0),
            pitch_semitones: Some(5.0),
            text_valence: Some(0.8),
            brightness: Some(0.8),
            saturation: Some(0.8),
            words: 30,
            ..dull.clone()
        };
        let numbers = |facts: &Facts| {
            let Affect { valence, arousal, energy } = affect(facts).unwrap();
            [valence, arousal, energy].map(|dimension| dimension.unwrap().value)
        };
        let (less, more) = (numbers(&dull), numbers(&lively));
        assert!(less[0] < -0.3 && more[0] > 0.3, "{less:?} {more:?}");
        assert!(less[1] < 0.35 && more[1] > 0.65, "{less:?} {more:?}");
        assert!(less[2] < 0.2 && more[2] > 0.75, "{less:?} {more:?}");
    }
}
