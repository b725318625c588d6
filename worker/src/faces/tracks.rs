//! Faces of one scene, followed from picture to picture: tracking by detection, by place and by vector.

use heimdex_models::face::Bounds;

/// Boxes of neighbouring pictures that share at least this much are of the same face, unless their vectors say otherwise.
const SAME_PLACE: f32 = 0.3;
/// How far below the limit for the same person two vectors may be where the place is the same: blur and expression move them.
const PLACE_ALLOWS: f32 = 0.05;
/// Pictures in which a face without a vector may be missing and go on: nothing but its place tells it from another.
const MISSED: usize = 2;

/// One face in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Place of the picture among those of the scene that were looked at.
    pub picture: usize,
    pub bounds: Bounds,
    /// 0 to 1.
    pub quality: f32,
    /// Unit length; `None` when the face is not good enough.
    pub vector: Option<Vec<f32>>,
    /// Probabilities of [`heimdex_models::expression::CLASSES`]; of good faces, where there is a model for it.
    pub expression: Option<[f32; 7]>,
}

/// Faces that are one person's, in the order of the pictures, at most one a picture; by their place in the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    pub faces: Vec<usize>,
    /// Sum of the good faces' vectors by quality.
    sum: Vec<f32>,
    /// The sum, of length 1; empty without a good face.
    mean: Vec<f32>,
}

impl Track {
    fn push(&mut self, index: usize, seen: &Seen) {
        self.faces.push(index);
        if let Some(vector) = &seen.vector {
            self.sum.resize(vector.len(), 0.0);
            for (sum, value) in self.sum.iter_mut().zip(vector) {
                *sum += value * seen.quality;
            }
            let norm = self.sum.iter().map(|value| value * value).sum::<f32>().sqrt();
            self.mean.clear();
            if norm > 0.0 {
                self.mean.extend(self.sum.iter().map(|value| value / norm));
            }
        }
    }

    /// Mean of the good faces' vectors weighted by their quality, of length 1. `None` without a good face.
    pub fn vector(&self) -> Option<&[f32]> {
        (!self.mean.is_empty()).then_some(&self.mean[..])
    }
}

/// Mean of the expressions of these faces by their quality. `None` when none of them has one.
pub fn mean_expression<'a>(faces: impl Iterator<Item = &'a Seen>) -> Option<[f32; 7]> {
    let (mut sums, mut total) = ([0.0; 7], 0.0);
    for (expression, quality) in faces.filter_map(|face| Some((face.expression?, face.quality))) {
        total += quality;
        for (sum, value) in sums.iter_mut().zip(expression) {
            *sum += value * quality;
        }
    }
    (total > 0.0).then(|| sums.map(|sum| sum / total))
}

/// Splits the faces of a scene into tracks, in the order of their first faces. `faces` are in the order of the pictures; `same` is the
/// cosine from which two faces are one person's.
pub fn follow(faces: &[Seen], same: f32) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    for picture in faces.chunk_by(|a, b| a.picture == b.picture) {
        // All pairs of a track and a face of this picture, the likeliest first.
        let first = index_of(faces, picture);
        let mut pairs = Vec::new();
        for (number, track) in tracks.iter().enumerate() {
            for (offset, face) in picture.iter().enumerate() {
                if let Some(likeness) = likeness(track, faces, face, same) {
                    pairs.push((likeness, number, offset));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut goes_to = vec![None; picture.len()];
        let mut taken = vec![false; tracks.len()];
        for (_, track, offset) in pairs {
            if goes_to[offset].is_none() && !taken[track] {
                goes_to[offset] = Some(track);
                taken[track] = true;
            }
        }
        for (offset, track) in goes_to.into_iter().enumerate() {
            let number = track.unwrap_or_else(|| {
                tracks.push(Track::default());
                tracks.len() - 1
            });
            tracks[number].push(first + offset, &picture[offset]);
        }
    }
    join(tracks, faces, same)
}

/// Place of a part of `all` within it.
fn index_of(all: &[Seen], part: &[Seen]) -> usize {
    part.first().map_or(0, |face| all.partition_point(|other| other.picture < face.picture))
}

/// How likely it is that the face goes on with the track; `None`: it does not.
fn likeness(track: &Track, faces: &[Seen], face: &Seen, same: f32) -> Option<f32> {
    let last = &faces[*track.faces.last()?];
    let near = face.picture - last.picture <= 1 + MISSED;
    let overlap = if near { last.bounds.overlap(&face.bounds) } else { 0.0 };
    let in_place = overlap >= SAME_PLACE;
    match (track.vector(), &face.vector) {
        (Some(one), Some(other)) => {
            let cosine = cosine(one, other);
            (cosine >= same || (in_place && cosine >= same - PLACE_ALLOWS)).then_some(1.0 + cosine + overlap)
        }
        _ => in_place.then_some(overlap),
    }
}

/// Joins tracks that are never in one picture and whose vectors are of one person: who left the picture and came back, or was lost.
fn join(mut tracks: Vec<Track>, faces: &[Seen], same: f32) -> Vec<Track> {
    let alike = |tracks: &[Track], one: usize, other: usize| {
        let cosine = cosine(tracks[one].vector()?, tracks[other].vector()?);
        (cosine >= same && apart(&tracks[one], &tracks[other], faces)).then_some((cosine, one, other))
    };
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for one in 0..tracks.len() {
        pairs.extend((one + 1..tracks.len()).filter_map(|other| alike(&tracks, one, other)));
    }
    // The likeliest first; of equals the one that begins first.
    let order =
        |a: &(f32, usize, usize), b: &(f32, usize, usize)| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2));
    while let Some(&(_, one, other)) = pairs.iter().max_by(|a, b| order(a, b)) {
        let gone = std::mem::take(&mut tracks[other]);
        let mut indexes = [std::mem::take(&mut tracks[one].faces), gone.faces].concat();
        indexes.sort_unstable();
        let mut joined = Track::default();
        indexes.into_iter().for_each(|index| joined.push(index, &faces[index]));
        tracks[one] = joined;
        // Only what was said of these two has changed.
        pairs.retain(|&(_, a, b)| ![a, b].contains(&one) && ![a, b].contains(&other));
        let again = (0..tracks.len()).filter(|&n| n != one).filter_map(|n| alike(&tracks, n.min(one), n.max(one)));
        pairs.extend(again);
    }
    tracks.retain(|track| !track.faces.is_empty());
    tracks
}

/// No picture has a face of both. Faces of a track are in the order of their pictures.
fn apart(one: &Track, other: &Track, faces: &[Seen]) -> bool {
    let picture = |&index: &usize| faces[index].picture;
    let (mut a, mut b) = (one.faces.iter().map(picture).peekable(), other.faces.iter().map(picture).peekable());
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => a.next(),
            std::cmp::Ordering::Greater => b.next(),
            std::cmp::Ordering::Equal => return false,
        };
    }
    true
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAME: f32 = 0.9;

    /// A person is an angle; people whose angles differ by more than 0.45 have vectors below [`SAME`].
    fn face(picture: usize, x: f32, person: Option<f32>) -> Seen {
        let bounds = Bounds { x, y: 0.3, width: 0.1, height: 0.2 };
        Seen {
            picture,
            bounds,
            quality: 0.8,
            vector: person.map(|angle| vec![angle.cos(), angle.sin()]),
            expression: None,
        }
    }

    fn numbers(faces: &[Seen]) -> Vec<Vec<usize>> {
        follow(faces, SAME).into_iter().map(|track| track.faces).collect()
    }

    #[test]
    fn somebody_who_walks_through_the_picture_is_one_track() {
        let faces: Vec<_> = (0..6).map(|n| face(n, 0.15 * n as f32, Some(0.1))).collect();
        assert_eq!(numbers(&faces), [vec![0, 1, 2, 3, 4, 5]]);
    }

    #[test]
    fn two_who_change_places_stay_two() {
        let faces =
            [face(0, 0.1, Some(0.0)), face(0, 0.5, Some(1.5)), face(1, 0.1, Some(1.5)), face(1, 0.5, Some(0.0))];
        assert_eq!(numbers(&faces), [vec![0, 3], vec![1, 2]]);
    }

    #[test]
    fn two_alike_in_one_picture_are_never_one() {
        let faces = [face(0, 0.1, Some(0.0)), face(0, 0.5, Some(0.0))];
        assert_eq!(numbers(&faces).len(), 2);
    }

    #[test]
    fn a_blurred_face_is_followed_by_its_place_alone_and_not_for_long() {
        let blurred = [face(0, 0.1, Some(0.0)), face(1, 0.11, None), face(2, 0.1, Some(0.02))];
        assert_eq!(numbers(&blurred), [vec![0, 1, 2]]);
        let later = [face(0, 0.1, None), face(9, 0.1, None)];
        assert_eq!(numbers(&later), [vec![0], vec![1]]);
        assert_eq!(follow(&later, SAME)[0].vector(), None);
    }

    #[test]
    fn who_comes_back_is_the_same() {
        let faces = [face(0, 0.1, Some(0.0)), face(1, 0.1, Some(1.5)), face(9, 0.8, Some(0.05))];
        assert_eq!(numbers(&faces), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn a_face_in_one_picture_only_is_a_track_of_one() {
        assert_eq!(numbers(&[face(3, 0.4, Some(0.3))]), [vec![0]]);
        assert!(numbers(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn every_face_is_in_one_track_and_a_track_has_one_face_a_picture(
            mut seen in prop::collection::vec((0_usize..12, 0.0_f32..1.0, prop::option::of(0.0_f32..3.1)), 0..40),
        ) {
            seen.sort_by_key(|face| face.0);
            let faces: Vec<_> = seen.iter().map(|&(picture, x, person)| face(picture, x, person)).collect();
            let tracks = follow(&faces, SAME);
            let mut all: Vec<_> = tracks.iter().flat_map(|track| track.faces.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..faces.len()).collect::<Vec<_>>());
            for track in &tracks {
                prop_assert!(track.faces.windows(2).all(|pair| faces[pair[0]].picture < faces[pair[1]].picture));
                if let Some(vector) = track.vector() {
                    prop_assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4);
                }
            }
            prop_assert!(tracks.windows(2).all(|pair| pair[0].faces[0] < pair[1].faces[0]));
            prop_assert_eq!(tracks, follow(&faces, SAME));
        }
    }
}
