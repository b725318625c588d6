//! Weighted reciprocal rank fusion (Cormack, Clarke, Büttcher: "Reciprocal Rank Fusion outperforms Condorcet and
//! individual Rank Learning Methods", SIGIR 2009), each place counted by how far the channel believes in it: a scene's score is the sum
//! of `weight * belief / (60 + rank)` over the channels that found it. Without belief the best of a channel that has only noise to
//! offer would count as much as a sentence said word for word.

use std::collections::HashMap;
use std::hash::Hash;

/// The constant of the paper.
const K: f64 = 60.0;

/// What a channel offers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer<Id> {
    pub id: Id,
    /// The channel's own measure: offers with equal scores share a rank.
    pub score: f64,
    /// How probably it is what is looked for, 0 to 1 (`super::belief`).
    pub belief: f64,
}

/// One channel's findings, best first.
#[derive(Clone, Debug)]
pub struct Ranked<Id> {
    pub weight: f64,
    pub offers: Vec<Offer<Id>>,
}

/// A fused finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused<Id> {
    pub id: Id,
    pub score: f64,
    /// How probably at least one of the channels is right, were they to err independently.
    pub belief: f64,
    /// The belief of the channel that believes in it most.
    pub surest: f64,
    /// For each channel that found it: its index and the rank there, from 1.
    pub ranks: Vec<(usize, usize)>,
}

/// Fuses channels; best first, equal scores by id, so that the same input always gives the same order.
pub fn fuse<Id: Copy + Eq + Hash + Ord>(channels: &[Ranked<Id>]) -> Vec<Fused<Id>> {
    let mut found: HashMap<Id, Fused<Id>> = HashMap::new();
    for (index, channel) in channels.iter().enumerate() {
        let mut rank = 1;
        for (place, offer) in channel.offers.iter().enumerate() {
            if place > 0 && channel.offers[place - 1].score != offer.score {
                rank = place + 1;
            }
            let new = Fused { id: offer.id, score: 0.0, belief: 0.0, surest: 0.0, ranks: Vec::new() };
            let fused = found.entry(offer.id).or_insert(new);
            // A channel that names a scene twice counts once, by its better rank.
            if fused.ranks.last().is_some_and(|&(last, _)| last == index) {
                continue;
            }
            let belief = offer.belief.clamp(0.0, 1.0);
            fused.score += channel.weight * belief / (K + rank as f64);
            fused.belief = 1.0 - (1.0 - fused.belief) * (1.0 - belief);
            fused.surest = fused.surest.max(belief);
            fused.ranks.push((index, rank));
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

    /// Of a channel's offers: falling scores, as a channel gives them, some of them equal.
    fn offers(ids: Vec<(u16, u8, f64)>) -> Vec<Offer<u16>> {
        let mut offers: Vec<_> =
            ids.into_iter().map(|(id, score, belief)| Offer { id, score: f64::from(score), belief }).collect();
        offers.sort_by(|a, b| b.score.total_cmp(&a.score));
        offers
    }

    fn channels() -> impl Strategy<Value = Vec<Ranked<u16>>> {
        let found = proptest::collection::vec((0_u16..40, 0_u8..20, 0.01_f64..1.0), 0..30);
        let channel = (0.1_f64..4.0, found).prop_map(|(weight, found)| Ranked { weight, offers: offers(found) });
        proptest::collection::vec(channel, 0..5)
    }

    #[test]
    fn equals_share_a_rank() {
        let offers = offers(vec![(1, 9, 0.5), (2, 9, 0.5), (3, 4, 0.5)]);
        let fused = fuse(&[Ranked { weight: 1.0, offers }]);
        assert_eq!(fused.iter().map(|f| (f.id, f.ranks[0].1)).collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 3)]);
        assert_eq!(fused[0].score, fused[1].score);
    }

    #[test]
    fn the_best_of_nothing_is_behind_what_is_sure() {
        let sure = Ranked { weight: 1.0, offers: offers(vec![(1, 9, 0.9), (2, 8, 0.9)]) };
        let noise = Ranked { weight: 1.0, offers: offers(vec![(3, 9, 0.05), (4, 8, 0.04)]) };
        assert_eq!(fuse(&[sure, noise]).iter().map(|f| f.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    proptest! {
        #[test]
        fn every_finding_appears_once_and_scores_fall(channels in channels()) {
            let fused = fuse(&channels);
            let all: HashSet<u16> = channels.iter().flat_map(|c| c.offers.iter().map(|offer| offer.id)).collect();
            prop_assert_eq!(fused.iter().map(|f| f.id).collect::<HashSet<_>>(), all.clone());
            prop_assert_eq!(fused.len(), all.len());
            prop_assert!(fused.windows(2).all(|pair| pair[0].score >= pair[1].score));
            prop_assert!(fused.iter().all(|f| (0.0..=1.0).contains(&f.belief) && f.surest <= f.belief + 1e-9));
        }

        #[test]
        fn one_channel_alone_keeps_its_order(ids in proptest::collection::hash_set(0_u16..400, 0..40)) {
            let ids: Vec<u16> = ids.into_iter().collect();
            let offers = ids.iter().zip((0..400_u16).rev());
            let offers = offers.map(|(&id, score)| Offer { id, score: f64::from(score), belief: 0.7 }).collect();
            let fused = fuse(&[Ranked { weight: 2.0, offers }]);
            prop_assert_eq!(fused.iter().map(|f| f.id).collect::<Vec<_>>(), ids);
        }

        #[test]
        fn being_found_by_more_channels_never_hurts(channels in channels(), weight in 0.1_f64..4.0, id in 0_u16..40) {
            let place = |fused: &[Fused<u16>]| {
                fused.iter().find(|f| f.id == id).map_or((0.0, 0.0), |f| (f.score, f.belief))
            };
            let before = place(&fuse(&channels));
            let mut more = channels;
            more.push(Ranked { weight, offers: vec![Offer { id, score: 1.0, belief: 0.5 }] });
            let after = place(&fuse(&more));
            prop_assert!(after.0 > before.0 && after.1 >= before.1);
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
