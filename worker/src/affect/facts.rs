//! From rows to what is known of a scene.

use std::ops::Range;

use heimdex_db::moments::{frames::Frame, scenes::Scene, sound::SoundCurve, transcript::Word};

use super::Facts;

/// A pause longer than this is none of a word's time, ms.
const LONGEST_WORD_MS: i64 = 1000;
/// Of a second, that has to be covered by words to count as spoken, ms.
const SPOKEN_MS: i64 = 200;
/// Spoken seconds from which a video's usual voice is known.
const ENOUGH_SPOKEN: usize = 5;

/// What scenes are compared with: the video as a whole.
pub struct Video<'a> {
    curve: Option<&'a SoundCurve>,
    /// By second.
    spoken: Vec<bool>,
    /// Median loudness and pitch of the spoken seconds.
    voice_lufs: Option<f64>,
    voice_hz: Option<f64>,
}

impl<'a> Video<'a> {
    pub fn new(curve: Option<&'a SoundCurve>, words: &[Word]) -> Self {
        let length = curve.map_or(0, |curve| curve.loudness_lufs.len());
        let mut covered = vec![0_i64; length];
        for word in words {
            for (second, part_ms) in seconds(word.start_ms, word.end_ms, length) {
                covered[second] += part_ms;
            }
        }
        let spoken: Vec<bool> = covered.into_iter().map(|ms| ms >= SPOKEN_MS).collect();
        let median_of = |values: &[Option<f32>]| {
            let mut there: Vec<f64> = values
                .iter()
                .zip(&spoken)
                .filter(|(_, spoken)| **spoken)
                .filter_map(|(value, _)| value.map(f64::from))
                .collect();
            (there.len() >= ENOUGH_SPOKEN).then(|| median(&mut there)).flatten()
        };
        let voice_lufs = curve.and_then(|curve| median_of(&curve.loudness_lufs));
        let voice_hz = curve.and_then(|curve| median_of(&curve.pitch_hz));
        Self { curve, spoken, voice_lufs, voice_hz }
    }
}

/// What is known of a scene but for its text and faces. `words` and `frames` are those of the scene, in order; frames that were not chosen
/// are left out.
pub fn facts(video: &Video<'_>, scene: &Scene, words: &[&Word], frames: &[&Frame]) -> Facts {
    let chosen: Vec<_> = frames.iter().filter(|frame| frame.sampled).collect();
    let mean = |of: fn(&Frame) -> Option<f32>| {
        let values: Vec<f64> = chosen.iter().filter_map(|frame| of(frame)).map(f64::from).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let mut facts = Facts {
        duration_s: (scene.end_ms - scene.start_ms) as f64 / 1000.0,
        motion: scene.motion.map(f64::from),
        words: words.len(),
        spoken_s: spoken_ms(words) as f64 / 1000.0,
        brightness: mean(|frame| Some(frame.brightness)),
        saturation: mean(|frame| frame.saturation),
        warmth: mean(|frame| frame.warmth),
        ..Facts::default()
    };
    if let Some(curve) = video.curve {
        hear(video, curve, scene.start_ms..scene.end_ms, &mut facts);
    }
    facts
}

fn hear(video: &Video<'_>, curve: &SoundCurve, scene: Range<i64>, facts: &mut Facts) {
    let (mut all, mut voice) = (Power::default(), Power::default());
    let mut pitches = Vec::new();
    for (second, part_ms) in seconds(scene.start, scene.end, curve.loudness_lufs.len()) {
        let part = part_ms as f64 / 1000.0;
        let lufs = curve.loudness_lufs[second];
        all.add(lufs, part);
        if video.spoken[second] {
            voice.add(lufs, part);
            facts.voiced_s += part * f64::from(curve.voiced[second]);
            pitches.extend(curve.pitch_hz[second].map(f64::from));
        }
    }
    facts.loudness_lufs = all.lufs();
    facts.silent = facts.loudness_lufs.is_none();
    facts.voice_lu = voice.lufs().zip(video.voice_lufs).map(|(here, usual)| here - usual);
    facts.pitch_semitones = median(&mut pitches).zip(video.voice_hz).map(|(here, usual)| 12.0 * (here / usual).log2());
}

/// A mean of loudness is one of power.
#[derive(Default)]
struct Power {
    sum: f64,
    seconds: f64,
}

impl Power {
    fn add(&mut self, lufs: Option<f32>, seconds: f64) {
        self.sum += seconds * lufs.map_or(0.0, |lufs| 10.0_f64.powf(f64::from(lufs) / 10.0));
        self.seconds += seconds;
    }

    fn lufs(&self) -> Option<f64> {
        (self.sum > 0.0).then(|| 10.0 * (self.sum / self.seconds).log10())
    }
}

/// Seconds below `length` that the time from `start` to `end` touches, each with how much of it, in ms.
fn seconds(start_ms: i64, end_ms: i64, length: usize) -> impl Iterator<Item = (usize, i64)> {
    let first = usize::try_from(start_ms.max(0) / 1000).unwrap_or(usize::MAX);
    let last = usize::try_from((end_ms - 1).max(-1).div_euclid(1000) + 1).unwrap_or(0);
    (first..last.min(length)).filter_map(move |second| {
        let from = i64::try_from(second).unwrap_or(i64::MAX / 1000) * 1000;
        let part = end_ms.min(from + 1000) - start_ms.max(from);
        (part > 0).then_some((second, part))
    })
}

/// How long words take: each until the next one begins, a pause left out.
fn spoken_ms(words: &[&Word]) -> i64 {
    let next = words.iter().skip(1).map(|word| Some(word.start_ms)).chain([None]);
    words
        .iter()
        .zip(next)
        .map(|(word, next)| (next.unwrap_or(word.end_ms) - word.start_ms).clamp(0, LONGEST_WORD_MS))
        .sum()
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use heimdex_db::SceneId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn scene(start_ms: i64, end_ms: i64) -> Scene {
        Scene {
            scene_id: SceneId(Uuid::nil()),
            ordinal: 0,
            start_ms,
            end_ms,
            motion: None,
            transition: "cut".to_owned(),
            text: String::new(),
            language: None,
            thumbnail_key: None,
            thumbnail_large_key: None,
            keyframe_ms: None,
            affect: None,
        }
    }

    fn word(start_ms: i64, end_ms: i64) -> Word {
        Word { word_no: 0, segment_no: 0, start_ms, end_ms, text: " rain".to_owned(), probability: 1.0, scene_id: None }
    }

    /// Ten seconds at 100 Hz and −20 LUFS, then two louder and an octave higher.
    fn curve() -> SoundCurve {
        let loud = |n: usize| if n < 10 { -20.0 } else { -14.0 };
        let pitch = |n: usize| if n < 10 { 100.0 } else { 200.0 };
        SoundCurve {
            loudness_lufs: (0..12).map(|n| Some(loud(n))).collect(),
            pitch_hz: (0..12).map(|n| Some(pitch(n))).collect(),
            voiced: vec![0.5; 12],
        }
    }

    #[test]
    fn a_raised_voice_is_told_from_the_videos_usual_one() {
        let (curve, words) = (curve(), (0..12).map(|n| word(n * 1000, n * 1000 + 900)).collect::<Vec<_>>());
        let video = Video::new(Some(&curve), &words);
        let own: Vec<_> = words[10..].iter().collect();
        let raised = facts(&video, &scene(10_000, 12_000), &own, &[]);
        assert!(
            (raised.voice_lu.unwrap() - 6.0).abs() < 0.01 && (raised.pitch_semitones.unwrap() - 12.0).abs() < 0.01,
            "{raised:?}"
        );
        assert_eq!((raised.words, raised.voiced_s), (2, 1.0));
        let usual = facts(&video, &scene(0, 5_000), &words[..5].iter().collect::<Vec<_>>(), &[]);
        assert!(usual.voice_lu.unwrap().abs() < 0.01 && usual.pitch_semitones.unwrap().abs() < 0.01, "{usual:?}");
    }

    #[test]
    fn music_is_loud_but_no_voice() {
        let curve = curve();
        let found = facts(&Video::new(Some(&curve), &[]), &scene(0, 12_000), &[], &[]);
        assert!(found.loudness_lufs.is_some_and(|lufs| (-20.0..-14.0).contains(&lufs)));
        assert_eq!((found.voice_lu, found.pitch_semitones, found.voiced_s), (None, None, 0.0));
    }

    #[test]
    fn no_sound_is_not_silence() {
        let none = facts(&Video::new(None, &[]), &scene(0, 1000), &[], &[]);
        assert_eq!((none.loudness_lufs, none.silent), (None, false));
        let curve = SoundCurve { loudness_lufs: vec![None; 3], pitch_hz: vec![None; 3], voiced: vec![0.0; 3] };
        for scene in [scene(0, 2500), scene(2000, 9000), scene(9000, 10_000)] {
            let silent = facts(&Video::new(Some(&curve), &[]), &scene, &[], &[]);
            assert_eq!((silent.loudness_lufs, silent.silent), (None, true), "{scene:?}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_of_seconds_add_up_to_the_time(start in 0_i64..100_000, length in 0_i64..30_000, bound in 0_usize..200) {
            let end = start + length;
            let sum: i64 = seconds(start, end, bound).map(|(_, part)| part).sum();
            let within = end.min(bound as i64 * 1000) - start;
            prop_assert_eq!(sum, within.max(0));
            prop_assert!(seconds(start, end, bound).all(|(second, part)| second < bound && (1..=1000).contains(&part)));
        }

        #[test]
        fn words_never_take_longer_than_from_the_first_to_the_last(times in prop::collection::vec((0_i64..60_000, 0_i64..3000), 1..40)) {
            let mut times = times;
            times.sort_unstable();
            let words: Vec<Word> = times.iter().map(|(start, length)| word(*start, start + length)).collect();
            let own: Vec<_> = words.iter().collect();
            let end = words.iter().map(|w| w.end_ms).max().unwrap();
            prop_assert!((0..=end - words[0].start_ms).contains(&spoken_ms(&own)));
        }
    }
}
