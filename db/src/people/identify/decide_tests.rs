use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const THRESHOLDS: Thresholds = Thresholds { same: 0.8, margin: 0.05 };

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

/// A vector in the plane, `degrees` from the first axis: cosines are what one sees.
fn at(degrees: f32) -> Vec<f32> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    vec![cos, sin]
}

fn track(track_no: i32, degrees: f32) -> Track {
    let start_ms = i64::from(track_no) * 1000;
    Track {
        track_no,
        span: Span { start_ms, end_ms: start_ms + 500 },
        area: Some(Area([0.4, 0.4, 0.2, 0.2])),
        quality: 0.9,
        vector: Some(at(degrees)),
        cluster: None,
    }
}

fn said(of: &Track, whom: u128, is_theirs: bool) -> Said {
    Said { person: person(whom), is_theirs, span: of.span, area: of.area }
}

fn known(people: &[(u128, &[f32])]) -> Known {
    people.iter().map(|(n, degrees)| (person(*n), degrees.iter().map(|d| at(*d)).collect())).collect()
}

fn decide(
    tracks: &[Track],
    said: &[Said],
    known: &Known,
    clusters: &BTreeMap<PersonId, Vec<f32>>,
    thresholds: Thresholds,
) -> Vec<Whose> {
    gather(tracks, name(tracks, said, known, thresholds), clusters, thresholds)
}

fn whose(tracks: &[Track], said: &[Said], known: &Known) -> Vec<Whose> {
    decide(tracks, said, known, &BTreeMap::new(), THRESHOLDS)
}

#[test]
fn a_named_person_is_known_by_the_best_of_their_photos() {
    let ann = known(&[(1, &[0.0, 30.0])]);
    let found = whose(&[track(0, 50.0), track(1, 90.0)], &[], &ann);
    assert!(matches!(found[0], Whose::Alike(p, s) if p == person(1) && s > 0.9), "{found:?}");
    assert_eq!(found[1], Whose::New(1, 1.0));
}

#[test]
fn between_two_people_it_is_neither() {
    let two = known(&[(1, &[0.0]), (2, &[40.0])]);
    assert_eq!(whose(&[track(0, 20.0)], &[], &two), [Whose::New(0, 1.0)]);
    assert!(matches!(whose(&[track(0, 5.0)], &[], &two)[0], Whose::Alike(p, _) if p == person(1)));
}

#[test]
fn what_the_owner_says_counts_and_the_newer_word_most() {
    let ann = known(&[(1, &[0.0])]);
    let face = track(0, 0.0);
    let (not, is) = (said(&face, 1, false), said(&face, 1, true));
    assert_eq!(whose(std::slice::from_ref(&face), std::slice::from_ref(&not), &ann), [Whose::New(0, 1.0)]);
    assert_eq!(whose(std::slice::from_ref(&face), &[not.clone(), is.clone()], &ann), [Whose::Said(person(1))]);
    assert_eq!(whose(std::slice::from_ref(&face), &[is, not], &ann), [Whose::New(0, 1.0)]);
    // Of a face that is too bad to be recognised, too.
    let blurred = Track { vector: None, ..face };
    assert_eq!(whose(std::slice::from_ref(&blurred), &[], &ann), [Whose::Nobodys]);
    assert_eq!(whose(std::slice::from_ref(&blurred), &[said(&blurred, 7, true)], &ann), [Whose::Said(person(7))]);
}

#[test]
fn two_faces_at_the_same_time_are_two_people() {
    let (left, mut right) = (track(0, 0.0), track(1, 2.0));
    right.span = left.span;
    assert_eq!(whose(&[left.clone(), right], &[], &Known::new()), [Whose::New(0, 1.0), Whose::New(1, 1.0)]);
    let later = track(2, 2.0);
    assert!(matches!(whose(&[left, later], &[], &Known::new())[1], Whose::New(0, _)));
}

#[test]
fn faces_that_change_little_by_little_do_not_become_one_cluster() {
    // Each is alike to its neighbour (20° apart: 0.94), the ends are strangers (160° apart).
    let tracks: Vec<_> = (0..9_u8).map(|n| track(n.into(), f32::from(n) * 20.0)).collect();
    let found = whose(&tracks, &[], &Known::new());
    assert_ne!(found[0], found[8]);
    let firsts: BTreeSet<_> =
        found.iter().filter_map(|w| if let Whose::New(n, _) = w { Some(*n) } else { None }).collect();
    assert!(firsts.len() >= 3, "{found:?}");
}

#[test]
fn a_cluster_of_other_videos_is_joined_and_one_that_was_refused_is_not() {
    let clusters = BTreeMap::from([(person(9), at(10.0).iter().map(|x| x * 5.0).collect())]);
    let face = track(0, 0.0);
    let found = decide(std::slice::from_ref(&face), &[], &Known::new(), &clusters, THRESHOLDS);
    assert!(matches!(found[0], Whose::Alike(p, _) if p == person(9)), "{found:?}");
    let refused = [said(&face, 9, false)];
    assert_eq!(decide(&[face], &refused, &Known::new(), &clusters, THRESHOLDS), [Whose::New(0, 1.0)]);
}

#[test]
fn clusters_are_asked_for_only_when_a_face_may_be_of_one() {
    let ann = known(&[(1, &[0.0])]);
    let hers = track(0, 0.0);
    let stays = Track { cluster: Some(person(9)), ..track(1, 90.0) };
    let blind = Track { vector: None, ..track(2, 90.0) };
    let needed = |tracks: &[Track], said: &[Said]| name(tracks, said, &ann, THRESHOLDS).needs_clusters(tracks);
    assert!(!needed(&[hers.clone(), stays.clone(), blind], &[]));
    assert!(needed(&[hers, track(3, 180.0)], &[]));
    assert!(needed(std::slice::from_ref(&stays), &[said(&stays, 9, false)]));
}

#[test]
fn vectors_of_another_length_are_never_alike() {
    let other = Known::from([(person(1), vec![vec![1.0, 0.0, 0.0]])]);
    assert_eq!(whose(&[track(0, 0.0)], &[], &other), [Whose::New(0, 1.0)]);
}

prop_compose! {
    fn any_track()(degrees in 0.0_f32..360.0, start in 0_i64..20_000, length in 0_i64..3000, quality in 0.0_f32..1.0, blind in prop::bool::weighted(0.1)) -> Track {
        let span = Span { start_ms: start, end_ms: start + length };
        Track { span, quality, vector: (!blind).then(|| at(degrees)), ..track(0, 0.0) }
    }
}

proptest! {
    #[test]
    fn the_order_of_the_tracks_does_not_matter(mut tracks in prop::collection::vec(any_track(), 0..25)) {
        for (n, track) in tracks.iter_mut().enumerate() {
            track.track_no = i32::try_from(n).unwrap();
        }
        let people = known(&[(1, &[0.0, 15.0]), (2, &[120.0]), (3, &[240.0])]);
        let forwards = whose(&tracks, &[], &people);
        let mut turned = tracks.clone();
        turned.reverse();
        let mut backwards = whose(&turned, &[], &people);
        backwards.reverse();
        let named = |all: &[Whose], tracks: &[Track]| -> Vec<(i32, Option<PersonId>)> {
            all.iter().zip(tracks).map(|(w, t)| (t.track_no, if let Whose::Alike(p, _) = w { Some(*p) } else { None })).collect()
        };
        prop_assert_eq!(named(&forwards, &tracks), named(&backwards, &tracks));
    }

    #[test]
    fn nobody_is_taken_for_someone_they_are_not_alike_to(tracks in prop::collection::vec(any_track(), 0..25)) {
        let people = known(&[(1, &[0.0, 15.0]), (2, &[120.0])]);
        for (track, found) in tracks.iter().zip(whose(&tracks, &[], &people)) {
            if let Whose::Alike(p, score) = found {
                let best = people[&p].iter().map(|k| cosine(track.vector.as_ref().unwrap(), k)).fold(-1.0, f32::max);
                prop_assert!(score >= THRESHOLDS.same && score <= best + 0.05, "{score} {best}");
            }
        }
    }
}
