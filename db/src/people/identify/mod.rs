//! Whose faces were found: named people first, then the clusters there are, else a new cluster.
//!
//! - A named person is taken when the track's vector is alike enough to the best of what is known of them (or to its mean), and
//!   ahead of the second person by the margin. Named people are never merged here.
//! - What the owner decided counts before anything else.
//! - Clusters are gathered by their mean, so that faces which change little by little do not chain strangers together. A track
//!   that is in a cluster stays in it, so that doing it again changes nothing.
//! - The id of a new cluster is derived from the video and the place of its first face: an attempt that is made again, or another
//!   run that finds the same face, gives the same cluster.

mod area;
mod decide;
mod load;

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use uuid::Uuid;

pub(super) use area::{Area, Span, is_same_face};
use decide::{Track, Whose};

use super::{forget_orphans, lock};
use crate::{
    error::DbError,
    ids::{PersonId, RunId, UserId, VideoId},
};

/// When two faces are of one person, in cosine similarity. Belongs to the face model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// At least so alike.
    pub same: f32,
    /// And so much more than to the second named person.
    pub margin: f32,
}

/// How many tracks are whose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identified {
    pub named: usize,
    pub unknown: usize,
    /// Too bad to tell.
    pub nobodys: usize,
}

/// Tries at a derived id before a cluster is given up; each is taken only by a decision of the owner about this very face.
const SALTS: u32 = 16;

/// Decides for every track of a run whose it is, and writes it. Doing it again gives the same. Needs no model: the vectors are
/// there.
pub async fn identify(
    connection: &mut PgConnection,
    owner: UserId,
    run: RunId,
    thresholds: &Thresholds,
) -> Result<Identified, DbError> {
    lock(&mut *connection, owner).await?;
    let mut sum = Identified::default();
    for model in load::models(&mut *connection, owner, run).await? {
        let found = identify_of_model(&mut *connection, owner, run, &model, *thresholds).await?;
        sum.named += found.named;
        sum.unknown += found.unknown;
        sum.nobodys += found.nobodys;
    }
    forget_orphans(connection, owner).await?;
    Ok(sum)
}

async fn identify_of_model(
    connection: &mut PgConnection,
    owner: UserId,
    run: RunId,
    model: &str,
    thresholds: Thresholds,
) -> Result<Identified, DbError> {
    let video = load::video(&mut *connection, owner, run).await?;
    let tracks = load::tracks(&mut *connection, owner, run, model).await?;
    let said = load::said(&mut *connection, owner, video).await?;
    let known = load::known(&mut *connection, owner, model).await?;
    let names: BTreeSet<PersonId> = load::named(&mut *connection, owner).await?;
    let (tracks, said, named) = apart(move || {
        let named = decide::name(&tracks, &said, &known, thresholds);
        (tracks, said, named)
    })
    .await?;
    // All faces of a library are added up for them.
    let clusters = match named.needs_clusters(&tracks) {
        true => load::clusters(&mut *connection, owner, run, model).await?,
        false => BTreeMap::new(),
    };
    let (tracks, whose) = apart(move || {
        let whose = decide::gather(&tracks, named, &clusters, thresholds);
        (tracks, whose)
    })
    .await?;

    let mut found = Identified::default();
    let mut begun = BTreeMap::new();
    for (n, _) in whose.iter().enumerate().filter(|(n, whose)| matches!(whose, Whose::New(first, _) if first == n)) {
        begun.insert(n, begin_cluster(&mut *connection, owner, video, &tracks[n], &said).await?);
    }
    let mut decided = Vec::with_capacity(tracks.len());
    for (track, whose) in tracks.iter().zip(&whose) {
        let (person, similarity) = match *whose {
            Whose::Nobodys => (None, None),
            Whose::Said(person) => (Some(person), None),
            Whose::Alike(person, score) => (Some(person), Some(score)),
            Whose::New(first, score) => (begun.get(&first).copied().flatten(), Some(score)),
            Whose::Stays(_) => {
                found.unknown += 1;
                continue;
            }
        };
        match person {
            None => found.nobodys += 1,
            Some(person) if names.contains(&person) => found.named += 1,
            Some(_) => found.unknown += 1,
        }
        // How alike a face is to a cluster says nothing: the cluster is what faces like this one have made it, this one among them.
        let similarity = similarity.filter(|_| person.is_some_and(|person| names.contains(&person)));
        decided.push((track.track_no, person, similarity));
    }
    load::write(&mut *connection, run, model, &decided).await?;
    load::learn(connection, owner, video, run, model).await?;
    Ok(found)
}

/// Does it on a thread of its own: a library of many people is seconds of multiplications.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, DbError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The process is about to end.
        Err(_) => Err(DbError::Sqlx(sqlx::Error::WorkerCrashed)),
    }
}

/// The cluster that begins with a face. An id that is taken by somebody with a name, or by a cluster this face was taken out of,
/// is passed over.
async fn begin_cluster(
    connection: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    track: &Track,
    said: &[decide::Said],
) -> Result<Option<PersonId>, DbError> {
    let place = track.area.map_or_else(String::new, |area| area.0.map(|part| format!("{part:.2}")).join(","));
    let refused: BTreeSet<PersonId> = said
        .iter()
        .filter(|one| !one.is_theirs && is_same_face((track.span, track.area), (one.span, one.area)))
        .map(|one| one.person)
        .collect();
    for salt in 0..SALTS {
        let name = format!("face {}-{} {place} {salt}", track.span.start_ms, track.span.end_ms);
        let id = PersonId(Uuid::new_v5(&video.0, name.as_bytes()));
        if !refused.contains(&id) && load::has_cluster(&mut *connection, owner, id).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
