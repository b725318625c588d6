//! What the cap a video holds back: how many hits of each video a page leaves for later.

use std::collections::HashMap;
use std::hash::Hash;

use super::{
    fusion::Fused,
    run::{Hit, Key},
};

/// For each group (video) of the first `end` findings, how many of the later ones are of it too. What was shown and what is left
/// are all there is.
pub fn left_over<Id, G: Eq + Hash>(all: &[Fused<Id>], end: usize, group: impl Fn(&Id) -> G) -> HashMap<G, usize> {
    let (shown, later) = all.split_at(end.min(all.len()));
    let mut left: HashMap<G, usize> = shown.iter().map(|finding| (group(&finding.id), 0)).collect();
    for finding in later {
        if let Some(count) = left.get_mut(&group(&finding.id)) {
            *count += 1;
        }
    }
    left
}

/// Says so on each hit of a page that was cut out of all findings.
pub fn tell(hits: &mut [Hit], all: &[Fused<Key>], page: &[Fused<Key>]) {
    let end = page.last().and_then(|last| all.iter().position(|fused| fused.id == last.id)).map_or(0, |at| at + 1);
    let left = left_over(all, end, |key| key.0);
    for hit in hits {
        hit.more_in_video = left.get(&hit.video_id).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fusion::cap_groups;
    use super::*;

    fn findings(groups: &[u8]) -> Vec<Fused<(u8, usize)>> {
        let of = |(place, group): (usize, &u8)| Fused {
            id: (*group, place),
            score: 1.0,
            belief: 1.0,
            surest: 1.0,
            ranks: Vec::new(),
        };
        groups.iter().enumerate().map(of).collect()
    }

    #[test]
    fn a_video_that_filled_its_places_says_what_it_holds_back() {
        let all = cap_groups(findings(&[1, 1, 1, 1, 1, 2]), 3, |id| id.0);
        assert_eq!(left_over(&all, 4, |id| id.0), HashMap::from([(1, 2), (2, 0)]));
        assert_eq!(left_over(&all, 6, |id| id.0), HashMap::from([(1, 0), (2, 0)]));
        assert_eq!(left_over(&all, 99, |id| id.0)[&1], 0);
        assert!(left_over(&all, 0, |id| id.0).is_empty());
    }

    proptest! {
        #[test]
        fn shown_and_left_over_are_all_there_is(
            groups in proptest::collection::vec(0_u8..5, 0..60),
            cap in 1_usize..5,
            end in 0_usize..70,
        ) {
            let all = cap_groups(findings(&groups), cap, |id| id.0);
            let left = left_over(&all, end, |id| id.0);
            for (group, left) in &left {
                let shown = all.iter().take(end).filter(|f| f.id.0 == *group).count();
                prop_assert!(shown > 0);
                prop_assert_eq!(shown + left, groups.iter().filter(|g| *g == group).count());
            }
            let mut absent = all.iter().skip(end).filter(|f| !left.contains_key(&f.id.0));
            prop_assert!(absent.all(|f| all.iter().take(end).all(|shown| shown.id.0 != f.id.0)));
        }
    }
}
