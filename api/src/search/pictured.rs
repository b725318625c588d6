//! A search whose question is a picture: scenes that look like it, in the space of every model that the owner's visible runs have
//! vectors of.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use heimdex_db::{
    UserId,
    search::{self, Embedding, Near},
};
use heimdex_models::picture::OwnedPicture;

use super::{
    at_once::{CONNECTIONS, at_most},
    fusion::{Offer, Ranked, cap_groups, fuse},
    more,
    nearest::{Wording, most_probable},
    run::{
        Answer, CANDIDATES, Channel, ChannelReport, DEADLINE, Key, Known, Match, Question, cut, key, late, millis,
        present,
    },
};
use crate::{
    encoders::{NoVector, Sense},
    error::{ApiError, Code},
    state::AppState,
};

/// What was found, and whether there was anything to look for.
pub struct Pictured {
    pub answer: Answer,
    /// Every model saw nothing that it knows in the picture.
    pub says_nothing: bool,
}

/// One page of the scenes that look like the picture. Of the question, its text and channels are not looked at.
///
/// # Errors
/// `no_image_model` where there is none; 503 while it is being loaded.
pub async fn run(
    state: &AppState,
    owner: UserId,
    question: &Question,
    picture: OwnedPicture,
) -> Result<Pictured, ApiError> {
    let began = Instant::now();
    let Some(queries) = queries(state, owner, picture).await? else {
        let answer = Answer { hits: Vec::new(), next: None, channels: vec![report(0, began.elapsed())] };
        return Ok(Pictured { answer, says_nothing: true });
    };
    let kind = Sense::Picture.vectors();
    let asked: Vec<_> = queries
        .iter()
        .map(|(query, near, _)| state.vectors.near(kind, owner, query, &question.filters, *near, DEADLINE))
        .collect();
    let marks = queries.iter().map(|(_, near, even)| (near.floor, *even));
    let near: Vec<_> = at_most(CONNECTIONS, asked).await.into_iter().collect::<Result<_, _>>().map_err(late)?;
    let found = most_probable(Channel::Seen, near.into_iter().zip(marks));
    let mut known: HashMap<Key, Known> = HashMap::new();
    for (place, found) in found.iter().enumerate() {
        let matched = Match::new(Channel::Seen.as_str(), place + 1, found.candidate.score, found.detail.clone());
        known.insert(key(&found.candidate), Known { candidate: found.candidate, at_ms: None, matches: vec![matched] });
    }
    let offers = found.iter().map(|found| Offer {
        id: key(&found.candidate),
        score: found.candidate.score,
        belief: found.belief,
    });
    let fused = fuse(&[Ranked { weight: 1.0, offers: offers.collect() }]);
    let all = cap_groups(fused, question.per_video, |key| key.0);
    let (page, next) = cut(&all, question);
    // When in each scene it looks most like the picture.
    let shown: Vec<_> = page.iter().filter_map(|fused| known.get(&fused.id)).map(|known| known.candidate).collect();
    let frames: Vec<_> =
        queries.iter().map(|(query, ..)| search::best_frames(&state.pool, owner, query, &shown)).collect();
    let frames: Vec<_> = at_most(CONNECTIONS, frames).await.into_iter().collect::<Result<_, _>>()?;
    for frame in frames.into_iter().flatten() {
        let of_scene =
            |known: &&mut Known| known.candidate.run_id == frame.run_id && known.candidate.scene_id == frame.scene_id;
        if let Some(known) = known.values_mut().find(of_scene) {
            known.at_ms = Some(frame.at_ms);
            known.matches.iter_mut().for_each(|matched| matched.at_ms = Some(frame.at_ms));
        }
    }
    let mut hits = present(state, owner, &Wording::new(""), &page, &known).await?;
    more::tell(&mut hits, &all, &page);
    let answer = Answer { hits, next, channels: vec![report(found.len(), began.elapsed())] };
    Ok(Pictured { answer, says_nothing: false })
}

fn report(candidates: usize, took: Duration) -> ChannelReport {
    ChannelReport { channel: Channel::Seen.as_str(), status: "ok", candidates, took_ms: millis(took) }
}

/// The picture in every space that the owner's scenes are in, with the similarity there that means as much as not; `None` when no
/// model sees anything in it. Spaces whose model cannot be had are left out, unless it is all of them.
async fn queries(
    state: &AppState,
    owner: UserId,
    picture: OwnedPicture,
) -> Result<Option<Vec<(Embedding, Near, f64)>>, ApiError> {
    let models = search::models(&state.pool, Sense::Picture.vectors(), owner).await?;
    let picture = Arc::new(picture);
    let looked = join_all(models.iter().map(|model| state.encoders.look(model, Arc::clone(&picture)))).await;
    let (mut queries, mut failed, mut blind) = (Vec::new(), None, false);
    for (model, looked) in models.into_iter().zip(looked) {
        match looked {
            Ok(Some(found)) => {
                let near = Near { except: None, floor: found.floor, limit: CANDIDATES };
                queries.push((Embedding { model, vector: found.vector }, near, found.even));
            }
            Ok(None) => blind = true,
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if queries.is_empty() && !blind => Err(no_vector(&error)),
        _ if queries.is_empty() && blind => Ok(None),
        _ => Ok(Some(queries)),
    }
}

/// The refusal where no model looks at pictures.
pub fn no_image_model() -> ApiError {
    let detail = "This installation has no model that looks at pictures, so there is no search by picture.";
    ApiError::new(Code::NoImageModel).detail(detail)
}

fn no_vector(error: &NoVector) -> ApiError {
    match error {
        NoVector::Off => no_image_model(),
        NoVector::Loading => {
            let detail = "The model that looks at pictures is being loaded; try again in a moment.";
            ApiError::new(Code::Unavailable).detail(detail).retry_after(5)
        }
        NoVector::Failed(model) => {
            let detail = format!("The model `{model}`, which this library was indexed with, cannot be loaded.");
            ApiError::new(Code::NoImageModel).detail(detail)
        }
        NoVector::Model(_) | NoVector::Interrupted => ApiError::internal(error),
    }
}
