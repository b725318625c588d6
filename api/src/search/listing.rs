//! A search that has operators and nothing to look for: every scene that passes, the newest video first.

use std::{collections::HashMap, time::Instant};

use heimdex_db::{
    UserId,
    search::{self, Listed},
};

use super::{
    fusion::Fused,
    nearest::Wording,
    run::{After, Answer, ChannelReport, DEADLINE, Key, Known, Match, Question, key, late, millis, present},
};
use crate::{error::ApiError, state::AppState};

/// What the report and the hits call it; nobody can ask for it by this name.
const NAME: &str = "filters";

/// One page of the list. `said` is marked in what is shown, and the player jumps there unless a text on screen was asked for.
pub async fn list(state: &AppState, owner: UserId, question: &Question, said: &str) -> Result<Answer, ApiError> {
    let began = Instant::now();
    let after = question.after.and_then(|after| after.listed);
    // One more than is shown says whether there is another page.
    let most = i64::try_from(question.limit + 1).unwrap_or(i64::MAX);
    let mut rows =
        search::listed(&state.pool, owner, &question.filters, after.as_ref(), most, DEADLINE).await.map_err(late)?;
    let took = began.elapsed();
    metrics::histogram!("heimdex_search_channel_seconds", "channel" => NAME, "status" => "ok").record(took);
    let has_more = rows.len() > question.limit;
    rows.truncate(question.limit);
    // A cursor is not signed: whatever it says must not overflow.
    let before = question.after.map_or(0, |after| after.place.min(usize::MAX / 2));
    let page: Vec<Fused<Key>> = rows
        .iter()
        .map(|row| Fused {
            id: key(&row.candidate),
            score: row.candidate.score,
            belief: 1.0,
            surest: 1.0,
            ranks: Vec::new(),
        })
        .collect();
    let known: HashMap<Key, Known> =
        rows.iter().zip(before + 1..).map(|(row, rank)| (key(&row.candidate), found(row, rank))).collect();
    let hits = present(state, owner, &Wording::new(said), &page, &known).await?;
    let next = rows.last().filter(|_| has_more).map(|last| After {
        scene_id: last.candidate.scene_id.0,
        place: before + rows.len(),
        listed: Some(last.place()),
    });
    let report = ChannelReport { channel: NAME, status: "ok", candidates: rows.len(), took_ms: millis(took) };
    Ok(Answer { hits, next, channels: vec![report] })
}

fn found(row: &Listed, rank: usize) -> Known {
    let detail = "has all that was asked for".to_owned();
    let matched = Match::new(NAME, rank, row.candidate.score, detail);
    Known { candidate: row.candidate, at_ms: row.at_ms, matches: vec![matched] }
}
