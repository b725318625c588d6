//! Tags that other findings than the pictures' vectors give: faces, writing, motion, light, colour.

use heimdex_db::moments::{frames::Frame, scenes::Scene, tags::SceneFaces};

/// A tag and what it was seen by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    pub tag: &'static str,
    /// 0 to 1.
    pub score: f32,
    pub source: &'static str,
}

/// Faces in one picture from which people are a crowd.
const CROWD: i64 = 8;
/// Below this a tag is not given.
const LEAST: f32 = 0.45;

/// Mean change a second below which a shot stands still, and above which it is wild.
const STILL: f32 = 0.004;
const WILD: f32 = 0.35;

/// All of them for one scene; `frames` are its own, those that were not chosen are left out. `written`: how sure on-screen text was read.
pub fn evidence(scene: &Scene, frames: &[&Frame], faces: Option<&SceneFaces>, written: Option<f32>) -> Vec<Evidence> {
    let mut found = Vec::new();
    let mut see = |tag, source, score: f32| {
        if score >= LEAST {
            found.push(Evidence { tag, score: score.min(1.0), source });
        }
    };
    if let Some(faces) = faces {
        let sure = 0.5 + faces.quality.clamp(0.0, 1.0) / 2.0;
        see("person", "faces", sure * (0.7 + 0.3 * faces.longest_share.clamp(0.0, 1.0)));
        if faces.most_at_once >= 2 {
            see("people", "faces", sure);
        }
        if faces.most_at_once >= CROWD {
            see("crowd", "faces", sure);
        }
        see("close-up", "faces", rising(faces.largest, 0.25, 0.5));
    }
    if let Some(confidence) = written {
        see("text", "text", confidence);
    }
    if let Some(motion) = scene.motion {
        see("still", "motion", rising(-motion, -2.0 * STILL, 0.0));
        see("action", "motion", rising(motion, WILD / 2.0, WILD * 1.5));
    }
    if let Some(light) = mean(frames, |frame| Some(frame.brightness)) {
        see("dark", "brightness", rising(-light, -0.25, -0.05));
        see("bright", "brightness", rising(light, 0.65, 0.85));
        // Black and white pictures have no colour either.
        let saturation = mean(frames, |frame| frame.saturation).filter(|_| (0.1..0.9).contains(&light));
        if let Some(saturation) = saturation {
            see("black-and-white", "colour", rising(-saturation, -0.05, 0.0));
        }
    }
    found
}

/// 0 up to `from`, 1 from `to` on, a line in between.
fn rising(x: f32, from: f32, to: f32) -> f32 {
    ((x - from) / (to - from)).clamp(0.0, 1.0)
}

fn mean(frames: &[&Frame], of: fn(&Frame) -> Option<f32>) -> Option<f32> {
    let values: Vec<f32> = frames.iter().filter(|frame| frame.sampled).filter_map(|frame| of(frame)).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f32>() / values.len() as f32)
}

#[cfg(test)]
mod tests {
    use heimdex_db::SceneId;
    use uuid::Uuid;

    use super::*;

    fn scene(motion: Option<f32>) -> Scene {
        Scene {
            scene_id: SceneId(Uuid::nil()),
            ordinal: 0,
            start_ms: 0,
            end_ms: 1000,
            motion,
            transition: "cut".to_owned(),
            text: String::new(),
            language: None,
            thumbnail_key: None,
            thumbnail_large_key: None,
            keyframe_ms: None,
            affect: None,
        }
    }

    fn frame(brightness: f32, saturation: Option<f32>, sampled: bool) -> Frame {
        Frame {
            scene_id: SceneId(Uuid::nil()),
            at_ms: 0,
            object_key: String::new(),
            width: 16,
            height: 9,
            sharpness: 1.0,
            brightness,
            phash: 0,
            saturation,
            warmth: None,
            sampled,
        }
    }

    fn tags(found: &[Evidence]) -> Vec<&str> {
        found.iter().map(|e| e.tag).collect()
    }

    #[test]
    fn faces_make_a_person_people_or_a_crowd() {
        let faces = |most_at_once, largest| SceneFaces {
            scene_id: SceneId(Uuid::nil()),
            most_at_once,
            longest_share: 1.0,
            largest,
            quality: 0.9,
        };
        let of = |faces: SceneFaces| tags(&evidence(&scene(None), &[], Some(&faces), None)).join(" ");
        assert_eq!(of(faces(1, 0.1)), "person");
        assert_eq!(of(faces(1, 0.6)), "person close-up");
        assert_eq!(of(faces(3, 0.2)), "person people");
        assert_eq!(of(faces(50, 0.05)), "person people crowd");
    }

    #[test]
    fn light_and_motion_are_named_only_when_they_stand_out() {
        let of = |motion, frames: &[Frame]| {
            let frames: Vec<_> = frames.iter().collect();
            tags(&evidence(&scene(Some(motion)), &frames, None, None)).join(" ")
        };
        assert_eq!(of(0.05, &[frame(0.5, Some(0.4), true)]), "");
        assert_eq!(of(0.0, &[frame(0.03, Some(0.0), true)]), "still dark");
        assert_eq!(of(0.9, &[frame(0.95, Some(0.0), true)]), "action bright");
        assert_eq!(of(0.05, &[frame(0.5, Some(0.0), true)]), "black-and-white");
        assert_eq!(
            of(0.05, &[frame(0.5, None, true), frame(0.0, Some(0.0), false)]),
            "",
            "what was not chosen or measured"
        );
    }

    #[test]
    fn nothing_known_gives_no_tags() {
        assert_eq!(evidence(&scene(None), &[], None, None), []);
        assert_eq!(evidence(&scene(None), &[], None, Some(0.2)), [], "badly read");
        assert_eq!(tags(&evidence(&scene(None), &[], None, Some(0.9))), ["text"]);
    }
}
