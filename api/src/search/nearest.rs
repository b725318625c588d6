//! The channels that compare vectors: what is meant by what is said, and what is seen. A query is embedded once for each model that
//! the owner's visible runs have vectors of.

use std::collections::HashMap;

use futures::future::{join_all, try_join_all};
use heimdex_db::{
    DbError, UserId,
    search::{self, Candidate, Embedding, Near},
};
use uuid::Uuid;

use super::run::{CANDIDATES, DEADLINE, Failure, Question};
use crate::{
    encoders::{NoVector, Sense},
    state::AppState,
};

/// Scenes that say something alike.
pub(super) async fn meaning(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Candidate>, Failure> {
    near(state, owner, Sense::Text, question).await
}

/// Scenes that show it.
pub(super) async fn seen(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Candidate>, Failure> {
    near(state, owner, Sense::Image, question).await
}

async fn near(state: &AppState, owner: UserId, sense: Sense, question: &Question) -> Result<Vec<Candidate>, Failure> {
    let queries = queries(state, owner, sense, &question.text).await?;
    let asked = queries.iter().map(|(query, near)| {
        search::near(&state.pool, sense.vectors(), owner, query, &question.filters, *near, DEADLINE)
    });
    Ok(interleaved(&try_join_all(asked).await?))
}

/// When in each scene it is seen best, by run and scene.
pub(super) async fn moments(
    state: &AppState,
    owner: UserId,
    text: &str,
    found: &[Candidate],
) -> Result<HashMap<(Uuid, Uuid), i64>, DbError> {
    // Whoever was found was found by a query that could be embedded; where it no longer can, the scene's start will do.
    let queries = match queries(state, owner, Sense::Image, text).await {
        Ok(queries) => queries,
        Err(Failure::Db(error)) => return Err(error),
        Err(Failure::Skipped | Failure::Model(_)) => return Ok(HashMap::new()),
    };
    let asked = queries.iter().map(|(query, _)| search::best_frames(&state.pool, owner, query, found));
    let frames = try_join_all(asked).await?;
    Ok(frames.into_iter().flatten().map(|frame| ((frame.run_id.0, frame.scene_id.0), frame.at_ms)).collect())
}

/// The query in every space that the owner's scenes are in. Spaces whose model cannot be had are left out, unless it is all of them.
async fn queries(state: &AppState, owner: UserId, sense: Sense, text: &str) -> Result<Vec<(Embedding, Near)>, Failure> {
    if state.encoders.configured(sense).is_none() {
        return Err(Failure::Skipped);
    }
    let models = search::models(&state.pool, sense.vectors(), owner).await?;
    let embedded = join_all(models.iter().map(|model| state.encoders.embed(sense, model, text))).await;
    let (mut queries, mut failed) = (Vec::new(), None);
    for (model, embedded) in models.into_iter().zip(embedded) {
        match embedded {
            Ok(found) => {
                let near = Near { except: None, floor: found.floor, limit: CANDIDATES };
                queries.push((Embedding { model, vector: found.vector }, near));
            }
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(NoVector::Off | NoVector::Loading) if queries.is_empty() => Err(Failure::Skipped),
        Some(error) if queries.is_empty() => Err(Failure::Model(error)),
        _ => Ok(queries),
    }
}

/// The best of each, then the second of each, and so on: similarities in different spaces cannot be compared. A scene is in one of
/// the lists only, since its run has one model of a kind.
pub(super) fn interleaved(lists: &[Vec<Candidate>]) -> Vec<Candidate> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let places = (0..longest).flat_map(|place| lists.iter().filter_map(move |list| list.get(place)));
    places.take(usize::try_from(CANDIDATES).unwrap_or(usize::MAX)).copied().collect()
}
