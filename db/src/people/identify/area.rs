//! Where a face is, so that it can be found again in another run of the same video: in time, and in the picture.

/// From when to when, ms; the end does not belong to it, unless it is the beginning too: a face in one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start_ms: i64,
    pub end_ms: i64,
}

impl Span {
    fn length(self) -> i64 {
        self.end() - self.start_ms
    }

    fn shared(self, other: Self) -> i64 {
        (self.end().min(other.end()) - self.start_ms.max(other.start_ms)).max(0)
    }

    fn end(self) -> i64 {
        self.end_ms.max(self.start_ms + 1)
    }

    /// Both are there at some moment.
    pub fn meets(self, other: Self) -> bool {
        self.shared(other) > 0
    }
}

/// The mean box of a face: x, y, width, height in units of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area(pub [f32; 4]);

impl Area {
    /// From a column; none where there is none.
    pub fn read(parts: Option<&[f32]>) -> Option<Self> {
        parts.and_then(|parts| parts.try_into().ok()).map(Self)
    }

    /// Intersection over union, 0 to 1.
    fn overlap(self, other: Self) -> f32 {
        let ([ax, ay, aw, ah], [bx, by, bw, bh]) = (self.0, other.0);
        let width = ((ax + aw).min(bx + bw) - ax.max(bx)).max(0.0);
        let height = ((ay + ah).min(by + bh) - ay.max(by)).max(0.0);
        let shared = width * height;
        let all = aw * ah + bw * bh - shared;
        if all > 0.0 { shared / all } else { 0.0 }
    }
}

/// Least overlap of two mean boxes of one face. Other pictures are sampled, and the face moves; two faces side by side have 0.
const SAME_PLACE: f32 = 0.3;

/// Half of the shorter is within the longer, and the places overlap. No place means any.
pub(crate) fn is_same_face(one: (Span, Option<Area>), other: (Span, Option<Area>)) -> bool {
    let shorter = one.0.length().min(other.0.length());
    let same_place = match (one.1, other.1) {
        (Some(a), Some(b)) => a.overlap(b) >= SAME_PLACE,
        _ => true,
    };
    2 * one.0.shared(other.0) >= shorter && same_place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(start_ms: i64, end_ms: i64) -> Span {
        Span { start_ms, end_ms }
    }

    #[test]
    fn a_face_is_found_again_where_it_was_and_not_beside() {
        let left = Some(Area([0.1, 0.2, 0.2, 0.3]));
        let moved = Some(Area([0.13, 0.22, 0.2, 0.3]));
        let right = Some(Area([0.6, 0.2, 0.2, 0.3]));
        assert!(is_same_face((span(0, 1000), left), (span(200, 1400), moved)));
        assert!(!is_same_face((span(0, 1000), left), (span(0, 1000), right)));
        assert!(!is_same_face((span(0, 1000), left), (span(900, 5000), left)));
        // Said of a whole scene, it is said of everybody in it.
        assert!(is_same_face((span(0, 10_000), None), (span(4000, 4000), right)));
    }

    fn place() -> impl Strategy<Value = (Span, Option<Area>)> {
        let area = proptest::option::of(prop::array::uniform4(0.0_f32..1.0).prop_map(Area));
        (0_i64..10_000, 0_i64..5000, area).prop_map(|(start, length, area)| (span(start, start + length), area))
    }

    proptest! {
        #[test]
        fn it_does_not_matter_which_is_looked_at_first(a in place(), b in place()) {
            prop_assert_eq!(is_same_face(a, b), is_same_face(b, a));
        }

        #[test]
        fn what_is_there_at_no_common_moment_is_not_the_same(a in place(), b in place()) {
            prop_assume!(!a.0.meets(b.0));
            prop_assert!(!is_same_face(a, b));
        }
    }
}
