//! Boxes in which there may be a face: looked for part by part of a picture, each face once.

use crate::error::ModelError;
use crate::picture::{Part, Picture};

/// Boxes that overlap more than this are of one face (the setting of MediaPipe, and of OpenCV's `FaceDetectorYN`).
const SAME_FACE: f64 = 0.3;
/// Faces in one picture; the surest are kept.
const MAX_FACES: usize = 100;
/// Side of a part looked at by itself, of the picture's long side.
const TILE: f64 = 0.4;
/// How much neighbouring parts share, of their side.
const TILE_OVERLAP: f64 = 0.3;
/// A box this near to the edge of a part, in its pixels, may be of a face that is cut in two.
const EDGE: f64 = 3.0;
/// How large a picture is looked at from afar, of what the network takes: faces that fill it, or that its edge cuts in two, are of a size
/// and in a place that no network was trained on (YuNet's are of 10 to 300 pixels: opencv_zoo, models/face_detection_yunet).
pub(super) const FROM_AFAR: f64 = 0.5;
/// Sums of fractions of pixels are not exact.
const ROUNDING: f64 = 1e-6;

/// A place where there may be a face, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate<const POINTS: usize> {
    /// 0 to 1.
    pub score: f64,
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// What the network says of eyes and the like, in its order.
    pub points: [[f64; 2]; POINTS],
}

impl<const POINTS: usize> Candidate<POINTS> {
    fn overlap(&self, other: &Self) -> f64 {
        let side = |a: f64, a_size: f64, b: f64, b_size: f64| ((a + a_size).min(b + b_size) - a.max(b)).max(0.0);
        let shared =
            side(self.left, self.width, other.left, other.width) * side(self.top, self.height, other.top, other.height);
        shared / (self.width * self.height + other.width * other.height - shared).max(f64::MIN_POSITIVE)
    }

    /// Whether it is certainly no face that an edge of the part cuts in two; the picture's own edges do not count.
    fn is_inside(&self, part: &Part, picture: &Part) -> bool {
        let (right, below) = (part.left + part.width, part.top + part.height);
        (part.left <= 0.0 || self.left > part.left + EDGE)
            && (part.top <= 0.0 || self.top > part.top + EDGE)
            && (right >= picture.width - ROUNDING || self.left + self.width < right - EDGE)
            && (below >= picture.height - ROUNDING || self.top + self.height < below - EDGE)
    }

    /// The mean weighted by score, with the score of the surest.
    fn mean(same: &[Self]) -> Self {
        let total: f64 = same.iter().map(|c| c.score).sum();
        let mean = |value: &dyn Fn(&Self) -> f64| same.iter().map(|c| value(c) * c.score / total).sum::<f64>();
        Self {
            score: same.iter().map(|c| c.score).fold(0.0, f64::max),
            left: mean(&|c: &Self| c.left),
            top: mean(&|c: &Self| c.top),
            width: mean(&|c: &Self| c.width),
            height: mean(&|c: &Self| c.height),
            points: std::array::from_fn(|n| [0, 1].map(|axis| mean(&|c: &Self| c.points[n][axis]))),
        }
    }
}

pub(super) fn whole(picture: Picture<'_>) -> Part {
    Part { left: 0.0, top: 0.0, width: picture.width() as f64, height: picture.height() as f64 }
}

/// Overlapping squares that cover a picture, each of at least `least` pixels a side: what the network takes. None for a picture that is
/// hardly larger.
pub(super) fn tiles(whole: Part, least: usize) -> Vec<Part> {
    let Part { width, height, .. } = whole;
    let side = (width.max(height) * TILE).max(least as f64);
    if width.max(height) <= side * 1.2 {
        return Vec::new();
    }
    let starts = |length: f64, side: f64| -> Vec<f64> {
        let side = side.min(length);
        let steps = ((length - side) / (side * (1.0 - TILE_OVERLAP))).ceil().max(0.0);
        (0..=steps as usize).map(|n| if steps > 0.0 { (length - side) * n as f64 / steps } else { 0.0 }).collect()
    };
    let columns = starts(width, side);
    starts(height, side)
        .into_iter()
        .flat_map(|top| columns.iter().map(move |&left| (left, top)))
        .map(|(left, top)| Part { left, top, width: side.min(width), height: side.min(height) })
        .collect()
}

/// Everything that `look` finds in each of the parts, without what may be half a face.
pub(super) fn in_parts<const POINTS: usize>(
    picture: Picture<'_>,
    parts: &[Part],
    mut look: impl FnMut(Part) -> Result<Vec<Candidate<POINTS>>, ModelError>,
) -> Result<Vec<Candidate<POINTS>>, ModelError> {
    let whole = whole(picture);
    let mut found = Vec::new();
    for part in parts {
        found.extend(look(*part)?.into_iter().filter(|candidate| candidate.is_inside(part, &whole)));
    }
    Ok(found)
}

/// Candidates of one face together, the surest first, in each group and among them.
fn groups<const POINTS: usize>(mut found: Vec<Candidate<POINTS>>) -> Vec<Vec<Candidate<POINTS>>> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.left.total_cmp(&b.left)).then(a.top.total_cmp(&b.top)));
    let mut groups: Vec<Vec<Candidate<POINTS>>> = Vec::new();
    while let Some(&best) = found.first().filter(|_| groups.len() < MAX_FACES) {
        let (same, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|c| *c == best || c.overlap(&best) > SAME_FACE);
        found = others;
        groups.push(same);
    }
    groups
}

/// Non-maximum suppression that takes the mean of what it joins, weighted by score, as MediaPipe does. The surest first.
pub(super) fn merged<const POINTS: usize>(found: Vec<Candidate<POINTS>>) -> Vec<Candidate<POINTS>> {
    groups(found).iter().map(|same| Candidate::mean(same)).collect()
}

/// Non-maximum suppression that keeps the surest of what it joins, as OpenCV's `NMSBoxes` does. The surest first.
pub(super) fn surest<const POINTS: usize>(found: Vec<Candidate<POINTS>>) -> Vec<Candidate<POINTS>> {
    groups(found).iter().filter_map(|same| same.first().copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(score: f64, left: f64, top: f64, side: f64) -> Candidate<2> {
        Candidate { score, left, top, width: side, height: side, points: [[left, top], [left + side, top]] }
    }

    #[test]
    fn boxes_of_one_face_become_one_and_neighbours_stay_two() {
        let found =
            vec![candidate(0.6, 12.0, 10.0, 50.0), candidate(0.9, 10.0, 10.0, 50.0), candidate(0.7, 70.0, 10.0, 50.0)];
        let kept = surest(found.clone());
        assert_eq!(kept, [found[1], found[2]]);
        let merged = merged(found);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].score, 0.9);
        assert!(merged[0].left > 10.0 && merged[0].left < 12.0);
        assert_eq!(merged[0].points[0][0], merged[0].left);
    }

    proptest! {
        #[test]
        fn what_was_merged_needs_no_second_time(
            boxes in prop::collection::vec((0.5_f64..1.0, 0.0_f64..300.0, 0.0_f64..300.0, 1.0_f64..90.0), 0..40),
        ) {
            let found: Vec<_> = boxes.iter().map(|&(score, left, top, side)| candidate(score, left, top, side)).collect();
            let merged = merged(found.clone());
            prop_assert!(merged.len() <= found.len());
            prop_assert_eq!(merged.is_empty(), found.is_empty());
            prop_assert!(merged.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }

        #[test]
        fn tiles_cover_the_picture_and_stay_in_it(width in 1_usize..4000, height in 1_usize..4000, least in 32_usize..700) {
            let parts = tiles(Part { left: 0.0, top: 0.0, width: width as f64, height: height as f64 }, least);
            prop_assert!(parts.len() <= 16 * 16, "{}", parts.len());
            for part in &parts {
                prop_assert!(part.left >= 0.0 && part.left + part.width <= width as f64 + 1e-6);
                prop_assert!(part.top >= 0.0 && part.top + part.height <= height as f64 + 1e-6);
            }
            if !parts.is_empty() {
                for (x, y) in [(0.01, 0.01), (width as f64 - 0.01, height as f64 - 0.01), (width as f64 / 2.0, height as f64 / 3.0)] {
                    prop_assert!(parts.iter().any(|p| x >= p.left && x <= p.left + p.width && y >= p.top && y <= p.top + p.height));
                }
            }
        }
    }
}
