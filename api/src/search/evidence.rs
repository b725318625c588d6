//! Where in the pictures of a page the writing and the faces are, for which its scenes were found.

use std::collections::HashMap;

use heimdex_db::{
    UserId,
    search::{self, Candidate, Evidence},
};
use uuid::Uuid;

use super::{
    fusion::Fused,
    run::{Channel, Key, Known},
};
use crate::{error::ApiError, state::AppState};

/// What shows that the writing and the people of a page are there, by run, scene and channel.
pub(super) async fn evidence(
    state: &AppState,
    owner: UserId,
    query: &str,
    page: &[Fused<Key>],
    known: &HashMap<Key, Known>,
) -> Result<HashMap<(Uuid, Uuid, &'static str), Evidence>, ApiError> {
    let of = |channel: Channel| {
        let known = page.iter().filter_map(|fused| known.get(&fused.id));
        known.filter_map(move |known| {
            let matched = known.matches.iter().find(|matched| matched.channel == channel.as_str())?;
            Some((known.candidate, matched.quote.clone().unwrap_or_default()))
        })
    };
    let (written, lines): (Vec<Candidate>, Vec<String>) = of(Channel::Written).unzip();
    let (people, _): (Vec<Candidate>, Vec<String>) = of(Channel::Who).unzip();
    let mut shown = HashMap::new();
    if !written.is_empty() {
        for line in search::writing(&state.pool, owner, &written, &lines).await? {
            shown.insert((line.run_id.0, line.scene_id.0, Channel::Written.as_str()), line);
        }
    }
    if !people.is_empty() {
        for face in search::faces(&state.pool, owner, query, &people).await? {
            shown.insert((face.run_id.0, face.scene_id.0, Channel::Who.as_str()), face);
        }
    }
    Ok(shown)
}
