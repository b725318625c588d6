//! Whose faces the tracks of a run are. Pure: the same input gives the same answer, in whatever order it comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Thresholds,
    area::{Area, Span, is_same_face},
};
use crate::ids::PersonId;

/// A face seen through neighbouring pictures.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub track_no: i32,
    pub span: Span,
    pub area: Option<Area>,
    pub quality: f32,
    /// Of length 1; none where no face in it was good enough.
    pub vector: Option<Vec<f32>>,
    /// The cluster it is in already.
    pub cluster: Option<PersonId>,
}

/// What the owner said about a face, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub person: PersonId,
    pub is_theirs: bool,
    pub span: Span,
    pub area: Option<Area>,
}

/// What a named person is known by: vectors of one model, of length 1.
pub(super) type Known = BTreeMap<PersonId, Vec<Vec<f32>>>;

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Whose {
    Nobodys,
    /// The owner said so.
    Said(PersonId),
    /// Cosine similarity to what is known of them.
    Alike(PersonId, f32),
    /// Of the cluster it is in already.
    Stays(PersonId),
    /// Of a cluster that begins with this track of the run (its place in the list).
    New(usize, f32),
}

/// A cluster's tracks, added up.
struct Cluster {
    whose: Whose,
    sum: Vec<f32>,
    /// `sum` with length 1, kept because every track is compared with it.
    mean: Option<Vec<f32>>,
    spans: Vec<Span>,
}

impl Cluster {
    fn new(whose: Whose, sum: Vec<f32>) -> Self {
        Self { whose, mean: normal(&sum), sum, spans: Vec::new() }
    }

    fn join(&mut self, track: &Track, vector: &[f32]) {
        add(&mut self.sum, vector);
        self.mean = normal(&self.sum);
        self.spans.push(track.span);
    }
}

/// What the owner said about one track: who it is, and who it is not.
fn said_about(track: &Track, said: &[Said]) -> (Option<PersonId>, BTreeSet<PersonId>) {
    let (mut theirs, mut not) = (None, BTreeSet::new());
    for one in said.iter().filter(|one| is_same_face((track.span, track.area), (one.span, one.area))) {
        if one.is_theirs {
            not.remove(&one.person);
            theirs = Some(one.person);
        } else {
            not.insert(one.person);
            theirs = theirs.filter(|&person| person != one.person);
        }
    }
    (theirs, not)
}

/// What is decided without looking at clusters: faces of named people, and those of which the owner said whose they are.
#[derive(Debug)]
pub(super) struct Named {
    whose: Vec<Whose>,
    /// Whom the owner refused, by track.
    not: Vec<BTreeSet<PersonId>>,
}

impl Named {
    /// Whether there is a face that may be of any cluster: nobody's so far, and not in a cluster that it stays in.
    pub(super) fn needs_clusters(&self, tracks: &[Track]) -> bool {
        let left = tracks.iter().zip(self.whose.iter().zip(&self.not));
        left.filter(|(track, (whose, _))| **whose == Whose::Nobodys && track.vector.is_some())
            .any(|(track, (_, not))| track.cluster.is_none_or(|cluster| not.contains(&cluster)))
    }
}

/// Decides for each track, in the order given, whether it is one of the named people that are `known`.
pub(super) fn name(tracks: &[Track], said: &[Said], known: &Known, thresholds: Thresholds) -> Named {
    let (theirs, not): (Vec<_>, Vec<_>) = tracks.iter().map(|track| said_about(track, said)).unzip();
    let people = prepare(known);
    let whose = tracks
        .iter()
        .zip(theirs.iter().zip(&not))
        .map(|(track, (theirs, not))| match (theirs, &track.vector) {
            (Some(person), _) => Whose::Said(*person),
            (None, Some(vector)) => best_person(vector, &people, not, thresholds),
            (None, None) => Whose::Nobodys,
        })
        .collect();
    Named { whose, not }
}

/// References and, last, their mean.
fn prepare(known: &Known) -> Vec<(PersonId, Vec<Vec<f32>>)> {
    let with_mean = |vectors: &Vec<Vec<f32>>| -> Vec<Vec<f32>> {
        let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
        vectors.iter().for_each(|vector| add(&mut sum, vector));
        vectors.iter().cloned().chain(normal(&sum)).collect()
    };
    known.iter().map(|(&person, vectors)| (person, with_mean(vectors))).collect()
}

/// The person it is most alike to, if that is enough, and ahead of the second person by the margin.
fn best_person(
    vector: &[f32],
    people: &[(PersonId, Vec<Vec<f32>>)],
    not: &BTreeSet<PersonId>,
    thresholds: Thresholds,
) -> Whose {
    let (mut best, mut second) = (None::<(f32, PersonId)>, f32::NEG_INFINITY);
    for (person, vectors) in people.iter().filter(|(person, _)| !not.contains(person)) {
        let score = vectors.iter().map(|known| cosine(vector, known)).fold(f32::NEG_INFINITY, f32::max);
        match best {
            Some((most, _)) if score <= most => second = second.max(score),
            _ => {
                second = best.map_or(second, |(most, _)| second.max(most));
                best = Some((score, *person));
            }
        }
    }
    match best {
        Some((score, person)) if score >= thresholds.same && score - second >= thresholds.margin => {
            Whose::Alike(person, score)
        }
        _ => Whose::Nobodys,
    }
}

/// Puts what is left into clusters: where a track is already it stays; then the best ones choose first, by the mean of each
/// cluster. Two faces that are in the picture at once are two people. `clusters`: the sums of the vectors of each cluster in other
/// runs; needed only where [`Named::needs_clusters`].
pub(super) fn gather(
    tracks: &[Track],
    named: Named,
    clusters: &BTreeMap<PersonId, Vec<f32>>,
    thresholds: Thresholds,
) -> Vec<Whose> {
    let Named { mut whose, not } = named;
    let mut all: Vec<Cluster> =
        clusters.iter().map(|(&person, sum)| Cluster::new(Whose::Stays(person), sum.clone())).collect();
    let mut place: HashMap<PersonId, usize> =
        clusters.keys().enumerate().map(|(place, &person)| (person, place)).collect();
    let mut left: Vec<usize> = (0..tracks.len()).filter(|&n| whose[n] == Whose::Nobodys).collect();
    left.sort_by(|&a, &b| {
        tracks[b].quality.total_cmp(&tracks[a].quality).then(tracks[a].track_no.cmp(&tracks[b].track_no))
    });
    left.retain(|&n| {
        let (track, Some(vector)) = (&tracks[n], &tracks[n].vector) else { return false };
        let Some(person) = track.cluster.filter(|person| !not[n].contains(person)) else { return true };
        let at = *place.entry(person).or_insert_with(|| {
            all.push(Cluster::new(Whose::Stays(person), vec![0.0; vector.len()]));
            all.len() - 1
        });
        all[at].join(track, vector);
        whose[n] = Whose::Stays(person);
        false
    });
    for n in left {
        let (track, Some(vector)) = (&tracks[n], &tracks[n].vector) else { continue };
        let fits = |cluster: &&mut Cluster| {
            !matches!(cluster.whose, Whose::Stays(person) if not[n].contains(&person))
                && cluster.sum.len() == vector.len()
                && !cluster.spans.iter().any(|span| span.meets(track.span))
        };
        let mut best: Option<(f32, &mut Cluster)> = None;
        for cluster in all.iter_mut().filter(fits) {
            let score = cluster.mean.as_ref().map_or(f32::NEG_INFINITY, |mean| cosine(vector, mean));
            if score >= thresholds.same && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, cluster));
            }
        }
        if let Some((score, cluster)) = best {
            cluster.join(track, vector);
            whose[n] = match cluster.whose {
                Whose::Stays(person) => Whose::Alike(person, score),
                Whose::New(first, _) => Whose::New(first, score),
                other => other,
            };
        } else {
            whose[n] = Whose::New(n, 1.0);
            let mut cluster = Cluster::new(whose[n], vec![0.0; vector.len()]);
            cluster.join(track, vector);
            all.push(cluster);
        }
    }
    whose
}

fn add(sum: &mut [f32], vector: &[f32]) {
    sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
}

/// Of length 1; none for a vector without direction.
fn normal(vector: &[f32]) -> Option<Vec<f32>> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    (length > f32::EPSILON && length.is_finite()).then(|| vector.iter().map(|x| x / length).collect())
}

/// Of two vectors of length 1. Different lengths are of different models: nothing alike.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return f32::NEG_INFINITY;
    }
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
