//! From what faces express to valence and arousal.

use heimdex_db::moments::tags::TrackExpression;

use super::Expression;

/// Where emotions lie: pleasure and arousal, both -1 to 1. Russell and Mehrabian, "Evidence for a three-factor theory of emotions", J. Research in
/// Personality 11, 1977; a face without expression is in the middle.
const EMOTIONS: [(&str, f64, f64); 7] = [
    ("angry", -0.51, 0.59),
    ("disgust", -0.60, 0.35),
    ("fear", -0.64, 0.60),
    ("happy", 0.81, 0.51),
    ("sad", -0.63, -0.27),
    ("surprise", 0.40, 0.67),
    ("neutral", 0.0, 0.0),
];
/// How often people themselves agree on a face of the set that such models are trained on (Goodfellow et al. 2013).
const AGREEMENT: f64 = 0.65;

/// The mean over the tracks of a scene, by how well and how long each face is seen; `None` when there are none, or none that is understood.
pub fn expression<'a>(tracks: impl IntoIterator<Item = &'a TrackExpression>) -> Option<Expression> {
    let (mut valence, mut arousal, mut weights, mut best) = (0.0, 0.0, 0.0, 0.0_f64);
    for track in tracks {
        let known = EMOTIONS.iter().filter_map(|(name, pleasure, excitement)| {
            let probability = track.expression.get(name)?.as_f64().filter(|p| (0.0..=1.0).contains(p))?;
            Some((probability, pleasure * probability, excitement * probability))
        });
        let (sum, pleasure, excitement) =
            known.fold((0.0, 0.0, 0.0), |(a, b, c), (p, pleasure, excitement)| (a + p, b + pleasure, c + excitement));
        let seen = f64::from(track.quality.clamp(0.0, 1.0) * track.share.clamp(0.0, 1.0));
        if sum > 0.0 && seen > 0.0 {
            valence += seen * pleasure / sum;
            arousal += seen * excitement / sum;
            weights += seen;
            best = best.max(seen);
        }
    }
    (weights > 0.0).then(|| Expression {
        valence: valence / weights,
        arousal: (arousal / weights + 1.0) / 2.0,
        reliability: AGREEMENT * best,
    })
}

#[cfg(test)]
mod tests {
    use heimdex_db::SceneId;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn track(expression: Value, quality: f32, share: f32) -> TrackExpression {
        TrackExpression { scene_id: SceneId(Uuid::nil()), expression, quality, share }
    }

    #[test]
    fn a_laughing_face_is_pleasant_and_a_blank_one_in_the_middle() {
        let laughing = expression(&[track(json!({ "happy": 0.9, "neutral": 0.1 }), 1.0, 1.0)]).unwrap();
        assert!(
            laughing.valence > 0.7 && laughing.arousal > 0.7 && (laughing.reliability - 0.65).abs() < 1e-9,
            "{laughing:?}"
        );
        let blank = expression(&[track(json!({ "neutral": 1.0 }), 0.8, 0.5)]).unwrap();
        assert_eq!((blank.valence, blank.arousal), (0.0, 0.5));
        assert!(blank.reliability < 0.3);
    }

    #[test]
    fn of_two_faces_the_one_that_is_seen_better_counts_for_more() {
        let [glad, sad] = ["happy", "sad"].map(|name| json!({ name: 1.0 }));
        let both = expression(&[track(glad, 0.9, 1.0), track(sad, 0.3, 0.2)]).unwrap();
        assert!(both.valence > 0.5, "{both:?}");
    }

    #[test]
    fn no_face_and_classes_nobody_knows_say_nothing() {
        assert_eq!(expression(&[]), None);
        for odd in
            [json!({}), json!([1, 2]), json!({ "smug": 1.0 }), json!({ "happy": "very" }), json!({ "happy": -3 })]
        {
            assert_eq!(expression(&[track(odd, 1.0, 1.0)]), None);
        }
        assert_eq!(expression(&[track(json!({ "happy": 1.0 }), 0.0, 1.0)]), None);
    }
}
