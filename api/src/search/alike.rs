//! Scenes like another one: by what is said, by what is seen, or by both.

use std::collections::HashMap;

use futures::future::try_join_all;
use heimdex_db::{
    DbError, SceneId, UserId,
    search::{self, Candidate, Filters, Near},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    fusion::{Offer, Ranked, fuse},
    nearest::Wording,
    run::{Channel, DEADLINE, Hit, Key, Known, Match, detail, key, late, present, unavailable},
};
use crate::{
    encoders::Sense,
    error::{ApiError, Code},
    state::AppState,
};

/// Of two things of a model whose manifest has gone.
const FLOOR: f64 = 0.5;

/// In which respect scenes are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Said,
    Seen,
}

/// Scenes like this one, best first; `None` compares in both respects.
///
/// # Errors
/// `no_vectors` when there is nothing in the scene to compare by.
pub async fn similar(
    state: &AppState,
    owner: UserId,
    scene: SceneId,
    by: Option<By>,
    limit: i64,
) -> Result<Vec<Hit>, ApiError> {
    let mut ranked = Vec::new();
    let mut known: HashMap<Key, Known> = HashMap::new();
    let respects = [(By::Said, Channel::Meaning), (By::Seen, Channel::Seen)];
    let asked = respects.into_iter().filter(|(respect, _)| by.is_none_or(|by| by == *respect));
    let answers = asked.map(|(respect, channel)| async move {
        let found = tokio::time::timeout(DEADLINE, neighbours(state, owner, scene, respect, limit)).await;
        Ok::<_, ApiError>((channel, found.map_err(|_| unavailable())?.map_err(late)?))
    });
    for (channel, found) in try_join_all(answers).await? {
        let Some(found) = found else { continue };
        for (place, candidate) in found.iter().enumerate() {
            let matched = Match::new(channel.as_str(), place + 1, candidate.score, detail(channel, candidate));
            let new = Known { candidate: *candidate, at_ms: None, matches: Vec::new() };
            known.entry(key(candidate)).or_insert(new).matches.push(matched);
        }
        let offers = found.iter().map(|found| Offer { id: key(found), score: found.score, belief: found.score });
        ranked.push(Ranked { weight: channel.default_weight(), offers: offers.collect() });
    }
    if ranked.is_empty() {
        return Err(ApiError::new(Code::NoVectors));
    }
    let mut page = fuse(&ranked);
    page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    present(state, owner, &Wording::new(""), &page, &known).await
}

/// `None`: the scene has no vector of this kind.
async fn neighbours(
    state: &AppState,
    owner: UserId,
    scene: SceneId,
    by: By,
    limit: i64,
) -> Result<Option<Vec<Candidate>>, DbError> {
    let sense = match by {
        By::Said => Sense::Text,
        By::Seen => Sense::Image,
    };
    let own = search::of_scene(&state.pool, sense.vectors(), owner, scene).await?;
    let Ok(query) = own else { return Ok(None) };
    let floor = state.encoders.likeness_floor(sense, &query.model).await.unwrap_or(FLOOR);
    let near = Near { except: Some(scene), floor, limit };
    let everything = Filters::default();
    state.vectors.near(sense.vectors(), owner, &query, &everything, near, DEADLINE).await.map(Some)
}
