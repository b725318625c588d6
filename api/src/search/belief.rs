//! How probably what a channel offers is what is looked for: each channel's own measure, fitted to the golden set
//! (`scripts/eval`). It weighs ranks when channels are fused, and where nobody believes in anything the page stays empty.

use heimdex_db::search::SOME_WORDS;

/// A page on which no channel believes in anything by this much is noise and stays empty. One channel has to be so sure by itself: that
/// several see next to nothing is no sign of something.
pub const PAGE: f64 = 0.088;
/// The same for a query of words that the text model does not know: it reads them in pieces, and finds something alike in anything.
pub const PAGE_OF_UNKNOWN_WORDS: f64 = 0.115;
/// Below this a hit is not worth looking at, whatever else is on the page.
pub const HIT: f64 = 0.02;

/// Of a similarity at the floor. Above it, belief rises as a logistic curve through one half at `even`.
const AT_FLOOR: f64 = 0.02;

/// Of a cosine similarity in a model's space.
pub fn of_similarity(cosine: f64, floor: f64, even: f64) -> f64 {
    let steepness = ((1.0 - AT_FLOOR) / AT_FLOOR).ln() / (even - floor).max(f64::EPSILON);
    1.0 / (1.0 + (-steepness * (cosine - even)).exp())
}

/// Of words that are said. `score` is the channel's; `share` says how many of the words there are, where not all.
pub fn of_words(score: f64, share: f64) -> f64 {
    match score {
        1.0.. => 0.97,
        _ if score > SOME_WORDS => 0.9,
        // Half of the words are said by many; the last ones make the difference.
        _ => 0.6 * share * share,
    }
}

/// Of writing on screen: there letter by letter from 1 on, below that how much of it is alike.
pub fn of_writing(score: f64) -> f64 {
    if score >= 1.0 { 0.95 } else { 0.1 + 0.8 * ((score - 0.5) / 0.5).clamp(0.0, 1.0) }
}

/// Of tags that are named in a query, and are so much of what it says: a man is not yet an old man in happy tears.
pub fn of_tags(score: f64, share: f64) -> f64 {
    0.75 * score.min(1.0) * share.clamp(0.0, 1.0).sqrt()
}

/// Of people who are named, wholly or by one of their names, and are in a scene all the time or some of it. Whoever writes a name means it.
pub fn of_people(score: f64) -> f64 {
    0.4 + 0.5 * score.clamp(0.0, 1.0)
}

/// Of a video that is called so: its scenes are about it, but not all show it.
pub fn of_title(share: f64) -> f64 {
    0.35 * share * share
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_similarity_is_believed_by_the_models_own_marks() {
        assert!((of_similarity(0.18, 0.18, 0.43) - AT_FLOOR).abs() < 1e-9);
        assert!((of_similarity(0.43, 0.18, 0.43) - 0.5).abs() < 1e-9);
        assert!(of_similarity(0.6, 0.18, 0.43) > 0.9 && of_similarity(0.15, 0.06, 0.11) > 0.9);
    }

    proptest! {
        #[test]
        fn more_is_never_less_probable(a in -1.0_f64..3.0, b in -1.0_f64..3.0, share in 0.0_f64..1.0) {
            let (less, more) = (a.min(b), a.max(b));
            let shares = (less.clamp(0.0, 1.0), more.clamp(0.0, 1.0));
            for (less, more) in [
                (of_similarity(less, 0.18, 0.43), of_similarity(more, 0.18, 0.43)),
                (of_words(less, shares.0), of_words(more, shares.1)),
                (of_writing(less), of_writing(more)),
                (of_tags(less.max(0.0), share), of_tags(more.max(0.0), share)),
                (of_tags(share, shares.0), of_tags(share, shares.1)),
                (of_people(shares.0), of_people(shares.1)),
                (of_title(shares.0), of_title(shares.1)),
            ] {
                prop_assert!(less <= more && (0.0..=1.0).contains(&less) && (0.0..=1.0).contains(&more));
            }
        }
    }
}
