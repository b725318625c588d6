//! The channels that compare vectors: what is meant by what is said, and what is seen. A query is embedded once for each model that
//! the owner's visible runs have vectors of.

use std::collections::{HashMap, HashSet};

use futures::future::join_all;
use heimdex_db::{
    DbError, UserId,
    search::{self, Candidate, Embedding, InEnglish, Near},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    at_once::{CONNECTIONS, at_most},
    belief, glossary,
    run::{CANDIDATES, Channel, DEADLINE, Failure, Found, Question, key, of},
};
use crate::{
    encoders::{Embedded, NoVector, Sense},
    state::AppState,
};

/// What is looked for.
pub(super) struct Wording<'a> {
    pub(super) text: &'a str,
    /// For all who ask during a search.
    otherwise: OnceCell<Option<Otherwise>>,
}

/// The same in other words.
enum Otherwise {
    InEnglish(String),
    Corrected(String),
}

impl<'a> Wording<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, otherwise: OnceCell::new() }
    }

    /// For a model that reads English only: in English, or with the words that are probably meant, where some are misspelt.
    async fn otherwise(&self, state: &AppState) -> Result<Option<&str>, DbError> {
        let otherwise = self.otherwise.get_or_try_init(|| async {
            Ok::<_, DbError>(match self.in_english(state).await? {
                Some(english) => Some(Otherwise::InEnglish(english)),
                None => state.encoders.corrected(self.text).await.map(Otherwise::Corrected),
            })
        });
        Ok(otherwise.await?.as_ref().map(|(Otherwise::InEnglish(text) | Otherwise::Corrected(text))| text.as_str()))
    }

    /// As far as the tags' vocabulary knows what all of it is, or else the glossary, or else the dictionary; or else the parts of it that are tags.
    async fn in_english(&self, state: &AppState) -> Result<Option<String>, DbError> {
        let named = search::in_english(&state.pool, self.text).await?;
        let parts = match named {
            Some(InEnglish { words, is_all: true }) => return Ok(Some(words)),
            named => named.map(|parts| parts.words),
        };
        match glossary::in_english(self.text) {
            Some(english) => Ok(Some(english)),
            None => Ok(state.dictionary.in_english(self.text).await.or(parts)),
        }
    }

    /// Whether the text model knows its words, or those that they were translated into.
    pub(super) async fn is_read(&self, state: &AppState) -> bool {
        if state.encoders.reads(self.text).await {
            return true;
        }
        match self.otherwise.get() {
            Some(Some(Otherwise::InEnglish(english))) => state.encoders.reads(english).await,
            _ => false,
        }
    }
}

/// Scenes that say something alike.
pub(super) async fn meaning(
    state: &AppState,
    owner: UserId,
    question: &Question,
    wording: &Wording<'_>,
) -> Result<Vec<Found>, Failure> {
    near(state, owner, (Sense::Text, Channel::Meaning), question, wording).await
}

/// Scenes that show it.
pub(super) async fn seen(
    state: &AppState,
    owner: UserId,
    question: &Question,
    wording: &Wording<'_>,
) -> Result<Vec<Found>, Failure> {
    near(state, owner, (Sense::Image, Channel::Seen), question, wording).await
}

/// The best of all spaces. Similarities in different spaces cannot be compared, but what they mean can.
async fn near(
    state: &AppState,
    owner: UserId,
    (sense, channel): (Sense, Channel),
    question: &Question,
    wording: &Wording<'_>,
) -> Result<Vec<Found>, Failure> {
    let queries = queries(state, owner, sense, wording).await?;
    // One space after the other: of the connections of a search a channel has one.
    let mut found = Vec::with_capacity(queries.len());
    for (query, near, even) in &queries {
        let here = state.vectors.near(sense.vectors(), owner, query, &question.filters, *near, DEADLINE).await?;
        found.push((here, (near.floor, *even)));
    }
    Ok(most_probable(channel, found.into_iter()))
}

/// Of what was found in each space, with the floor and the even similarity there, the most probable. A scene that was found by a query
/// in two languages is there once.
pub(super) fn most_probable(channel: Channel, found: impl Iterator<Item = (Vec<Candidate>, (f64, f64))>) -> Vec<Found> {
    let mut all = Vec::new();
    for (found, (floor, even)) in found {
        all.extend(of(channel, found, |candidate| belief::of_similarity(candidate.score, floor, even)));
    }
    // Stable: of equals the order of their space.
    all.sort_by(|a, b| b.belief.total_cmp(&a.belief));
    let mut seen = HashSet::new();
    all.retain(|found| seen.insert(key(&found.candidate)));
    all.truncate(usize::try_from(CANDIDATES).unwrap_or(usize::MAX));
    all
}

/// When in each scene it is seen best, by run and scene.
pub(super) async fn moments(
    state: &AppState,
    owner: UserId,
    wording: &Wording<'_>,
    found: &[Candidate],
) -> Result<HashMap<(Uuid, Uuid), i64>, DbError> {
    // Whoever was found was found by a query that could be embedded; where it no longer can, the scene's start will do.
    let queries = match queries(state, owner, Sense::Image, wording).await {
        Ok(queries) => queries,
        Err(Failure::Db(error)) => return Err(error),
        Err(Failure::Skipped | Failure::Model(_)) => return Ok(HashMap::new()),
    };
    let asked: Vec<_> =
        queries.iter().map(|(query, ..)| search::best_frames(&state.pool, owner, query, found)).collect();
    let frames: Vec<_> = at_most(CONNECTIONS, asked).await.into_iter().collect::<Result<_, _>>()?;
    Ok(frames.into_iter().flatten().map(|frame| ((frame.run_id.0, frame.scene_id.0), frame.at_ms)).collect())
}

/// The query in every space that the owner's scenes are in, with the similarity there that means as much as not. Spaces whose model
/// cannot be had are left out, unless it is all of them.
async fn queries(
    state: &AppState,
    owner: UserId,
    sense: Sense,
    wording: &Wording<'_>,
) -> Result<Vec<(Embedding, Near, f64)>, Failure> {
    if state.encoders.configured(sense).is_none() {
        return Err(Failure::Skipped);
    }
    let models = search::models(&state.pool, sense.vectors(), owner).await?;
    let embedded = join_all(models.iter().map(|model| state.encoders.embed(sense, model, wording.text))).await;
    let otherwise = match embedded.iter().flatten().any(|found| found.english) {
        true => wording.otherwise(state).await?,
        false => None,
    };
    let (mut queries, mut failed) = (Vec::new(), None);
    for (model, embedded) in models.into_iter().zip(embedded) {
        let mut add = |found: Embedded| {
            let near = Near { except: None, floor: found.floor, limit: CANDIDATES };
            queries.push((Embedding { model: model.clone(), vector: found.vector }, near, found.even));
        };
        match embedded {
            Ok(found) => {
                let otherwise = otherwise.filter(|_| found.english);
                add(found);
                if let Some(otherwise) = otherwise {
                    add(state.encoders.embed(sense, &model, otherwise).await.map_err(Failure::Model)?);
                }
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
