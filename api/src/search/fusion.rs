//! Weighted reciprocal rank fusion (Cormack, Clarke, Büttcher: "Reciprocal Rank Fusion outperforms Condorcet and
//! individual Rank Learning Methods", SIGIR 2009): a scene's score is the sum of `weight / (60 + rank)` over the channels
//! that found it. Scores of different channels are never compared, only ranks.

use std::collections::HashMap;
use std::hash::Hash;

/// The constant of the paper.
const K: f64 = 60.0;

/// One channel's findings, best first.
#[derive(Clone, Debug)]
pub struct Ranked<Id> {
    pub weight: f64,
    pub ids: Vec<Id>,
}

/// A fused finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused<Id> {
    pub id: Id,
    pub score: f64,
    /// For each channel that found it: its index and the rank there, from 1.
    pub ranks: Vec<(usize, usize)>,
}

/// Fuses channels; best first, equal scores by id, so that the same input always gives the same order.
pub fn fuse<Id: Copy + Eq + Hash + Ord>(channels: &[Ranked<Id>]) -> Vec<Fused<Id>> {
    let mut found: HashMap<Id, Fused<Id>> = HashMap::new();
    for (index, channel) in channels.iter().enumerate() {
        for (place, &id) in channel.ids.iter().enumerate() {
            let fused = found.entry(id).or_insert_with(|| Fused { id, score: 0.0, ranks: Vec::new() });
            // A channel that names a scene twice counts once, by its better rank.
            if fused.ranks.last().is_some_and(|&(last, _)| last == index) {
                continue;
            }
            fused.score += channel.weight / (K + (place + 1) as f64);
            fused.ranks.push((index, place + 1));
        }
    }
    let mut all: Vec<_> = found.into_values().filter(|fused| fused.score > 0.0).collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    all
}

/// Lets no group (video) have more than `cap` places before every other finding of other groups has had its own: what is
/// over the cap comes after, in its own order.
pub fn cap_groups<Id, G: Eq + Hash>(fused: Vec<Fused<Id>>, cap: usize, group: impl Fn(&Id) -> G) -> Vec<Fused<Id>> {
    let mut seen: HashMap<G, usize> = HashMap::new();
    let (mut first, mut after) = (Vec::with_capacity(fused.len()), Vec::new());
    for finding in fused {
        let count = seen.entry(group(&finding.id)).or_default();
        *count += 1;
        if *count <= cap { first.push(finding) } else { after.push(finding) }
    }
    first.append(&mut after);
    first
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn channels() -> impl Strategy<Value = Vec<Ranked<u16>>> {
        let ids = proptest::collection::vec(0_u16..40, 0..30);
        proptest::collection::vec((0.1_f64..4.0, ids).prop_map(|(weight, ids)| Ranked { weight, ids }), 0..5)
    }

    proptest! {
        #[test]
        fn every_finding_appears_once_and_scores_fall(channels in channels()) {
            let fused = fuse(&channels);
            let all: HashSet<u16> = channels.iter().flat_map(|c| c.ids.iter().copied()).collect();
            prop_assert_eq!(fused.iter().map(|f| f.id).collect::<HashSet<_>>(), all.clone());
            prop_assert_eq!(fused.len(), all.len());
            prop_assert!(fused.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }

        #[test]
        fn one_channel_alone_keeps_its_order(ids in proptest::collection::hash_set(0_u16..400, 0..40)) {
            let ids: Vec<u16> = ids.into_iter().collect();
            let fused = fuse(&[Ranked { weight: 2.0, ids: ids.clone() }]);
            prop_assert_eq!(fused.iter().map(|f| f.id).collect::<Vec<_>>(), ids);
        }

        #[test]
        fn being_found_by_more_channels_never_hurts(channels in channels(), weight in 0.1_f64..4.0, id in 0_u16..40) {
            let place = |fused: &[Fused<u16>]| fused.iter().find(|f| f.id == id).map(|f| f.score).unwrap_or(0.0);
            let before = place(&fuse(&channels));
            let mut more = channels;
            more.push(Ranked { weight, ids: vec![id] });
            prop_assert!(place(&fuse(&more)) > before);
        }

        #[test]
        fn capping_loses_nothing_and_holds_the_cap_first(channels in channels(), cap in 1_usize..5) {
            let fused = fuse(&channels);
            let capped = cap_groups(fused.clone(), cap, |id| id % 4);
            prop_assert_eq!(capped.len(), fused.len());
            let within: usize = (0..4).map(|g| fused.iter().filter(|f| f.id % 4 == g).count().min(cap)).sum();
            for group in 0..4 {
                prop_assert!(capped[..within].iter().filter(|f| f.id % 4 == group).count() <= cap);
            }
        }
    }
}
