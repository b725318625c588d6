//! Which frames of a scene are worth keeping: sharp, well exposed, and unlike one another.

use super::hamming;

/// Hashes closer than this are the same picture.
const ALIKE: u32 = 8;

/// What selection needs to know about a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameFacts {
    pub at_ms: u64,
    pub sharpness: f32,
    pub brightness: f32,
    pub phash: u64,
}

/// Indexes, in time order, of at most `max` frames.
///
/// The best frame comes first; each further one is the best by its own quality and its distance from those chosen (greedy
/// max-min diversity, Gonzalez 1985), and near-duplicates are never added. A non-empty input gives at least one frame.
pub fn select(frames: &[FrameFacts], max: usize) -> Vec<usize> {
    if frames.is_empty() || max == 0 {
        return Vec::new();
    }
    let sharpest = frames.iter().map(|f| f.sharpness).fold(f32::MIN_POSITIVE, f32::max);
    let quality: Vec<f32> = frames.iter().map(|f| (f.sharpness / sharpest).sqrt() * exposure(f.brightness)).collect();
    let best = |chosen: &[usize]| {
        (0..frames.len())
            .filter_map(|n| {
                let nearest = chosen.iter().map(|&c| hamming(frames[n].phash, frames[c].phash)).min();
                let worth = match nearest {
                    None => quality[n],
                    Some(distance) if distance < ALIKE => return None,
                    Some(distance) => (0.2 + quality[n]) * distance as f32,
                };
                Some((n, worth))
            })
            // Equal frames: the earlier one, so that the same input always gives the same output.
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    };
    let mut chosen = Vec::new();
    while chosen.len() < max {
        let Some((n, _)) = best(&chosen) else { break };
        chosen.push(n);
    }
    chosen.sort_unstable();
    chosen
}

/// 1 in the middle of the range, towards 0 for black and white.
fn exposure(brightness: f32) -> f32 {
    let dark = (brightness / 0.15).clamp(0.05, 1.0);
    let light = ((1.0 - brightness) / 0.1).clamp(0.05, 1.0);
    dark * light
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(at_ms: u64, sharpness: f32, phash: u64) -> FrameFacts {
        FrameFacts { at_ms, sharpness, brightness: 0.5, phash }
    }

    #[test]
    fn blurred_twins_lose_to_the_sharp_one() {
        let frames = [frame(0, 10.0, 0), frame(1, 900.0, 1), frame(2, 50.0, u64::MAX)];
        assert_eq!(select(&frames, 1), [1]);
        assert_eq!(select(&frames, 3), [1, 2]);
    }

    proptest! {
        #[test]
        fn a_selection_is_small_ordered_and_never_empty(
            facts in prop::collection::vec((0.0_f32..1e4, 0.0_f32..1.0, any::<u64>()), 1..40), max in 1_usize..10,
        ) {
            let frames: Vec<_> = facts.iter().enumerate()
                .map(|(n, &(sharpness, brightness, phash))| FrameFacts { at_ms: n as u64, sharpness, brightness, phash }).collect();
            let chosen = select(&frames, max);
            prop_assert!(!chosen.is_empty() && chosen.len() <= max);
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
